"""Checks of the exercises of chapter 4.2."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from helpers.book.exercises import answered, report, require


def check_output_size(answer: Callable) -> None:
    """4.2-1: output_size(size, kernel, stride, padding) of a transposed convolution."""

    def test(f: Callable) -> None:
        for case in ((1, 4, 1, 0), (4, 4, 2, 1), (8, 4, 2, 1), (5, 3, 2, 1)):
            size, kernel, stride, padding = case
            got = answered(f(*case))
            right = nn.ConvTranspose2d(1, 1, kernel, stride, padding)(torch.zeros(1, 1, size, size)).shape[-1]
            require(
                got != (size + 2 * padding - kernel) // stride + 1,
                "this is the formula of an ordinary convolution; turn it round.",
            )
            require(
                got == right or got != size * stride,
                f"size · stride fits only some layers; try size, kernel, stride, padding = {case}.",
            )
            require(got == right, f"for size, kernel, stride, padding = {case} PyTorch gives {right}, you gave {got}.")

    report("4.2-1", test, answer)


def check_discriminator_loss(answer: Callable) -> None:
    """4.2-2: discriminator_loss(real_scores, fake_scores) on logits."""

    def test(f: Callable) -> None:
        real, fake = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([-3.0, 0.2, 1.0])
        got = torch.as_tensor(answered(f(real, fake)))
        require(got.ndim == 0, "return one number: take the mean over the batch.")
        right = F.softplus(-real).mean() + F.softplus(fake).mean()
        for wrong, hint in (
            (
                F.softplus(real).mean() + F.softplus(-fake).mean(),
                "the labels are swapped: real images should get high scores.",
            ),
            (
                F.softplus(-real).mean() + F.softplus(-fake).mean(),
                'both terms ask for "real", as in the source: the fakes need label 0.',
            ),
            (
                F.softplus(-real).sum() + F.softplus(fake).sum(),
                "take the mean, not the sum: the loss must not depend on the batch size.",
            ),
            (-right, "the sign is wrong: the discriminator maximises the objective, so it minimises the negative."),
        ):
            require(not torch.allclose(got, wrong, atol=1e-5), hint)
        require(
            torch.allclose(got, right, atol=1e-5),
            "compare with −log sigmoid(real) and −log(1 − sigmoid(fake)), each averaged.",
        )
        require(
            bool(torch.isfinite(torch.as_tensor(f(real * 200, fake * 200)))),
            "the loss overflows for large scores: use softplus or BCE with logits.",
        )

    report("4.2-2", test, answer)


def check_ema(answer: Callable) -> None:
    """4.2-3: ema(average, current, decay), element by element."""

    def test(f: Callable) -> None:
        average, current = torch.tensor([1.0, 2.0]), torch.tensor([3.0, -2.0])
        got = answered(f(average.clone(), current.clone(), 0.9))
        require(isinstance(got, torch.Tensor), "return the new average as a tensor.")
        require(
            not torch.allclose(got, 0.1 * average + 0.9 * current),
            "decay weighs the old average, not the new value: you remember one step in ten.",
        )
        require(not torch.allclose(got, (average + current) / 2), "this is the plain mean of two: where is decay?")
        require(torch.allclose(got, 0.9 * average + 0.1 * current), "try decay = 1: the average must not move.")

    report("4.2-3", test, answer)
