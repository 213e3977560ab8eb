"""Automatic checks of the exercises.

A check calls the reader's function on small inputs. It prints one line: the answer is right, what
looks wrong about it, or that it still waits for one (the untouched stub returns `...` or None).
"""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F


class Hint(Exception):
    """What looks wrong about an answer."""


class Waiting(Exception):
    """The stub is untouched."""


def report(number: str, test: Callable[[Callable], None], answer: Callable) -> None:
    """Run a check and print its one line."""
    try:
        test(answer)
    except Waiting:
        print(f"… Exercise {number} waits for your answer.")
    except Hint as hint:
        print(f"✗ Exercise {number}: {hint}")
    except Exception as error:  # the reader's code, not ours
        print(f"✗ Exercise {number}: your code raised {type(error).__name__}: {error}")
    else:
        print(f"✓ Exercise {number} is right.")


def _answered(value):
    if value is None or value is ...:
        raise Waiting
    return value


def _require(condition: bool, hint: str) -> None:
    if not condition:
        raise Hint(hint)


# --- 4.1 ---------------------------------------------------------------------------------------


def _tiny() -> nn.Module:
    model = nn.Sequential()
    model.conv1, model.bn1, model.fc = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 10)
    return model


def check_normalise(answer: Callable) -> None:
    """4.1-1: normalise(x, mean, std) for x in 0 to 255."""

    def test(f: Callable) -> None:
        x = torch.tensor([0, 51, 255], dtype=torch.uint8)
        got = _answered(f(x, 0.2, 0.5))
        _require(isinstance(got, torch.Tensor) and got.is_floating_point(), "return a floating-point tensor.")
        right = (x.float() / 255 - 0.2) / 0.5
        _require(
            not torch.allclose(got, (x.float() - 0.2) / 0.5),
            "the pixels run from 0 to 255, mean and std belong to 0 to 1: divide by 255 first.",
        )
        _require(
            not torch.allclose(got, x.float() / 255 / 0.5 - 0.2),
            "subtract the mean before you divide by the standard deviation.",
        )
        _require(not torch.allclose(got, (x.float() / 255 - 0.5) / 0.2), "mean and standard deviation are swapped.")
        _require(torch.allclose(got, right, atol=1e-6), "compare with (x / 255 − mean) / std by hand for x = 51.")

    report("4.1-1", test, answer)


def check_parameter_groups(answer: Callable) -> None:
    """4.1-2: parameter_groups(model, head_lr, body_lr)."""

    def test(f: Callable) -> None:
        model = _tiny()
        groups = _answered(f(model, 0.1, 0.01))
        _require(
            isinstance(groups, list) and all(isinstance(g, dict) and {"params", "lr"} <= g.keys() for g in groups),
            'return a list of dicts with the keys "params" and "lr".',
        )
        rate: dict[int, float] = {}
        for group in groups:
            for p in list(group["params"]):
                _require(id(p) not in rate, "a parameter is in both groups: the optimizer would refuse it.")
                rate[id(p)] = group["lr"]
        missing = [name for name, p in model.named_parameters() if id(p) not in rate]
        _require(not missing, f"these parameters are in no group and would never be trained: {', '.join(missing)}.")
        wrong = [
            name for name, p in model.named_parameters() if rate[id(p)] != (0.1 if name.startswith("fc.") else 0.01)
        ]
        _require(len(wrong) < 6, "the two learning rates are swapped: the new head needs the larger one.")
        _require(not wrong, f"these parameters have the wrong learning rate: {', '.join(wrong)}.")

    report("4.1-2", test, answer)


def check_freeze_body(answer: Callable) -> None:
    """4.1-3: freeze_body(model), weights and batch-norm statistics."""

    def test(f: Callable) -> None:
        model = _tiny().train()
        _require(_answered(f(model)) is model, "return the model that you were given.")
        state = {name: p.requires_grad for name, p in model.named_parameters()}
        _require(state["fc.weight"] and state["fc.bias"], "the head must stay trainable: nothing is left to learn.")
        still = [name for name, on in state.items() if on and not name.startswith("fc.")]
        _require(not still, f"these parameters of the body are still trainable: {', '.join(still)}.")
        _require(not model.bn1.training, "the batch norm still updates its running statistics: put it in eval mode.")
        _require(model.fc.training, "only the body goes to eval mode; the head stays in train mode.")

    report("4.1-3", test, answer)


# --- 4.2 ---------------------------------------------------------------------------------------


def check_output_size(answer: Callable) -> None:
    """4.2-1: output_size(size, kernel, stride, padding) of a transposed convolution."""

    def test(f: Callable) -> None:
        for case in ((1, 4, 1, 0), (4, 4, 2, 1), (8, 4, 2, 1), (5, 3, 2, 1)):
            size, kernel, stride, padding = case
            got = _answered(f(*case))
            right = nn.ConvTranspose2d(1, 1, kernel, stride, padding)(torch.zeros(1, 1, size, size)).shape[-1]
            _require(
                got != (size + 2 * padding - kernel) // stride + 1,
                "this is the formula of an ordinary convolution; turn it round.",
            )
            _require(
                got == right or got != size * stride,
                f"size · stride fits only some layers; try size, kernel, stride, padding = {case}.",
            )
            _require(got == right, f"for size, kernel, stride, padding = {case} PyTorch gives {right}, you gave {got}.")

    report("4.2-1", test, answer)


def check_discriminator_loss(answer: Callable) -> None:
    """4.2-2: discriminator_loss(real_scores, fake_scores) on logits."""

    def test(f: Callable) -> None:
        real, fake = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([-3.0, 0.2, 1.0])
        got = torch.as_tensor(_answered(f(real, fake)))
        _require(got.ndim == 0, "return one number: take the mean over the batch.")
        right = F.softplus(-real).mean() + F.softplus(fake).mean()
        for wrong, hint in (
            (
                F.softplus(real).mean() + F.softplus(-fake).mean(),
                "the labels are swapped: real images should get high scores.",
            ),
            (
                F.softplus(-real).mean() + F.softplus(-fake).mean(),
                'both terms ask for "real", as in the source: the fakes need label 0.',
            ),
            (
                F.softplus(-real).sum() + F.softplus(fake).sum(),
                "take the mean, not the sum: the loss must not depend on the batch size.",
            ),
            (-right, "the sign is wrong: the discriminator maximises the objective, so it minimises the negative."),
        ):
            _require(not torch.allclose(got, wrong, atol=1e-5), hint)
        _require(
            torch.allclose(got, right, atol=1e-5),
            "compare with −log sigmoid(real) and −log(1 − sigmoid(fake)), each averaged.",
        )
        _require(
            bool(torch.isfinite(torch.as_tensor(f(real * 200, fake * 200)))),
            "the loss overflows for large scores: use softplus or BCE with logits.",
        )

    report("4.2-2", test, answer)


def check_ema(answer: Callable) -> None:
    """4.2-3: ema(average, current, decay), element by element."""

    def test(f: Callable) -> None:
        average, current = torch.tensor([1.0, 2.0]), torch.tensor([3.0, -2.0])
        got = _answered(f(average.clone(), current.clone(), 0.9))
        _require(isinstance(got, torch.Tensor), "return the new average as a tensor.")
        _require(
            not torch.allclose(got, 0.1 * average + 0.9 * current),
            "decay weighs the old average, not the new value: you remember one step in ten.",
        )
        _require(not torch.allclose(got, (average + current) / 2), "this is the plain mean of two: where is decay?")
        _require(torch.allclose(got, 0.9 * average + 0.1 * current), "try decay = 1: the average must not move.")

    report("4.2-3", test, answer)
