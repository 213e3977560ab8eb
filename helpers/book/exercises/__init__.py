"""Automatic checks of the exercises.

One module a chapter, `ch4_1` for 4.1 and `ch0` for 0. A check calls the reader's function on small inputs. It
prints one line: the answer is right, what looks wrong about it, or that it still waits for one (the
untouched stub returns `...` or None).
"""

from collections.abc import Callable, Mapping, Sequence


class Hint(Exception):
    """What looks wrong about an answer."""


class Waiting(Exception):
    """The stub is untouched."""


def report(number: str, test: Callable[[Callable], None], answer: Callable) -> None:
    """Run a check and print its one line."""
    try:
        test(answer)
    except Waiting:
        print(f"… Exercise {number} waits for your answer.")
    except Hint as hint:
        print(f"✗ Exercise {number}: {hint}")
    except Exception as error:  # the reader's code, not ours
        print(f"✗ Exercise {number}: your code raised {type(error).__name__}: {error}")
    else:
        print(f"✓ Exercise {number} is right.")


def answered(value):
    """The value, unless it is the stub's."""
    if value is None or value is ...:
        raise Waiting
    return value


def require(condition: bool, hint: str) -> None:
    """Give the hint unless the condition holds."""
    if not condition:
        raise Hint(hint)


def require_choices(got, problems: Mapping[str, tuple[Sequence[str], str, str]]) -> None:
    """Give a hint unless `got` is a dict with the right choice for each problem.

    problems : by letter, from "a" on, the choices, the right one, and the hint for the others.
    """
    first, *_, last = problems
    keys = f'return a dict with the keys "{first}" to "{last}".'
    require(isinstance(got, dict) and set(got) == set(problems), keys)
    for key, (choices, right, hint) in problems.items():
        require(got[key] in choices, f"{key}: choose among {', '.join(choices)}.")
        require(got[key] == right, f"{key}: {hint}")
