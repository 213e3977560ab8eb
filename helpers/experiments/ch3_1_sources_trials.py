"""The rates of chapter 3.1's bodies: ``python -m helpers.experiments.run ch3_1_sources_trials``.

Five rates a body with 10 labels a class and a seed that decides nothing in `ch3_1_sources`. Rows hold the accuracy of
the last weights on 1,000 validation images; no test image is read.
"""

from typing import Any

from helpers import data
from helpers.experiments.ch3_1_sources import BODIES, RATES, TRIALS, digits, fit
from helpers.experiments.ch3_1_sources import DATA as DATA
from helpers.experiments.ch3_1_sources import SETTINGS as DECIDING

NAME = TRIALS
SEED, LABELS, STEPS = 100, 10, 300
SETTINGS: dict[str, Any] = {name: value for name, value in DECIDING.items() if name != "rates"} | {
    "steps": STEPS,
    "labels_a_class": LABELS,
    "candidates": RATES,
}


def runs() -> list[dict]:
    return [{"body": body, "rate": rate, "seed": SEED} for body in BODIES for rate in RATES]


def run(body: str, rate: float, seed: int) -> dict:
    """The validation accuracy at the end; 0 where the rate is so high that the training falls apart."""
    few = data.few_shot(digits("train"), LABELS, seed)
    try:
        return {"validation": fit(body, few, seed, rate, STEPS)[1]["accuracy"][-1]}
    except FloatingPointError:
        return {"validation": 0.0}
