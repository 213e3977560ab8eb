"""Checks of the exercises of chapter 2.2."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
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


def check_one_round(answer: Callable) -> None:
    """2.2-5: one_round(generator, discriminator, opt_g, opt_d, data, z)."""

    def test(f: Callable) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            start = nn.Linear(1, 1), nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1))
            data, z = 2 + torch.randn(8, 1), torch.randn(8, 1)

        def play(one_round):
            players = copy.deepcopy(start)
            optimizers = [torch.optim.SGD(player.parameters(), 0.5) for player in players]
            for player in players:  # what an earlier round left behind
                for p in player.parameters():
                    p.grad = torch.ones_like(p)
            said = one_round(*players, *optimizers, data, z)
            return said, [torch.cat([p.detach().flatten() for p in player.parameters()]) for player in players]

        said, (generator, discriminator) = play(f)
        answered(said)
        before = [torch.cat([p.detach().flatten() for p in player.parameters()]) for player in start]
        require(not torch.equal(discriminator, before[1]), "the discriminator did not move: call opt_d.step().")
        require(not torch.equal(generator, before[0]), "the generator did not move: call opt_g.step().")
        for mistake, hint in _MISTAKES.items():
            wrong = play(partial(_round, mistake=mistake))[1]
            require(
                not (
                    torch.allclose(generator, wrong[0], atol=1e-5)
                    and torch.allclose(discriminator, wrong[1], atol=1e-5)
                ),
                hint,
            )
        right = play(_round)[1]
        require(
            torch.allclose(discriminator, right[1], atol=1e-5),
            "the discriminator moved wrongly: check its loss, its zero_grad, and that only its own step moves it.",
        )
        require(
            torch.allclose(generator, right[0], atol=1e-5),
            "the generator moved wrongly: check its loss, its zero_grad, and that only its own step moves it.",
        )

    report("2.2-5", test, answer)


_MISTAKES = {
    "order": "the generator moved first: it should face the updated discriminator.",
    "together": "both moved at once: the generator should be judged by the discriminator after its step.",
    "no zero_grad": "old gradients were added: call zero_grad of both optimizers before backward.",
    "no zero_grad g": "old gradients of the generator were added: call opt_g.zero_grad() before its backward.",
    "no zero_grad d": "old gradients of the discriminator were added: call opt_d.zero_grad() before its backward.",
    "labels": "the discriminator's labels are swapped: data 1, fakes 0.",
    "saturating": "this is the saturating loss of the generator: use −log D, softplus of the negative score.",
    "away": "the generator moved away from being accepted: check the sign of its loss.",
    "leak": "the discriminator's loss moved the generator too: clear its gradients before its own backward.",
}


def _round(generator, discriminator, opt_g, opt_d, data, z, mistake=""):
    """A round, right or with one of the mistakes above."""

    def loss_d():
        fakes = generator(z)
        if mistake != "leak":
            fakes = fakes.detach()
        sign = -1 if mistake == "labels" else 1
        return F.softplus(-sign * discriminator(data)).mean() + F.softplus(sign * discriminator(fakes)).mean()

    def loss_g():
        scores = discriminator(generator(z))
        if mistake == "saturating":
            return -F.softplus(scores).mean()
        return F.softplus(scores if mistake == "away" else -scores).mean()

    if mistake == "leak":  # opt_g cleared before both backward passes, not between them
        opt_g.zero_grad()
    moves = [(loss_d, opt_d, " d"), (loss_g, opt_g, " g")]
    if mistake == "order":
        moves.reverse()
    losses: list[Any] = [loss() for loss, _, _ in moves] if mistake == "together" else [None, None]
    if mistake == "together":
        gradients = [
            torch.autograd.grad(loss, opt.param_groups[0]["params"]) for loss, (_, opt, _) in zip(losses, moves)
        ]
        for (_, opt, _), gradient in zip(moves, gradients):
            for p, g in zip(opt.param_groups[0]["params"], gradient):
                p.grad = g
            opt.step()
        return True
    for loss, opt, who in moves:
        value = loss()
        if not mistake.startswith("no zero_grad") or (mistake != "no zero_grad" and not mistake.endswith(who)):
            if not (mistake == "leak" and opt is opt_g):
                opt.zero_grad()
        value.backward()
        opt.step()
    return True
