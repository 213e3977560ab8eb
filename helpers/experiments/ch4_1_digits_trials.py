"""The rates of chapter 4.1's arms: ``python -m helpers.experiments.run ch4_1_digits_trials``.

Five rates an arm, with 5 labels a class for few and 50 for many, and two seeds that decide nothing in `ch4_1_digits`.
Rows hold the accuracy of the last weights on 1,000 validation images; no test image is read.
"""

from typing import Any

from helpers.experiments.ch4_1_digits import CANDIDATES, TRIALS, fit
from helpers.experiments.ch4_1_digits import DATA as DATA
from helpers.experiments.ch4_1_digits import SETTINGS as DECIDING

NAME = TRIALS
SEEDS = (100, 101)
LABELS, STEPS = {"few": 5, "many": 50}, {"few": 300, "many": 400}
SETTINGS: dict[str, Any] = {name: value for name, value in DECIDING.items() if name != "rates"} | {
    "steps": STEPS,
    "labels_a_class": LABELS,
    "candidates": CANDIDATES,
}


def runs() -> list[dict]:
    return [
        {"labels": labels, "arm": arm, "rate": rate, "seed": seed}
        for labels in LABELS
        for arm, rates in CANDIDATES.items()
        for rate in rates
        for seed in SEEDS
    ]


def run(labels: str, arm: str, rate: float, seed: int) -> dict:
    """The validation accuracy at the end; 0 where the rate is so high that the training falls apart."""
    try:
        return {"validation": fit(arm, LABELS[labels], seed, rate, STEPS[labels])[1]["accuracy"][-1]}
    except FloatingPointError:
        return {"validation": 0.0}
