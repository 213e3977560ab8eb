"""Checks of the exercises of chapter 2.3."""

from collections.abc import Callable

import torch

from helpers.book.exercises import answered, report, require


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


def check_carry_over(answer: Callable) -> None:
    """2.3-2: carry_over(source, target) of two state dicts."""

    def test(f: Callable) -> None:
        source = {"body": torch.tensor([1.0, 2.0]), "head": torch.zeros(26), "old": torch.ones(1)}
        target = {"body": torch.tensor([7.0, 7.0]), "head": torch.ones(10), "new": torch.tensor([5.0])}
        got = answered(f(source, target))
        require(isinstance(got, dict), "return a dict.")
        require("old" not in got, "the target has no such tensor: keep the target's keys.")
        require(got.keys() == target.keys(), "the result needs every key of the target.")
        require(got["head"].shape == (10,), "the head has another shape: keep the target's own.")
        require(torch.equal(got["body"], source["body"]), "where key and shape agree, take the source's tensor.")
        require(torch.equal(got["new"], target["new"]), "what the source does not have stays as it is in the target.")
        require(torch.equal(target["body"], torch.tensor([7.0, 7.0])), "you changed the target: build a new dict.")
        # Another order, nested names, as many numbers in another shape, and nothing in common.
        source = {"b.weight": torch.arange(6.0).view(2, 3), "a.0.bias": torch.tensor([-4]), "n": torch.tensor(3)}
        target = {"n": torch.tensor(0), "a.0.bias": torch.tensor([9]), "b.weight": -torch.ones(3, 2)}
        got = f(source, target)
        require(got["b.weight"].shape == (3, 2), "as many numbers is not enough: compare the shapes.")
        require(torch.equal(got["b.weight"], target["b.weight"]), "another shape must not be turned or cut to fit.")
        require(int(got["a.0.bias"]) == -4 and int(got["n"]) == 3, "go by the names, not by the order of the keys.")
        require(f({}, target).keys() == target.keys(), "an empty source leaves the target as it is.")

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
        scale = torch.where(train.std(0) > 0, train.std(0), torch.ones(3))
        require(
            torch.allclose(first, (train - train.mean(0)) / scale, atol=1e-3)
            and torch.allclose(second, (rows - train.mean(0)) / scale, atol=1e-3),
            "a second case fails, with small values and a constant first column: only an exact 0 is replaced by 1.",
        )

    report("2.3-4", test, answer)
