"""Checks of the exercises of chapter 3.1."""

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from helpers.book.exercises import answered, report, require


def check_best_step(answer: Callable) -> None:
    """3.1-1: best_step(steps, accuracies), earliest on a tie, nan left out."""

    def test(f: Callable) -> None:
        steps = [10, 20, 30, 40]
        got = answered(f(steps, [0.3, 0.8, 0.7, 0.6]))
        require(got != 1, "this is the position in the list: return the step that stands there.")
        require(got != 0.8, "this is the accuracy: return the step at which it was measured.")
        require(got != 40, "these are the last weights, not the best ones.")
        require(got == 20, f"for accuracies 0.3, 0.8, 0.7, 0.6 the best of {steps} is 20, you gave {got}.")
        require(f(steps, [0.3, 0.8, 0.8, 0.6]) == 20, "on a tie keep the earliest step.")
        for accuracies in ([math.nan, 0.8, 0.7, 0.6], [0.3, 0.8, math.nan, 0.6], [0.3, 0.8, 0.7, math.nan]):
            require(
                f(steps, accuracies) == 20,
                "an accuracy is nan: no comparison with nan is true, so leave those steps out before you look for "
                "the largest.",
            )

    report("3.1-1", test, answer)


def check_prepare(answer: Callable) -> None:
    """3.1-2: prepare(images, size, mean, std), grey uint8 to what a colour backbone expects."""

    def test(f: Callable) -> None:
        # Even images: every way to resize gives the same.
        images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 8, 8).contiguous()
        mean, std, size = (0.1, 0.2, 0.4), (0.5, 0.25, 0.2), 12
        got = answered(f(images, size, mean, std))
        require(isinstance(got, torch.Tensor) and got.is_floating_point(), "return a floating-point tensor.")
        require(got.ndim == 4, "keep four dimensions: (N, 3, size, size).")
        require(got.shape[1] == 3, "the backbone has three input channels: repeat the grey one.")
        require(got.shape[-2:] == (size, size), "the images still have their own size: resize them.")
        require(got.shape[0] == 3, "keep the number of images: (N, 3, size, size).")
        m, s = (torch.tensor(v).view(1, 3, 1, 1) for v in (mean, std))
        x = F.interpolate(images.float(), size=(size, size)).expand(-1, 3, -1, -1)
        for wrong, hint in (
            ((x - m) / s, "the pixels run from 0 to 255, mean and std belong to 0 to 1: divide by 255 first."),
            (x / 255, "the range is right, but mean and std are not used yet."),
            (x / 255 / s - m, "subtract the mean before you divide by the standard deviation."),
            ((x / 255 - s) / m, "mean and standard deviation are swapped."),
            ((x / 255 - m[:, :1]) / s[:, :1], "each channel has its own mean and std: you used the first for all."),
            (
                (x / 255 - x.mean() / 255) / (x.std() / 255),
                "use the statistics of the backbone, not those of the new images.",
            ),
        ):
            require(not torch.allclose(got, wrong, atol=1e-4), hint)
        require(
            torch.allclose(got, (x / 255 - m) / s, atol=1e-4),
            "compare with (x / 255 − mean) / std by hand, channel by channel, for an image that is 51 everywhere.",
        )

    report("3.1-2", test, answer)


