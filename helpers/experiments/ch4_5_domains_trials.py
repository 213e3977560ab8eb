"""The rates of chapter 4.5's arms: ``python -m helpers.experiments.run ch4_5_domains_trials``.

Six candidates an arm, half as many steps as `ch4_5_domains` takes, seed 100, which decides nothing there. No label of
the target is used, but by the arm "target", and no test image is looked at. "score" is what chooses: see
`ch4_5_domains.score` and `chosen`. The arms that align are tried on two pairs. "source only" and "target" are tried on
one: to the first it makes no difference, since it sees the source alone.
"""

from typing import Any

from helpers.experiments.ch4_5_domains import (
    CANDIDATES,
    TRIALS,
    distance,
    fit_arm,
    images_of,
    label_free,
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
    "steps": 2_000,
    "candidates": CANDIDATES,
}


def runs() -> list[dict]:
    return [
        {"pair": pair, "arm": arm, **candidate, "seed": SEED}
        for pair in PAIRS
        for arm, candidates in CANDIDATES.items()
        if pair == PAIRS[0] or arm not in ("source only", "target")
        for candidate in candidates
    ]


def run(pair: str, arm: str, seed: int, **candidate: float) -> dict:
    images = images_of(pair, unlabelled=SETTINGS["unlabelled"])
    try:
        model = fit_arm(arm, images, seed, candidate, SETTINGS).model
        networks = statistics_of(arm, model, images)
        measured = label_free(arm, *networks, images)
        found = measured | {"score": score(arm, measured), "a_distance": distance(*networks, images)}
    except FloatingPointError:  # a rate that is too high: it loses, and does not stop the others
        found = {"score": 0.0}
    return rounded(found)
