"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-4-6-1": {
        'winner = lambda a, b: "a" if sum(a) < sum(b) else "b"': "a lower mean is not enough",
        'winner = lambda a, b: "a" if sum(a) > sum(b) else "b"': "lower is better",
        'winner = lambda a, b: "tie"': "no tie",
        """from helpers import metrics
def winner(a, b):
    (ma, ha), (mb, hb) = (metrics.interval95(x) for x in (a, b))
    return "a" if ma + ha < mb - hb else "b" if mb + hb < ma - ha else "tie\"""": "differences, not one for each arm",
    },
    "ex-4-6-2": {
        """def leave_one_out(scores):
    n = len(next(iter(scores.values())))
    return [min(scores, key=lambda arm: scores[arm][s]) for s in range(n)]""": "left out",
        """def leave_one_out(scores):
    n = len(next(iter(scores.values())))
    return [min(scores, key=lambda arm: sum(scores[arm])) for s in range(n)]""": "used all seeds",
        """def leave_one_out(scores):
    n = len(next(iter(scores.values())))
    return [max(scores, key=lambda arm: sum(scores[arm]) - scores[arm][s]) for s in range(n)]""": "lower mean",
    },
    "ex-4-6-3": {
        'recommend = lambda: {"a": "transfer", "b": "transfer", "c": "DANN", "d": "fine-tune"}': "neither copies",
        'recommend = lambda: {"a": "augmented transfer", "b": "augmented transfer", "c": "DANN", "d": "fine-tune"}': (
            "what did augmentation cost"
        ),
        'recommend = lambda: {"a": "augmented transfer", "b": "transfer", "c": "fine-tune", "d": "fine-tune"}': (
            "no label in the target"
        ),
        'recommend = lambda: {"a": "augmented transfer", "b": "transfer", "c": "DANN", "d": "magic"}': "choose among",
    },
}
