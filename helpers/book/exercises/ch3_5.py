"""Checks of the exercises of chapter 3.5."""

from collections.abc import Callable

import torch

from helpers.book.exercises import answered, report, require

# Error on the source, distance, best joint error. In each set every wrong rule chooses another candidate.
CANDIDATES = (
    {
        "A": (0.10, 0.4, 0.45),
        "B": (0.15, 1.8, 0.40),
        "C": (0.00, 1.4, 0.50),
        "D": (0.05, 1.8, 0.00),
        "E": (0.20, 0.4, 0.20),
        "F": (0.25, 0.3, 0.30),
        "G": (0.10, 0.6, 0.15),
    },
    {
        "A": (0.25, 0.4, 0.20),
        "B": (0.15, 0.4, 0.50),
        "C": (0.30, 0.7, 0.05),
        "D": (0.15, 0.6, 0.15),
        "E": (0.35, 1.0, 0.15),
        "F": (0.05, 1.0, 0.40),
        "G": (0.40, 0.2, 0.45),
    },
)


def check_most_promising(answer: Callable) -> None:
    """3.5-1: most_promising(candidates), the name with the smallest bound."""

    def test(f: Callable) -> None:
        rules: tuple[tuple[Callable, str], ...] = (
            (lambda e, d, j: e + d + j, "only half of the distance counts."),
            (lambda e, d, j: e + d / 2, "the third term is missing: labels that clash cannot be trained away."),
            (lambda e, d, j: d, "the smallest distance alone promises nothing: add all three terms."),
            (lambda e, d, j: e, "the smallest error on the source alone promises nothing: add all three terms."),
            (lambda e, d, j: j, "the smallest clash alone promises nothing: add all three terms."),
            (lambda e, d, j: -(e + d / 2 + j), "that is the largest bound: a small one promises more."),
        )
        for candidates in CANDIDATES:
            got = answered(f(dict(candidates)))
            require(isinstance(got, str), "return the name of a candidate.")
            for rule, hint in rules:
                require(got != min(candidates, key=lambda name: rule(*candidates[name])), hint)  # noqa: B023
            right = min(
                candidates, key=lambda name: candidates[name][0] + candidates[name][1] / 2 + candidates[name][2]
            )
            require(got == right, "add the error on the source, half of the distance and the joint error.")

    report("3.5-1", test, answer)


def check_a_distance(answer: Callable) -> None:
    """3.5-2: a_distance(source_called_target, target_called_target), domains of unequal size."""

    def test(f: Callable) -> None:
        def said(wrong_source: int, source: int, wrong_target: int, target: int) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.arange(source) < wrong_source, torch.arange(target) >= wrong_target

        for counts in ((0, 900, 100, 100), (90, 900, 10, 100), (30, 100, 40, 400), (0, 50, 0, 10), (3, 8, 1, 16)):
            wrong_source, source, wrong_target, target = counts
            got = float(answered(f(*said(*counts))))
            on_source, on_target = wrong_source / source, wrong_target / target
            right = 2 * (1 - on_source - on_target)
            pooled = (wrong_source + wrong_target) / (source + target)
            for wrong, hint in (
                (
                    2 * (1 - 2 * pooled),
                    "the larger domain still outweighs the other: take the error of each by itself.",
                ),
                (2 * (1 - 2 * (on_source + on_target)), "ε is the mean of the two errors, not their sum."),
                (1 - on_source - on_target, "a factor 2 is missing: a classifier that is never wrong gives 2."),
                (
                    2 * (1 - 2 * (on_source + 1 - on_target) / 2),
                    "of the target, the answers that are not `True` are wrong.",
                ),
            ):
                require(abs(wrong - right) < 1e-6 or abs(got - wrong) > 1e-6, hint)
            require(
                abs(got - right) < 1e-6, f"errors {on_source:g} and {on_target:g} give {right:g}; you gave {got:.3g}."
            )
        got = float(f(*said(70, 100, 5, 10)))
        require(got >= 0, "a classifier that is worse than guessing shows no distance: give 0, not less.")
        require(got < 1e-6, "a classifier that is worse than guessing shows no distance: give 0.")

    report("3.5-2", test, answer)


def check_cost_of_equality(answer: Callable) -> None:
    """3.5-3: cost_of_equality(labels_s, labels_t), the least sum of the two errors."""

    def test(f: Callable) -> None:
        for p, q in (
            ((0.5, 0.5), (0.9, 0.1)),
            ((0.2, 0.3, 0.5), (0.5, 0.4, 0.1)),
            ((0.4, 0.4, 0.1, 0.1), (0.1, 0.2, 0.4, 0.3)),
            ((0.25, 0.25, 0.25, 0.25), (0.25, 0.25, 0.25, 0.25)),
            ((0.1, 0.6, 0.3), (0.1, 0.0, 0.9)),
        ):
            labels_s, labels_t = torch.tensor(p), torch.tensor(q)
            got = float(answered(f(labels_s.clone(), labels_t.clone())))
            gap = labels_t - labels_s
            right = float(gap.abs().sum() / 2)
            for wrong, hint in (
                (gap.abs().sum(), "each label too many here is one too few there: halve the sum."),
                (gap.abs().max(), "that is the largest gap alone: with three classes several may have to give way."),
                (gap[0], "all classes count, and a gap has no sign."),
                (gap.sum(), "the gaps sum to zero: take their sizes."),
                (gap.square().sum(), "no squares: an answer too many is one error."),
                (gap.norm(), "no squares: an answer too many is one error."),
            ):
                require(abs(float(wrong) - right) < 1e-5 or abs(got - float(wrong)) > 1e-5, hint)
            require(abs(got - right) < 1e-5, f"shares {p} and {q} cost at least {right:g}; you gave {got:.3g}.")

    report("3.5-3", test, answer)
