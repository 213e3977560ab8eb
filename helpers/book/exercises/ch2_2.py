"""Checks of the exercises of chapter 2.2."""

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from helpers.book.exercises import Hint, answered, report, require


def check_optimal_discriminator(answer: Callable) -> None:
    """2.2-1: optimal_discriminator(p_data, p_g), point by point."""

    def test(f: Callable) -> None:
        p, q = torch.tensor([0.1, 0.4, 0.2]), torch.tensor([0.3, 0.1, 0.2])
        got = torch.as_tensor(answered(f(p.clone(), q.clone())))
        require(got.shape == p.shape, "give one probability for each point: the densities are not summed over x.")
        require(
            got.dtype != torch.bool and not torch.equal(got.float(), (p > q).float()),
            "this is a label: return the probability.",
        )
        require(not torch.allclose(got, q / (p + q)), 'this is the probability for "fake": data carry the label 1.')
        require(
            not torch.allclose(got, p / q),
            "the ratio of the densities can exceed 1: it is no probability yet.",
        )
        require(
            not torch.allclose(got, torch.log(p / q)),
            "this is the optimal score, a logit: apply the sigmoid.",
        )
        require(torch.allclose(got, p / (p + q)), "where both densities are equal the answer must be 1/2.")
        # A table of points, densities above 1, and tiny ones, far out.
        p, q = torch.tensor([[3.0, 2e-9], [0.0, 5.0]]), torch.tensor([[1.0, 6e-9], [4.0, 0.0]])
        got = f(p.clone(), q.clone())
        require(
            got.shape != p.shape or bool((got[0, 1] - 0.25).abs() < 1e-5),
            "far out both densities are tiny, and their ratio still counts: add nothing to the denominator.",
        )
        require(
            got.shape == p.shape and torch.allclose(got, torch.tensor([[0.75, 0.25], [0.0, 1.0]])),
            "a second case fails: a table of 2 × 2 points, with densities above 1 and of 0.",
        )

    report("2.2-1", test, answer)


def check_label_batch(answer: Callable) -> None:
    """2.2-2: label_batch(data, fakes) → batch, targets."""

    def test(f: Callable) -> None:
        real, weight = torch.randn(3, 2), torch.ones(2, requires_grad=True)
        got = answered(f(real, torch.full((2, 2), 7.0) * weight))
        require(isinstance(got, tuple) and len(got) == 2, "return two tensors: the batch and its targets.")
        batch, targets = got
        require(isinstance(batch, torch.Tensor) and isinstance(targets, torch.Tensor), "both answers must be tensors.")
        require(
            batch.shape == (5, 2), f"three data and two fakes make a batch of shape (5, 2), not {tuple(batch.shape)}."
        )
        require(
            targets.shape == (5,),
            f"the targets need the shape (5,), one for each example, not {tuple(targets.shape)}.",
        )
        require(
            targets.is_floating_point(), "binary cross-entropy needs floating-point targets, these are whole numbers."
        )
        is_fake = (batch == 7).all(1)
        require(int(is_fake.sum()) == 2, "both fakes must be in the batch, unchanged.")
        right = (~is_fake).float()
        require(not torch.equal(targets, 1 - right), "the labels are swapped: data 1, fakes 0.")
        require(
            not torch.equal(targets, torch.ones(5)),
            'all are labelled "real", so the discriminator would learn to accept everything.',
        )
        require(torch.equal(targets, right), "the targets do not stand in the order of the batch.")
        require(not batch.requires_grad, "a gradient would flow into the generator: detach the fakes.")

    report("2.2-2", test, answer)


