"""Checks of the exercises of chapter 4.4."""

from collections.abc import Callable

import torch

from helpers.book.exercises import answered, report, require


def check_real_probability(answer: Callable) -> None:
    """4.4-1: real_probability(logits) of a classifier with K classes and the class "generated" at logit 0."""

    def test(f: Callable) -> None:
        logits = torch.tensor([[0.0, 0.0], [2.0, -1.0], [-9.0, -9.0]])
        got = answered(f(logits.clone()))
        require(isinstance(got, torch.Tensor) and got.shape == (3,), "return one number an image: shape (N,).")
        require(
            not torch.allclose(got, torch.ones(3), atol=1e-4),
            "you summed a softmax over the K classes, which is always 1: the class “generated” is missing.",
        )
        require(
            not torch.allclose(got, torch.sigmoid(logits.amax(1)), atol=1e-4),
            "that is the most likely class against “generated”: add up all K classes.",
        )
        z = logits.exp().sum(1)
        require(
            not torch.allclose(got, 1 / (z + 1), atol=1e-4), 'that is the probability of "generated": turn it round.'
        )
        require(
            torch.allclose(got, z / (z + 1), atol=1e-4), "two logits of 0 beside “generated” at 0: D is two thirds."
        )
        big = f(torch.tensor([[500.0, 499.0]]))
        require(bool(torch.isfinite(big).all()), "a logit of 500 gives NaN: use logsumexp and sigmoid.")

    report("4.4-1", test, answer)


def check_feature_matching(answer: Callable) -> None:
    """4.4-2: feature_matching(real, fake), features (N, D) of both batches."""

    def test(f: Callable) -> None:
        real, fake = torch.tensor([[0.0, 2.0], [2.0, 4.0]]), torch.tensor([[3.0, 3.0], [1.0, 7.0]])
        got = answered(f(real.clone(), fake.clone()))
        got = torch.as_tensor(got)
        require(got.ndim == 0, "return one number for the batch.")
        require(abs(got.item() - 10.0) > 1e-4, "you compared image with image: take the mean over the batch first.")
        require(abs(got.item() - 5.0**0.5) > 1e-4, "that is the distance: square it.")
        require(abs(got.item() - 3.0) > 1e-4, "that is the sum of absolute differences: square each.")
        require(abs(got.item() - 2.5) > 1e-4, "add up the features: do not average over them.")
        require(abs(got.item() - 5.0) < 1e-4, "the means are (1, 3) and (2, 5).")
        swapped = f(real.clone(), fake.flip(0).clone())
        require(abs(float(swapped) - 5.0) < 1e-4, "the order of the fakes must not matter.")

    report("4.4-2", test, answer)


def check_stops_helping(answer: Callable) -> None:
    """4.4-3: stops_helping(sizes, plain, added): from which size on the gain's interval reaches down to 0."""

    def test(f: Callable) -> None:
        sizes = [50, 100, 500, 2500]
        plain = [[0.70, 0.72, 0.74], [0.80, 0.82, 0.81], [0.90, 0.91, 0.92], [0.95, 0.96, 0.97]]
        clear = [0.05, 0.04, 0.06]
        unclear, none = [0.03, -0.01, 0.01], [0.001, -0.001, 0.0]

        def added(*gains):
            return [[p + g for p, g in zip(row, gain)] for row, gain in zip(plain, gains)]

        got = answered(f(sizes, plain, added(clear, clear, unclear, none)))
        require(got != 2500, "at 500 the mean gain is above 0, but its 95 % interval is not: look at the interval.")
        require(got != 2, "return the number of labels, not its place in the list.")
        require(
            got != [None],
            "the gain is paired: subtract seed by seed, then take the interval of the differences.",
        )
        require(got == 500, "the gain is clear at 50 and at 100, and no longer at 500.")
        dip = f(sizes, plain, added(unclear, clear, clear, none))
        require(
            dip != 50, "at 50 it is unclear, but at 100 and 500 it helps: it must stay unclear at all larger sizes."
        )
        require(dip == 2500, "it helps last at 500: from 2500 on it does not.")
        require(
            f(sizes, plain, added(clear, clear, clear, clear)) == [None], "where it helps at every size, return [None]."
        )

    report("4.4-3", test, answer)


def check_controls(answer: Callable) -> None:
    """4.4-4: controls(arms, factor): the pairs of arms that isolate one factor."""

    def test(f: Callable) -> None:
        arms = [
            {"game": False, "unlabelled": 0, "augment": False},
            {"game": False, "unlabelled": 0, "augment": True},
            {"game": True, "unlabelled": 0, "augment": True},
            {"game": True, "unlabelled": 54_000, "augment": True},
        ]
        got = answered(f([dict(arm) for arm in arms], "game"))
        require(isinstance(got, list), "return a list of pairs.")
        pairs = [tuple(pair) for pair in got]
        require((2, 1) not in pairs, "give each pair once, the smaller index first.")
        require(
            (1, 3) not in pairs and (0, 3) not in pairs,
            "arms 1 and 3 differ in the number of unlabelled images too: what did the work?",
        )
        require((0, 2) not in pairs, "arms 0 and 2 differ in the augmentation too: what did the work?")
        require((2, 3) not in pairs, "arms 2 and 3 both play the game: a pair must differ in the factor.")
        require(pairs == [(1, 2)], "one pair isolates the game: the same images and augmentation, with it and without.")
        require(f(arms, "unlabelled") == [(2, 3)], "try another factor: unlabelled gives [(2, 3)].")

    report("4.4-4", test, answer)
