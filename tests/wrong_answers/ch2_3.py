"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

GAINS = """
def gains(pretrained, train, measure, seeds):
    from copy import copy, deepcopy

    {once}
    found = []
    for seed in seeds:
        {before}
        network = {copied}
        train(network, seed)
        found.append({value})
        {after}
    return found
"""
RIGHT = {
    "once": "pass",
    "before": "before = measure(pretrained)",
    "copied": "deepcopy(pretrained)",
    "value": "before - measure(network)",
    "after": "pass",
}


def gains(**faults):
    """The right answer to 2.3-2 but for these parts."""
    return GAINS.format(**RIGHT | faults)


WRONG = {
    "ex-2-3-1": {
        'who_helps = lambda: {"a": "transfer", "b": "transfer", "c": "gan", "d": "transfer"}': "a: which",
        'who_helps = lambda: {"a": "gan", "b": "gan", "c": "gan", "d": "transfer"}': "b: what is wanted",
        'who_helps = lambda: {"a": "gan", "b": "transfer", "c": "gan", "d": "gan"}': "the adversary is a tool",
        'who_helps = lambda: {"a": "gan"}': "return a dict",
    },
    "ex-2-3-2": {
        gains(copied="pretrained", value="measure(pretrained) - measure(network)"): "all zero",
        gains(copied="copy(pretrained)", value="measure(pretrained) - measure(network)"): "all zero",
        gains(copied="pretrained"): "another one afterwards",
        gains(value="measure(network) - before"): "the sign",
        gains(
            once="before, last = measure(pretrained), deepcopy(pretrained)", before="pass", copied="last"
        ): "copy for every seed",
        gains(
            once="before, kept = measure(pretrained), [p.detach().clone() for p in pretrained.parameters()]",
            before="pass",
            copied="pretrained",
            after="[p.data.copy_(k) for p, k in zip(pretrained.parameters(), kept)]",
        ): "they are no parameters",
        "gains = lambda pretrained, train, measure, seeds: 1": "return a list",
        "gains = lambda pretrained, train, measure, seeds: [1.0 for _ in seeds]": "the gains are",
    },
    "ex-2-3-3": {
        "speed_up = lambda steps, slow, fast: next(s for s, v in zip(steps, fast) if v <= slow[-1])": "not the step",
        """
def speed_up(steps, slow, fast):
    return next(s for s, v in zip(steps, fast) if v <= slow[-1]) / steps[-1]
""": "turn the ratio round",
        """
def speed_up(steps, slow, fast):
    reached = [s for s, v in zip(steps, fast) if v < slow[-1]]
    return steps[-1] / reached[0] if reached else [None]
""": "at or below",
        """
def speed_up(steps, slow, fast):
    reached = [s for s, v in zip(steps, fast) if v <= slow[-1]] or [steps[-1]]
    return steps[-1] / reached[0]
""": "never gets there",
        """
def speed_up(steps, slow, fast):
    reached = [s for s, v in zip(steps, fast) if v <= min(slow)]
    return steps[-1] / reached[0] if reached else [None]
""": "not its lowest",
        """
def speed_up(steps, slow, fast):
    late = [i for i, v in enumerate(fast) if v > slow[-1]]
    reached = steps[late[-1] + 1 :]
    return steps[-1] / reached[0] if reached else [None]
""": "even if it rises again",
    },
    "ex-2-3-4": {
        "standardise = lambda a, b: ((a - a.mean(0)) / a.std(0), (b - a.mean(0)) / a.std(0))": "constant feature",
        """
def standardise(a, b):
    return tuple((x - x.mean(0)) / (x.std(0) + 1e-6) for x in (a, b))
""": "their own statistics",
        "standardise = lambda a, b: ((a - a.mean()) / a.std(), (b - a.mean()) / a.std())": "one for all",
        "standardise = lambda a, b: a": "return both",
        """
def standardise(train, test):
    both = torch.cat([train, test])
    centre, scale = both.mean(), both.std(0)
    return (train - centre) / scale, (test - centre) / scale
""": "still enter the statistics",
        """
def standardise(train, test):
    both = torch.cat([train, test])
    centre, scale = both.mean(0), both.std(0)
    return (train - centre) / scale, (test - centre) / scale
""": "still enter the statistics",
        """
def standardise(train, test):
    centre, scale = train.mean(0), train.std(0).clamp(min=1e-6)
    return (train - centre) / scale, (test - centre) / scale
""": "cannot explode",
        """
def standardise(train, test):
    centre, scale = train.mean(0), train.std(0)
    scale = torch.where(scale > 0.1, scale, torch.ones_like(scale))
    return (train - centre) / scale, (test - centre) / scale
""": "no constant feature",
        """
def standardise(train, test):
    centre, scale = train.mean(0), train.std(0)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return (train - centre) / scale, (test - centre) / scale
""": "compare the rows",
    },
}
