"""Checks of the exercises of chapter 4.1."""

from collections.abc import Callable

import torch
from torch import nn

from helpers.book.exercises import answered, report, require


def _tiny() -> nn.Module:
    model = nn.Sequential()
    model.conv1, model.bn1, model.fc = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 10)
    return model


def check_normalise(answer: Callable) -> None:
    """4.1-1: normalise(x, mean, std) for x in 0 to 255."""

    def test(f: Callable) -> None:
        x = torch.tensor([0, 51, 255], dtype=torch.uint8)
        got = answered(f(x, 0.2, 0.5))
        require(isinstance(got, torch.Tensor) and got.is_floating_point(), "return a floating-point tensor.")
        right = (x.float() / 255 - 0.2) / 0.5
        require(
            not torch.allclose(got, (x.float() - 0.2) / 0.5),
            "the pixels run from 0 to 255, mean and std belong to 0 to 1: divide by 255 first.",
        )
        require(
            not torch.allclose(got, x.float() / 255 / 0.5 - 0.2),
            "subtract the mean before you divide by the standard deviation.",
        )
        require(not torch.allclose(got, (x.float() / 255 - 0.5) / 0.2), "mean and standard deviation are swapped.")
        require(torch.allclose(got, right, atol=1e-6), "compare with (x / 255 − mean) / std by hand for x = 51.")

    report("4.1-1", test, answer)


def check_parameter_groups(answer: Callable) -> None:
    """4.1-2: parameter_groups(model, head_lr, body_lr)."""

    def test(f: Callable) -> None:
        model = _tiny()
        groups = answered(f(model, 0.1, 0.01))
        require(
            isinstance(groups, list) and all(isinstance(g, dict) and {"params", "lr"} <= g.keys() for g in groups),
            'return a list of dicts with the keys "params" and "lr".',
        )
        rate: dict[int, float] = {}
        for group in groups:
            for p in list(group["params"]):
                require(id(p) not in rate, "a parameter is in both groups: the optimizer would refuse it.")
                rate[id(p)] = group["lr"]
        missing = [name for name, p in model.named_parameters() if id(p) not in rate]
        require(not missing, f"these parameters are in no group and would never be trained: {', '.join(missing)}.")
        wrong = [
            name for name, p in model.named_parameters() if rate[id(p)] != (0.1 if name.startswith("fc.") else 0.01)
        ]
        require(len(wrong) < 6, "the two learning rates are swapped: the new head needs the larger one.")
        require(not wrong, f"these parameters have the wrong learning rate: {', '.join(wrong)}.")

    report("4.1-2", test, answer)


def check_freeze_body(answer: Callable) -> None:
    """4.1-3: freeze_body(model), weights and batch-norm statistics."""

    def test(f: Callable) -> None:
        model = _tiny().train()
        require(answered(f(model)) is model, "return the model that you were given.")
        state = {name: p.requires_grad for name, p in model.named_parameters()}
        require(state["fc.weight"] and state["fc.bias"], "the head must stay trainable: nothing is left to learn.")
        still = [name for name, on in state.items() if on and not name.startswith("fc.")]
        require(not still, f"these parameters of the body are still trainable: {', '.join(still)}.")
        require(not model.bn1.training, "the batch norm still updates its running statistics: put it in eval mode.")
        require(model.fc.training, "only the body goes to eval mode; the head stays in train mode.")

    report("4.1-3", test, answer)
