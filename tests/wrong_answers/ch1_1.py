"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-1-1-1": {
        """
def gap(train_logits, train_labels, test_logits, test_labels):
    def right(x, y):
        return (x.argmax(1) == y).float().mean()
    return right(test_logits, test_labels) - right(train_logits, train_labels)
""": "sign is turned round",
        """
def gap(train_logits, train_labels, test_logits, test_labels):
    return (train_logits.argmax(1) == train_labels).sum() - (test_logits.argmax(1) == test_labels).sum()
""": "these are counts",
        """
def gap(train_logits, train_labels, test_logits, test_labels):
    return F.cross_entropy(test_logits, test_labels) - F.cross_entropy(train_logits, train_labels)
""": "gap between losses",
        """
def gap(train_logits, train_labels, test_logits, test_labels):
    return (train_logits.argmax(1) == train_labels).float().mean()
""": "training accuracy alone",
        """
def gap(train_logits, train_labels, test_logits, test_labels):
    a, b = train_logits.argmax(1) == train_labels, test_logits.argmax(1) == test_labels
    return (a.float().mean() - b.float().mean()).abs()
""": "keep its sign",
    },
    "ex-1-1-2": {
        """
def steps_to_stay(history, threshold):
    return next(s for s, a in zip(history["step"], history["validation_accuracy"]) if a >= threshold)
""": "step 10 does not count",
        """
def steps_to_stay(history, threshold):
    below = [i for i, a in enumerate(history["validation_accuracy"]) if a < threshold]
    return below[-1] + 1
""": "position in the list",
        """
def steps_to_stay(history, threshold):
    below = [i for i, a in enumerate(history["validation_accuracy"]) if a <= threshold]
    return history["step"][below[-1] + 1]
""": "equal to the threshold",
        """
def steps_to_stay(history, threshold):
    below = [i for i, a in enumerate(history["validation_accuracy"]) if a < threshold]
    return history["step"][min(below[-1] + 1, len(history["step"]) - 1)]
""": "ends below the threshold",
        """
def steps_to_stay(history, threshold):
    best = max(history["validation_accuracy"])
    return history["step"][history["validation_accuracy"].index(best)]
""": "earlier than at the last step",
    },
    "ex-1-1-3": {
        """
def accuracy_at(counts, accuracies, n):
    for i in range(1, len(counts)):
        if n <= counts[i]:
            share = (n - counts[i - 1]) / (counts[i] - counts[i - 1])
            return accuracies[i - 1] + share * (accuracies[i] - accuracies[i - 1])
""": "take the logarithm",
        """
def accuracy_at(counts, accuracies, n):
    return max(a for c, a in zip(counts, accuracies) if c <= n)
""": "this is a measured value",
        """
def accuracy_at(counts, accuracies, n):
    x = torch.tensor(counts).float().log()
    for i in range(1, len(counts)):
        if n <= counts[i]:
            share = ((torch.tensor(float(n)).log() - x[i - 1]) / (x[i] - x[i - 1])).item()
            return accuracies[i] - share * (accuracies[i] - accuracies[i - 1])
""": "ends are swapped",
        """
def accuracy_at(counts, accuracies, n):
    x = torch.tensor(counts).float().log()
    share = ((torch.tensor(float(n)).log() - x[0]) / (x[1] - x[0])).item()
    return accuracies[0] + share * (accuracies[1] - accuracies[0])
""": "the two counts around it",
    },
    "ex-1-1-4": {
        "tasks_until_it_pays = lambda pretraining, scratch, tuned: -(-pretraining // scratch)": "not free",
        "tasks_until_it_pays = lambda pretraining, scratch, tuned: pretraining // (scratch - tuned)": "round up",
        "tasks_until_it_pays = lambda pretraining, scratch, tuned: pretraining / (scratch - tuned)": "whole numbers",
        "tasks_until_it_pays = lambda pretraining, scratch, tuned: pretraining // (scratch - tuned) + 1": "ten tasks",
        "tasks_until_it_pays = lambda pretraining, scratch, tuned: -(-pretraining // (scratch - tuned))": "never pays",
        "tasks_until_it_pays = lambda pretraining, scratch, tuned: -(-pretraining // tuned)": "what a task saves",
    },
    "ex-1-1-5": {
        "decide = lambda gains, t: sum(gains) > 0": "return one of",
        'decide = lambda gains, t: "better" if sum(gains) > 0 else "worse"': "look at the spread",
        'decide = lambda gains, t: "worse" if min(gains) > 0 else "better"': "speak for pretraining",
        """
def decide(gains, t):
    x = torch.tensor(gains)
    half = t * x.std()
    return "better" if x.mean() > half else "worse" if x.mean() < -half else "undecided"
""": "divide the standard deviation",
        """
def decide(gains, t):
    x = torch.tensor(gains)
    half = t * x.std(unbiased=False) / len(x) ** 0.5
    return "better" if x.mean() > half else "worse" if x.mean() < -half else "undecided"
""": "n − 1",
        """
def decide(gains, t):
    x = torch.tensor(gains)
    half = 1.96 * x.std() / len(x) ** 0.5
    return "better" if x.mean() > half else "worse" if x.mean() < -half else "undecided"
""": "the t that is given",
        """
def decide(gains, t):
    x = torch.tensor(gains)
    return "better" if x.mean() > t * x.std() / len(x) ** 0.5 else "undecided"
""": "wholly below 0",
    },
}
