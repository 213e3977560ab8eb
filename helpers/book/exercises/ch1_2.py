"""Checks of the exercises of chapter 1.2."""

import math
from collections.abc import Callable

import torch
from torch import nn

from helpers.book.exercises import answered, report, require


def check_count_modes(answer: Callable) -> None:
    """1.2-1: count_modes(samples, centres, radius, least)."""

    def test(f: Callable) -> None:
        centres = torch.tensor([[10.0 * i, 0.0] for i in range(7)])
        # How many samples lie on each centre, and how many two units beside it, outside the radius.
        on, beside = (12, 2, 3, 1, 0, 0, 0), (0, 0, 0, 0, 4, 4, 4)
        samples = torch.cat(
            [centres[i].repeat(n, 1) for i, n in enumerate(on)]
            + [centres[i].repeat(n, 1) + torch.tensor([0.0, 2.0]) for i, n in enumerate(beside)]
        )
        got = answered(f(samples, centres, 1.0, 0.09))
        require(torch.as_tensor(got).numel() == 1, "return one number, the count of the modes.")
        got = float(got)
        for wrong, hint in (
            (5, "a sample is nearest to a centre without being near it: use the radius."),
            (4, "a few stray samples are no mode: compare each centre's share with least."),
            (3, "take the share of all samples, not only of those that hit a centre."),
            (18, "this is the number of samples that hit; count the centres."),
        ):
            require(got != wrong, hint)
        require(got == 2, "with 12, 2, 3 and 1 of 30 samples on four centres and least = 0.09 the answer is 2.")

    report("1.2-1", test, answer)


def check_dirac_step(answer: Callable) -> None:
    """1.2-2: dirac_step(theta, psi, rate, r1), simultaneous, minimax."""

    def sigma(s: float) -> float:
        return 1 / (1 + math.exp(-s))

    def test(f: Callable) -> None:
        for case in ((1.2, 0.7, 0.1, 0.5), (-2.0, 0.9, 0.3, 1.5)):
            one_case(f, *case)

    def one_case(f: Callable, theta: float, psi: float, rate: float, r1: float) -> None:
        d = sigma(psi * theta)
        right = (theta + rate * psi * d, psi - rate * (theta * d + r1 * psi))
        got = answered(f(theta, psi, rate, r1))
        require(isinstance(got, tuple | list) and len(got) == 2, "return two numbers, theta and psi.")
        got = [float(value) for value in got]

        def is_(*wrong: float) -> bool:
            return all(math.isclose(a, b, rel_tol=1e-5) for a, b in zip(got, wrong))

        new_psi = right[1]
        new_theta = right[0]
        require(
            not is_(theta + rate * new_psi * sigma(new_psi * theta), new_psi),
            "theta already answers to the new psi: in a simultaneous step both use the old values.",
        )
        require(
            not is_(new_theta, psi - rate * (new_theta * sigma(psi * new_theta) + r1 * psi)),
            "psi already answers to the new theta: in a simultaneous step both use the old values.",
        )
        require(
            not is_(theta - rate * psi * d, psi + rate * (theta * d - r1 * psi))
            and not is_(theta - rate * psi * d, psi + rate * (theta * d + r1 * psi)),
            "both signs are wrong: the fake should move to a higher score, the discriminator lower it.",
        )
        require(not is_(new_theta, psi - rate * theta * d), "where is R1? Its gradient is r1 · psi.")
        require(
            not is_(new_theta, psi - rate * (theta * d + 2 * r1 * psi)),
            "the penalty is r1 / 2 · psi²: its gradient has no factor 2.",
        )
        require(
            not is_(theta + rate * psi * sigma(-psi * theta), new_psi),
            "this is the non-saturating generator; the objective here is log(1 − sigmoid(psi · theta)).",
        )
        other = sigma(abs(psi * theta))
        require(
            psi * theta > 0 or not is_(theta + rate * psi * other, psi - rate * (theta * other + r1 * psi)),
            "a fake can be negative: the sign of psi · theta belongs into the sigmoid.",
        )
        require(
            math.isclose(got[1], new_psi, rel_tol=1e-5),
            "psi is wrong: it goes down the gradient of softplus(psi · theta) + r1 / 2 · psi².",
        )
        require(
            math.isclose(got[0], new_theta, rel_tol=1e-5),
            "theta is wrong: it goes up the gradient of softplus(psi · theta), and R1 is not its concern.",
        )

    report("1.2-2", test, answer)


