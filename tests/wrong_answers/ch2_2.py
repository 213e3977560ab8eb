"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-2-2-1": {
        "optimal_discriminator = lambda p_data, p_g: p_g / (p_data + p_g)": 'probability for "fake"',
        "optimal_discriminator = lambda p_data, p_g: p_data / p_g": "can exceed 1",
        "optimal_discriminator = lambda p_data, p_g: (p_data / p_g).log()": "a logit",
        "optimal_discriminator = lambda p_data, p_g: p_data > p_g": "a label",
        "optimal_discriminator = lambda p_data, p_g: p_data / (p_data + p_g).sum()": "must be 1/2",
        "optimal_discriminator = lambda p_data, p_g: (p_data / (p_data + p_g)).mean()": "each point",
        "optimal_discriminator = lambda p_data, p_g: p_data / (p_data + p_g + 1e-7)": "add nothing",
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
        "where_they_end = lambda mean, spread: mean": "surest where fakes are rarer",
        "where_they_end = lambda mean, spread: mean / (spread**2 - 1)": "towards the data and go beyond",
        "where_they_end = lambda mean, spread: mean / (1 - spread)": "the spread is squared",
        "where_they_end = lambda mean, spread: mean / (1 + spread**2)": "minus log p_g",
        """
def where_they_end(mean, spread):
    return abs(mean) / (1 - spread**2) if spread < 1 else float("inf")
""": "keep the sign",
        "where_they_end = lambda mean, spread: mean / (1 - spread**2)": "a highest point at all",
        """
def where_they_end(mean, spread):
    return mean / (1 - spread**2) if spread < 1 else float("inf")
""": "the sign of the mean",
        "where_they_end = lambda mean, spread: 4.0": "for a mean of -2",
    },
}
