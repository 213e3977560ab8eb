"""Chapter 4.3, few digits from a pretrained pair: seven arms, four numbers of images, five seeds.

``python -m helpers.experiments.run ch4_3`` writes ``results/4-3-pretrained-generator.json``. It needs the complete
MNIST. All arms have one recipe, chosen in chapter 4.2 for training from scratch; only where the weights come from, what
is frozen and what the discriminator sees differ.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from helpers import augment, data, metrics, train
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
SETTINGS: dict[str, Any] = {
    "steps": 1200,
    "every": 150,
    "batch_size": 32,
    "ema_decay": 0.98,
    "samples": 1000,
    "frozen_layers": 2,
}


def make_pair(arm: str, seed: int, frozen_layers: int = 2) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator as an arm starts with them; the seed decides the weights that are new."""
    torch.manual_seed(seed)
    if arm in ("scratch", "diff-augment"):
        return Generator(), Discriminator(width=16)
    if arm == "projected":
        return Generator(), ProjectedDiscriminator(*pretrained_resnet18("letters"))
    generator, discriminator = pretrained_pair("fashion" if arm == "fashion" else "letters")
    if arm == "freeze-d":
        freeze_lower(discriminator, frozen_layers)
    return generator, discriminator


def few(images: torch.Tensor, n: int, seed: int) -> torch.Tensor:
    """`n` random images; for one seed a larger set contains the smaller ones."""
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[:n]]


def play(
    arm: str,
    images: torch.Tensor,
    seed: int,
    *,
    steps: int,
    every: int,
    batch_size: int = 32,
    ema_decay: float = 0.98,
    frozen_layers: int = 2,
    measure: Callable | None = None,
    checkpoint: Path | None = None,
) -> train.Result:
    """One arm's game on these images, uint8, (N, 1, 32, 32): the averaged generator and the history.

    "diff-augment" in the arm's name means that the discriminator sees augmented images.
    """
    pair = make_pair(arm, seed, frozen_layers)
    return train.fit_gan(
        *pair,
        train.gan_optimizers(*pair),
        images,
        steps=steps,
        batch_size=batch_size,
        ema_decay=ema_decay,
        augment=augment.diff_augment if "diff-augment" in arm else None,
        rng=seed,
        every=every,
        measure=measure,
        checkpoint=checkpoint,
        label=f"{arm}, {len(images)} images, seed {seed}",
    )


@cache
def evaluation() -> tuple[nn.Module, Callable, torch.Tensor]:
    """What every run is measured with: the digit network, the distance to the test images, and 1,000 of these."""
    network, test = digit_network(Accelerator().device), data.load("mnist", "test").images
    return network, metrics.fid_against(test, network), few(test, SETTINGS["samples"], 0)


def runs() -> list[dict]:
    """One seed after the other, so that an unfinished grid has whole seeds."""
    return [{"arm": arm, "images": n, "seed": seed} for seed in SEEDS for n in SIZES for arm in ARMS]


def run(arm: str, images: int, seed: int, checkpoint: Path | None = None) -> dict:
    """Train one arm; FID at every measurement, and at the end KID, precision, recall and memorisation."""
    some = few(data.load("mnist", "train").images, images, seed)
    network, distance, held_out = evaluation()
    n = SETTINGS["samples"]
    generator, history = play(
        arm,
        some,
        seed,
        measure=lambda step, averaged: {"fid": round(distance(metrics.sample(averaged, n)), 2)},
        checkpoint=checkpoint,
        **{key: SETTINGS[key] for key in ("steps", "every", "batch_size", "ema_decay", "frozen_layers")},
    )
    fakes = metrics.sample(generator, n, seed=1)
    real, fake, known = (metrics.features(network, x) for x in (held_out, fakes, some))
    precision, recall = metrics.precision_recall(real, fake)
    return {
        "step": history["step"],
        "fid": history["fid"],
        "kid": round(metrics.kid(held_out, fakes, network)[0], 2),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "memorised": round(metrics.memorisation(known, fake, real), 4),
    }
