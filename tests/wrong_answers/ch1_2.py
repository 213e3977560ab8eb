"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-1-2-1": {
        """
def count_modes(samples, centres, radius, least):
    nearest = torch.cdist(samples, centres).argmin(1)
    return int((F.one_hot(nearest, len(centres)).float().mean(0) >= least).sum())
""": "use the radius",
        """
def count_modes(samples, centres, radius, least):
    return int((torch.cdist(samples, centres) < radius).any(0).sum())
""": "stray samples",
        """
def count_modes(samples, centres, radius, least):
    near = (torch.cdist(samples, centres) < radius).float()
    return int((near.sum(0) / near.sum() >= least).sum())
""": "share of all samples",
        """
def count_modes(samples, centres, radius, least):
    return int((torch.cdist(samples, centres) < radius).sum())
""": "count the centres",
        "count_modes = lambda samples, centres, radius, least: torch.zeros(7)": "one number",
    },
    "ex-1-2-2": {
        """
def dirac_step(theta, psi, rate, r1):
    psi = psi - rate * (theta * torch.sigmoid(torch.tensor(psi * theta)).item() + r1 * psi)
    return theta + rate * psi * torch.sigmoid(torch.tensor(psi * theta)).item(), psi
""": "answers to the new psi",
        """
def dirac_step(theta, psi, rate, r1):
    theta = theta + rate * psi * torch.sigmoid(torch.tensor(psi * theta)).item()
    return theta, psi - rate * (theta * torch.sigmoid(torch.tensor(psi * theta)).item() + r1 * psi)
""": "answers to the new theta",
        """
def dirac_step(theta, psi, rate, r1):
    d = torch.sigmoid(torch.tensor(psi * theta)).item()
    return theta - rate * psi * d, psi + rate * (theta * d + r1 * psi)
""": "both signs",
        """
def dirac_step(theta, psi, rate, r1):
    d = torch.sigmoid(torch.tensor(psi * theta)).item()
    return theta + rate * psi * d, psi - rate * theta * d
""": "where is R1",
        """
def dirac_step(theta, psi, rate, r1):
    d = torch.sigmoid(torch.tensor(psi * theta)).item()
    return theta + rate * psi * d, psi - rate * (theta * d + 2 * r1 * psi)
""": "no factor 2",
        """
def dirac_step(theta, psi, rate, r1):
    d = torch.sigmoid(torch.tensor(psi * theta)).item()
    return theta + rate * (psi * d - r1 * theta), psi - rate * (theta * d + r1 * psi)
""": "theta is wrong",
        """
def dirac_step(theta, psi, rate, r1):
    d = torch.sigmoid(torch.tensor(psi * theta)).item()
    return theta + rate * psi * (1 - d), psi - rate * (theta * d + r1 * psi)
""": "non-saturating",
        """
def dirac_step(theta, psi, rate, r1):
    d = torch.sigmoid(torch.tensor(abs(psi * theta))).item()
    return theta + rate * psi * d, psi - rate * (theta * d + r1 * psi)
""": "belongs into the sigmoid",
    },
    "ex-1-2-3": {
        """
def r1_penalty(discriminator, x):
    x = x.requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return slope.square().sum(1).mean()
""": "factor ½",
        """
def r1_penalty(discriminator, x):
    x = x.requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x)
    return 0.5 * slope.square().sum(1).mean()
""": "create_graph=True",
        """
def r1_penalty(discriminator, x):
    x = x.requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(x).mean(), x, create_graph=True)
    return 0.5 * slope.square().sum(1).mean()
""": "sum of the scores",
        """
def r1_penalty(discriminator, x):
    x = x.requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return 0.5 * slope.square().mean()
""": "over the coordinates",
        """
def r1_penalty(discriminator, x):
    x = x.requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return 0.5 * slope.norm(dim=1).mean()
""": "square the norm",
        """
def r1_penalty(discriminator, x):
    x = x.requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return slope.square().sum() / 6
""": "three points only",
        """
def r1_penalty(discriminator, x):
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return 0.5 * slope.square().sum(1).mean()
""": "RuntimeError",
    },
    "ex-1-2-4": {
        "passes_of_a_round = lambda k: 4 * k + 4": "needs fakes",
        "passes_of_a_round = lambda k: 5 * k + 3": "comes through the discriminator",
        "passes_of_a_round = lambda k: 6 * k + 4": "detached",
        "passes_of_a_round = lambda k: 3 * k + 2": "backward as well",
        "passes_of_a_round = lambda k: 9": "k = 1 only",
        "passes_of_a_round = lambda k: 100": "list the passes",
    },
    "ex-1-2-5": {
        """
def diagnose(samples, centres, sigma):
    nearest = torch.cdist(samples, centres).argmin(1)
    share = F.one_hot(nearest, len(centres)).float().mean(0)
    return "healthy" if (share >= 0.03).all() else "collapsed"
""": "near none",
        """
def diagnose(samples, centres, sigma):
    near = torch.cdist(samples, centres) < 3 * sigma
    if near.any(1).float().mean() < 0.5:
        return "noise"
    return "healthy" if near.any(0).all() else "collapsed"
""": "less than 3 %",
        """
def diagnose(samples, centres, sigma):
    near = torch.cdist(samples, centres) < 3 * sigma
    if near.any(1).float().mean() < 0.9:
        return "noise"
    return "healthy" if (near.float().mean(0) >= 0.03).all() else "collapsed"
""": "stray samples are allowed",
        """
def diagnose(samples, centres, sigma):
    near = torch.cdist(samples, centres) < 3 * sigma
    if near.any(1).float().mean() < 0.5:
        return "noise"
    return "healthy" if (near.float().mean(0) >= 0.2).all() else "collapsed"
""": "need not be equal",
        "diagnose = lambda samples, centres, sigma: True": 'return "noise"',
    },
}
