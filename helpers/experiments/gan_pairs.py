"""Pretrain generator and discriminator for chapter 4.3: ``python -m helpers.experiments.gan_pairs``.

About 10 minutes on two CPU cores; it can be interrupted and started again. Writes ``pair-letters.safetensors`` and
``pair-fashion.safetensors`` in ``helpers/weights``, in half precision, each when its training is over. Neither pair
sees a digit.

``python -m helpers.experiments.gan_pairs letters`` pretrains the letters twice more, with the seeds 1 and 2, and writes
``runs/pairs/letters-1.safetensors`` and ``letters-2``: what is said about letters as a source needs more than one pair.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from helpers import data, train
from helpers.models import Discriminator, Generator, pretrained_pair
from helpers.runtime import WEIGHTS, load_weights, save_weights, seed_everything, start

STEPS, SEED = 4_000, 0
AGAIN = (1, 2)  # seeds of further pretrainings
FOLDER = Path("runs/pairs")


def pretrain(source: str, images: torch.Tensor, about: str, seed: int = SEED, path: Path | None = None) -> Path:
    """Train one pair on these images, uint8, (N, 1, 32, 32), and write its file."""
    checkpoint = Path(f"pair-{source}{f'-{seed}' if seed else ''}.checkpoint.safetensors")
    began = time.time()
    seed_everything(seed)
    pair = Generator(), Discriminator(width=16)
    result = train.fit_gan(
        *pair,
        train.gan_optimizers(*pair),
        images,
        steps=STEPS,
        ema_decay=0.995,
        rng=seed,
        every=500,
        checkpoint=checkpoint,
        label=source,
    )
    # The averaged generator goes on: it draws better than the last one.
    path = save_weights(
        nn.ModuleList([result.model, pair[1]]),
        path or WEIGHTS / f"pair-{source}.safetensors",
        dtype=torch.float16,
        data=f"{len(images):,} images: {about}, no labels",
        command="python -m helpers.experiments.gan_pairs" + (f" {source}" if seed else ""),
        steps=STEPS,
        batch_size=64,
        seed=seed,
        seconds=round(time.time() - began),
        torch=torch.__version__.split("+")[0],
    )
    checkpoint.unlink(missing_ok=True)
    return path


def letters_pair(seed: int) -> tuple[Generator, Discriminator]:
    """The pair of one pretraining on letters, on the CPU: 0 is the committed one, the others lie in ``runs/pairs``.

    Raises FileNotFoundError where it was not made yet.
    """
    if seed == SEED:
        return pretrained_pair("letters")
    if not (path := FOLDER / f"letters-{seed}.safetensors").exists():
        raise FileNotFoundError(f"{path} is missing: python -m helpers.experiments.gan_pairs letters makes it")
    generator, discriminator = Generator(), Discriminator(width=16)
    load_weights(nn.ModuleList([generator, discriminator]), path)
    return generator, discriminator


def main(arguments: Sequence[str] = ()) -> int:
    if list(arguments) not in ([], ["letters"]):
        print("usage: python -m helpers.experiments.gan_pairs [letters]", file=sys.stderr)
        return 2
    start(SEED)
    letters = data.typeset(n=60_000).images
    if arguments:
        paths = [pretrain("letters", letters, "typeset letters", s, FOLDER / f"letters-{s}.safetensors") for s in AGAIN]
    else:
        fashion = data.load("fashion-mnist", "train").images
        paths = [pretrain("letters", letters, "typeset letters"), pretrain("fashion", fashion, "Fashion-MNIST")]
    for path in paths:
        print(f"wrote {path}, {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
