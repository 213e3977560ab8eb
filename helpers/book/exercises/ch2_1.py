"""Checks of the exercises of chapter 2.1."""

from collections.abc import Callable

import torch
from torch import nn

from helpers.book.exercises import answered, report, require


def check_pretrained_share(answer: Callable) -> None:
    """2.1-1: pretrained_share(model), everything but model.fc."""

    def test(f: Callable) -> None:
        model = nn.Sequential()
        model.body, model.fc = nn.Linear(3, 4), nn.Linear(4, 2)  # 16 and 10 parameters
        got = answered(f(model))
        require(not abs(got - 16) < 1e-9, "this is a number of parameters: divide by the number of all.")
        require(not abs(got - 10 / 26) < 1e-6, "this is the share of the new head: you want the rest.")
        require(not abs(got - 16 / 10) < 1e-6, "divide by all parameters, not by those of the head.")
        require(not abs(got - 2 / 4) < 1e-6, "count numbers, not tensors: use numel().")
        require(abs(got - 16 / 26) < 1e-6, "count the parameters of the model and of model.fc; biases count too.")
        # The head stands first, has no bias, and the body has more layers.
        model = nn.Sequential()
        model.fc, model.stem = nn.Linear(5, 3, bias=False), nn.Conv2d(1, 2, 3)  # 15 and 20 parameters
        model.blocks = nn.Sequential(nn.BatchNorm2d(2), nn.Linear(2, 4))  # 4 and 12
        got = f(model)
        require(abs(got - 39 / 51) > 1e-6, "the head need not stand last: go by its name, model.fc.")
        require(abs(got - 36 / 51) < 1e-6, "a head of 15 parameters and a body of 36 fail: go by names, not by places.")

    report("2.1-1", test, answer)


def check_what_changes(answer: Callable) -> None:
    """2.1-2: what_changes() for four cases."""

    def test(f: Callable) -> None:
        got = answered(f())
        require(isinstance(got, dict) and got.keys() == {"a", "b", "c", "d"}, 'return a dict with "a", "b", "c", "d".')
        words = {"task", "domain", "both", "neither"}
        require(set(got.values()) <= words, 'each answer is "task", "domain", "both" or "neither".')
        require(got["a"] == "domain", "a: the question stays (which digit?); where do the images come from?")
        require(got["b"] == "task", "b: the images are the same ones; what is asked about them?")
        require(got["c"] == "both", "c: compare the images and the classes.")
        require(got["d"] == "neither", "d: more of the same is no change of either.")

    report("2.1-2", test, answer)


def check_relative_distance(answer: Callable) -> None:
    """2.1-3: relative_distance(start, end) over two lists of tensors."""

    def test(f: Callable) -> None:
        start = [torch.tensor([[3.0, 0.0]]), torch.tensor([4.0])]
        end = [torch.tensor([[3.0, 6.0]]), torch.tensor([20.0])]
        change, first, last = 292**0.5, 5.0, 445**0.5  # lengths of (0, 6, 16), (3, 0, 4) and (3, 6, 20)
        got = float(answered(f(start, end)))
        for wrong, hint in (
            (change, "this is the distance itself: divide by the size of the start."),
            (change / last, "divide by the size of the start, not of the end."),
            ((6 / 3 + 16 / 4) / 2, "put all tensors into one vector before you take the norm."),
            (22 / 7, "the norm is the root of the sum of squares, not the sum of magnitudes."),
            ((change / first) ** 2, "take the root: this is the ratio of squares."),
        ):
            require(abs(got - wrong) > 1e-4, hint)
        require(abs(got - change / first) < 1e-4, "for (3, 0, 4) → (3, 6, 20) the answer is √292 / 5.")
        # Signs that change, a small scale, and a tensor of four dimensions.
        start = [torch.tensor([-0.02]), torch.tensor([0.01, 0.02]).view(2, 1, 1, 1), torch.zeros(0)]
        end = [torch.tensor([0.02]), torch.tensor([0.01, -0.02]).view(2, 1, 1, 1), torch.zeros(0)]
        got = float(f(start, end))
        require(abs(got) > 1e-4, "a weight that changes its sign has moved: subtract before you take magnitudes.")
        require(abs(got - 32**0.5 / 3) < 1e-4, "for (−0.02, 0.01, 0.02) → (0.02, 0.01, −0.02) the answer is √32 / 3.")

    report("2.1-3", test, answer)


def check_interpolate(answer: Callable) -> None:
    """2.1-4: interpolate(a, b, t) of two state dicts."""

    def test(f: Callable) -> None:
        a = {"w": torch.tensor([0.0, 4.0]), "count": torch.tensor(3)}
        b = {"w": torch.tensor([8.0, 0.0]), "count": torch.tensor(9)}
        got = answered(f(a, b, 0.25))
        require(isinstance(got, dict) and got.keys() == a.keys(), "return a dict with the keys of the inputs.")
        require(torch.equal(a["w"], torch.tensor([0.0, 4.0])), "you changed the first network: build new tensors.")
        require(not torch.allclose(got["w"], torch.tensor([6.0, 1.0])), "t is the share of the second network.")
        require(torch.allclose(got["w"], torch.tensor([2.0, 3.0])), "try t = 0: the result must be the first network.")
        require(
            got["count"].dtype == torch.int64 and int(got["count"]) == 3,
            "integer tensors are not mixed: take those of a.",
        )
        # The second network's keys stand in another order; signs; a matrix.
        a = {"x.weight": torch.tensor([[1.0, -2.0]]), "n": torch.tensor([5, 6]), "x.bias": torch.tensor([[-4.0, 0.0]])}
        b = {"x.bias": torch.tensor([[4.0, 8.0]]), "x.weight": torch.tensor([[-3.0, 2.0]]), "n": torch.tensor([7, 8])}
        got = f(a, b, 0.5)
        require(
            not torch.allclose(got["x.weight"], torch.tensor([[2.5, 3.0]])),
            "the keys of b stand in another order here: go by the names.",
        )
        require(
            torch.allclose(got["x.weight"], torch.tensor([[-1.0, 0.0]]))
            and torch.allclose(got["x.bias"], torch.tensor([[0.0, 4.0]]))
            and got["n"].tolist() == [5, 6],
            "a second case fails, with t = 0.5 and keys in another order.",
        )

    report("2.1-4", test, answer)
