"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-6-1-1": {
        'reading = lambda mean, half, bound: "clear" if mean > bound else "no"': "reaches below the bound",
        """
def reading(mean, half, bound):
    if mean - half > 0:
        return "clear"
    return "on average" if mean > 0 else "no"
""": "reaches below the bound",
        """
def reading(mean, half, bound):
    if mean - half > bound:
        return "clear"
    return "on average" if mean + half > bound else "no"
""": "upper end alone",
        """
def reading(mean, half, bound):
    if mean - half >= bound:
        return "clear"
    return "on average" if mean > bound else "no"
""": "touches the bound",
        """
def reading(mean, half, bound):
    if abs(mean) - half > abs(bound):
        return "clear"
    return "on average" if abs(mean) > abs(bound) else "no"
""": "mind the sign",
        "reading = lambda mean, half, bound: mean > bound": 'return "clear"',
    },
    "ex-6-1-2": {
        'condition = lambda: {"a": "new images", "b": "question", "c": "label kept", "d": "penalty"}': "a: small",
        'condition = lambda: {"a": "label kept", "b": "new images", "c": "question", "d": "penalty"}': "b: letters",
        'condition = lambda: {"a": "label kept", "b": "question", "c": "penalty", "d": "new images"}': "c: the same",
        'condition = lambda: {"a": "label kept", "b": "question", "c": "new images", "d": "question"}': "d: which",
        'condition = lambda: {"a": "label kept"}': "return a dict",
        'condition = lambda: dict.fromkeys("abcd", "noise")': "each answer is one of",
    },
    "ex-6-1-3": {
        "unfair = lambda a, b, studied: sorted(key for key in a if a[key] != b[key])": "studied setting must differ",
        """
def unfair(a, b, studied):
    return sorted(key for key in a if a[key] != b[key] and key != studied)
""": "equal is not enough",
        """
def unfair(a, b, studied):
    return [key for key in a if a[key] != b[key] and key != studied][:1]
""": "name them all",
        """
def unfair(a, b, studied):
    found = sorted(key for key in a if a[key] != b[key] and key != studied)
    return found + ["chosen on"] * ("test" in (a["chosen on"], b["chosen on"]))
""": "once",
    },
    "ex-6-1-4": {
        """
def verdict(claims):
    words = {says for *_, says in claims}
    return words.pop() if len(words) == 1 else "holds if" if words else "open"
""": "does not count",
        """
def verdict(claims):
    words = [says for mean, half, bound, says in claims if mean - half > bound]
    return max(set(words), key=words.count) if words else "open"
""": "no vote",
        """
def verdict(claims):
    words = {says for mean, half, bound, says in claims if mean > bound}
    return words.pop() if len(words) == 1 else "holds if" if words else "open"
""": "does not count",
        """
def verdict(claims):
    words = {says for mean, half, bound, says in claims if mean - half > bound}
    return words.pop() if len(words) == 1 else "holds if"
""": "no claim, no verdict",
    },
}
