"""Checks of the exercises of chapter 4.5."""

from collections.abc import Callable

import torch

from helpers.book.exercises import answered, report, require


def check_a_distance(answer: Callable) -> None:
    """4.5-1: a_distance(predicted, domain)."""

    def test(f: Callable) -> None:
        domain = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
        predicted = torch.tensor([0, 0, 0, 0, 1, 1, 1, 0])  # one of eight is wrong
        got = float(answered(f(predicted, domain)))
        require(abs(got + 1.5) > 1e-6, "ε is the share of wrong answers; you took the share of right ones.")
        require(abs(got - 0.75) > 1e-6, "there are two factors 2: one before the bracket and one before ε.")
        require(abs(got - 1.5) < 1e-6, f"one of eight is wrong, so the distance is 1.5; you gave {got:.3g}.")
        require(abs(float(f(domain, domain)) - 2) < 1e-6, "a classifier that is never wrong gives 2.")
        require(abs(float(f(0 * domain, domain))) < 1e-6, "a classifier that always says 0 gives 0 here.")

    report("4.5-1", test, answer)


def check_reverse(answer: Callable) -> None:
    """4.5-2: reverse(x, weight) from `detach` alone."""

    def test(f: Callable) -> None:
        x = torch.tensor([1.0, -2.0], requires_grad=True)
        y = answered(f(x, 0.5))
        require(isinstance(y, torch.Tensor) and y.shape == x.shape, "return a tensor of the shape of x.")
        require(torch.allclose(y, x), "forward it must be the identity: what you add must cancel in value.")
        require(y.requires_grad, "no gradient gets through: only a part of the sum may be detached.")
        (gradient,) = torch.autograd.grad((y * torch.tensor([3.0, 1.0])).sum(), x)
        require(not torch.allclose(gradient, torch.tensor([3.0, 1.0])), "the gradient passes unchanged: it must turn.")
        require(not torch.allclose(gradient, torch.tensor([1.5, 0.5])), "the size is right, the sign is not.")
        require(
            not torch.allclose(gradient, torch.tensor([-3.0, -1.0])), "the sign is right; multiply by the weight too."
        )
        require(
            torch.allclose(gradient, torch.tensor([-1.5, -0.5])), "the gradient must be −weight times the usual one."
        )

    report("4.5-2", test, answer)


def check_choose(answer: Callable) -> None:
    """4.5-3: choose(rows), without target labels."""

    def test(f: Callable) -> None:
        rows = [
            {"source": 0.99, "information": 0.8, "target": 0.95},
            {"source": 0.98, "information": 1.9, "target": 0.60},
            {"source": 0.975, "information": 1.7, "target": 0.70},
            {"source": 0.60, "information": 2.2, "target": 0.40},
        ]
        got = answered(f([dict(row) for row in rows]))
        require(isinstance(got, int), "return the index of a row.")
        require(got != 0, "index 0 has the best target accuracy, or source accuracy; neither is what was asked for.")
        require(got != 3, "index 3 is sure of itself but has lost its source task: leave such rows out first.")
        require(got == 1, "of the rows within 0.02 of the best source accuracy, take the highest information.")
        blind = [{name: value for name, value in row.items() if name != "target"} for row in rows]
        try:
            again = f(blind)
        except KeyError:
            again = None
        require(again == 1, "you looked at the target's labels: they are not there when it matters.")

    report("4.5-3", test, answer)


def check_target_shares(answer: Callable) -> None:
    """4.5-4: target_shares(confusion, predicted)."""

    def test(f: Callable) -> None:
        confusion = torch.tensor([[80, 20, 0], [10, 80, 10], [0, 30, 270]])
        truth = torch.tensor([0.6, 0.3, 0.1])
        rates = confusion / confusion.sum(1, keepdim=True)
        predicted = truth @ rates
        got = answered(f(confusion.clone(), predicted.clone()))
        require(isinstance(got, torch.Tensor) and got.shape == (3,), "return a tensor with one share a class.")
        got = got.float()
        require(not torch.allclose(got, predicted, atol=1e-3), "those are the shares of the answers, errors included.")
        wrong_side = torch.linalg.solve(rates, predicted)
        require(not torch.allclose(got, wrong_side, atol=1e-3), "predicted[j] sums over the true classes i: transpose.")
        counts = torch.linalg.solve(confusion.float().T, predicted)
        require(
            not torch.allclose(got, counts, atol=1e-4) and not torch.allclose(got, counts / counts.sum(), atol=1e-3),
            "counts carry the source's own shares: turn each row into rates first.",
        )
        require(torch.allclose(got, truth, atol=1e-3), "here the true shares are 0.6, 0.3 and 0.1.")

    report("4.5-4", test, answer)
