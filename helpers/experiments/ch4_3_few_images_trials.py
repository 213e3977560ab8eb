"""Chapter 4.3, the rates of each arm of `ch4_3_few_images`: ``python -m helpers.experiments.run
ch4_3_few_images_trials``.

Nine pairs of rates for every arm, with 100 images, 2,000 steps and seed 100, which decides nothing else. The lowest
distance to the 6,000 validation images counts, at any step. In fewer steps than the runs that decide have, small rates
look worse than they are.
"""

from helpers import data
from helpers.experiments import ch4_3_few_images as deciding
from helpers.experiments.ch4_3 import few

NAME = deciding.TRIALS
DATA = "MNIST: 100 of 54,000 training images, judged by the 6,000 of the validation set"
SEED = 100
SETTINGS = {"images": 100, "steps": 2_000} | {
    key: deciding.SETTINGS[key] for key in ("every", "batch_size", "ema_decay", "samples", "frozen_layers")
}


def runs() -> list[dict]:
    """The arms that need no pretrained pair first: they can begin while one is made."""
    arms = (*deciding.MAIN, *deciding.SECONDARY)
    return [
        {"arm": arm, "lr_generator": rates[0], "lr_discriminator": rates[1], "seed": SEED}
        for arm in sorted(arms, key=deciding.is_pretrained)
        for rates in deciding.CANDIDATES
    ]


def run(arm: str, lr_generator: float, lr_discriminator: float, seed: int) -> dict:
    """The lowest validation distance of one pair of rates, and its step; None where the losses became infinite."""
    best = deciding.Best()
    some = few(data.load("mnist", "train").images, SETTINGS["images"], seed)
    try:
        deciding.play(arm, some, seed, (lr_generator, lr_discriminator), SETTINGS["steps"], best)
    except FloatingPointError:
        return {"validation_fid": None, "best_step": None}
    return {"validation_fid": round(best.fid, 2), "best_step": best.step}
