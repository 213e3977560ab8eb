"""Checks of the exercises of chapter 0."""

import copy
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from helpers.book.exercises import Hint, answered, report, require


def check_one_round(answer: Callable) -> None:
    """0-1: one_round(g, d, adam_g, adam_d, real, z), two rounds of it against the same rounds done rightly."""

    def right(g, d, adam_g, adam_d, real, z, swapped=False, clear=True, saturating=False):
        fake = g(z)
        sign = -1 if swapped else 1
        loss_d = F.softplus(-sign * d(real)).mean() + F.softplus(sign * d(fake.detach())).mean()
        if clear:
            adam_d.zero_grad()
        loss_d.backward()
        adam_d.step()
        score = d(fake)
        loss_g = -F.softplus(score).mean() if saturating else F.softplus(-score).mean()
        adam_g.zero_grad()
        loss_g.backward()
        adam_g.step()
        return loss_d.item(), loss_g.item()

    def played(one_round: Callable, seed: int, images: int, optimizer: type, rate: float) -> torch.Tensor:
        """Two rounds: all weights at the end."""
        torch.manual_seed(seed)
        g, d = nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1), nn.Flatten(0))
        adams = [optimizer(net.parameters(), rate) for net in (g, d)]
        for _ in range(2):
            answered(one_round(g, d, *adams, torch.randn(images, 3) + 2, torch.randn(images, 2)))
        return torch.cat([p.detach().flatten() for net in (g, d) for p in net.parameters()])

    def test(f: Callable) -> None:
        for case in ((0, 5, torch.optim.Adam, 0.05), (1, 8, torch.optim.SGD, 0.5)):
            try:
                got = played(f, *case)
            except RuntimeError as error:
                require("second time" not in str(error), "the first backward pass went through the generator: detach.")
                raise
            for fault, hint in (
                ({"swapped": True}, "the labels are swapped: the discriminator should push real scores up."),
                (
                    {"clear": False},
                    "the generator's backward pass leaves gradients in the discriminator: clear them before its step.",
                ),
                ({"swapped": True, "clear": False}, "the labels are swapped, and gradients are not cleared."),
                ({"saturating": True}, "the generator's loss was right: leave it as it is."),
            ):
                wrong = played(lambda *args, fault=fault: right(*args, **fault), *case)
                require(not torch.allclose(got, wrong, atol=1e-5), hint)
            require(
                torch.allclose(got, played(right, *case), atol=1e-5),
                "the weights after two rounds are not those of the two steps of program 2: compare line by line.",
            )

    report("0-1", test, answer)


def check_carry_over(answer: Callable) -> None:
    """0-2: carry_over(source, target), copies what has the same name and shape, and returns the names of the rest."""

    def network(width: int, classes: int, extra: bool = False) -> nn.Module:
        parts = {"conv": nn.Conv2d(1, width, 3), "norm": nn.BatchNorm2d(width), "head": nn.Linear(width, classes)}
        return nn.ModuleDict(parts | ({"extra": nn.Linear(2, 2)} if extra else {}))

    def test(f: Callable) -> None:
        for seed, source, target in (
            (0, network(4, 26), network(4, 10)),
            (1, network(3, 5, extra=True), network(3, 5)),
            (2, network(2, 7), nn.ModuleDict({"body": network(2, 7), **network(2, 7, extra=True)})),
        ):
            torch.manual_seed(seed)
            for tensor in source.state_dict().values():
                tensor.copy_(torch.rand(tensor.shape) * 9 + 1)
            before, given = copy.deepcopy(target.state_dict()), copy.deepcopy(source.state_dict())
            try:
                got = answered(f(source, target))
            except RuntimeError as error:
                if "size mismatch" in str(error) or "Missing key" in str(error) or "Unexpected key" in str(error):
                    raise Hint(
                        "load_state_dict refuses shapes that differ, and strict=False excuses names only: give it the "
                        "tensors that fit."
                    ) from error
                raise Hint(f"your code raised RuntimeError: {str(error).splitlines()[0]}") from error
            after = target.state_dict()
            fits = [name for name in after if name in given and given[name].shape == after[name].shape]
            stays = [name for name in after if name not in fits]
            require(
                all(torch.equal(source.state_dict()[name], given[name]) for name in given),
                "the source must stay as it is: copy from it, not into it.",
            )
            require(
                all(torch.equal(after[name], before[name]) for name in stays),
                "what has another name or shape must keep the new network's own values.",
            )
            if lacking := [name for name in fits if not torch.equal(after[name], given[name])]:
                running = all("running" in name or "tracked" in name for name in lacking)
                require(
                    not running,
                    "batch norm's means and variances are no parameters, but belong to the body: see state_dict().",
                )
                raise Hint(f"{lacking[0]} fits and was not copied.")
            require(isinstance(got, list | tuple | set), "return the names of the tensors that were left as they were.")
            require(
                set(got) != set(fits) or set(fits) == set(stays),
                "these are the names that were copied: return those that were not.",
            )
            require(set(got) == set(stays), f"left as they were: {', '.join(stays) or 'none'}.")
            with torch.no_grad():
                next(iter(target.parameters())).add_(1)
            require(
                all(torch.equal(source.state_dict()[name], given[name]) for name in given),
                "both networks share one tensor now, so training one changes the other: copy the values.",
            )

    report("0-2", test, answer)


def check_prediction(answer: Callable) -> None:
    """0-3: prediction(), the three starts by FID after 300 steps, lowest first."""

    def test(f: Callable) -> None:
        got = answered(f())
        names = {"scratch", "letters", "clothes"}
        require(
            isinstance(got, list | tuple) and len(got) == 3 and set(got) == names,
            'return a list of "scratch", "letters" and "clothes".',
        )
        got = list(got)
        require(got != ["scratch", "clothes", "letters"], "lowest first: a low FID is good.")
        require(
            got.index("clothes") < got.index("scratch"),
            "from scratch even the black border has to be learned; a pair of clothes has it already.",
        )
        require(got.index("letters") < got.index("clothes"), "which source has strokes, as digits have?")

    report("0-3", test, answer)
