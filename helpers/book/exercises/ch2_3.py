"""Checks of the exercises of chapter 2.3."""

import copy
from collections.abc import Callable

import torch
from torch import nn

from helpers.book.exercises import Hint, answered, report, require


def check_who_helps(answer: Callable) -> None:
    """2.3-1: who_helps() for four combinations."""

    def test(f: Callable) -> None:
        got = answered(f())
        require(isinstance(got, dict) and got.keys() == {"a", "b", "c", "d"}, 'return a dict with "a", "b", "c", "d".')
        require(set(got.values()) <= {"gan", "transfer"}, 'each answer is "gan" or "transfer".')
        require(got["a"] == "gan", "a: which of the two networks' tasks gets the better start?")
        require(got["b"] == "transfer", "b: what is wanted in the end is a classifier.")
        require(got["c"] == "gan", "c: the pretrained network serves the discriminator.")
        require(
            got["d"] == "transfer", "d: the adversary is a tool; what is wanted is one classifier for both domains."
        )

    report("2.3-1", test, answer)


def check_gains(answer: Callable) -> None:
    """2.3-2: gains(pretrained, train, measure, seeds), each seed from the same weights."""

    def test(f: Callable) -> None:
        # A body with a batch norm, whose stored mean is no parameter, and a network of one layer.
        for body, seeds in ((nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), [3, 1, 5]), (nn.Linear(3, 1), [0, 2])):
            network = copy.deepcopy(body)
            with torch.no_grad():
                for tensor in network.state_dict().values():
                    tensor.fill_(2)
            given = copy.deepcopy(network.state_dict())

            def train(trained: nn.Module, seed: int) -> None:
                with torch.no_grad():
                    for tensor in trained.state_dict().values():
                        tensor.sub_(seed + 1)

            def measure(trained: nn.Module) -> float:
                return sum(float(tensor.float().mean()) for tensor in trained.state_dict().values())

            tensors, weights = len(given), len(list(network.parameters()))
            right = [float(tensors * (seed + 1)) for seed in seeds]
            got = answered(f(network, train, measure, seeds))
            require(isinstance(got, list | tuple) and len(got) == len(seeds), "return a list, one gain a seed.")
            got = [float(value) for value in got]
            if got == right:
                require(
                    all(torch.equal(network.state_dict()[name], value) for name, value in given.items()),
                    "the gains are right, but the pretrained network is another one afterwards: train copies.",
                )
                continue
            require(got != [-value for value in right], "the sign: a FID that falls is a gain, before minus after.")
            require(any(got), "all zero: before and after were measured on one and the same network, once trained.")
            sums = [sum(right[: i + 1]) for i in range(len(right))]
            require(got != sums, "each seed goes on where the last one ended: copy for every seed, not once.")
            left = tensors - weights  # what is no parameter goes on through the seeds
            added = [sum(left * (s + 1) for s in seeds[:i]) for i in range(len(seeds))]
            carried = [[value + sign * more for value, more in zip(right, added)] for sign in (1, -1)]
            require(
                left == 0 or got not in carried,
                "batch norm's means and variances go on through the seeds: they are no parameters; see state_dict().",
            )
            raise Hint(f"for seeds {seeds} the gains are {right}, not {got}.")

    report("2.3-2", test, answer)


