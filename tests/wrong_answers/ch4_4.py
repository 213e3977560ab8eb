"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-4-4-1": {
        "push = lambda logits: logits.softmax(1)": "Which factor is missing",
        "push = lambda logits: torch.sigmoid(-logits.logsumexp(1, True)).expand_as(logits)": "how do they share it",
        "push = lambda logits: -torch.sigmoid(-logits.logsumexp(1, True)) * logits.softmax(1)": "turn the sign",
        "push = lambda logits: torch.sigmoid(logits.logsumexp(1, True)) * logits.softmax(1)": "you weigh by P(real)",
        "push = lambda logits: torch.sigmoid(-logits.logsumexp(1))": "one push a logit",
        "push = lambda logits: logits.exp() / logits.exp().sum(1, True) / (1 + logits.exp().sum(1, True))": "gives NaN",
        """
def push(logits):
    logits = logits.requires_grad_()
    loss = F.softplus(-logits.logsumexp(1)).mean()
    return -torch.autograd.grad(loss, logits)[0]
""": "is the mean over the images",
    },
    "ex-4-4-2": {
        """
def mended(score, real, fake):
    h_real, h_fake = score.features(real), score.features(fake.detach())
    return (h_real - h_fake).square().sum(1).mean()
""": "in whose step does detach belong",
        """
def mended(score, real, fake):
    h_real, h_fake = score.features(real), score.features(fake)
    return (h_real - h_fake).square().sum(1).mean()
""": "image with image",
        """
def mended(score, real, fake):
    h_real, h_fake = score.features(real), score.features(fake).detach()
    return (h_real.mean(0) - h_fake.mean(0)).square().sum()
""": "in whose step does detach belong",
        """
def mended(score, real, fake):
    h_real, h_fake = score.features(real), score.features(fake)
    return (h_real.mean(0) - h_fake.mean(0)).norm()
""": "square it",
        """
def mended(score, real, fake):
    h_real, h_fake = score.features(real), score.features(fake)
    return (h_real.mean(0) - h_fake.mean(0)).square().mean()
""": "do not average over them",
        "mended = lambda score, real, fake: (real.mean(0) - fake.mean(0)).square().sum()": "you compare pixels",
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
