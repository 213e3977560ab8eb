"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-2-1-1": {
        "pretrained_share = lambda m: sum(p.numel() for p in m.parameters()) - m.fc.weight.numel() - 2": "divide by",
        """
def pretrained_share(model):
    return sum(p.numel() for p in model.fc.parameters()) / sum(p.numel() for p in model.parameters())
""": "share of the new head",
        "pretrained_share = lambda m: 1 - m.fc.weight.numel() / sum(p.numel() for p in m.parameters())": "biases count",
        """
def pretrained_share(model):
    sizes = [p.numel() for p in model.parameters()]
    return sum(sizes[:-2]) / sum(sizes)
""": "need not stand last",
        "pretrained_share = lambda m: 1 - len(list(m.fc.parameters())) / len(list(m.parameters()))": "numel",
    },
    "ex-2-1-2": {
        'what_changes = lambda: {"a": "both", "b": "task", "c": "both", "d": "neither"}': "a: the question stays",
        'what_changes = lambda: {"a": "domain", "b": "domain", "c": "both", "d": "neither"}': "b: the images",
        'what_changes = lambda: {"a": "domain"}': "return a dict",
        'what_changes = lambda: {"a": "domain", "b": "task", "c": "all", "d": "neither"}': "each answer is",
    },
    "ex-2-1-3": {
        """
def relative_distance(start, end):
    return (torch.cat([w.flatten() for w in end]) - torch.cat([w.flatten() for w in start])).norm().item()
""": "distance itself",
        """
def relative_distance(start, end):
    a, b = torch.cat([w.flatten() for w in start]), torch.cat([w.flatten() for w in end])
    return ((b - a).norm() / b.norm()).item()
""": "not of the end",
        """
def relative_distance(start, end):
    a, b = torch.cat([w.flatten() for w in start]), torch.cat([w.flatten() for w in end])
    return (((b - a) ** 2).sum() / (a**2).sum()).item()
""": "take the root",
        """
def relative_distance(start, end):
    return sum(((b - a).norm() / a.norm()).item() for a, b in zip(start, end)) / len(start)
""": "one vector",
        """
def relative_distance(start, end):
    a, b = torch.cat([w.flatten().abs() for w in start]), torch.cat([w.flatten().abs() for w in end])
    return ((b - a).norm() / a.norm()).item()
""": "subtract before you take magnitudes",
    },
    "ex-2-1-4": {
        """
def interpolate(a, b, t):
    return {n: t * w + (1 - t) * b[n] if w.is_floating_point() else w for n, w in a.items()}
""": "share of the second",
        "interpolate = lambda a, b, t: {n: (1 - t) * w + t * b[n] for n, w in a.items()}": "integer tensors",
        """
def interpolate(a, b, t):
    for n, w in a.items():
        if w.is_floating_point():
            w.mul_(1 - t).add_(b[n], alpha=t)
    return a
""": "changed the first",
        """
def interpolate(a, b, t):
    mixed = {n: (1 - t) * v + t * w for (n, v), w in zip(a.items(), b.values())}
    return {n: v if a[n].is_floating_point() else a[n] for n, v in mixed.items()}
""": "go by the names",
    },
}
