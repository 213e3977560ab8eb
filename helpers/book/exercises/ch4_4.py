"""Checks of the exercises of chapter 4.4."""

from collections.abc import Callable

import torch

from helpers.book.exercises import answered, report, require


def check_push(answer: Callable) -> None:
    """4.4-1: push(logits), minus the gradient of -log P(real) with the class "fake" at logit 0; (N, K)."""

    def test(f: Callable) -> None:
        for logits in (
            torch.tensor([[2.0, 0.0, 0.0], [-6.0, -6.0, -6.0], [-1.0, 3.0, 0.5]]),
            torch.tensor([[0.5, -2.0], [1.5, 4.0]]),
        ):
            got = answered(f(logits.clone()))
            require(
                isinstance(got, torch.Tensor) and got.shape == logits.shape, "return one push a logit: shape (N, K)."
            )
            fake, share = torch.sigmoid(-logits.logsumexp(1, keepdim=True)), logits.softmax(1)
            largest = torch.zeros_like(share).scatter(1, logits.argmax(1, keepdim=True), 1.0)
            for wrong, hint in (
                (-fake * share, "that is the gradient: a step goes against it, so turn the sign."),
                (share, "as hard for every image: one that is surely real is hardly pushed. Which factor is missing?"),
                (fake.expand_as(share), "the same for every logit: how do they share it?"),
                (fake * largest, "every logit is pushed, not only the largest."),
                (
                    (1 - fake) * share,
                    "you weigh by P(real): an image that is surely real is hardly pushed.",
                ),
            ):
                require(not torch.allclose(got, wrong, atol=1e-4), hint)
            require(
                torch.allclose(got, fake * share, atol=1e-4),
                "let autograd tell: losses.generator_loss(logits.logsumexp(1)) is the mean over the images.",
            )
        big = f(torch.tensor([[500.0, 499.0], [-500.0, 0.0]]))
        require(bool(torch.isfinite(big).all()), "a logit of 500 gives NaN: use logsumexp, sigmoid and softmax.")

    report("4.4-1", test, answer)


class _Features:
    """Stands in for a `ClassScore`: features that are no linear map of the pixels."""

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return (x.flatten(1) @ torch.tensor([[1.0, -1.0, 0.5], [0.5, 2.0, -1.0]])).tanh() * 2


def check_mended(answer: Callable) -> None:
    """4.4-2: mended(score, real, fake), feature matching whose gradient reaches the fakes."""

    def test(f: Callable) -> None:
        score, rng = _Features(), torch.Generator().manual_seed(0)
        for n_real, n_fake in ((4, 4), (3, 5)):
            real, fake = (torch.randn(n, 1, 1, 2, generator=rng) for n in (n_real, n_fake))
            fake.requires_grad_()
            h_real, h_fake = score.features(real), score.features(fake)
            right = (h_real.mean(0) - h_fake.mean(0)).square().sum()
            got = answered(f(score, real, fake))
            require(isinstance(got, torch.Tensor) and got.ndim == 0, "return one number for the batch, a tensor.")
            require(got.requires_grad, "no gradient reaches the fakes: in whose step does detach belong?")
            value = got.item()
            if n_real == n_fake:
                pairs = (h_real - h_fake).square()
                for wrong in (pairs.sum(1).mean(), pairs.mean(), pairs.sum()):
                    require(
                        abs(value - wrong.item()) > 1e-4,
                        "you compare image with image: take the mean over the batch first.",
                    )
            for wrong, hint in (
                (right.sqrt(), "that is the distance: square it."),
                (right / 3, "add up the features: do not average over them."),
                ((real.mean(0) - fake.mean(0)).square().sum(), "you compare pixels: ask `score` for its features."),
            ):
                require(abs(value - wrong.item()) > 1e-4, hint)
            require(abs(value - right.item()) < 1e-4, "compare with losses.feature_matching_loss on the same features.")
            (gradient,) = torch.autograd.grad(got, fake)
            (wanted,) = torch.autograd.grad(right, fake)
            require(torch.allclose(gradient, wanted, atol=1e-4), "the value is right, the fakes' gradient is not.")

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
            {"gan": False, "unlabelled": 0, "augment": False},
            {"gan": False, "unlabelled": 0, "augment": True},
            {"gan": True, "unlabelled": 0, "augment": True},
            {"gan": True, "unlabelled": 54_000, "augment": True},
        ]
        got = answered(f([dict(arm) for arm in arms], "gan"))
        require(isinstance(got, list), "return a list of pairs.")
        pairs = [tuple(pair) for pair in got]
        require((2, 1) not in pairs, "give each pair once, the smaller index first.")
        require(
            (1, 3) not in pairs and (0, 3) not in pairs,
            "arms 1 and 3 differ in the number of unlabelled images too: what did the work?",
        )
        require((0, 2) not in pairs, "arms 0 and 2 differ in the augmentation too: what did the work?")
        require((2, 3) not in pairs, "arms 2 and 3 both train a GAN: a pair must differ in the factor.")
        require(pairs == [(1, 2)], "one pair isolates the GAN: the same images and augmentation, with it and without.")
        require(f(arms, "unlabelled") == [(2, 3)], "try another factor: unlabelled gives [(2, 3)].")
        more = [{"loss": name, "steps": steps} for name, steps in (("a", 750), ("b", 400), ("b", 750), ("c", 750))]
        require(f(more, "loss") == [(0, 2), (0, 3), (2, 3)], "three arms that differ in one factor give three pairs.")

    report("4.4-4", test, answer)
