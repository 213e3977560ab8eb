"""Checks of the exercises of chapter 5.2."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from helpers.book.exercises import answered, report, require


def _near(got: torch.Tensor, value: torch.Tensor) -> bool:
    return got.shape == value.shape and torch.allclose(got, value, atol=1e-5)


def check_transfer_gain(answer: Callable) -> None:
    """5.2-1: transfer_gain(with_source, without), one accuracy a seed each."""

    def test(f: Callable) -> None:
        got = torch.as_tensor(answered(f([0.5, 0.7, 0.9], [0.6, 0.8, 0.85]))).float()
        require(got.ndim == 0, "return one number: the mean over the seeds.")
        for wrong, hint in (
            (0.05, "the sign is wrong: a source that harms must give a negative gain."),
            (-0.15, "this is the sum over the seeds: divide by their number."),
            (2.1 / 2.25, "this is a ratio: subtract, so that no gain is 0."),
            (-0.1, "this is a single seed, or the median: take the mean of all."),
        ):
            require(not _near(got, torch.tensor(wrong)), hint)
        require(_near(got, torch.tensor(-0.05)), "take the difference seed by seed, then the mean.")

    report("5.2-1", test, answer)


def check_replay_loss(answer: Callable) -> None:
    """5.2-2: replay_loss(body, new_head, old_head, new, old)."""

    def test(f: Callable) -> None:
        torch.manual_seed(0)
        body, new_head, old_head = nn.Linear(4, 6), nn.Linear(6, 3), nn.Linear(6, 3)
        new = torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1])
        old = torch.randn(7, 4), torch.tensor([2, 1, 0, 2, 1, 2, 2])
        got = answered(f(body, new_head, old_head, new, old))
        require(
            isinstance(got, torch.Tensor) and got.ndim == 0,
            "return one number that autograd can follow: a scalar tensor.",
        )

        def part(head: nn.Module, batch: tuple) -> torch.Tensor:
            return F.cross_entropy(head(body(batch[0])), batch[1])

        right = part(new_head, new) + part(old_head, old)
        for wrong, hint in (
            (part(new_head, new), "only the new task is in your loss: the old one will be forgotten."),
            (part(old_head, old), "only the old task is in your loss: nothing new is learned."),
            (part(old_head, new) + part(new_head, old), "the heads are swapped: each answers its own question."),
            (part(new_head, new) + part(new_head, old), "the replayed images go through the old head."),
            (right / 2, "add the two losses; a mean halves the step on the new task."),
        ):
            require(not _near(got, wrong), hint)
        require(_near(got, right), "add two cross-entropies: new images and head, old images and head.")
        got.backward()
        grads = [p.grad for p in body.parameters()]
        require(all(g is not None for g in grads), "no gradient reaches the body: do not detach or use no_grad.")
        body.zero_grad()
        right.backward()
        require(
            all(torch.allclose(g, p.grad, atol=1e-5) for g, p in zip(grads, body.parameters())),
            "one of the two losses does not reach the body: do not detach its features.",
        )

    report("5.2-2", test, answer)


def check_ink_gain(answer: Callable) -> None:
    """5.2-3: ink_gain(saliency, ink), share of energy over share of pixels, for each image."""

    def test(f: Callable) -> None:
        saliency = torch.tensor([[[3.0, -1.0], [2.0, 0.0]], [[1.0, 1.0], [1.0, 3.0]]])
        ink = torch.tensor([[[True, False], [False, False]], [[True, True], [False, False]]])
        got = torch.as_tensor(answered(f(saliency.clone(), ink.clone()))).float()
        require(got.shape == (2,), f"return one number an image, shape (2,); you gave {tuple(got.shape)}.")
        energy, size = saliency.square(), saliency.abs()
        area = ink.float().mean((1, 2))

        def share(e: torch.Tensor) -> torch.Tensor:
            return (e * ink).sum((1, 2)) / e.sum((1, 2))

        for wrong, hint in (
            (share(energy), "this is the share alone: divide by what chance gives, the share of ink pixels."),
            (share(size) / area, "energy is the square: you used the size."),
            (share(size), "energy is the square, and chance is the share of ink pixels: divide by it."),
            (share(saliency) / area, "signs cancel: square the map before you add it up."),
            (share(energy) * area, "divide by the share of ink pixels: 1 must mean chance."),
            (area / share(energy), "this is upside down: above 1 must mean more than chance."),
            (
                (energy * ink).sum((1, 2)) / energy.sum() / area,
                "each image has its own total: do not divide by that of the batch.",
            ),
        ):
            require(not _near(got, wrong), hint)
        require(_near(got, share(energy) / area), "for the first image: 9 of 14 on a quarter of the pixels.")

    report("5.2-3", test, answer)


def check_fluctuation(answer: Callable) -> None:
    """5.2-4: fluctuation_of(distances), (measurements, pairs): mean size of the change between neighbours, a pair."""

    def test(f: Callable) -> None:
        falling = torch.tensor([[4.0, 1.0, 2.0], [3.0, 3.0, 2.0], [2.0, 1.0, 2.5], [1.0, 3.0, 2.0]])
        for d, first in ((falling, 1), (torch.tensor([[0.1, 7.0], [0.4, 7.0], [0.2, 5.0]]), 0.25)):
            got = torch.as_tensor(answered(f(d.clone()))).float()
            step = d[1:] - d[:-1]
            right, pairs = step.abs().mean(0), d.shape[1]
            for wrong, hint in (
                (d.std(1), "this is the spread across the pairs: stay within a pair, along the measurements."),
                (d.std(0), "a steady fall has a standard deviation too: use changes between neighbours."),
                (step.mean(0), "ups and downs cancel: take the size of each change."),
                (step.abs().mean(1), "average over the measurements, dim 0, and keep the pairs."),
                (step.abs().mean(), "keep the pairs apart: one number for each."),
                (step.abs().sum(0), "take the mean of the changes, or longer records seem worse."),
                ((d[-1] - d[0]).abs(), "first and last alone miss what happens between them."),
            ):
                require(not _near(got, wrong), hint)
            require(got.shape == (pairs,), f"return one number a pair, shape ({pairs},); you gave {tuple(got.shape)}.")
            require(_near(got, right), f"the first pair is {d[:, 0].tolist()}: its answer is {first}.")

    report("5.2-4", test, answer)
