"""A claim is a sentence with two measured sides. Checking it prints one stable line, or raises."""

import operator

_RELATIONS = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}


def claim(name: str, sentence: str, left: float, relation: str, right: float, margin: float = 0.0) -> None:
    """Check `left relation right`, with `margin` to spare, and print the sentence.

    The numbers are not printed: they may differ in the last digit between machines, the verdict not.

    Raises
    ------
    AssertionError
        The claim does not hold; the message gives both sides.
    ValueError
        Unknown relation.
    """
    if relation not in _RELATIONS:
        raise ValueError(f"unknown relation {relation!r}: choose one of {' '.join(_RELATIONS)}")
    bound = right + margin if relation[0] == ">" else right - margin
    if not _RELATIONS[relation](left, bound):
        raise AssertionError(
            f"claim {name} does not hold: {sentence} (measured {left:.4g}, needed {relation} {bound:.4g})"
        )
    print(f"✓ {name}: {sentence}")
