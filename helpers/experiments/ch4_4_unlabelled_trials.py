"""The rates of `ch4_4_unlabelled`'s arms: ``python -m helpers.experiments.run ch4_4_unlabelled_trials``.

Five rates an arm with a seed that decides nothing there, 1,500 steps. Rows hold the accuracy of the last weights on
1,000 validation images; no test image is read.
"""

from typing import Any

from helpers.experiments.ch4_4_unlabelled import ARMS, RATES, TRIALS, fit
from helpers.experiments.ch4_4_unlabelled import DATA as DATA
from helpers.experiments.ch4_4_unlabelled import SETTINGS as DECIDING

NAME = TRIALS
SEED, STEPS = 100, 1_500
SETTINGS: dict[str, Any] = {name: value for name, value in DECIDING.items() if name != "rates"} | {
    "steps": STEPS,
    "candidates": RATES,
}


def runs() -> list[dict]:
    return [{"arm": arm, "rate": rate, "seed": SEED} for arm in ARMS for rate in RATES]


def run(arm: str, rate: float, seed: int) -> dict:
    """The validation accuracy at the end; 0 where the rate is so high that the training falls apart."""
    try:
        return {"validation": fit(arm, seed, rate, STEPS)[1]["accuracy"][-1]}
    except FloatingPointError:
        return {"validation": 0.0}
