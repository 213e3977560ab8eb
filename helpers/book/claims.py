"""A claim is a sentence with two measured sides. Checking it prints one stable line, or raises."""

import json
import operator
import os

VERDICTS = ("holds", "holds under a condition", "false")
_RELATIONS = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}


def claim(
    name: str,
    sentence: str,
    left: float,
    relation: str,
    right: float,
    margin: float = 0.0,
    *,
    source: str = "",
    verdict: str = "holds",
    spread: float | None = None,
) -> None:
    """Check `left relation right`, with `margin` to spare, and print the sentence.

    The numbers are not printed: they may differ in the last digit between machines, the verdict not.
    While a notebook is executed by ``make refresh`` or ``make book`` they are recorded for the ledger.

    source : number of the statement in ``book/appendix/statements.yml`` that this claim decides.
    verdict : what the claim, where it holds, says about that statement; one of `VERDICTS`.
    spread : half-width of the 95 % interval of `left`, where there are several seeds.

    Raises
    ------
    AssertionError
        The claim does not hold; the message gives both sides.
    ValueError
        Unknown relation or verdict.
    """
    if relation not in _RELATIONS:
        raise ValueError(f"unknown relation {relation!r}: choose one of {' '.join(_RELATIONS)}")
    if verdict not in VERDICTS:
        raise ValueError(f"unknown verdict {verdict!r}: choose one of {', '.join(VERDICTS)}")
    bound = right + margin if relation[0] == ">" else right - margin
    if not _RELATIONS[relation](left, bound):
        raise AssertionError(
            f"claim {name} does not hold: {sentence} (measured {left:.4g}, needed {relation} {bound:.4g})"
        )
    print(f"✓ {name}: {sentence}")
    if path := os.environ.get("BOOK_CLAIMS"):
        record = {
            "name": name,
            "sentence": sentence,
            "measured": f"{left:.3g}",
            "needed": f"{relation} {bound:.3g}",
            "spread": None if spread is None else f"{spread:.2g}",
            "source": source,
            "verdict": verdict if source else "",
        }
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
