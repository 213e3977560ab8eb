"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-4-4-1": {
        "real_probability = lambda logits: logits.softmax(1).sum(1)": "which is always 1",
        "real_probability = lambda logits: torch.sigmoid(logits.amax(1))": "add up all K classes",
        "real_probability = lambda logits: 1 / (logits.exp().sum(1) + 1)": "turn it round",
        "real_probability = lambda logits: logits.exp().sum(1) / (logits.exp().sum(1) + 1)": "use logsumexp",
        "real_probability = lambda logits: torch.sigmoid(logits)": "one number an image",
    },
    "ex-4-4-2": {
        "feature_matching = lambda real, fake: ((real - fake) ** 2).sum(1).mean()": "image with image",
        "feature_matching = lambda real, fake: (real.mean(0) - fake.mean(0)).norm()": "square it",
        "feature_matching = lambda real, fake: (real.mean(0) - fake.mean(0)).abs().sum()": "absolute differences",
        "feature_matching = lambda real, fake: ((real.mean(0) - fake.mean(0)) ** 2).mean()": "do not average",
        "feature_matching = lambda real, fake: (real.mean(0) - fake.mean(0)) ** 2": "one number for the batch",
    },
    "ex-4-4-3": {
        """
def stops_helping(sizes, plain, added):
    gains = [sum(a) - sum(p) for p, a in zip(plain, added)]
    return next((s for s, g in zip(sizes, gains) if g < 0.001), [None])
""": "look at the interval",
        """
from helpers.metrics import interval95

def stops_helping(sizes, plain, added):
    for i, (p, a) in enumerate(zip(plain, added)):
        mean, half = interval95([y - x for x, y in zip(p, a)])
        if mean - half <= 0:
            return sizes[i]
    return [None]
""": "stay unclear at all larger",
        """
from helpers.metrics import interval95

def stops_helping(sizes, plain, added):
    helps = []
    for p, a in zip(plain, added):
        mean, half = interval95([y - x for x, y in zip(p, a)])
        helps.append(mean - half > 0)
    return len(helps) - helps[::-1].index(True)
""": "not its place in the list",
        """
from helpers.metrics import interval95

def stops_helping(sizes, plain, added):
    last = None
    for s, p, a in zip(sizes, plain, added):
        mean, half = interval95([y - x for x, y in zip(p, a)])
        if mean - half > 0:
            last = s
    return sizes[min(sizes.index(last) + 1, len(sizes) - 1)]
""": "helps at every size",
    },
    "ex-4-4-4": {
        """
def controls(arms, factor):
    pairs = [(i, j) for i in range(len(arms)) for j in range(i + 1, len(arms))]
    return [(i, j) for i, j in pairs if arms[i][factor] != arms[j][factor]]
""": "what did the work",
        """
def controls(arms, factor):
    pairs = [(i, j) for i in range(len(arms)) for j in range(len(arms)) if i != j]
    return [
        (i, j) for i, j in pairs if [k for k in arms[i] if arms[i][k] != arms[j][k]] == [factor]
    ]
""": "each pair once",
        """
def controls(arms, factor):
    pairs = [(i, j) for i in range(len(arms)) for j in range(i + 1, len(arms))]
    return [(i, j) for i, j in pairs if sum(arms[i][k] != arms[j][k] for k in arms[i]) == 1][1:]
""": "a pair must differ in the factor",
        "controls = lambda arms, factor: {(1, 2)}": "return a list",
    },
}
