"""Chapter 4.1, the learning rates of `ch4_1_photographs` and `ch4_1_photographs_labels`.

``python -m helpers.experiments.run ch4_1_photographs_trials`` writes ``results/4-1-photographs-trials.json``: four
rates an arm, for all labels and for 100 a class, each in one short training with seed 100, which decides nothing else.
Rows hold the best accuracy on validation images; no test image is read. The head that a fine-tuning begins with is
trained at `HEAD_RATE` in all trials. `ch4_1_photographs.chosen` makes the choice.
"""

from typing import Any

from helpers.experiments.ch4_1_photographs import ARMS, BATCH, DATA, TRIALS, fit

NAME = TRIALS
__all__ = ["DATA", "NAME", "SETTINGS", "run", "runs"]
SEED = 100
HEAD_RATE = 1e-3
FEW = 100  # labels a class
RATES = {
    "fine-tune": (1e-4, 3e-4, 1e-3, 3e-3),
    "scratch": (3e-4, 1e-3, 3e-3, 1e-2),
    "probe": (3e-4, 1e-3, 3e-3, 1e-2),
    "source+rate": (3e-3, 1e-2, 3e-2, 1e-1),
}
STEPS = {
    # 1.5, 2 and 2 epochs.
    "all": {"fine-tune": 264, "scratch": 352, "probe": 500, "source+rate": 900},
    "few": {"fine-tune": 150, "scratch": 300, "probe": 250},
}
SETTINGS: dict[str, Any] = {
    "data": DATA,
    "rates": RATES,
    "steps": STEPS,
    "batch_size": BATCH,
    "head_rate": HEAD_RATE,
    "labels_a_class": {"all": "all", "few": FEW},
}


def runs() -> list[dict]:
    arms = {"all": (*ARMS, "source+rate"), "few": ARMS}
    return [
        {"labels": labels, "arm": arm, "rate": rate, "seed": SEED}
        for labels in arms
        for arm in arms[labels]
        for rate in RATES[arm]
    ]


def run(labels: str, arm: str, rate: float, seed: int) -> dict:
    """The best validation accuracy of one short training; 0 where the rate is so high that it falls apart."""
    rates, per_class = {"probe": HEAD_RATE} | {arm: rate}, FEW if labels == "few" else None
    try:
        return {"validation": fit(arm, seed, rates, STEPS[labels], per_class, test=False)["validation"]}
    except FloatingPointError:
        return {"validation": 0.0}
