"""Chapter 4.1, what pretraining saves: ``python -m helpers.experiments.run ch4_1_digits``.

A ResNet-18 of a quarter width, pretrained on typeset letters, learns handwritten digits from 1 to 500 labels a class.
Three arms with ten seeds; a seed decides which images have labels, the new weights and the batches. Rates fall to zero
along half a cosine, and the last weights count: no labelled image serves to stop. Each arm has five candidates for its
rate, tried with seeds 100 and 101 (``python -m helpers.experiments.run ch4_1_digits_trials``), for few labels and for
many. Those of scratch were moved down once, before any deciding seed: of 1e-3 to 1e-1 its best had been the smallest.

- "scratch": random weights, all are trained.
- "probe": the body is frozen, the head learns.
- "fine-tune": the first `HEAD_SHARE` of the steps train the head alone, the others all weights, at one rate.

Expected, written before the seeds that decide; differences are paired by seed, and a bound holds with the whole 95 %
interval:

1. Fine-tuning is above scratch by .15 or more at 1 label a class, by .02 or more at 10, and by less than .02 at 500.
2. The gain at 1 label is larger than that at 50, by .10 or more.
3. Fine-tuning with 5 labels a class is above scratch with 10.
4. The probe is less than .05 below fine-tuning at 1 label, and .02 or more below it at 500.
5. In the last third of the steps the mean accuracy of no arm moves by more than .02 at any number of labels.

First looks that these rest on: the older grid of this chapter, 120 steps on 5,000 digits with the best checkpoint of a
hundred labelled validation images: scratch .45, .81, .88 and .94 at 1, 5, 10 and 50 labels, fine-tuning .75, .90, .93
and .96, the probe .72, .86, .89 and .93.
"""

from collections.abc import Sequence
from functools import cache, partial
from statistics import mean
from typing import Any

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR

from helpers import augment, data, metrics, train
from helpers.models import ResNet18, pretrained_resnet18
from helpers.models.resnet import TYPESET
from helpers.runtime import read_results, seed_everything

NAME, TRIALS = "4-1-digits", "4-1-digits-trials"
DATA = "complete MNIST; source: typeset letters"
ARMS = ("scratch", "probe", "fine-tune")
SEEDS = range(10)
STEPS = {1: 400, 5: 400, 10: 600, 50: 1_000, 500: 2_000}  # by labels a class
FEW = 10  # up to so many labels a class the rates are those for few
HEAD_RATE, HEAD_SHARE = 1e-2, 0.25  # of fine-tuning's first phase
CANDIDATES = {
    "scratch": (3e-4, 1e-3, 3e-3, 1e-2, 3e-2),
    "probe": (3e-3, 1e-2, 3e-2, 1e-1, 3e-1),
    "fine-tune": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
}
TRANSFORM = partial(data.preprocess, spec=TYPESET)


def chosen(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """By "few" and "many" labels, each arm's rate of the highest mean validation accuracy; of equal ones the smallest.

    rows : of the trials. "on the edge": the rate is the smallest or the largest that was tried.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for labels in ("few", "many"):
        for arm, rates in CANDIDATES.items():
            scores = [
                mean(
                    row["validation"] for row in rows if (row["labels"], row["arm"], row["rate"]) == (labels, arm, rate)
                )
                for rate in rates
            ]
            best = rates[scores.index(max(scores))]
            edge = best in (rates[0], rates[-1])
            found.setdefault(labels, {})[arm] = {"rate": best, "validation": max(scores), "on the edge": edge}
    return found


def read_rates() -> dict[str, dict[str, dict[str, Any]]] | None:
    """What the trials chose, or None where they have not been made."""
    try:
        return chosen(read_results(TRIALS)["rows"])
    except FileNotFoundError:
        return None


SETTINGS: dict[str, Any] = {
    "steps": {str(labels): steps for labels, steps in STEPS.items()},
    "batch_size": 32,
    "head_first": {"rate": HEAD_RATE, "share": HEAD_SHARE},
    "weight_decay": 0.01,
    "records": 6,
    "record_images": 1_000,
    "rates": read_rates(),
}


@cache
def load(split: str) -> data.Dataset:
    """A complete split; read once a process."""
    return data.load("mnist", split)


def tune(
    network: nn.Module,
    phases: Sequence[tuple[nn.Module, int, float]],
    few: data.Dataset,
    seed: int,
    label: str,
) -> dict[str, list]:
    """Train parts of a network one after another, and record its accuracy on validation images: they choose nothing.

    phases : what is trained, for how many steps, and the rate at the start; what is not named stays as it is. Changes
    the network. Returns {"step": [...], "accuracy": [...]} over all phases.
    """
    seen = data.few_shot(load("validation"), SETTINGS["record_images"] // 10)
    every = sum(steps for _, steps, _ in phases) // SETTINGS["records"]
    curve: dict[str, list] = {"step": [], "accuracy": []}
    start = 0
    for parts, steps, rate in phases:
        network.requires_grad_(False)
        parts.requires_grad_(True)
        optimizer = AdamW(parts.parameters(), rate, weight_decay=SETTINGS["weight_decay"])
        history = train.fit_classifier(
            network,
            optimizer,
            few,
            steps=steps,
            batch_size=SETTINGS["batch_size"],
            scheduler=CosineAnnealingLR(optimizer, steps),
            transform=TRANSFORM,
            augment=augment.random_affine,
            rng=seed + start,
            every=every,
            measure=lambda step, model: {"seen": metrics.accuracy(model, seen, TRANSFORM)},
            label=label,
        ).history
        curve["step"] += [start + step for step in history["step"]]
        curve["accuracy"] += [round(x, 4) for x in history["seen"]]
        start += steps
    return curve


def head_first(network: nn.Module, steps: int, rate: float) -> list[tuple[nn.Module, int, float]]:
    """The phases of a fine-tuning, for `tune`: the head alone, then all weights at `rate`."""
    early = round(HEAD_SHARE * steps)
    return [(network.fc, early, HEAD_RATE), (network, steps - early, rate)]


def fit(arm: str, per_class: int, seed: int, rate: float, steps: int) -> tuple[nn.Module, dict[str, list]]:
    """One arm on `per_class` labelled digits a class, and the curve of `tune`.

    rate : of all weights that are trained, in fine-tuning's second phase.
    """
    few = data.few_shot(load("train"), per_class, seed)
    seed_everything(seed)
    network = ResNet18(10) if arm == "scratch" else pretrained_resnet18("letters")[0]
    network.fc = nn.Linear(network.fc.in_features, 10)
    whole = [(network.fc if arm == "probe" else network, steps, rate)]
    phases = head_first(network, steps, rate) if arm == "fine-tune" else whole
    return network, tune(network, phases, few, seed, f"{arm}, {per_class} a class, seed {seed}")


def runs() -> list[dict]:
    if SETTINGS["rates"] is None:
        raise ValueError(
            f"the rates are not chosen yet, results/{TRIALS}.json is missing: "
            "python -m helpers.experiments.run ch4_1_digits_trials"
        )
    return [{"arm": arm, "per_class": n, "seed": seed} for seed in SEEDS for n in STEPS for arm in ARMS]


def run(arm: str, per_class: int, seed: int) -> dict:
    rate = SETTINGS["rates"]["few" if per_class <= FEW else "many"][arm]["rate"]
    network, curve = fit(arm, per_class, seed, rate, STEPS[per_class])
    return {"accuracy": round(metrics.accuracy(network, load("test"), TRANSFORM), 4), "rate": rate, "curve": curve}
