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
        got = float(answered(f(3, 5, 5, 4)))  # nothing is 9 here, and kernel, rank and 2 differ
        require(got != 4 * (3 * 5**4 + 5), "a patch has kernel × kernel pixels, whatever the rank.")
        require(got != 2 * (3 * 9 + 5), "the kernel need not be 3, nor the rank 2: use what is given.")
        require(got != 4 * (3 * 9 + 5), "the kernel need not be 3: use what is given.")
        require(got != 2 * (3 * 25 + 5), "the rank need not be 2: use what is given.")
        require(got == 320, "for 3 inputs, 5 outputs, kernel 5 and rank 4: A is 4 × 75 and B is 5 × 4.")

    report("5.1-1", test, answer)


def check_targeted_step(answer: Callable) -> None:
    """5.1-2: targeted_step(images, gradient, epsilon), the gradient of the loss for the wanted class."""

    def test(f: Callable) -> None:
        small = torch.tensor([[[[0.5, 0.02], [0.97, 0.05]]]]), torch.tensor([[[[0.3, 2.0], [-5.0, -1.0]]]])
        large = torch.tensor([[[[0.4, 0.9]]], [[[0.1, 0.6]]]]), torch.tensor([[[[-3.0, 0.01]]], [[[0.5, -0.2]]]])
        for (images, gradient), epsilon, first in ((small, 0.1, 0.4), (large, 0.25, 0.65)):
            before = images.clone()
            got = answered(f(images, gradient, epsilon))
            require(torch.equal(images, before), "do not change the input: return new images.")
            require(
                isinstance(got, torch.Tensor) and got.shape == images.shape,
                "return images of the same shape as the input.",
            )

            def is_(wrong: torch.Tensor, got: torch.Tensor = got) -> bool:
                return torch.allclose(got, wrong, atol=1e-6)

            sign = gradient.sign()
            require(
                not is_(images + epsilon * sign) and not is_(images - epsilon * sign),
                "pixels must stay between 0 and 1: clamp the result.",
            )
            require(
                not is_((images + epsilon * sign).clamp(0, 1)),
                "this raises the loss for the wanted class: that loss must fall, so go down.",
            )
            for size in (gradient, gradient / gradient.norm()):
                require(
                    not is_(images - epsilon * size) and not is_((images - epsilon * size).clamp(0, 1)),
                    "use only the sign of the gradient: every pixel moves by epsilon.",
                )
            require(
                epsilon == 0.1 or not is_((images - 0.1 * sign).clamp(0, 1)),
                "epsilon need not be 0.1: use what is given.",
            )
            require(
                is_((images - epsilon * sign).clamp(0, 1)),
                f"by hand for the first pixel, {images.flatten()[0]:g}, with epsilon {epsilon:g}: {first:g}.",
            )

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
    """5.1-5: share_of_copies(samples, training, held_out, tail)."""

    def test(f: Callable) -> None:
        one, two = torch.zeros(1, 2), torch.tensor([[0.0, 0.0], [100.0, 0.0]])
        # Distances to the nearest training image: held-out images, samples; then tail, the answer, and why.
        for training, usual, near, tail, right, why in (
            (two, (5.0, 2.0, 9.0, 1.0, 3.0), (0.6, 1.5, 0.0, 2.5, 8.0, 0.3), 0.25, 4 / 6, "the four nearer than 2"),
            (one, (7.0, 4.0, 6.0), (6.5, 3.0, 4.5, 5.0), 0.5, 0.75, "the three nearer than 6"),
        ):
            samples, held_out = (torch.tensor([[training[-1, 0].item(), d] for d in ds]) for ds in (near, usual))
            got = answered(f(samples, training, held_out, tail))
            require(torch.as_tensor(got).numel() == 1, "return one number, a share.")
            got = float(got)
            distances, bounds = torch.tensor(near), torch.tensor(usual)

            def below(bound: float | torch.Tensor, distances: torch.Tensor = distances) -> float:
                return (distances < bound).float().mean().item()

            for wrong, hint in (
                (right * len(near), "this is a number of samples; divide by how many there are."),
                (
                    below(torch.cdist(samples, held_out).min(1).values),
                    "measure how far held-out images lie from the training set, not from the samples.",
                ),
                (
                    (distances == 0).float().mean().item(),
                    "a copy is rarely exact: compare with held-out images, not with 0.",
                ),
                (
                    below(bounds.max()),
                    "ordinary images come as near as the farthest held-out image: use the near tail.",
                ),
                (below(bounds.min()), "this allows no held-out image to be nearer; `tail` says what share may be."),
                (
                    below(bounds.quantile(1 - tail)),
                    "this is the far tail of the held-out distances: take the near one.",
                ),
            ):
                require(math.isclose(wrong, right, abs_tol=1e-6) or not math.isclose(got, wrong, abs_tol=1e-6), hint)
            require(
                math.isclose(got, right, abs_tol=1e-6),
                f"held-out distances {usual}, samples {near}, tail {tail}: {why} are flagged, {right:.2f} of all.",
            )

    report("5.1-5", test, answer)
