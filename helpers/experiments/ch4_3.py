"""Chapter 4.3, few digits from a pretrained pair: seven arms, four numbers of images, five seeds.

``python -m helpers.experiments.run ch4_3`` writes ``results/4-3-pretrained-generator.json``. It needs the complete
MNIST. All arms have one recipe, chosen in chapter 4.2 for training from scratch; only where the weights come from, what
is frozen and what the discriminator sees differ.
"""

from functools import lru_cache

import torch
from accelerate import Accelerator

from helpers import augment, data, metrics, train
from helpers.experiments.run import require_finished
from helpers.models import (
    Discriminator,
    Generator,
    ProjectedDiscriminator,
    digit_network,
    freeze_lower,
    pretrained_pair,
    pretrained_resnet18,
)

NAME = "4-3-pretrained-generator"
DATA = "MNIST: drawn from 54,000 training images, judged on the 10,000 of the test set"
ARMS = ("scratch", "diff-augment", "projected", "transfer", "freeze-d", "transfer + diff-augment", "fashion")
SIZES = (25, 100, 500, 2500)
SEEDS = range(5)
SETTINGS = {"steps": 1200, "every": 150, "batch_size": 32, "ema_decay": 0.98, "samples": 1000, "frozen_layers": 2}


def runs() -> list[dict]:
    """One seed after the other, so that an unfinished grid has whole seeds."""
    return [{"arm": arm, "images": n, "seed": seed} for seed in SEEDS for n in SIZES for arm in ARMS]


def make_arm(arm: str, seed: int) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Generator and discriminator as an arm starts with them; the seed decides the weights that are new."""
    torch.manual_seed(seed)
    if arm in ("scratch", "diff-augment"):
        return Generator(), Discriminator(width=16)
    if arm == "projected":
        return Generator(), ProjectedDiscriminator(*pretrained_resnet18("letters"))
    generator, discriminator = pretrained_pair("fashion" if arm == "fashion" else "letters")
    if arm == "freeze-d":
        freeze_lower(discriminator, SETTINGS["frozen_layers"])
    return generator, discriminator


def few(images: torch.Tensor, n: int, seed: int) -> torch.Tensor:
    """`n` random images; for one seed a larger set contains the smaller ones."""
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[:n]]


@lru_cache(maxsize=1)
def judge():
    """What every run is measured with: the digit network, the FID, and 1,000 of the test images."""
    network, test = digit_network(Accelerator().device), data.load("mnist", "test").images
    return network, metrics.fid_against(test, network), few(test, SETTINGS["samples"], 0)


def run(arm: str, images: int, seed: int) -> dict:
    """Train one arm; FID at every measurement, and at the end KID, precision, recall and memorisation."""
    some = few(data.load("mnist", "train").images, images, seed)
    network, distance, held_out = judge()
    n = SETTINGS["samples"]
    result = train.train_gan(
        *make_arm(arm, seed),
        some,
        steps=SETTINGS["steps"],
        batch_size=SETTINGS["batch_size"],
        ema_decay=SETTINGS["ema_decay"],
        augment=augment.diff_augment if "diff-augment" in arm else None,
        seed=seed,
        every=SETTINGS["every"],
        measure=lambda step, ema: {"fid": round(distance(metrics.sample(ema, n)), 2)},
        label=f"{arm}, {images} images, seed {seed}",
    )
    require_finished(result.history, SETTINGS["steps"])
    fakes = metrics.sample(result.ema, n, seed=1)
    real, fake, known = (metrics.features(network, x) for x in (held_out, fakes, some))
    precision, recall = metrics.precision_recall(real, fake)
    return {
        "step": result.history["step"],
        "fid": result.history["fid"],
        "kid": round(metrics.kid(held_out, fakes, network)[0], 2),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "memorised": round(metrics.memorisation(known, fake, real), 4),
    }
