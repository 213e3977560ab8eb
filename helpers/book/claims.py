"""A claim is a sentence with a measured value and a bound fixed beforehand. Checking it prints one line, or raises.

A **finding** rests on a results file or on an exact computation, and may decide a statement of the source. A
**demonstration** is what a live cell shows; it stops a broken notebook and decides nothing. What the findings say about
a statement, and under which condition, stands in ``book/appendix/statements.yml``.
"""

import json
import math
import operator
import os
from typing import Any

from helpers.metrics import Interval
from helpers.runtime import results_dir

EXACT = "exact"
_RELATIONS = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}


def finding(
    name: str,
    sentence: str,
    measured: float | Interval,
    relation: str,
    bound: float,
    *,
    rests_on: str,
    decides: str = "",
    margin: float = 0.0,
) -> None:
    """Check `measured relation bound`, with `margin` to spare, and print the sentence with the measured value.

    While a notebook is executed by ``make refresh`` or ``make book`` the numbers are recorded for the ledger.

    Parameters
    ----------
    name
        Chapter and letter, such as "4.5-h"; each is used once.
    measured
        One number, or an `Interval` (of paired differences, a seed), which must meet the bound as a whole.
    relation
        One of > < >= <=.
    bound, margin
        Plain numbers written in the code. Compare two measured sides by their difference or ratio.
    rests_on
        A file of ``results/`` by its name without ending, or "exact": a computation without chance, a count, a look
        at the code.
    decides
        Number of a statement in ``book/appendix/statements.yml``, where the finding decides one.

    Raises
    ------
    AssertionError
        It does not hold; the message gives both sides.
    ValueError
        Unknown relation or results file; a value that is not finite; a sentence with marks in it.
    TypeError
        `measured` or `bound` is something else than described above.
    """
    if rests_on != EXACT and not (results_dir() / f"{rests_on}.json").is_file():
        known = ", ".join(sorted(path.stem for path in results_dir().glob("*.json")))
        raise ValueError(
            f"{name} rests on {rests_on!r}, but results/ has no such file: give {EXACT!r} or one of {known}"
        )
    record = {"rests_on": rests_on, "decides": decides}
    _check("finding", name, sentence, measured, relation, bound, margin, record)


def demonstration(
    name: str,
    sentence: str,
    measured: float | Interval,
    relation: str,
    bound: float,
    *,
    about: str = "",
    margin: float = 0.0,
) -> None:
    """Like `finding`, for what a live cell has just measured. It decides nothing.

    Of an `Interval` the mean must meet the bound: a few short trainings differ from machine to machine (two whole
    intervals missed their bound on a GPU, a third on another CPU), and a notebook must not stop where it is not broken.

    about : number of the statement that it illustrates, where it does.
    """
    _check("demonstration", name, sentence, measured, relation, bound, margin, {"about": about})


def marked(value: float | Interval) -> str:
    """A measured value for printing: ⟨0.439 ± 0.062⟩. Two machines may differ in digits that stand in such marks.

    Raises
    ------
    TypeError, ValueError
        `value` is no number or `Interval`, or it is not finite.
    """
    mean, half = _text(_measured(value))
    return f"⟨{mean}⟩" if half is None else f"⟨{mean} ± {half}⟩"


def _check(
    kind: str,
    name: str,
    sentence: str,
    measured: float | Interval,
    relation: str,
    bound: float,
    margin: float,
    record: dict[str, str],
) -> None:
    if relation not in _RELATIONS:
        raise ValueError(f"{name}: unknown relation {relation!r}: choose one of {' '.join(_RELATIONS)}")
    for what, number in (("bound", bound), ("margin", margin)):
        if type(number) not in (int, float):  # a tensor or a NumPy number was computed
            raise TypeError(
                f"{name}: the {what} must be a plain number fixed beforehand, got {type(number).__name__}: "
                "compare two measured sides by their difference, their ratio, or the share of seeds"
            )
        if not math.isfinite(number):
            raise ValueError(f"{name}: the {what} is {number}: give a finite number")
    if margin < 0:
        raise ValueError(f"{name}: the margin is {margin}: give 0 or more")
    if set("⟨⟩\n") & set(sentence):
        raise ValueError(f"{name}: the sentence holds a mark ⟨⟩ or a line break: the measured value follows it anyway")
    try:
        value = _measured(measured)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    upward = relation[0] == ">"
    end = value if isinstance(value, float) else value.mean
    if kind == "finding" and isinstance(value, Interval):
        end = value.low if upward else value.high
    # end - margin, not bound + margin: then the bound is compared as it was written where there is no margin
    holds = _RELATIONS[relation](end - margin if upward else end + margin, bound)
    against = f"{relation} {_number(bound, 6)}" + (f", margin {_number(margin, 6)}" if margin else "")
    if not holds:
        raise AssertionError(f"{kind} {name} does not hold: {sentence} (measured {marked(value)}, needed {against})")
    print(f"✓ {name}: {sentence} {marked(value)} {against}")
    if path := os.environ.get("BOOK_CLAIMS"):
        mean, half = _text(value)
        numbers = {"measured": mean, "half": half, "relation": relation, "bound": bound, "margin": margin}
        line = json.dumps({"kind": kind, "name": name, "sentence": sentence, **numbers, **record}, ensure_ascii=False)
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")


def _measured(value: Any) -> float | Interval:
    """A finite float, or an Interval of two."""
    if isinstance(value, Interval):
        value = Interval(float(value.mean), float(value.half))
        numbers = tuple(value)
    elif isinstance(value, (bool, str, tuple, list)) or getattr(value, "ndim", 0) > 0:
        raise TypeError(
            f"a measured value is one number or an Interval, got {type(value).__name__}: "
            "use interval95 for several seeds, and a plain assert for yes or no"
        )
    else:
        value = float(value)
        numbers = (value,)
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"the measured value is not finite: {value}")
    if isinstance(value, Interval) and value.half < 0:
        raise ValueError(f"half the width of an interval is 0 or more, got {value.half}: take it from interval95")
    return value


def _text(value: float | Interval) -> tuple[str, str | None]:
    """Mean and half-width as text; the mean ends where the two digits of the half-width end."""
    if isinstance(value, float):
        return _number(value), None
    if not 1e-4 <= value.half < 99.5:
        return _number(value.mean), _number(value.half, 2)
    half = f"{value.half:#.2g}".rstrip(".")  # 0.10, not 0.1
    decimals = len(half.partition(".")[2])
    return f"{value.mean:z.{decimals}f}", half


def _number(value: float, digits: int = 3) -> str:
    """`digits` significant digits; whole numbers plainly."""
    if abs(value) < 1e6 and (value == int(value) or abs(value) >= 10**digits - 0.5):
        return f"{value:z.0f}"
    return f"{value:.{digits}g}"
