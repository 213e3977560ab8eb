"""Checks of the exercises of chapter 4.3."""

from collections.abc import Callable

import torch

from helpers import models
from helpers.book.exercises import answered, report, require


def check_frozen_scores(answer: Callable) -> None:
    """4.3-1: frozen_scores(discriminator, images, layers): the lower weights rest, the gradient passes."""

    def test(f: Callable) -> None:
        for layers in (2, 4):
            torch.manual_seed(layers)
            discriminator = models.Discriminator(width=4).eval()
            images = (torch.rand(3, 1, 32, 32) * 2 - 1).requires_grad_(True)
            right = discriminator(images).detach()
            got = answered(f(discriminator, images, layers))
            require(isinstance(got, torch.Tensor) and got.shape == (3,), "return one score an image: head of body.")
            require(torch.allclose(got.detach(), right, atol=1e-5), "these are not the discriminator's scores.")
            require(got.requires_grad, "nothing can learn from these scores: they have no gradient.")
            got.sum().backward()
            require(
                images.grad is not None and bool(images.grad.abs().sum() > 0),
                "the images get no gradient, so the generator cannot learn: no_grad and detach cut it off.",
            )
            lower, upper = discriminator.body[:layers], discriminator.body[layers:]
            require(
                all(p.grad is None or not p.grad.abs().sum() for p in lower.parameters()),
                "the lower layers' weights still get a gradient: requires_grad_(False) stops them.",
            )
            require(
                all(p.grad is not None for part in (upper, discriminator.head) for p in part.parameters()),
                "too much is frozen: the upper layers and the head must learn.",
            )

    report("4.3-1", test, answer)


def check_augmented_scores(answer: Callable) -> None:
    """4.3-2: augmented_scores(discriminator, real, fake, augment) for the generator's and the discriminator's step."""

    def test(f: Callable) -> None:
        seen = []

        def augment(x: torch.Tensor) -> torch.Tensor:
            seen.append(x)
            return x + 10

        def discriminator(x: torch.Tensor) -> torch.Tensor:
            return x.mean((1, 2, 3))

        real, fake = torch.zeros(4, 1, 8, 8), torch.ones(4, 1, 8, 8, requires_grad=True)
        got = answered(f(discriminator, real, fake, augment))
        require(isinstance(got, (tuple, list)) and len(got) == 2, "return two tensors: the real and the fake scores.")
        a, b = (float(torch.as_tensor(scores).detach().mean()) for scores in got)
        require(seen != [], "nothing is augmented: call augment(...).")
        require(
            (a, b) != (10, 1), "only the real images are changed: the generator would learn to draw changed images."
        )
        require((a, b) != (0, 11), "only the fakes are changed: the discriminator would know them by the change.")
        require((a, b) != (11, 10), "the order is real scores, then fake scores.")
        require((a, b) == (10, 11), "expected discriminator(augment(real)) and discriminator(augment(fake)).")
        require(
            got[1].requires_grad,
            "the fakes are cut off from the generator: do not detach them or use no_grad here.",
        )

    report("4.3-2", test, answer)


def check_copied(answer: Callable) -> None:
    """4.3-3: copied_share(train, fake, held_out) on features: the share of near-copies."""

    def test(f: Callable) -> None:
        random = torch.Generator().manual_seed(0)
        train, held_out = torch.randn(60, 4, generator=random), torch.randn(400, 4, generator=random)
        copies = train.repeat(2, 1) + 0.001
        fake = torch.cat([copies, torch.full((80, 4), 30.0)])  # 120 copies, 80 far away
        got = float(answered(f(train, fake, held_out)))
        nearest, usual = torch.cdist(fake, train).amin(1), torch.cdist(held_out, train).amin(1)
        require(0 <= got <= 1, "return a share: the mean of true and false, 0 to 1.")
        right = float((nearest < usual.quantile(0.05)).float().mean())
        require(
            abs(got - (1 - right)) > 1e-6,
            "you counted the fakes that are farther away: a copy lies nearer than new images do.",
        )
        shifted = fake[:120] + 0.35 * torch.randn(120, 4, generator=random)
        got_shifted = float(f(train, shifted, held_out))
        near = torch.cdist(shifted, train).amin(1)
        for wrong, hint in (
            (usual.quantile(0.95), "only 5 % of new images may lie below the threshold: you took the upper end."),
            (usual.mean(), "the mean distance is no threshold: half of all new images lie below it."),
            (usual.median(), "half of all new images lie below the median: take the 0.05 quantile."),
            (
                torch.cdist(train, train).amin(1).quantile(0.05),
                "the threshold compares training images with themselves: their distance is 0. Use the held-out images.",
            ),
        ):
            off = float((near < wrong).float().mean())
            require(abs(got_shifted - off) > 1e-6, hint)
        right = float((near < usual.quantile(0.05)).float().mean())
        require(
            abs(got_shifted - right) < 1e-6,
            "take each image's distance to its nearest training image, and the 0.05 quantile of the held-out ones.",
        )

    report("4.3-3", test, answer)


def check_next_probability(answer: Callable) -> None:
    """4.3-4: next_probability(p, real_scores, target, step) of adaptive augmentation."""

    def test(f: Callable) -> None:
        sure, unsure = torch.tensor([3.0, 0.5, 2.0, 1.0]), torch.tensor([3.0, -0.5, 2.0, -1.0])
        got = answered(f(0.5, sure, 0.6, 0.1))
        require(not isinstance(got, torch.Tensor) or got.numel() == 1, "return one number.")
        got = float(got)
        require(
            got > 0.5,
            "every real image has a positive score, so the discriminator overfits: augment more, not less.",
        )
        require(
            abs(got - 0.6) < 1e-6,
            f"p moves by one step, from 0.5 to 0.6 here; you gave {got:.3g}. Only the sign counts.",
        )
        tilted = torch.tensor([50.0, -0.1, -0.1, -0.1])
        require(
            float(f(0.5, tilted, 0.6, 0.1)) < 0.5,
            "one large score decides in your answer: take the sign of every score before the mean.",
        )
        require(abs(float(f(0.5, unsure, 0.6, 0.1)) - 0.4) < 1e-6, "below the target, p must fall by one step.")
        require(float(f(0.05, unsure, 0.6, 0.1)) >= 0, "p is a probability: it must not fall below 0.")
        require(float(f(0.95, sure, 0.6, 0.1)) <= 1, "p is a probability: it must not rise above 1.")

    report("4.3-4", test, answer)
