"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

RIGHT = "{'a': 'Tent', 'b': 'as it is', 'c': 'count copies', 'd': 'try it beside augmentation'}"

WRONG = {
    "ex-5-3-1": {
        """
def entropy(logits):
    p = logits.softmax(0)
    return (p * p.log()).mean()
""": "two faults are left",
        """
def entropy(logits):
    p = logits.softmax(1)
    return (p * p.log()).sum(1).mean()
""": "wrong sign",
        """
def entropy(logits):
    p = logits.softmax(0)
    return -(p * p.log()).sum(1).mean()
""": "runs over the images",
        """
def entropy(logits):
    p = logits.softmax(1)
    return -(p * p.log()).mean()
""": "sum over the classes",
        """
def entropy(logits):
    p = logits.softmax(1)
    return -(p * p.log()).sum(1).mean()
""": "gives NaN",
        """
def entropy(logits):
    return -(logits.softmax(1) * logits.log_softmax(1)).sum()
""": "sum over the images",
        """
def entropy(logits):
    return -(logits.softmax(1) * logits.log_softmax(1)).sum(1).mean().detach()
""": "no gradient",
    },
    "ex-5-3-2": {
        "share = lambda copies, others: 1 / (1 + others)": "counts each different image once",
        "share = lambda copies, others: copies / others": "a share is of all",
        "share = lambda copies, others: others / (copies + others)": "all other images",
        "share = lambda copies, others: 1.0": "between 0 and 1",
        "share = lambda copies, others: [copies]": "one number",
    },
    "ex-5-3-3": {
        'choose = lambda: ["Tent"]': "return a dict",
    }
    | {
        f"choose = lambda: {RIGHT} | {{{key!r}: {answer!r}}}": hint
        for key, answer, hint in (
            ("a", "DANN", "needs neither"),
            ("a", "fine-tune", "needs neither"),
            ("b", "Tent", "batches of a single class"),
            ("b", "batch statistics", "batches of a single class"),
            ("c", "few weights", "given away"),
            ("c", "low FID", "given away"),
            ("d", "never", "knew the labelled images only"),
            ("d", "always", "knew the labelled images only"),
            ("d", "magic", "choose among"),
        )
    },
}
