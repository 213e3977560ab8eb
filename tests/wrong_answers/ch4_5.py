"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-4-5-1": {
        "a_distance = lambda p, d: 2 * (1 - 2 * (p == d).float().mean())": "share of wrong answers",
        "a_distance = lambda p, d: 1 - 2 * (p != d).float().mean()": "two factors 2",
        "a_distance = lambda p, d: (p != d).float().mean()": "one of eight",
    },
    "ex-4-5-2": {
        "reverse = lambda x, weight: -weight * x": "forward it must be the identity",
        "reverse = lambda x, weight: x.detach()": "no gradient gets through",
        "reverse = lambda x, weight: x": "passes unchanged",
        "reverse = lambda x, weight: weight * x + ((1 - weight) * x).detach()": "the sign is not",
        "reverse = lambda x, weight: -x + (2 * x).detach()": "multiply by the weight",
    },
    "ex-4-5-3": {
        'choose = lambda rows: max(range(len(rows)), key=lambda i: rows[i]["target"])': "neither is what was asked",
        'choose = lambda rows: max(range(len(rows)), key=lambda i: rows[i]["information"])': "lost its source task",
        'choose = lambda rows: [r["information"] for r in rows].index(1.9) if "target" in rows[0] else 0': "looked at",
    },
    "ex-4-5-4": {
        "target_shares = lambda confusion, predicted: predicted": "errors included",
        """
def target_shares(confusion, predicted):
    return torch.linalg.solve(confusion / confusion.sum(1, keepdim=True), predicted)
""": "transpose",
        """
def target_shares(confusion, predicted):
    return torch.linalg.solve(confusion.float().T, predicted)
""": "counts carry",
    },
}
