"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-3-3-1": {
        "logit_gradient = lambda z, y: z.softmax(1) - F.one_hot(y, z.shape[1])": "divide by N",
        "logit_gradient = lambda z, y: (z.softmax(1) - F.one_hot(y, z.shape[1])) / z.shape[1]": "not of classes",
        "logit_gradient = lambda z, y: (F.one_hot(y, z.shape[1]) - z.softmax(1)) / len(y)": "sign",
        "logit_gradient = lambda z, y: z.softmax(1) / len(y)": "label is missing",
        "logit_gradient = lambda z, y: (z.softmax(0) - F.one_hot(y, z.shape[1])) / len(y)": "dim 1",
        """
def logit_gradient(logits, labels):
    e = logits.exp()
    return (e / e.sum(1, keepdim=True) - F.one_hot(labels, logits.shape[1])) / len(labels)
""": "overflow",
        "logit_gradient = lambda z, y: F.cross_entropy(z, y)": "one number a logit",
    },
    "ex-3-3-2": {
        """
def l2_sp(body, start, head, alpha, beta):
    return alpha * (body - start).square().sum() + beta * head.square().sum()
""": "factor ½",
        """
def l2_sp(body, start, head, alpha, beta):
    return alpha / 2 * body.square().sum() + beta / 2 * head.square().sum()
""": "pulls the body to zero",
        """
def l2_sp(body, start, head, alpha, beta):
    return beta / 2 * (body - start).square().sum() + alpha / 2 * head.square().sum()
""": "swapped",
        "l2_sp = lambda body, start, head, alpha, beta: alpha / 2 * (body - start).square().sum()": "its own term",
        """
def l2_sp(body, start, head, alpha, beta):
    return alpha / 2 * (body - start).norm() + beta / 2 * head.norm()
""": "square the norms",
        """
def l2_sp(body, start, head, alpha, beta):
    return (alpha / 2 * (body - start).square().sum() + beta / 2 * head.square().sum()).item()
""": "return a tensor",
        """
def l2_sp(body, start, head, alpha, beta):
    return (alpha / 2 * (body - start).square().sum() + beta / 2 * head.square().sum()).detach()
""": "no gradient flows",
    },
    "ex-3-3-3": {
        "optimal_discriminator = lambda a, b: torch.sigmoid(b - a)": "swapped",
        "optimal_discriminator = lambda a, b: a - b": "this is the score",
        "optimal_discriminator = lambda a, b: (a - b).exp()": "ratio of the densities",
        "optimal_discriminator = lambda a, b: a / (a + b)": "are logarithms",
        "optimal_discriminator = lambda a, b: a.exp() / (a.exp() + b.exp())": "underflow",
        """
def optimal_discriminator(a, b):
    return (a - b).exp() / (1 + (a - b).exp())
""": "overflows",
    },
    "ex-3-3-4": {
        """
def jsd(p, q):
    m = (p + q) / 2
    return ((p * (p / m).log()).sum() + (q * (q / m).log()).sum()) / 2
""": "gives nan",
        """
def jsd(p, q):
    m = (p + q) / 2
    return (p * (p / m).log()).sum() + (q * (q / m).log()).sum()
""": "not their sum",
        "jsd = lambda p, q: (p * (p / q).log()).sum()": "with their mixture",
        "jsd = lambda p, q: ((p - q) * (p / q).log()).sum() / 2": "not with each other",
        """
def jsd(p, q):
    m = (p + q) / 2
    return ((p * (p / m).log2()).sum() + (q * (q / m).log2()).sum()) / 2
""": "in bits",
    },
    "ex-3-3-5": {
        "generator_gradient = lambda s: -torch.sigmoid(s)": "saturating slope",
        "generator_gradient = lambda s: torch.sigmoid(-s)": "sign",
        "generator_gradient = lambda s: F.softplus(-s)": "this is the loss",
        "generator_gradient = lambda s: -torch.sigmoid(-s) / len(s)": "batch size",
        "generator_gradient = lambda s: -torch.exp(-s) / (1 + torch.exp(-s))": "nan",
        "generator_gradient = lambda s: -1 / torch.sigmoid(s)": "dD/ds",
    },
}