def check_speed_up(answer: Callable) -> None:
    """2.3-3: speed_up(steps, slow, fast)."""

    def test(f: Callable) -> None:
        steps, slow = [0, 100, 200, 400], [90.0, 80.0, 60.0, 50.0]
        got = answered(f(steps, slow, [85.0, 50.0, 40.0, 30.0]))
        require(got != 100, "return the ratio of steps, not the step.")
        require(got != 0.25, "turn the ratio round: the last step over the first that is good enough.")
        require(got != 2, "at or below counts: the fast arm is there at step 100.")
        require(got == 4, "the slow arm ends at 50 after 400 steps; when is the fast one there?")
        never = f(steps, slow, [85.0, 80.0, 70.0, 60.0])
        require(never == [None], "where the fast arm never gets there, return [None].")
        # Curves that rise again, and steps that are not evenly spaced.
        steps, slow = [0, 50, 300, 600, 1_000], [400.0, 200.0, 90.0, 110.0, 120.0]
        got = f(steps, slow, [300.0, 150.0, 110.0, 130.0, 100.0])
        require(got != [None], "take the slow arm's last FID, not its lowest: there the fast one is at step 300.")
        require(got != 1, "take the first step at which the fast arm is there, even if it rises again.")
        require(got != 5 / 2, "divide steps, not their places in the list.")
        require(
            abs(float(got) - 10 / 3) < 1e-6, "the slow arm ends at 120 after 1,000 steps; the fast one is there at 300."
        )

    report("2.3-3", test, answer)


def check_standardise(answer: Callable) -> None:
    """2.3-4: standardise(train, test), statistics of the training rows only."""

    def test(f: Callable) -> None:
        train = torch.tensor([[0.0, 3.0], [2.0, 3.0], [4.0, 3.0]])
        rows = torch.tensor([[10.0, 5.0], [20.0, 7.0]])
        got = answered(f(train.clone(), rows.clone()))
        require(isinstance(got, tuple) and len(got) == 2, "return both matrices.")
        first, second = got
        require(
            bool(torch.isfinite(first).all() and torch.isfinite(second).all()),
            "a constant feature has the standard deviation 0: do not divide by it.",
        )
        require(
            not torch.allclose(second[:, 0], torch.tensor([-1.0, 1.0]) / 2**0.5, atol=1e-4),
            "the test rows were scaled by their own statistics: use those of the training rows.",
        )
        both = torch.cat([train, rows])
        pooled = {
            (10.0 - centre) / both[:, 0].std().item() for centre in (both.mean().item(), both[:, 0].mean().item())
        }
        require(
            all(abs(second[0, 0].item() - value) > 1e-3 for value in pooled),
            "the test rows still enter the statistics: use the training rows alone.",
        )
        require(
            not torch.allclose(first.std(), torch.tensor(1.0), atol=1e-3) or first[:, 1].abs().max() < 1e-3,
            "use one mean and one standard deviation a feature (a column), not one for all.",
        )
        right = torch.tensor([[-1.0], [0.0], [1.0]])
        require(torch.allclose(first[:, :1], right, atol=1e-3), "check the first column: it must become −1, 0, 1.")
        require(torch.allclose(second[:, 0], torch.tensor([4.0, 9.0]), atol=1e-3), "test value 10 must become 4.")
        require(
            torch.allclose(second[:, 1], torch.tensor([2.0, 4.0]), atol=1e-2),
            "a feature that is constant in training is divided by 1, so that a test value cannot explode.",
        )
        # Small values, signs, three features in another order of size.
        train = torch.tensor([[1.0, -3e-3, 50.0], [1.0, 1e-3, -70.0], [1.0, 2e-3, -10.0], [1.0, 4e-3, 30.0]])
        rows = torch.tensor([[-1.0, 0.0, 10.0]])
        first, second = f(train.clone(), rows.clone())
        scale = torch.where((train == train[0]).all(0), torch.ones(3), train.std(0))
        require(
            torch.allclose(first, (train - train.mean(0)) / scale, atol=1e-3)
            and torch.allclose(second, (rows - train.mean(0)) / scale, atol=1e-3),
            "a small spread is no constant feature: divide by 1 only where all training rows are equal.",
        )
        # One feature, ten rows of 0.1: their mean is rounded, so that torch's standard deviation is 8e-9 and not 0.
        first, second = f(torch.full((10, 1), 0.1), torch.tensor([[0.2]]))
        require(
            first.abs().max() < 1e-3 and abs(second.item() - 0.1) < 1e-3,
            "ten rows of 0.1 can have a standard deviation of 8e-9 by rounding, and 0.2 becomes 13 million: compare "
            "the rows, not their standard deviation with 0.",
        )

    report("2.3-4", test, answer)
