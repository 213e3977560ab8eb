"""Chapter 4.1, ImageNet weights on CIFAR-10 by the number of labels: three arms, four label counts, three seeds.

``python -m helpers.experiments.run ch4_1_photographs_labels`` writes ``results/4-1-photographs-labels.json``: 10, 50,
100 and 500 labels a class; `ch4_1_photographs` has the curve's end, all 4,500, and the arms' description. A run has as
many validation labels as training labels, so that a network with few is not chosen with many. Steps are equal for all
label counts. The rates were chosen with 100 labels a class, by `ch4_1_photographs_trials`.

Expected, written before the seeds that decide (test accuracy at the best validation checkpoint, means of three seeds):

1. Fine-tuning is 0.30 or more above the network from scratch with 10 and with 100 labels a class, and its lead is
   smaller with 500 than with 100.
2. With a tenth of the labels it is still ahead: fine-tuning on 50 a class is above the network from scratch on 500.
3. With 500 labels a class fine-tuning is above the probe; with 10 it is not by more than 0.02.
"""

from typing import Any

from helpers.experiments import ch4_1_photographs as whole

NAME = "4-1-photographs-labels"
DATA = whole.DATA
LABELS = (10, 50, 100, 500)  # a class
SETTINGS: dict[str, Any] = whole.SETTINGS | {
    "steps": whole.STEPS["few"],
    "validation_labels": "as many a class as for training",
}


def runs() -> list[dict]:
    whole.require_rates()
    return [{"arm": arm, "per_class": n, "seed": seed} for seed in whole.SEEDS for n in LABELS for arm in whole.ARMS]


def run(arm: str, per_class: int, seed: int) -> dict:
    return whole.fit(arm, seed, whole.rates_of("few"), whole.STEPS["few"], per_class)