def check_neighbour_score(answer: Callable) -> None:
    """3.1-3: neighbour_score(features, labels), leave one out, cosine similarity."""

    def test(f: Callable) -> None:
        # Chosen so that every mistake below gives another score.
        features = torch.tensor(
            [[9.0, -4.0], [3.0, 1.0], [-9.0, 1.0], [-5.0, -9.0], [6.0, -3.0], [2.0, -2.0], [7.0, -1.0], [2.0, -8.0]]
        )
        labels = torch.tensor([0, 0, 1, 1, 2, 2, 0, 1])
        unit = F.normalize(features, dim=1)

        def score(similarity: torch.Tensor) -> float:
            off = similarity.masked_fill(torch.eye(len(labels), dtype=torch.bool), -torch.inf)
            return (labels[off.argmax(1)] == labels).float().mean().item()

        right = score(unit @ unit.T)
        got = float(answered(f(features.clone(), labels.clone())))
        require(got <= 1, "this is a count: divide by the number of images.")
        require(
            not math.isclose(got, 1.0),
            "every image found itself: exclude the diagonal before you look for the nearest.",
        )
        for similarity, hint in (
            (-torch.cdist(features, features), "this is the Euclidean distance; use the angle: normalise the rows."),
            (features @ features.T, "long feature vectors win every comparison: normalise the rows first."),
            (-(unit @ unit.T), "this finds the least similar image: take the largest similarity."),
        ):
            require(
                math.isclose(got, right, abs_tol=1e-5) or not math.isclose(got, score(similarity), abs_tol=1e-5), hint
            )
        require(math.isclose(got, right, abs_tol=1e-5), f"expected {right:.3f} on eight small vectors, got {got:.3f}.")

    report("3.1-3", test, answer)


def check_leaking(answer: Callable) -> None:
    """3.1-4: leaking() names the procedures whose number is not honest."""
    missing = {
        "A": "look again at A: whose pixels went into the mean?",
        "B": "look again at B: where do the copies of one image end up?",
        "D": "look again at D: which images chose the seed?",
    }
    innocent = {
        "C": "C is sound: the validation images chose, the test images only measured.",
        "E": "E is sound: the backbone's statistics were fixed before these images were seen.",
    }

    def test(f: Callable) -> None:
        got = answered(f())
        require(isinstance(got, (str, set, list, tuple)), 'return letters, such as "AE".')
        letters = {str(letter).upper() for letter in got}
        require(letters <= set("ABCDE"), 'return letters from A to E, such as "AE".')
        for letter, hint in innocent.items():
            require(letter not in letters, hint)
        for letter, hint in missing.items():
            require(letter in letters, hint)

    report("3.1-4", test, answer)


def check_choose(answer: Callable) -> None:
    """3.1-5: choose(results) → (rate, accuracy to report)."""
    measured = {
        0.01: ((0.95, 0.93), (0.60, 0.70), (0.62, 0.71)),  # one lucky run
        0.001: ((0.80, 0.78), (0.84, 0.80), (0.82, 0.85)),  # best on validation images
        0.1: ((0.70, 0.88), (0.72, 0.90), (0.71, 0.89)),  # best on test images
    }

    def test(f: Callable) -> None:
        results = [
            {"rate": rate, "seed": seed, "validation": validation, "test": on_test}
            for rate, runs in measured.items()
            for seed, (validation, on_test) in enumerate(runs)
        ]
        got = answered(f([dict(r) for r in results]))
        require(isinstance(got, (tuple, list)) and len(got) == 2, "return two values: the rate and the accuracy.")
        rate, accuracy = got
        require(rate != 0.1, "this rate is best on the test images: the choice has used them up.")
        require(rate != 0.01, "one lucky run does not make a rate good: average over the seeds before you choose.")
        require(rate == 0.001, f"{rate} is none of the rates, or not the best: compare the mean validation accuracies.")
        require(
            not math.isclose(accuracy, 0.82, abs_tol=1e-6),
            "this is the validation accuracy: the choice has inflated it, report the test accuracy.",
        )
        require(
            not math.isclose(accuracy, 0.84, abs_tol=1e-6),
            "this is the validation accuracy of one run: report the mean test accuracy of the rate.",
        )
        require(
            not any(math.isclose(accuracy, a, abs_tol=1e-6) for a in (0.78, 0.80, 0.85)),
            "this is the test accuracy of one seed: report the mean over the seeds of the rate.",
        )
        require(
            math.isclose(accuracy, 0.81, abs_tol=1e-6), f"the mean test accuracy of that rate is 0.81, not {accuracy}."
        )

    report("3.1-5", test, answer)
