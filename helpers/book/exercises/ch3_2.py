"""Checks of the exercises of chapter 3.2."""

import copy
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn import functional as F

from helpers.book.exercises import answered, report, require


def check_saturated(answer: Callable) -> None:
    """3.2-1: saturated(images, limit), the share of pixels beyond the limit on either side."""

    def test(f: Callable) -> None:
        images = torch.tensor([[0.995, -0.999, 0.5], [0.0, -1.0, 0.98]])
        got = float(answered(f(images, 0.99)))
        require(abs(got - 3) > 1e-6, "this is the number of pixels: divide by how many there are.")
        require(abs(got - 1 / 6) > 1e-6, "only the bright side is counted: tanh is just as flat near −1.")
        require(abs(got - 1 / 2) < 1e-6, f"3 of these 6 pixels are beyond 0.99 on either side, you gave {got:.3g}.")
        got = float(f(images, 0.97))
        require(abs(got - 2 / 3) < 1e-6, "use the limit that is passed: with 0.97 four of the six count.")

    report("3.2-1", test, answer)


def check_image_gradient(answer: Callable) -> None:
    """3.2-2: image_gradient(discriminator, images), (N, C, H, W) → the same shape."""

    def test(f: Callable) -> None:
        torch.manual_seed(0)
        discriminator = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
        images = torch.randn(5, 1, 4, 4)
        x = images.clone().requires_grad_(True)
        scores = discriminator(x)
        (right,) = torch.autograd.grad(scores.sum(), x, retain_graph=True)
        (of_loss,) = torch.autograd.grad(F.softplus(-scores).sum(), x)
        got = answered(f(discriminator, images))
        require(isinstance(got, torch.Tensor), "return one tensor (torch.autograd.grad gives a tuple of them).")
        require(got.shape == images.shape, f"expected the shape of the images, {tuple(images.shape)}.")
        require(
            not torch.allclose(got, right / len(images), atol=1e-6),
            "the mean divides every gradient by the number of images: sum the scores.",
        )
        require(
            not any(torch.allclose(got, k * of_loss, atol=1e-6) for k in (1.0, 1 / len(images))),
            "this is the gradient of the generator's loss: differentiate the score itself.",
        )
        require(not torch.allclose(got, -right, atol=1e-6), "the sign is wrong: this way the score falls.")
        require(torch.allclose(got, right, atol=1e-6), "compare with the change of a score when one pixel changes.")
        require(
            all(p.grad is None for p in discriminator.parameters()),
            "right numbers, but gradients were left in the discriminator's weights: use torch.autograd.grad.",
        )

    report("3.2-2", test, answer)


def check_who_moved(answer: Callable) -> None:
    """3.2-3: who_moved(generator, discriminator, step) → the set of the names of those whose weights changed."""

    def test(f: Callable) -> None:
        for wanted in ({"discriminator"}, {"generator"}, set(), {"generator", "discriminator"}):
            torch.manual_seed(0)
            generator, discriminator = nn.Linear(3, 4), nn.Linear(4, 1)
            players = {"generator": generator, "discriminator": discriminator}
            movers = [p for name in sorted(wanted) for p in players[name].parameters()]
            optimizer = torch.optim.SGD(movers, 0.1) if movers else None

            def step(generator=generator, discriminator=discriminator, optimizer=optimizer):
                discriminator(generator(torch.ones(2, 3))).sum().backward()  # gradients in both
                if optimizer:
                    optimizer.step()

            got = answered(f(generator, discriminator, step))
            require(
                any(p.grad is not None for p in generator.parameters()),
                "step() was never called: look before it and after it.",
            )
            require(isinstance(got, (set, frozenset, list, tuple)), "return a set of names.")
            got = set(got)
            require(
                not got or bool(wanted) or got != {"generator", "discriminator"},
                "nobody moved in this step, yet both have gradients. A gradient is not a step: compare weights.",
            )
            require(
                bool(got) or not wanted,
                f"{' and '.join(sorted(wanted))} moved, and you saw nothing: a step writes in place, so clone.",
            )
            require(
                got == wanted,
                f"in this step {' and '.join(sorted(wanted)) or 'nobody'} moved, you gave {sorted(got)}.",
            )

    report("3.2-3", test, answer)


def flat(gradients: Iterable[torch.Tensor]) -> torch.Tensor:
    return torch.cat([g.flatten() for g in gradients])


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, atol=1e-5)


def check_update_both(answer: Callable) -> None:
    """3.2-4: update_both(generator, discriminator, opt_g, opt_d, real, z), both from the same state."""

    def test(f: Callable) -> None:
        torch.manual_seed(0)
        start = nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
        real, z = torch.randn(5, 4) + 1, torch.randn(5, 3)

        def fresh():
            g, d = (copy.deepcopy(m) for m in start)
            return g, d, torch.optim.SGD(g.parameters(), 0.5), torch.optim.SGD(d.parameters(), 0.5)

        g, d, _, _ = fresh()
        fake = g(z)
        loss_d = F.softplus(-d(real)).mean() + F.softplus(d(fake)).mean()
        loss_g = F.softplus(-d(fake)).mean()
        d_by_d, d_by_g = (
            flat(torch.autograd.grad(loss, list(d.parameters()), retain_graph=True)) for loss in (loss_d, loss_g)
        )
        g_by_g, g_by_d = (
            flat(torch.autograd.grad(loss, list(g.parameters()), retain_graph=True)) for loss in (loss_g, loss_d)
        )
        with torch.no_grad():  # the generator's gradient as the updated discriminator gives it
            torch.nn.utils.vector_to_parameters(weights(d) - 0.5 * d_by_d, d.parameters())
        late = flat(torch.autograd.grad(F.softplus(-d(g(z))).mean(), list(g.parameters())))

        g, d, opt_g, opt_d = fresh()
        before = weights(g), weights(d)
        for p in (*g.parameters(), *d.parameters()):
            p.grad = torch.ones_like(p)  # left over from an earlier round
        answered(f(g, d, opt_g, opt_d, real, z))
        of_g, of_d = ((old - weights(m)) / 0.5 for old, m in zip(before, (g, d)))

        require(bool(of_g.abs().sum() > 0), "the generator has not moved.")
        require(bool(of_d.abs().sum() > 0), "the discriminator has not moved.")
        require(
            not same(of_g, g_by_g + 1) and not same(of_d, d_by_d + 1) and not same(of_d, d_by_d + d_by_g + 1),
            "old gradients were still there: call zero_grad before backward.",
        )
        require(
            not same(of_g, g_by_g + g_by_d),
            "the discriminator's loss has also reached the generator, and pulls it the other way: detach.",
        )
        require(
            not same(of_d, d_by_d + d_by_g),
            "the generator's loss has left gradients in the discriminator: let each optimizer see its own loss only.",
        )
        require(
            not same(of_g, late),
            "the updated discriminator scored the fakes: compute both gradients before the first step.",
        )
        require(not same(of_g, -g_by_g), "the generator's step goes the wrong way: its loss is softplus(−score).")
        require(same(of_d, d_by_d), "the discriminator's step is not that of its loss on real images and fakes.")
        require(same(of_g, g_by_g), "the generator's step is not that of the non-saturating loss.")

    report("3.2-4", test, answer)
