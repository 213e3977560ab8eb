"""Checks of the exercises of chapter 5.1."""

import math
from collections.abc import Callable

import torch

from helpers.book.exercises import answered, report, require


def check_low_rank_parameters(answer: Callable) -> None:
    """5.1-1: low_rank_parameters(inputs, outputs, kernel, rank)."""

    def test(f: Callable) -> None:
        got = answered(f(8, 32, 3, 2))
        require(torch.as_tensor(got).numel() == 1, "return one number.")
        got = float(got)
        for wrong, hint in (
            (32 * 8 * 9, "this is the size of the convolution itself; count the two factors instead."),
            (2 * (8 + 32), "each row of A holds a whole patch: inputs times kernel squared."),
            (2 * (8 * 3 + 32), "a kernel has kernel × kernel pixels, not kernel."),
            (2 * 72 * 32, "A and B are added up, not multiplied: they are two separate matrices."),
            (72 + 32, "multiply by the rank: A has that many rows, B that many columns."),
            (2 * (32 * 9 + 8), "inputs and outputs are swapped: the patch belongs to the inputs."),
        ):
            require(got != wrong, hint)
        require(got == 208, "for 8 inputs, 32 outputs, kernel 3 and rank 2: A is 2 × 72 and B is 32 × 2.")

    report("5.1-1", test, answer)


def check_fgsm_step(answer: Callable) -> None:
    """5.1-2: fgsm_step(images, gradient, epsilon)."""

    def test(f: Callable) -> None:
        images = torch.tensor([[[[0.5, 0.02], [0.97, 0.05]]]])
        gradient = torch.tensor([[[[0.3, -2.0], [5.0, 1.0]]]])
        right = torch.tensor([[[[0.6, 0.0], [1.0, 0.15]]]])
        before = images.clone()
        got = answered(f(images, gradient, 0.1))
        require(torch.equal(images, before), "do not change the input: return new images.")
        require(
            isinstance(got, torch.Tensor) and got.shape == images.shape, "return images of the same shape as the input."
        )

        def is_(wrong: torch.Tensor) -> bool:
            return torch.allclose(got, wrong, atol=1e-6)

        sign = gradient.sign()
        require(
            not is_(images + 0.1 * sign) and not is_(images - 0.1 * sign),
            "pixels must stay between 0 and 1: clamp the result.",
        )
        require(not is_((images - 0.1 * sign).clamp(0, 1)), "this lowers the loss: an attack climbs, so add.")
        for size in (gradient, gradient / gradient.norm()):
            require(
                not is_(images + 0.1 * size) and not is_((images + 0.1 * size).clamp(0, 1)),
                "use only the sign of the gradient: every pixel moves by epsilon.",
            )
        require(is_(right), "compare with clamp(x + epsilon · sign(gradient)) by hand for the first pixel: 0.6.")

    report("5.1-2", test, answer)


def check_set_coordinate(answer: Callable) -> None:
    """5.1-3: set_coordinate(latents, direction, value)."""

    def test(f: Callable) -> None:
        latents = torch.tensor([[1.0, 2.0, 3.0], [-1.0, 0.5, 4.0]])
        direction = torch.tensor([0.0, 3.0, 4.0])
        unit = direction / 5
        got = answered(f(latents, direction, 2.0))
        require(
            isinstance(got, torch.Tensor) and got.shape == latents.shape,
            "return latent vectors of the same shape as the input.",
        )

        def is_(wrong: torch.Tensor) -> bool:
            return torch.allclose(got, wrong, atol=1e-5)

        along = (latents @ unit)[:, None] * unit
        raw = (latents @ direction)[:, None] * direction
        require(
            not is_(latents + 2 * unit) and not is_(latents + 2 * direction),
            "this adds to the old coordinate; take the old one out first.",
        )
        require(not is_(latents - along), "the old coordinate is gone, but the new value is missing.")
        require(not is_((2 * unit).expand(2, 3)), "the rest of the latent vector must stay as it was.")
        require(
            not is_(latents - raw + 2 * direction) and not is_(latents - along + 2 * direction),
            "the direction need not have length 1: divide it by its norm first.",
        )
        require(
            is_(latents - along + 2 * unit),
            "afterwards latents @ (direction / norm) must be the value, and nothing else may change.",
        )

    report("5.1-3", test, answer)


def check_attack_auc(answer: Callable) -> None:
    """5.1-4: attack_auc(members, strangers)."""

    def test(f: Callable) -> None:
        members, strangers = torch.tensor([2.0, 1.0, 1.0, 0.5, -3.0]), torch.tensor([1.0, 0.0])
        got = answered(f(members, strangers))
        require(torch.as_tensor(got).numel() == 1, "return one number.")
        got = float(got)
        # Pairs: 5 of 10 won, 2 tied, 3 lost.
        for wrong, hint in (
            (5 / 10, "count a tie as half: otherwise an attacker who always says the same gets 0."),
            (7 / 10, "count a tie as half: otherwise an attacker who always says the same gets 1."),
            (4 / 10, "the two sides are swapped: an attack that works scores above 0.5."),
            (6.0, "this is a number of pairs; divide by all pairs."),
            (4 / 5, "compare every member with every stranger, not with a fixed threshold."),
        ):
            require(not math.isclose(got, wrong, abs_tol=1e-6), hint)
        require(math.isclose(got, 6 / 10, abs_tol=1e-6), "of 10 pairs 5 are won and 2 are ties: 6 / 10.")

    report("5.1-4", test, answer)


def check_share_of_copies(answer: Callable) -> None:
    """5.1-5: share_of_copies(samples, training, held_out)."""

    def test(f: Callable) -> None:
        training = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
        held_out = torch.tensor([[3.0, 0.0], [12.0, 0.0], [0.0, 5.0]])  # nearest training: 3, 2, 5
        samples = torch.tensor([[0.5, 0.0], [0.0, 2.4], [12.0, 0.1], [3.1, 0.0], [10.0, 1.5]])
        got = answered(f(samples, training, held_out))
        require(torch.as_tensor(got).numel() == 1, "return one number, a share.")
        got = float(got)
        near = torch.cdist(samples, training).min(1).values  # 0.5, 2.4, 2.002, 3.1, 1.5
        wrong_reference = (near < torch.cdist(samples, held_out).min(1).values).float().mean().item()
        for wrong, hint in (
            (2.0, "this is a number of samples; divide by how many there are."),
            (wrong_reference, "measure how far held-out images lie from the training set, not from the samples."),
            (0.0, "a copy is rarely exact: compare with the nearest held-out image, not with 0."),
            (1.0, "compare with the smallest of the held-out distances, not with the largest."),
            (0.8, "compare with the smallest of the held-out distances: ordinary images come that close."),
        ):
            require(not math.isclose(got, wrong, abs_tol=1e-6), hint)
        require(
            math.isclose(got, 0.4, abs_tol=1e-6),
            "of five samples two are nearer to a training image than every held-out image is.",
        )

    report("5.1-5", test, answer)
