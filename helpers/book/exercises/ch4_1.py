"""Checks of the exercises of chapter 4.1."""

from collections.abc import Callable

import torch
from torch import nn

from helpers.book.exercises import answered, report, require


def _flat() -> nn.Module:
    """A body of two layers, and then the head."""
    model = nn.Sequential()
    model.conv1, model.bn1 = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)
    model.flatten, model.fc = nn.Flatten(), nn.Linear(4, 10)
    return model.train()


class _Nested(nn.Module):
    """The head is named first, and the body has a layer with "fc" in its name, a batch norm inside, and dropout."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 4)
        block = nn.Sequential()
        block.fc1, block.norm, block.drop = nn.Linear(4, 6, bias=False), nn.BatchNorm1d(6), nn.Dropout(0.5)
        self.body = nn.Sequential(nn.Flatten(), block)

    def forward(self, x):
        return self.fc(self.body(x))


def _networks() -> list[nn.Module]:
    return [_flat(), _Nested().train()]


def check_normalise(answer: Callable) -> None:
    """4.1-1: normalise(x, mean, std) for x in 0 to 255, one mean and one deviation a channel."""

    def test(f: Callable) -> None:
        grey = torch.tensor([0, 51, 102, 255], dtype=torch.uint8).view(1, 1, 2, 2)
        colour = torch.arange(0, 216, 8, dtype=torch.uint8).view(1, 3, 3, 3).repeat(2, 1, 1, 1)
        for x, mean, std in ((grey, (0.2,), (0.5,)), (colour, (0.5, 0.4, 0.1), (0.2, 0.25, 0.3))):
            got = answered(f(x, mean, std))
            require(isinstance(got, torch.Tensor) and got.is_floating_point(), "return a floating-point tensor.")
            require(got.shape == x.shape, f"the shape must stay {tuple(x.shape)}, it became {tuple(got.shape)}.")
            m, s = (torch.tensor(values).view(1, -1, 1, 1) for values in (mean, std))
            along = torch.tensor(mean), torch.tensor(std)  # one number a column, where it fits by accident
            pixels = x.float()

            def same(other: torch.Tensor, got: torch.Tensor = got) -> bool:
                return torch.allclose(got, other, atol=1e-5)

            require(
                not same((pixels - m) / s),
                "the pixels run from 0 to 255, mean and std belong to 0 to 1: divide by 255 first.",
            )
            require(not same(pixels / 255 / s - m), "subtract the mean before you divide by the standard deviation.")
            require(not same((pixels / 255 - s) / m), "mean and standard deviation are swapped.")
            right = (pixels / 255 - m) / s
            require(
                x.shape[1] == 1 or same(right) or not same((pixels / 255 - along[0]) / along[1]),
                "one number belongs to a channel, dimension 1, and not to a column: give them the shape (1, C, 1, 1).",
            )
            require(same(right), "compare with (x / 255 − mean) / std by hand, for a pixel of each channel.")

    report("4.1-1", test, answer)


def check_prepare(answer: Callable) -> None:
    """4.1-2: prepare(model, classes, head_lr, body_lr), the repaired one."""

    def test(f: Callable) -> None:
        for model, classes, (head_lr, body_lr) in zip(_networks(), (10, 3), ((0.1, 0.01), (0.02, 0.03))):
            old = model.fc
            got = answered(f(model, classes, head_lr, body_lr))
            require(isinstance(got, tuple) and len(got) == 2, "return two things: the model and the groups.")
            require(got[0] is model, "return the model that you were given.")
            groups = got[1]
            require(
                isinstance(groups, list) and all(isinstance(g, dict) and {"params", "lr"} <= g.keys() for g in groups),
                'the groups are a list of dicts with the keys "params" and "lr".',
            )
            require(
                model.fc is not old and model.fc.out_features == classes,
                "the head must be a new one, with an output for each class.",
            )
            rate: dict[int, float] = {}
            for group in groups:
                for p in list(group["params"]):
                    require(id(p) not in rate, "a parameter is in both groups: the optimizer would refuse it.")
                    rate[id(p)] = group["lr"]
            names = {id(p): name for name, p in model.named_parameters()}
            missing = [name for i, name in names.items() if i not in rate]
            require(
                not any(name.startswith("fc.") for name in missing),
                "the new head is in no group and would stay random: which head do the groups hold?",
            )
            require(not missing, f"these parameters of the body would never be trained: {', '.join(missing)}.")
            require(rate.keys() == names.keys(), "a group holds parameters that the network has no longer.")
            wrong = [name for i, name in names.items() if rate[i] != (head_lr if name.startswith("fc.") else body_lr)]
            require(len(wrong) < len(names), "the two learning rates are swapped.")
            require(not wrong, f"these parameters have the wrong learning rate: {', '.join(wrong)}.")

    report("4.1-2", test, answer)


def check_freeze_body(answer: Callable) -> None:
    """4.1-3: freeze_body(model), weights and batch-norm statistics."""

    def test(f: Callable) -> None:
        for model in _networks():
            require(answered(f(model)) is model, "return the model that you were given.")
            state = {name: p.requires_grad for name, p in model.named_parameters()}
            require(state["fc.weight"] and state["fc.bias"], "the head must stay trainable: nothing is left to learn.")
            still = [name for name, on in state.items() if on and not name.startswith("fc.")]
            require(not still, f"these parameters of the body are still trainable: {', '.join(still)}.")
            before = {name: value.clone() for name, value in model.state_dict().items()}
            with torch.no_grad():
                model(torch.linspace(-2, 3, 36).view(4, 1, 3, 3) if hasattr(model, "conv1") else torch.rand(4, 4))
            moved = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
            require(not moved, "the batch norm still updates its running statistics: put it in eval mode.")
            require(model.fc.training, "only the body goes to eval mode; the head stays in train mode.")

    report("4.1-3", test, answer)
