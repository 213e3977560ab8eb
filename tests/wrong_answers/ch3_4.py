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
        "generator_gradient = lambda s: -torch.sigmoid(s)": "saturating slope",
        "generator_gradient = lambda s: torch.sigmoid(-s)": "sign",
        "generator_gradient = lambda s: F.softplus(-s)": "this is the loss",
        "generator_gradient = lambda s: -torch.sigmoid(-s) / len(s)": "batch size",
        "generator_gradient = lambda s: -torch.exp(-s) / (1 + torch.exp(-s))": "nan",
        "generator_gradient = lambda s: -1 / torch.sigmoid(s)": "dD/ds",
    },
}
