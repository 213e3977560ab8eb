"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

CHOOSE = """
def choose(results):
    def mean(rate, key):
        values = [r[key] for r in results if r["rate"] == rate]
        return sum(values) / len(values)

    rate = max({r["rate"] for r in results}, key=lambda rate: mean(rate, "CHOSEN"))
    return rate, mean(rate, "REPORTED")
"""

WRONG = {
    "ex-3-1-1": {
        "best_step = lambda steps, accuracies: accuracies.index(max(accuracies))": "position in the list",
        "best_step = lambda steps, accuracies: max(accuracies)": "this is the accuracy",
        "best_step = lambda steps, accuracies: steps[-1]": "last weights",
        "best_step = lambda steps, accuracies: max(zip(accuracies, steps))[1]": "keep the earliest",
        "best_step = lambda steps, accuracies: steps[accuracies.index(max(accuracies))]": "is nan",
        "best_step = lambda steps, accuracies: steps[torch.tensor(accuracies).argmax()]": "is nan",
        "best_step = lambda steps, accuracies: steps[0]": "you gave 10",
    },
    "ex-3-1-2": {
        """
def prepare(images, size, mean, std):
    x = F.interpolate(images.float(), size=(size, size)).expand(-1, 3, -1, -1)
    return (x - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
""": "divide by 255",
        """
def prepare(images, size, mean, std):
    x = (images.float() / 255).expand(-1, 3, -1, -1)
    return (x - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
""": "resize",
        """
def prepare(images, size, mean, std):
    x = F.interpolate(images.float() / 255, size=(size, size))
    return (x - mean[0]) / std[0]
""": "three input channels",
        """
def prepare(images, size, mean, std):
    x = F.interpolate(images.float() / 255, size=(size, size)).expand(-1, 3, -1, -1)
    return (x - mean[0]) / std[0]
""": "its own mean",
        """
def prepare(images, size, mean, std):
    x = F.interpolate(images.float() / 255, size=(size, size)).expand(-1, 3, -1, -1)
    return (x - x.mean()) / x.std()
""": "not those of the new images",
        """
def prepare(images, size, mean, std):
    x = F.interpolate(images.float() / 255, size=(size, size)).expand(-1, 3, -1, -1)
    return (x - torch.tensor(std).view(3, 1, 1)) / torch.tensor(mean).view(3, 1, 1)
""": "swapped",
        """
def prepare(images, size, mean, std):
    return F.interpolate(images.float() / 255, size=(size, size)).expand(-1, 3, -1, -1)
""": "not used yet",
        "prepare = lambda images, size, mean, std: images": "floating-point",
    },
    "ex-3-1-3": {
        """
def neighbour_score(features, labels):
    unit = F.normalize(features, dim=1)
    return (labels[(unit @ unit.T).argmax(1)] == labels).float().mean().item()
""": "found itself",
        """
def neighbour_score(features, labels):
    distance = torch.cdist(features, features).fill_diagonal_(1e9)
    return (labels[distance.argmin(1)] == labels).float().mean().item()
""": "Euclidean",
        """
def neighbour_score(features, labels):
    similarity = (features @ features.T).fill_diagonal_(-1e9)
    return (labels[similarity.argmax(1)] == labels).float().mean().item()
""": "long feature vectors",
        """
def neighbour_score(features, labels):
    unit = F.normalize(features, dim=1)
    similarity = (unit @ unit.T).fill_diagonal_(2)
    return (labels[similarity.argmin(1)] == labels).float().mean().item()
""": "least similar",
        """
def neighbour_score(features, labels):
    unit = F.normalize(features, dim=1)
    similarity = (unit @ unit.T).fill_diagonal_(-2)
    return (labels[similarity.argmax(1)] == labels).sum().item()
""": "this is a count",
        "neighbour_score = lambda features, labels: 0.4": "expected",
    },
    "ex-3-1-4": {
        'leaking = lambda: "BD"': "whose pixels",
        'leaking = lambda: "AD"': "copies of one image",
        'leaking = lambda: "AB"': "chose the seed",
        'leaking = lambda: "ABCD"': "C is sound",
        'leaking = lambda: "ABDE"': "E is sound",
        'leaking = lambda: "ABF"': "from A to E",
        "leaking = lambda: 3": "return letters",
    },
    "ex-3-1-5": {
        CHOOSE.replace("CHOSEN", "test").replace("REPORTED", "test"): "used them up",
        CHOOSE.replace("CHOSEN", "validation").replace("REPORTED", "validation"): "inflated",
        """
def choose(results):
    best = max(results, key=lambda r: r["validation"])
    return best["rate"], best["test"]
""": "one lucky run",
        'choose = lambda results: (0.001, max(r["test"] for r in results if r["rate"] == 0.001))': "one seed",
        "choose = lambda results: 0.001": "two values",
        "choose = lambda results: (1.0, 0.5)": "none of the rates",
    },
}
