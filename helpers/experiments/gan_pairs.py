"""Pretrain generator and discriminator for chapter 4.3: ``python -m helpers.experiments.gan_pairs``.

About 10 minutes on two CPU cores; it can be interrupted and started again. Writes ``pair-letters.safetensors`` and
``pair-fashion.safetensors`` in ``helpers/weights``, in half precision, each when its training is over. Neither pair
sees a digit.
"""

import time
from pathlib import Path

import torch
from torch import nn

from helpers import data, train
from helpers.models import Discriminator, Generator
from helpers.runtime import WEIGHTS, save_weights, seed_everything, start

STEPS, SEED = 4_000, 0


def pretrain(source: str, images: torch.Tensor, about: str) -> Path:
    """Train one pair on these images, uint8, (N, 1, 32, 32), and write its file."""
    checkpoint = Path(f"pair-{source}.checkpoint.safetensors")
    began = time.time()
    seed_everything(SEED)
    pair = Generator(), Discriminator(width=16)
    result = train.fit_gan(
        *pair,
        train.gan_optimizers(*pair),
        images,
        steps=STEPS,
        ema_decay=0.995,
        rng=SEED,
        every=500,
        checkpoint=checkpoint,
        label=source,
    )
    # The averaged generator goes on: it draws better than the last one.
    path = save_weights(
        nn.ModuleList([result.model, pair[1]]),
        WEIGHTS / f"pair-{source}.safetensors",
        dtype=torch.float16,
        data=f"{len(images):,} images: {about}, no labels",
        command="python -m helpers.experiments.gan_pairs",
        steps=STEPS,
        batch_size=64,
        seed=SEED,
        seconds=round(time.time() - began),
        torch=torch.__version__.split("+")[0],
    )
    checkpoint.unlink(missing_ok=True)
    return path


def main() -> None:
    start(SEED)
    for path in (
        pretrain("letters", data.typeset(n=60_000).images, "typeset letters"),
        pretrain("fashion", data.load("fashion-mnist", "train").images, "Fashion-MNIST"),
    ):
        print(f"wrote {path.name}, {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
