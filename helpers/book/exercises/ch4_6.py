"""Checks of the exercises of chapter 4.6."""

from collections.abc import Callable

from helpers.book.exercises import answered, report, require, require_choices


def check_winner(answer: Callable) -> None:
    """4.6-1: winner(a, b): FIDs of two arms on the same seeds → "a", "b" or "tie"."""

    def test(f: Callable) -> None:
        got = answered(f([10.0, 11.0, 9.0], [30.0, 31.0, 28.0]))
        require(got in ("a", "b", "tie"), 'return one of "a", "b" and "tie".')
        require(got != "b", "a has the lower FIDs: lower is better.")
        require(got == "a", "a is far lower on each seed: that is no tie.")
        require(f([30.0, 31.0, 28.0], [10.0, 11.0, 9.0]) == "b", "with the arms exchanged the winner must be b.")
        require(
            f([10.0, 30.0, 20.0, 40.0], [12.0, 27.0, 21.0, 39.0]) == "tie",
            "a lower mean is not enough: on some seeds a is lower and on some b. Use an interval.",
        )
        require(
            f([100.0, 200.0, 300.0, 400.0], [103.0, 204.0, 303.0, 404.0]) == "a",
            "a is lower by 3 or 4 on every seed. The seeds differ far more among themselves than the arms do, so take "
            "the interval of the differences, not one for each arm.",
        )

    report("4.6-1", test, answer)


def check_leave_one_out(answer: Callable) -> None:
    """4.6-2: leave_one_out(scores): arm → FIDs by seed; the choice made without each seed in turn."""

    def test(f: Callable) -> None:
        scores = {"x": [1.0, 9.0, 9.0], "y": [5.0, 5.0, 5.0]}
        got = answered(f(scores))
        require(isinstance(got, list) and len(got) == 3, "return a list with one arm for each seed.")
        require(
            got != ["x", "y", "y"],
            "you chose by the seed that is left out: that is the one the choice is to be tested on.",
        )
        require(got != ["y"] * 3, "you used all seeds each time: the one left out must not take part in the choice.")
        require(got != ["x", "y", "y"][::-1] and got != ["x", "x", "x"], "choose the lower mean: a low FID is good.")
        # Without seed 0: x 9, y 5. Without seed 1 or 2: x 5, y 5, a tie that the next case avoids.
        scores = {"x": [1.0, 9.0, 7.0, 2.0], "y": [5.0, 5.0, 5.0, 5.0]}
        got = f(scores)
        require(got != ["x", "y", "y", "x"], "you chose by the seed that is left out.")
        require(got != ["y", "x", "x", "y"][::-1] or got == ["y", "x", "x", "y"], "the order is that of the seeds.")
        require(
            got == ["y", "x", "x", "y"],
            "without seed 0 the means are 6 and 5, so y; without seed 1 they are 3.3 and 5, so x. Compare.",
        )

    report("4.6-2", test, answer)


def check_recommend(answer: Callable) -> None:
    """4.6-3: recommend(): an answer to each of four problems."""

    arms = ("scratch", "transfer", "transfer + DiffAugment")
    measures = ("accuracy on the scans", "neighbourhood density", "the method that was best elsewhere")
    problems = {
        "a": (arms, "transfer + DiffAugment", "with so few images, which arm repeats them least?"),
        "b": (arms, "transfer", "with 500 images, what did the pair give, and what did augmentation cost?"),
        "c": (measures, "neighbourhood density", "which of the three lost least on the six pairs of this book?"),
        "d": (
            ("fine-tune", "scratch", "generated images"),
            "fine-tune",
            "there are labels and a classifier of similar images: do you need a GAN?",
        ),
    }

    report("4.6-3", lambda f: require_choices(answered(f()), problems), answer)
