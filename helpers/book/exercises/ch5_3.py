"""Checks of the exercises of chapter 5.3."""

from collections.abc import Callable

import torch

from helpers.book.exercises import answered, report, require, require_choices


def check_entropy(answer: Callable) -> None:
    """5.3-1: entropy(logits), Tent's loss: mean over the images of the entropy of their predictions."""

    def right(logits: torch.Tensor) -> torch.Tensor:
        return -(logits.softmax(1) * logits.log_softmax(1)).sum(1).mean()

    cases = (
        torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5], [-3.0, 1.0, 0.0], [1.0, 4.0, 1.0]]),
        torch.tensor([[1.0, 0.0], [0.0, 3.0], [-2.0, -2.0]]),
    )
    sure = torch.tensor([[300.0, 0.0, -300.0], [0.0, 0.0, 0.0]])

    def test(f: Callable) -> None:
        for logits in cases:
            logits = logits.double()
            got = torch.as_tensor(answered(f(logits.clone()))).double()
            require(got.ndim == 0, "return one number: the mean over the images of the batch.")
            p = logits.softmax(0)
            wrong = -(p * p.log())
            for value, hint in (
                (-right(logits), "an entropy is 0 or more: yours has the wrong sign, so Tent would make it larger."),
                (right(logits) / logits.shape[1], "sum over the classes; only over the images take the mean."),
                (wrong.mean(), "the softmax runs over the images: each image's probabilities must add up to 1."),
                (wrong.sum(0).mean(), "the softmax runs over the images: each image's probabilities must add up to 1."),
                (wrong.sum(1).mean(), "the softmax runs over the images: each image's probabilities must add up to 1."),
                (-wrong.mean(), "two faults are left at least: the sign, and what the softmax runs over."),
                (right(logits) * len(logits), "this is the sum over the images: take their mean."),
            ):
                require(not torch.allclose(got, value), hint)
            require(torch.allclose(got, right(logits)), "three equal logits alone have entropy log 3, about 1.10.")
        scores = sure.clone().requires_grad_()
        got = answered(f(scores))
        require(
            bool(torch.isfinite(got)), "a very sure prediction gives NaN: the logarithm of 0. What computes it safely?"
        )
        require(torch.allclose(got, right(sure)), "a very sure prediction must count as 0.")
        require(got.requires_grad, "no gradient reaches the logits: do not detach or use no_grad.")
        (slope,) = torch.autograd.grad(got, scores)
        require(bool(torch.isfinite(slope).all()), "the value is finite, its gradient is NaN: use log_softmax.")

    report("5.3-1", test, answer)


def check_share(answer: Callable) -> None:
    """5.3-2: share(copies, others), of the samples of the best denoiser that show a repeated training image."""

    def test(f: Callable) -> None:
        for copies, others in ((20, 5), (1, 24), (3, 1), (7, 7)):
            got = answered(f(copies, others))
            require(isinstance(got, (int, float)), "return one number between 0 and 1.")

            def near(value: float, got: float = got) -> bool:
                return abs(got - value) < 1e-6

            right = copies / (copies + others)
            for value, hint in (
                (1 / (1 + others), "this counts each different image once; the loss sees every row of the data set."),
                (copies / others, "this compares with the others only: a share is of all."),
                (1 / (copies + others), "that is the share of one row; the image has several."),
                (1 - right, "this is the share of all other images."),
            ):
                require(near(right) or not near(value), hint)
            require(near(right), "the answer lies between 0 and 1, and equal weights draw each row equally often.")

    report("5.3-2", test, answer)


def check_choose(answer: Callable) -> None:
    """5.3-3: choose(), an answer to each of four problems."""

    problems = {
        "a": (
            ("DANN", "Tent", "fine-tune"),
            "Tent",
            "which of the three needs neither the source's images nor the target's labels?",
        ),
        "b": (
            ("Tent", "batch statistics", "as it is"),
            "as it is",
            "what did batches of a single class do to everything that is measured on a batch?",
        ),
        "c": (
            ("few weights", "low FID", "count copies"),
            "count copies",
            "how few weights move, or how near the sets are, does not say whether an image is given away.",
        ),
        "d": (
            ("never", "try it beside augmentation", "always"),
            "try it beside augmentation",
            "4.4's generator knew the labelled images only; what does this one know, and is there a proof?",
        ),
    }

    report("5.3-3", lambda f: require_choices(answered(f()), problems), answer)
