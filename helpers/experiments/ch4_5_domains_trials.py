"""The rates of chapter 4.5's arms: ``python -m helpers.experiments.run ch4_5_domains_trials``.

Seven candidates an arm, a third of the steps of `ch4_5_domains`, seed 100, which decides nothing there. No label of
the target is used, but by the arm "target", and no test image is looked at. "score" is what chooses: see
`ch4_5_domains.score` and `chosen`. Each is tried on two pairs, "source only" on one: it sees the source alone, which is
the same in both.
"""

from typing import Any

from helpers.experiments.ch4_5_domains import (
    CANDIDATES,
    TRIALS,
    fit_arm,
    images_of,
    label_free,
    more_label_free,
    rounded,
    score,
    statistics_of,
)
from helpers.experiments.ch4_5_domains import DATA as DATA
from helpers.experiments.ch4_5_domains import SETTINGS as DECIDING

NAME = TRIALS
PAIRS = ("MNIST → MNIST-M", "MNIST → USPS")
SEED = 100
SETTINGS: dict[str, Any] = {name: value for name, value in DECIDING.items() if name not in ("rates", "every")} | {
    "steps": 700,
    "candidates": CANDIDATES,
}


def runs() -> list[dict]:
    return [
        {"pair": pair, "arm": arm, **candidate, "seed": SEED}
        for pair in PAIRS
        for arm, candidates in CANDIDATES.items()
        if pair == PAIRS[0] or arm != "source only"
        for candidate in candidates
    ]


def run(pair: str, arm: str, seed: int, **candidate: float) -> dict:
    images = images_of(pair, unlabelled=SETTINGS["unlabelled"])
    try:
        source_model, result = fit_arm(arm, images, seed, candidate, SETTINGS)
    except FloatingPointError:  # a rate that is too high: it loses, and does not stop the others
        return {"score": 0.0}
    networks = statistics_of(arm, source_model, result.model, images)
    measured = label_free(arm, *networks, images)
    return rounded(measured | {"score": score(arm, measured)} | more_label_free(*networks, images))
