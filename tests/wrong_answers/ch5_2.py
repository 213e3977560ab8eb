"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-5-2-1": {
        "transfer_gain = lambda a, b: sum(y - x for x, y in zip(a, b)) / len(a)": "sign is wrong",
        "transfer_gain = lambda a, b: sum(x - y for x, y in zip(a, b))": "sum over the seeds",
        "transfer_gain = lambda a, b: sum(a) / sum(b)": "ratio",
        "transfer_gain = lambda a, b: [x - y for x, y in zip(a, b)]": "one number",
    },
    "ex-5-2-2": {
        """
def replay_loss(body, new_head, old_head, new, old):
    return F.cross_entropy(new_head(body(new[0])), new[1])
""": "forgotten",
        """
def replay_loss(body, new_head, old_head, new, old):
    loss = F.cross_entropy(new_head(body(new[0])), new[1])
    return loss + F.cross_entropy(new_head(body(old[0])), old[1])
""": "go through the old head",
        """
def replay_loss(body, new_head, old_head, new, old):
    loss = F.cross_entropy(old_head(body(new[0])), new[1])
    return loss + F.cross_entropy(new_head(body(old[0])), old[1])
""": "swapped",
        """
def replay_loss(body, new_head, old_head, new, old):
    loss = F.cross_entropy(new_head(body(new[0])), new[1])
    return loss + F.cross_entropy(old_head(body(old[0]).detach()), old[1])
""": "does not reach the body",
    },
    "ex-5-2-3": {
        """
def ink_gain(saliency, ink):
    energy = saliency.square()
    return (energy * ink).sum((1, 2)) / energy.sum((1, 2))
""": "this is the share alone",
        """
def ink_gain(saliency, ink):
    energy = saliency.abs()
    return (energy * ink).sum((1, 2)) / energy.sum((1, 2)) / ink.float().mean((1, 2))
""": "energy is the square",
        """
def ink_gain(saliency, ink):
    share = (saliency * ink).sum((1, 2)) / saliency.sum((1, 2))
    return share / ink.float().mean((1, 2))
""": "signs cancel",
        """
def ink_gain(saliency, ink):
    energy = saliency.square()
    return (energy * ink).sum() / energy.sum() / ink.float().mean()
""": "one number an image",
    },
    "ex-5-2-4": {
        "fluctuation_of = lambda d: d.std(1)": "across the pairs",
        "fluctuation_of = lambda d: d.std(0)": "steady fall",
        "fluctuation_of = lambda d: (d[1:] - d[:-1]).mean(0)": "cancel",
        "fluctuation_of = lambda d: (d[-1] - d[0]).abs()": "miss what happens",
        "fluctuation_of = lambda d: (d[1:] - d[:-1]).abs().mean()": "keep the pairs apart",
    },
}
