"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-3-5-1": {
        "most_promising = lambda c: min(c, key=lambda n: sum(c[n]))": "only half",
        "most_promising = lambda c: min(c, key=lambda n: c[n][0] + c[n][1] / 2)": "third term",
        "most_promising = lambda c: min(c, key=lambda n: c[n][1])": "smallest distance alone",
        "most_promising = lambda c: min(c, key=lambda n: c[n][0])": "error on the source alone",
        "most_promising = lambda c: min(c, key=lambda n: c[n][2])": "smallest clash alone",
        "most_promising = lambda c: max(c, key=lambda n: c[n][0] + c[n][1] / 2 + c[n][2])": "largest bound",
        "most_promising = lambda c: min(e + d / 2 + j for e, d, j in c.values())": "the name",
    },
    "ex-3-5-2": {
        """
def a_distance(source_called_target, target_called_target):
    wrong = source_called_target.sum() + (~target_called_target).sum()
    error = wrong / (len(source_called_target) + len(target_called_target))
    return max(0.0, 2 * (1 - 2 * error.item()))
""": "outweighs",
        """
def a_distance(source_called_target, target_called_target):
    error = source_called_target.double().mean() + (~target_called_target).double().mean()
    return 2 * (1 - 2 * error)
""": "not their sum",
        """
def a_distance(source_called_target, target_called_target):
    return 1 - source_called_target.double().mean() - (~target_called_target).double().mean()
""": "factor 2",
        """
def a_distance(source_called_target, target_called_target):
    return 2 * (1 - source_called_target.double().mean() - target_called_target.double().mean())
""": "of the target",
        """
def a_distance(source_called_target, target_called_target):
    return 2 * (1 - source_called_target.double().mean() - (~target_called_target).double().mean())
""": "not less",
        """
def a_distance(source_called_target, target_called_target):
    return abs(2 * (1 - source_called_target.double().mean() - (~target_called_target).double().mean()))
""": "give 0.",
    },
    "ex-3-5-3": {
        "cost_of_equality = lambda p, q: (p - q).abs().sum()": "halve",
        "cost_of_equality = lambda p, q: (p - q).abs().max()": "largest gap alone",
        "cost_of_equality = lambda p, q: abs(p[0] - q[0])": "all classes count",
        "cost_of_equality = lambda p, q: q[0] - p[0]": "all classes count",
        "cost_of_equality = lambda p, q: (p - q).sum()": "gaps sum to zero",
        "cost_of_equality = lambda p, q: (p - q).square().sum()": "no squares",
        "cost_of_equality = lambda p, q: (p - q).norm()": "no squares",
    },
}