def check_jensen_shannon(answer: Callable) -> None:
    """2.2-3: jensen_shannon(counts_p, counts_q) of two histograms."""

    def test(f: Callable) -> None:
        a, b = torch.tensor([4.0, 4.0, 2.0, 0.0]), torch.tensor([1.0, 2.0, 1.0, 0.0])
        p, q = a / a.sum(), b / b.sum()
        m = (p + q) / 2

        def kl(x, y):
            return torch.xlogy(x, x / y.clamp(min=1e-12)).sum()

        got = torch.as_tensor(answered(f(a.clone(), b.clone())))
        require(got.ndim == 0, "return one number: add up over the cells.")
        require(bool(torch.isfinite(got)), "0 · log 0 counts as 0: your sum is not finite where a cell is empty.")
        right = (kl(p, m) + kl(q, m)) / 2
        unscaled = (a + b) / 2
        for wrong, hint in (
            (kl(p, q), "this is KL(p, q): compare each of the two with their average."),
            (kl(q, p), "this is KL(q, p): compare each of the two with their average."),
            (2 * right, "it is the mean of two divergences, not their sum."),
            (right / torch.log(torch.tensor(2.0)), "use the natural logarithm, not the one to base 2."),
            (right.sqrt(), "this is its square root, the Jensen–Shannon distance."),
            (
                (kl(a, unscaled) + kl(b, unscaled)) / 2,
                "divide the counts by their sums first: they are no probabilities.",
            ),
        ):
            require(not torch.allclose(got.double(), wrong.double(), atol=1e-5), hint)
        require(torch.allclose(got.double(), right.double(), atol=1e-5), "for equal histograms the answer must be 0.")
        apart = torch.as_tensor(f(torch.tensor([3.0, 0.0]), torch.tensor([0.0, 5.0])))
        require(
            bool((apart - torch.log(torch.tensor(2.0))).abs() < 1e-4),
            "for histograms that do not overlap the answer must be log 2.",
        )

    report("2.2-3", test, answer)


def check_teaches(answer: Callable) -> None:
    """2.2-4: teaches(read, scores), whether a gradient other than 0 passes."""

    def test(f: Callable) -> None:
        scores = torch.tensor([-1.3, 0.4, 2.2])
        require(isinstance(answered(f(torch.sigmoid, scores)), bool), "return True or False.")

        def ask(read):
            try:
                return f(read, scores)
            except RuntimeError as error:
                raise Hint(
                    "a comparison has no gradient at all and backward fails: look at its `requires_grad` first."
                ) from error

        for read, name in ((lambda s: s, "the score itself"), (torch.sigmoid, "the probability"), (F.relu, "a ReLU")):
            require(ask(read) is True, f"{name} passes a gradient: ask for it with scores that require one.")
        require(ask(lambda s: (s > 0).float()) is False, "a comparison `s > 0` passes nothing back.")
        require(
            ask(lambda s: torch.round(torch.sigmoid(s))) is False,
            "a rounded probability has a gradient, but it is 0 everywhere: look at its value.",
        )
        require(
            ask(lambda s: torch.floor(10 * s)) is False,
            "a staircase takes many values and is flat all the same: look at the gradient, not at the output.",
        )
        require(
            ask(lambda s: 0 * s) is False, "an output that is always 0 teaches nothing: compare the gradient with 0."
        )

    report("2.2-4", test, answer)


def check_where_they_end(answer: Callable) -> None:
    """2.2-5: where_they_end(mean, spread): the fakes N(0, 1) against the frozen D* for data N(mean, spread²)."""

    def test(f: Callable) -> None:
        for mean, spread in ((3.0, 0.5), (-2.0, 0.8)):
            right = mean / (1 - spread**2)
            got = float(answered(f(mean, spread)))
            for wrong, hint in (
                (mean, "that is the data's mean, where data are densest; D* is surest where fakes are rarer still."),
                (abs(right), "data may lie on the left as well: keep the sign of the mean."),
                (-right, "the sign: the fakes set out towards the data and go beyond."),
                (mean / (1 - spread), "the densities have the variance in their exponent: the spread is squared."),
                (mean / (1 + spread**2), "D* compares: the score is log p_data minus log p_g, not plus."),
            ):
                require(math.isclose(got, right, rel_tol=1e-4) or not math.isclose(got, wrong, rel_tol=1e-4), hint)
            require(
                math.isclose(got, right, rel_tol=1e-4),
                f"for a mean of {mean:g} and a spread of {spread:g} the score is highest at {right:.2f}.",
            )
        for mean, spread in ((1.0, 2.0), (-1.5, 1.5), (-1.0, 1.0)):
            try:
                got = float(f(mean, spread))
            except ZeroDivisionError:
                got = 0.0
            require(
                math.isinf(got),
                f"data of spread {spread:g}, fakes of spread 1: has the score a highest point at all?",
            )
            require(got * mean > 0, "they run towards the data, and on: give the infinity the sign of the mean.")

    report("2.2-5", test, answer)
