"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

ROUND = """
def one_round(generator, discriminator, opt_g, opt_d, data, z):
    fakes = generator(z).detach()
    loss_d = F.softplus(-discriminator(data)).mean() + F.softplus(discriminator(fakes)).mean()
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()
    loss_g = F.softplus(-discriminator(generator(z))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    return True
"""


def changed(old: str, new: str) -> str:
    assert old in ROUND
    return ROUND.replace(old, new)


WRONG = {
    "ex-2-2-1": {
        "optimal_discriminator = lambda p_data, p_g: p_g / (p_data + p_g)": 'probability for "fake"',
        "optimal_discriminator = lambda p_data, p_g: p_data / p_g": "can exceed 1",
        "optimal_discriminator = lambda p_data, p_g: (p_data / p_g).log()": "a logit",
        "optimal_discriminator = lambda p_data, p_g: p_data > p_g": "a label",
        "optimal_discriminator = lambda p_data, p_g: p_data / (p_data + p_g).sum()": "must be 1/2",
        "optimal_discriminator = lambda p_data, p_g: (p_data / (p_data + p_g)).mean()": "each point",
    },
    "ex-2-2-2": {
        """
def label_batch(data, fakes):
    return torch.cat([data, fakes]), torch.cat([torch.ones(len(data)), torch.zeros(len(fakes))])
""": "detach",
        """
def label_batch(data, fakes):
    return torch.cat([data, fakes.detach()]), torch.cat([torch.zeros(len(data)), torch.ones(len(fakes))])
""": "swapped",
        """
def label_batch(data, fakes):
    return torch.cat([data, fakes.detach()]), torch.ones(len(data) + len(fakes))
""": "accept everything",
        """
def label_batch(data, fakes):
    return torch.cat([data, fakes.detach()]), torch.tensor([1] * len(data) + [0] * len(fakes))
""": "floating-point",
        """
def label_batch(data, fakes):
    return torch.cat([fakes.detach(), data]), torch.tensor([1.0] * len(data) + [0.0] * len(fakes))
""": "order of the batch",
        "label_batch = lambda data, fakes: torch.cat([data, fakes.detach()])": "two tensors",
    },
    "ex-2-2-3": {
        """
def jensen_shannon(a, b):
    p, q = a / a.sum(), b / b.sum()
    m = (p + q) / 2
    return 0.5 * (p * (p / m).log() + q * (q / m).log()).sum()
""": "0 · log 0",
        """
def jensen_shannon(a, b):
    p, q = a / a.sum(), b / b.sum()
    return torch.xlogy(p, p / q.clamp(min=1e-12)).sum()
""": "KL(p, q)",
        """
def jensen_shannon(a, b):
    p, q = a / a.sum(), b / b.sum()
    m = ((p + q) / 2).clamp(min=1e-12)
    return (torch.xlogy(p, p / m) + torch.xlogy(q, q / m)).sum()
""": "not their sum",
        """
def jensen_shannon(p, q):
    m = ((p + q) / 2).clamp(min=1e-12)
    return 0.5 * (torch.xlogy(p, p / m) + torch.xlogy(q, q / m)).sum()
""": "divide the counts",
        """
def jensen_shannon(a, b):
    p, q = a / a.sum(), b / b.sum()
    m = ((p + q) / 2).clamp(min=1e-12)
    return 0.5 * (torch.xlogy(p, p / m) + torch.xlogy(q, q / m)).sum() / torch.tensor(2.0).log()
""": "natural logarithm",
    },
    "ex-2-2-4": {
        """
def teaches(read, scores):
    return read(scores.detach().requires_grad_(True)).requires_grad
""": "look at its value",
        """
def teaches(read, scores):
    scores = scores.detach().requires_grad_(True)
    read(scores).sum().backward()
    return bool((scores.grad != 0).any())
""": "`requires_grad` first",
        "teaches = lambda read, scores: read(scores).requires_grad": "scores that require one",
        "teaches = lambda read, scores: True": "a comparison",
        "teaches = lambda read, scores: len(read(scores).unique()) > 2": "a staircase",
        """
def teaches(read, scores):
    moved = read(scores + 0.3) != read(scores)
    return bool(moved.any())
""": "a staircase",
        "teaches = lambda read, scores: 1": "True or False",
    },
    "ex-2-2-5": {
        changed("    opt_g.step()\n", ""): "call opt_g.step()",
        changed("    opt_d.step()\n", ""): "call opt_d.step()",
        changed("    opt_g.zero_grad()\n", "").replace("    opt_d.zero_grad()\n", ""): "zero_grad of both",
        changed("    opt_g.zero_grad()\n", ""): "old gradients of the generator",
        changed("    opt_d.zero_grad()\n", ""): "old gradients of the discriminator",
        changed("F.softplus(-discriminator(generator(z)))", "-F.softplus(discriminator(generator(z)))"): "saturating",
        changed(
            "F.softplus(-discriminator(generator(z)))", "F.softplus(discriminator(generator(z)))"
        ): "sign of its loss",
        changed(
            "F.softplus(-discriminator(data)).mean() + F.softplus(discriminator(fakes)).mean()",
            "F.softplus(discriminator(data)).mean() + F.softplus(-discriminator(fakes)).mean()",
        ): "labels are swapped",
        changed(
            "F.softplus(-discriminator(data)).mean() + F.softplus(discriminator(fakes)).mean()",
            "F.softplus(-discriminator(data)).mean() + F.softplus(-discriminator(fakes)).mean()",
        ): "discriminator moved wrongly",
        """
def one_round(generator, discriminator, opt_g, opt_d, data, z):
    loss_g = F.softplus(-discriminator(generator(z))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    loss_d = F.softplus(-discriminator(data)).mean() + F.softplus(discriminator(generator(z).detach())).mean()
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()
    return True
""": "moved first",
        """
def one_round(generator, discriminator, opt_g, opt_d, data, z):
    opt_g.zero_grad()
    opt_d.zero_grad()
    loss = F.softplus(-discriminator(data)).mean() + F.softplus(discriminator(generator(z))).mean()
    loss.backward()
    opt_d.step()
    F.softplus(-discriminator(generator(z))).mean().backward()
    opt_g.step()
    return True
""": "moved the generator too",
    },
}
