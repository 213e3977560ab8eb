"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-3-4-1": {
        "optimal_discriminator = lambda a, b: torch.sigmoid(b - a)": "swapped",
        "optimal_discriminator = lambda a, b: a - b": "this is the score",
        "optimal_discriminator = lambda a, b: (a - b).exp()": "ratio of the densities",
        "optimal_discriminator = lambda a, b: a / (a + b)": "are logarithms",
        "optimal_discriminator = lambda a, b: a.exp() / (a.exp() + b.exp())": "underflow",
        """
def optimal_discriminator(a, b):
    return (a - b).exp() / (1 + (a - b).exp())
""": "overflows",
    },
    "ex-3-4-2": {
        """
def jsd(p, q):
    m = (p + q) / 2
    return ((p * (p / m).log()).sum() + (q * (q / m).log()).sum()) / 2
""": "gives nan",
        """
def jsd(p, q):
    m = (p + q) / 2
    return (p * (p / m).log()).sum() + (q * (q / m).log()).sum()
""": "not their sum",
        "jsd = lambda p, q: (p * (p / q).log()).sum()": "with their mixture",
        "jsd = lambda p, q: ((p - q) * (p / q).log()).sum() / 2": "not with each other",
        """
def jsd(p, q):
    m = (p + q) / 2
    return ((p * (p / m).log2()).sum() + (q * (q / m).log2()).sum()) / 2
""": "in bits",
    },
    "ex-3-4-3": {
        "generator_gradient = lambda s: -torch.sigmoid(s)": "saturating slope",
        "generator_gradient = lambda s: torch.sigmoid(-s)": "sign",
        "generator_gradient = lambda s: F.softplus(-s)": "this is the loss",
        "generator_gradient = lambda s: -torch.sigmoid(-s) / len(s)": "batch size",
        "generator_gradient = lambda s: -torch.exp(-s) / (1 + torch.exp(-s))": "nan",
        "generator_gradient = lambda s: -1 / torch.sigmoid(s)": "dD/ds",
    },
}