class _Bowl(nn.Module):
    """Scores w · ‖x‖², with gradient 2 w x."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.w * x.square().sum(1)


def check_r1_penalty(answer: Callable) -> None:
    """1.2-3: r1_penalty(discriminator, x), differentiable in the discriminator."""

    def test(f: Callable) -> None:
        bowl, x = _Bowl(), torch.tensor([[3.0, 4.0], [0.0, 1.0], [1.0, 1.0]])
        got = answered(f(bowl, x.clone()))
        require(isinstance(got, torch.Tensor) and got.ndim == 0, "return one number, as a tensor.")
        square = (2 * 0.5 * x).square()  # of the slope, element by element
        value = got.detach()
        for wrong, hint in (
            (square.sum(1).mean(), "the factor ½ is missing."),
            (0.5 * square.sum(), "take the mean over the points, not the sum."),
            (0.5 * square.mean(), "sum the squares over the coordinates: a squared norm, not a mean square."),
            (0.5 * square.sum(1).sqrt().mean(), "square the norm of the gradient."),
            (
                0.5 * square.sum(1).mean() / len(x) ** 2,
                "differentiate the sum of the scores: their mean divides each point's gradient by N.",
            ),
        ):
            require(not torch.allclose(value, wrong, atol=1e-5), hint)
        require(
            torch.allclose(value, 0.5 * square.sum(1).mean(), atol=1e-5),
            "compare with a score of ½ ‖x‖², whose gradient is x itself.",
        )
        require(got.requires_grad, "nothing can be learned from it: the gradient needs create_graph=True.")
        (slope,) = torch.autograd.grad(got, bowl.w)
        require(
            torch.allclose(slope, 4 * 0.5 * x.square().sum(1).mean(), atol=1e-4),
            "its derivative in the discriminator's weights is wrong: do not detach the gradient.",
        )
        # Five points in three dimensions, and a slope that is not a multiple of the point.
        with torch.random.fork_rng():
            torch.manual_seed(0)
            bent, x = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0)), torch.randn(5, 3)
        inside, last = bent[0](x).tanh(), bent[2].weight[0]
        square = (((1 - inside.square()) * last) @ bent[0].weight).square().sum(1)
        got = f(bent, x.clone())
        require(
            not torch.allclose(got, 0.5 * square.sum() / 3, atol=1e-6),
            "right for three points only: divide by the number of points.",
        )
        require(torch.allclose(got, 0.5 * square.mean(), atol=1e-6), "a second case fails: five points in 3-D, tanh.")

    report("1.2-3", test, answer)


def check_passes_of_a_round(answer: Callable) -> None:
    """1.2-4: passes_of_a_round(k): k discriminator steps, one generator step, new fakes for each."""

    def test(f: Callable) -> None:
        for k in (5, 2, 1):
            got = answered(f(k))
            for wrong, hint in (
                (4 * k + 4, "a step of the discriminator needs fakes: the generator passes forward there too."),
                (5 * k + 3, "the generator's gradient comes through the discriminator: it passes backward there too."),
                (4 * k + 3, "two are missing: fakes for the discriminator, and the way back through it."),
                (6 * k + 4, "detached fakes: a step of the discriminator does not pass backward in the generator."),
                (3 * k + 4, "the discriminator judges real images and fakes: two passes forward and two backward."),
                (3 * k + 2, "count the passes backward as well."),
                (5 * k + 5, "the generator's step sees no real images."),
            ):
                require(got == 5 * k + 4 or got != wrong, hint)
            require(
                k == 1 or got != 9,
                "right for k = 1 only: every step of the discriminator draws and judges anew.",
            )
            require(got == 5 * k + 4, f"for k = {k} it is not {got}: list the passes of one step of each player.")

    report("1.2-4", test, answer)


def check_diagnose(answer: Callable) -> None:
    """1.2-5: diagnose(samples, centres, sigma): noise, collapsed or healthy."""

    def test(f: Callable) -> None:
        g = torch.Generator().manual_seed(0)
        centres, sigma = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]]), 0.1

        def around(counts: tuple[int, ...]) -> torch.Tensor:
            points = torch.cat([centres[i].repeat(n, 1) for i, n in enumerate(counts)])
            return points + 0.5 * sigma * torch.randn(points.shape, generator=g)

        square = 6 * torch.rand(400, 2, generator=g) - 1
        for samples, right, hint in (
            (around((100, 100, 100, 100)), "healthy", "equal shares on all centres are healthy."),
            (around((200, 200, 0, 0)), "collapsed", "two of four centres are empty: that is a collapse."),
            (square, "noise", "uniform noise is nearest to every centre and near none: use 3 σ."),
            (around((196, 2, 101, 101)), "collapsed", "half a percent on one centre is less than 3 %."),
            (around((310, 30, 30, 30)), "healthy", "shares need not be equal: 7.5 % on a centre is enough."),
            (
                torch.cat([around((60, 60, 60, 60)), square[:160]]),
                "healthy",
                "some stray samples are allowed: half of them must lie on the centres, not all.",
            ),
            (
                around((400, 0, 0, 0)) + 1,
                "noise",
                "a clump beside every centre: first ask whether the samples lie on the centres at all.",
            ),
        ):
            got = answered(f(samples, centres, sigma))
            require(got in ("noise", "collapsed", "healthy"), 'return "noise", "collapsed" or "healthy".')
            require(got == right, hint)

    report("1.2-5", test, answer)
