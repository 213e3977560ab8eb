"""Checks of the exercises of chapter 6, which has no sections: they are numbered as if it were 6.1."""

from collections.abc import Callable

from helpers.book.exercises import answered, report, require

WORDS = {"penalty", "question", "label kept", "new images"}


def check_reading(answer: Callable) -> None:
    """6.1-1: reading(mean, half, bound) of a claim that something is greater than a bound."""

    def test(f: Callable) -> None:
        for case, right, hint in (
            ((0.30, 0.05, 0.10), "clear", "0.30 ± 0.05 lies wholly above 0.10."),
            ((0.12, 0.05, 0.10), "on average", "0.12 ± 0.05 reaches below the bound 0.10: that is not clear."),
            ((0.08, 0.05, 0.10), "no", "0.08 is below the bound 0.10: the upper end alone supports nothing."),
            ((-0.10, 0.02, -0.05), "no", "−0.10 is below −0.05: compare with the bound, and mind the sign."),
            ((-0.01, 0.02, -0.05), "clear", "a bound below 0 can be met by a mean below 0: compare with the bound."),
            ((0.75, 0.25, 0.50), "on average", "0.75 ± 0.25 touches the bound 0.50, and > means above it."),
        ):
            got = answered(f(*case))
            require(got in ("clear", "on average", "no"), 'return "clear", "on average" or "no".')
            require(got == right, hint)

    report("6.1-1", test, answer)


def check_condition(answer: Callable) -> None:
    """6.1-2: condition() for four statements."""

    def test(f: Callable) -> None:
        got = answered(f())
        require(isinstance(got, dict) and got.keys() == set("abcd"), 'return a dict with "a", "b", "c", "d".')
        require(set(got.values()) <= WORDS, f"each answer is one of {', '.join(sorted(WORDS))}.")
        require(got["a"] == "label kept", "a: small shifts helped, mirrored digits did not (3.1-k, 3.1-l).")
        require(got["b"] == "question", "b: letters with random labels lie as near as letters, and are worse (5.2-f).")
        require(got["c"] == "new images", "c: the same training helped with unlabelled images only (4.4-k, 4.4-l).")
        require(got["d"] == "penalty", "d: which change made 8 of 8 modes out of 1.6 (1.2-v, 1.2-x)?")

    report("6.1-2", test, answer)


def check_unfair(answer: Callable) -> None:
    """6.1-3: unfair(a, b, studied), the settings that spoil a comparison of two arms."""

    def test(f: Callable) -> None:
        fair = {"start": "letters", "steps": 100, "images": 100, "seeds": 3, "chosen on": "validation"}
        got = answered(f(fair, fair | {"start": "random"}, "start"))
        require(isinstance(got, list), "return a list of names.")
        require("start" not in got, "the studied setting must differ, or there is nothing to compare: leave it out.")
        require(got == [], "nothing is wrong with this comparison: return an empty list.")
        got = f(fair, fair | {"start": "random", "steps": 400, "images": 50}, "start")
        require(len(got) > 1, "two settings differ beside the studied one: name them all.")
        require(sorted(got) == ["images", "steps"], "name each setting, other than the studied one, that differs.")
        require(got == sorted(got), "sort the names.")
        both = fair | {"chosen on": "test"}
        got = f(both, both | {"start": "random"}, "start")
        require(got != [], "equal is not enough: what was chosen on the test images cannot be judged by them.")
        require(got == ["chosen on"], 'both arms chose on "test": name "chosen on", and nothing else.')
        got = f(fair, both | {"start": "random"}, "start")
        require(got == ["chosen on"], 'name "chosen on" once, where it differs and where it is "test".')
        got = f(fair, fair | {"chosen on": "test"}, "chosen on")
        require(got == [], "the studied setting is never named, not even this one.")

    report("6.1-3", test, answer)


def check_verdict(answer: Callable) -> None:
    """6.1-4: verdict(claims), from triples with an interval, and what each claim says."""

    def test(f: Callable) -> None:
        yes, no = (0.3, 0.1, 0.1, "holds"), (0.9, 0.2, 0.5, "false")
        weak, wrong = (0.3, 0.4, 0.1, "false"), (0.0, 0.01, 0.1, "false")
        words = ("holds", "false", "holds if", "open")
        for claims, right, hint in (
            ([yes, yes], "holds", "two clear claims that agree give their common verdict."),
            ([no], "false", "one clear claim that says false decides."),
            ([], "open", 'no claim, no verdict: return "open".'),
            ([weak], "open", "0.3 ± 0.4 does not lie above 0.1: this claim does not count, and then none is left."),
            ([yes, weak], "holds", "only claims whose whole interval lies above the bound count."),
            ([yes, wrong], "holds", "0 is below its bound 0.1: a claim that fails says nothing."),
            ([yes, yes, no], "holds if", "this is no vote: claims that differ make a condition."),
            ([no, no, yes], "holds if", "this is no vote: claims that differ make a condition."),
        ):
            got = answered(f(list(claims)))
            require(got in words, f"return one of {', '.join(words)}.")
            require(got == right, hint)

    report("6.1-4", test, answer)
