"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

RIGHT = {"a": "transfer + DiffAugment", "b": "transfer", "c": "neighbourhood density", "d": "fine-tune"}

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
        'recommend = lambda: ["transfer"]': "return a dict",
    }
    | {
        f"recommend = lambda: {RIGHT} | {{{key!r}: {answer!r}}}": hint
        for key, answer, hint in (
            ("a", "transfer", "repeats them least"),
            ("a", "scratch", "repeats them least"),
            ("b", "transfer + DiffAugment", "what did augmentation cost"),
            ("b", "scratch", "what did the pair give"),
            ("c", "accuracy on the scans", "lost least"),
            ("c", "the method that was best elsewhere", "lost least"),
            ("d", "generated images", "do you need a GAN"),
            ("d", "magic", "choose among"),
        )
    },
}
