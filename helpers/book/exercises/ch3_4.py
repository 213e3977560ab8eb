"""Checks of the exercises of chapter 3.4."""

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from helpers.book.exercises import answered, report, require
from helpers.book.exercises.double import as_real, close, reals


def check_optimal_discriminator(answer: Callable) -> None:
    """3.4-1: optimal_discriminator(log_p_data, log_p_g)."""

    def test(f: Callable) -> None:
        a, b = reals(-1.0, -3.0, -0.5), reals(-2.0, -1.0, -0.8)
        got = as_real(answered(f(a.clone(), b.clone())))
        right = a.exp() / (a.exp() + b.exp())
        for wrong, hint in (
            (1 - right, "the two densities are swapped: D is large where the data are dense."),
            (a - b, "this is the score, a logit: a probability is its sigmoid."),
            ((a - b).exp(), "this is the ratio of the densities, which exceeds 1: divide by their sum."),
            (a / (a + b), "the arguments are logarithms: the formula wants the densities."),
            (torch.full_like(a, 0.5), "one half is the answer only where both densities are equal."),
        ):
            require(not close(got, wrong), hint)
        require(close(got, right), "compare with p_data / (p_data + p_g) by hand.")
        small = as_real(f(reals(-1000.0, -1000.0), reals(-1001.0, -1000.0)))
        require(
            close(small, reals(1 / (1 + math.exp(-1)), 0.5)),
            "both densities underflow to 0 at −1000: use only the difference of the logarithms.",
        )
        large = as_real(f(reals(1000.0), reals(-1000.0)))
        require(bool(large.isfinite().all()), "exp overflows for a large difference: use torch.sigmoid.")

    report("3.4-1", test, answer)


def check_generator_gradient(answer: Callable) -> None:
    """3.4-2: generator_gradient(scores) of the non-saturating loss."""

    def test(f: Callable) -> None:
        s = reals(-3.0, -0.5, 0.0, 2.0)
        got = as_real(answered(f(s.clone())))
        require(got.shape == s.shape, "return one slope a score, in the same shape.")
        right = -torch.sigmoid(-s)
        for wrong, hint in (
            (-torch.sigmoid(s), "this is the saturating slope: it vanishes where the fake is rejected."),
            (-right, "the sign is wrong: the loss falls when the score rises."),
            (torch.sigmoid(s), "this is D itself: its slope is asked, and it vanishes for rejected fakes."),
            (F.softplus(-s), "this is the loss: its derivative is asked."),
            (right / len(s), "each score has its own slope: do not divide by the batch size."),
            (-1 / torch.sigmoid(s), "this is d(−log D)/dD: multiply by dD/ds."),
        ):
            require(not close(got, wrong), hint)
        require(close(got, right), "differentiate softplus(−s) and try s = 0: the slope is −½.")
        far = as_real(f(reals(-1000.0, 1000.0)))
        require(bool(far.isfinite().all()), "nan at s = ±1000, where exp overflows: use torch.sigmoid.")
        require(close(far, reals(-1.0, 0.0)), "at s = −1000 the slope is −1, at 1000 it is 0.")

    report("3.4-2", test, answer)
