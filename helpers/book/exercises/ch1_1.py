"""Checks of the exercises of chapter 1.1."""

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from helpers.book.exercises import answered, report, require


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, abs_tol=1e-5)


def check_gap(answer: Callable) -> None:
    """1.1-1: gap(train_logits, train_labels, test_logits, test_labels)."""

    def test(f: Callable) -> None:
        train_labels, test_labels = torch.tensor([0, 1, 2, 0, 1]), torch.tensor([0, 1, 2, 2])
        train_logits = F.one_hot(torch.tensor([0, 1, 2, 0, 2]), 3) * 3.0  # 4 of 5 right
        test_logits = F.one_hot(torch.tensor([0, 2, 1, 2]), 3) * 3.0  # 2 of 4 right
        got = float(answered(f(train_logits, train_labels, test_logits, test_labels)))
        losses = [F.cross_entropy(train_logits, train_labels), F.cross_entropy(test_logits, test_labels)]
        require(not _near(got, -0.3), "the sign is turned round: training minus test.")
        require(not _near(got, 2), "these are counts; divide by the number of images of each set.")
        require(not _near(got, 30), "return a fraction, not per cent.")
        require(
            not _near(abs(got), abs((losses[0] - losses[1]).item())),
            "this is a gap between losses; the exercise asks for accuracies.",
        )
        require(not _near(got, 0.8), "this is the training accuracy alone: subtract the test accuracy.")
        require(_near(got, 0.3), "4 of 5 right in training and 2 of 4 in the test make a gap of 0.3.")
        # Two classes, negative logits, more test images than training images, and a test that goes better.
        train_logits, test_logits = torch.tensor([[-9.0, -1.0], [-2.0, -5.0]]), -torch.eye(2).repeat(2, 1)
        got = float(f(train_logits, torch.tensor([0, 0]), test_logits, torch.tensor([1, 0, 1, 1])))
        require(not _near(got, 0.25), "a gap can be negative, where the test goes better: keep its sign.")
        require(_near(got, -0.25), "1 of 2 right in training and 3 of 4 in the test make a gap of −0.25.")

    report("1.1-1", test, answer)


def check_steps_to_stay(answer: Callable) -> None:
    """1.1-2: steps_to_stay(history, threshold)."""

    def test(f: Callable) -> None:
        def history(*accuracies: float) -> dict[str, list]:
            return {"step": [5 * (i + 1) for i in range(len(accuracies))], "validation_accuracy": list(accuracies)}

        got = answered(f(history(0.2, 0.7, 0.5, 0.8, 0.9), 0.6))
        require(got != 10, "at step 15 the accuracy is below the threshold again: step 10 does not count.")
        require(got != 3, "this is the position in the list; return the step.")
        require(got != 15, "at step 15 the accuracy is still below the threshold.")
        require(got != 25, "it was above the threshold earlier than at the last step.")
        require(got == 20, "for 0.2, 0.7, 0.5, 0.8, 0.9 at steps 5 to 25 and the threshold 0.6 the answer is 20.")
        require(f(history(0.2, 0.6, 0.7), 0.6) == 10, "an accuracy equal to the threshold counts as reached.")
        never = 'a run that ends below the threshold has no such step: return float("inf").'
        require(f(history(0.2, 0.7, 0.5), 0.6) == math.inf, never)
        require(
            f(history(0.7, 0.8), 0.6) == 5, "a run that is above the threshold from the start gives the first step."
        )

    report("1.1-2", test, answer)


def check_accuracy_at(answer: Callable) -> None:
    """1.1-3: accuracy_at(counts, accuracies, n), straight lines over log(count)."""

    def test(f: Callable) -> None:
        counts, accuracies = [1, 4, 100], [0.4, 0.6, 0.9]
        got = float(answered(f(counts, accuracies, 2)))
        require(
            not _near(got, 0.4 + 0.2 / 3), "this is a straight line over the count; take the logarithm of the counts."
        )
        require(not any(_near(got, a) for a in accuracies), "this is a measured value; 2 lies between 1 and 4.")
        require(_near(got, 0.5), "2 is half-way between 1 and 4 on a logarithmic axis: 0.5 for 0.4 and 0.6.")
        got = float(f(counts, accuracies, 50))
        require(
            not _near(got, 0.9 - 0.3 * math.log(12.5) / math.log(25)),
            "the two ends are swapped: 50 is nearer to 100 than to 4.",
        )
        require(
            _near(got, 0.6 + 0.3 * math.log(12.5) / math.log(25)),
            "for n = 50 use the two counts around it, 4 and 100.",
        )
        require(_near(float(f(counts, accuracies, 4)), 0.6), "at a measured count, return the measured accuracy.")

    report("1.1-3", test, answer)


def check_tasks_until_it_pays(answer: Callable) -> None:
    """1.1-4: tasks_until_it_pays(pretraining, scratch, tuned)."""

    def test(f: Callable) -> None:
        got = answered(f(1000, 100, 30))  # 1000 / 70 = 14.3
        require(got != 10, "fine-tuning is not free: one task saves scratch − tuned.")
        require(got != 34, "divide by what a task saves, not by what fine-tuning costs.")
        require(got != 14, "after 14 tasks it has not paid yet: round up.")
        require(isinstance(got, int) or float(got).is_integer(), "tasks come in whole numbers: round up.")
        require(got == 15, "for pretraining 1000, scratch 100 and tuned 30 the answer is 15.")
        require(f(700, 100, 30) == 10, "700 is ten times 70: with ten tasks the costs are equal, and that is enough.")
        try:
            never = f(1000, 30, 30), f(1000, 30, 100)
        except ZeroDivisionError:
            never = (0, 0)
        require(
            never == (math.inf, math.inf),
            'where fine-tuning saves nothing, pretraining never pays: return float("inf").',
        )

    report("1.1-4", test, answer)


def check_decide(answer: Callable) -> None:
    """1.1-5: decide(gains, t)."""

    def test(f: Callable) -> None:
        words = ("better", "worse", "undecided")
        clear = [0.10, 0.12, 0.08, 0.11]
        got = answered(f(clear, 3.182))
        require(got in words, f"return one of {', '.join(words)}.")
        require(got != "worse", "gains are pretrained minus scratch: positive ones speak for pretraining.")
        require(got == "better", "0.10, 0.12, 0.08, 0.11 lie far above 0 for their spread.")
        wide = [0.01, 0.30, 0.02, 0.05]
        require(
            f(wide, 3.182) == "undecided",
            "0.01, 0.30, 0.02, 0.05 are all positive, and yet their interval contains 0: look at the spread.",
        )
        require(
            f([0.1, 0.3, -0.1, 0.5, 0.1, 0.3, 0.2, 0.4, 0.0], 2.306) == "better",
            "the interval of the mean shrinks with the number of seeds: divide the standard deviation by √n.",
        )
        close = [0.06, 0.17, 0.13]  # mean 0.12, half-width 0.138 with n − 1, 0.113 with n
        require(
            f(close, 4.303) == "undecided",
            "for 0.06, 0.17, 0.13 and t = 4.303 undecided: divide by n − 1 in s², and use the t that is given.",
        )
        require(f([-g for g in clear], 3.182) == "worse", "an interval wholly below 0 means worse.")

    report("1.1-5", test, answer)
