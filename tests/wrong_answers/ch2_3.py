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
    },
    "ex-2-3-4": {
        "standardise = lambda a, b: ((a - a.mean(0)) / a.std(0), (b - a.mean(0)) / a.std(0))": "constant feature",
        """
def standardise(a, b):
    return tuple((x - x.mean(0)) / (x.std(0) + 1e-6) for x in (a, b))
""": "their own statistics",
        "standardise = lambda a, b: ((a - a.mean()) / a.std(), (b - a.mean()) / a.std())": "one for all",
        "standardise = lambda a, b: a": "return both",
    },
}
