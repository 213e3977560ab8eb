"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-2-3-1": {
        'who_helps = lambda: {"a": "transfer", "b": "transfer", "c": "gan", "d": "transfer"}': "a: which",
        'who_helps = lambda: {"a": "gan", "b": "gan", "c": "gan", "d": "transfer"}': "b: what is wanted",
        'who_helps = lambda: {"a": "gan", "b": "transfer", "c": "gan", "d": "gan"}': "the adversary is a tool",
        'who_helps = lambda: {"a": "gan"}': "return a dict",
    },
    "ex-2-3-2": {
        "carry_over = lambda source, target: {**target, **source}": "no such tensor",
        "carry_over = lambda source, target: {n: source.get(n, w) for n, w in target.items()}": "another shape",
        "carry_over = lambda source, target: dict(target)": "take the source's",
        "carry_over = lambda s, t: {n: s[n] for n in t if n in s and s[n].shape == t[n].shape}": "every key",
        """
def carry_over(source, target):
    fits = {n for n in target if n in source and source[n].numel() == target[n].numel()}
    return {n: source[n] if n in fits else w for n, w in target.items()}
""": "as many numbers is not enough",
        """
def carry_over(source, target):
    new = dict(target)
    for (name, old), w in zip(target.items(), source.values()):
        if name in source and w.shape == old.shape:
            new[name] = w
    return new
""": "not by the order",
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
""": "a second case fails",
    },
}
