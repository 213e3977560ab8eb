"""Chapter 4.3, the rates of each arm of `ch4_3_photographs`: ``python -m helpers.experiments.run
ch4_3_photographs_trials``.

Three pairs of rates for every arm, with 100 horses, 2,000 steps and seed 100, which decides nothing else; the arms with
a pretrained pair start from pretraining 1. The outer two of the five wait for an arm whose best is at an end of the
three (``--skip "*_3e-05_*" --skip "*_0.003_0.01_*"`` leaves them out). The lowest kernel distance to the 1,000
validation horses counts, at any step but before the first. In fewer steps than the runs that decide have, small rates
look worse than they are.
"""

from typing import Any

from helpers.experiments import ch4_3_photographs as deciding
from helpers.experiments.ch4_3 import few

NAME = deciding.TRIALS
DATA = f"{deciding.source.DATA}: 100 of 3,000 training horses, judged by 1,000 others"
SEED = 100
SETTINGS: dict[str, Any] = {"images": 100, "steps": 2_000} | {
    key: deciding.SETTINGS[key] for key in ("every", "batch_size", "ema_decay", "samples", "features")
}


def runs() -> list[dict]:
    return [
        {"arm": arm, "lr_generator": rates[0], "lr_discriminator": rates[1], "seed": SEED}
        for arm in deciding.ARMS
        for rates in deciding.CANDIDATES
    ]


def run(arm: str, lr_generator: float, lr_discriminator: float, seed: int) -> dict:
    """The lowest validation distance of one pair of rates, and its step; None where the losses became infinite."""
    best = deciding.Best()
    some = few(deciding.horses()[0], SETTINGS["images"], seed)
    try:
        deciding.play(arm, some, seed, (lr_generator, lr_discriminator), SETTINGS["steps"], best)
    except FloatingPointError:
        return {"validation_kid": None, "best_step": None}
    return {"validation_kid": best.kid, "best_step": best.step}
