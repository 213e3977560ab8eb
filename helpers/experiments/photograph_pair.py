"""Pretrain a colour generator and discriminator for chapter 4.3: ``python -m helpers.experiments.photograph_pair``.

It needs CIFAR-10, downloaded or from ``BOOK_CIFAR10`` as for `ch4_1_imagenet`, and a GPU: minutes there, hours on a
CPU. It can be interrupted and started again. The pair sees the 45,000 training images of nine classes, each as it is
and mirrored, and no horse: horses are what chapter 4.3 adapts it to. Written are
``runs/photograph-pair/<seed>.safetensors``, in half precision, and for the seed 0 the same in ``helpers/weights`` as
``pair-photographs.safetensors``. With a seed behind the command, 1 or 2, the same again from other weights and batches:
what is said about a source needs more than one pretraining.
"""

import os
import sys
import time
from functools import cache
from pathlib import Path

import torch
from torch import nn

from helpers import data, train
from helpers.models import Discriminator, Generator
from helpers.runtime import WEIGHTS, load_state, load_weights, save_state, save_weights, seed_everything, start

JPEGS = os.environ.get("BOOK_CIFAR10")
DATA = "CIFAR-10 as JPEG images (lossy: pixels differ slightly from the original)" if JPEGS else "CIFAR-10"
TARGET = "horse"  # the class that the pair never sees
FOLDER = Path("runs/photograph-pair")
COMMITTED = WEIGHTS / "pair-photographs.safetensors"
PRETRAININGS = 3
STEPS, BATCH_SIZE = 20_000, 64
RATES = (5e-4, 1e-3)  # of the generator and of the discriminator; they fall to zero over the second half


@cache
def photographs(part: str) -> data.Dataset:
    """All of CIFAR-10's "train" (50,000) or "test" (10,000) images, uint8, (N, 3, 32, 32); read once a process.

    Decoding so many files takes long, so the images are kept in ``runs/photograph-pair`` as one file, which the next
    process reads.
    """
    kept = FOLDER / f"cifar10-{'jpeg' if JPEGS else 'original'}-{part}.safetensors"
    if not kept.exists():
        parts = [data.load(JPEGS or "cifar10", split) for split in (("train", "validation"), ("test",))[part == "test"]]
        images, labels = torch.cat([p.images for p in parts]), torch.cat([p.labels for p in parts])
        save_state(kept, {"images": images, "labels": labels, "classes": list(parts[0].classes)})
    state = load_state(kept)
    return data.Dataset(state["images"], state["labels"], tuple(state["classes"]))


def of_target(part: str) -> torch.Tensor:
    """The horses of a part: uint8, (5,000, 3, 32, 32) of "train", 1,000 of "test"."""
    images, labels, classes = photographs(part)
    return images[labels == classes.index(TARGET)]


def of_source(part: str) -> torch.Tensor:
    """The other nine classes: uint8, (45,000, 3, 32, 32) of "train", 9,000 of "test"."""
    images, labels, classes = photographs(part)
    return images[labels != classes.index(TARGET)]


def new_pair() -> tuple[Generator, Discriminator]:
    """An untrained colour pair: 1.3 million weights, 2.6 MB in half precision."""
    return Generator(width=64, channels=3), Discriminator(width=48, channels=3)


def photograph_pair(seed: int) -> tuple[Generator, Discriminator]:
    """The pair of one pretraining, 0 to 2, in training mode, on the CPU.

    Raises FileNotFoundError where it was not made yet.
    """
    generator, discriminator = new_pair()
    load_weights(nn.ModuleList([generator, discriminator]), file_of(seed))
    return generator, discriminator


def file_of(seed: int) -> Path:
    """The weights of one pretraining; that of the seed 0 is committed, and may be made anew in ``runs``.

    Raises FileNotFoundError where it was not made yet.
    """
    paths = [FOLDER / f"{seed}.safetensors", *([COMMITTED] if seed == 0 else [])]
    for path in paths:
        if path.exists():
            return path
    raise FileNotFoundError(f"{paths[0]} is missing: python -m helpers.experiments.photograph_pair {seed} makes it")


def pretrain(seed: int) -> list[Path]:
    """Train one pair and write its file, or its two."""
    checkpoint = FOLDER / f"{seed}.checkpoint.safetensors"
    began = time.time()
    source = of_source("train")
    images = torch.cat([source, source.flip(3)])  # the mirror is in the data, so it costs no step anything
    seed_everything(seed)
    pair = new_pair()
    optimizers = train.gan_optimizers(*pair, *RATES)
    result = train.fit_gan(
        *pair,
        optimizers,
        images,
        schedulers=[train.linear_decay(optimizer, STEPS) for optimizer in optimizers],
        steps=STEPS,
        batch_size=BATCH_SIZE,
        ema_decay=0.999,
        rng=seed,
        every=min(1_000, STEPS),
        checkpoint=checkpoint,
        label=f"photographs, seed {seed}",
    )
    # The averaged generator goes on: it draws better than the last one.
    paths = [
        save_weights(
            nn.ModuleList([result.model, pair[1]]),
            path,
            dtype=torch.float16,
            data=f"{len(source):,} training images of {DATA}: nine classes, no {TARGET}, no labels; mirrored at random",
            command=f"python -m helpers.experiments.photograph_pair {seed}",
            steps=STEPS,
            batch_size=BATCH_SIZE,
            rates=RATES,
            seed=seed,
            seconds=round(time.time() - began),
            torch=torch.__version__.split("+")[0],
        )
        for path in (FOLDER / f"{seed}.safetensors", *([COMMITTED] if seed == 0 else []))
    ]
    checkpoint.unlink(missing_ok=True)
    return paths


def main(arguments: list[str]) -> int:
    seed = arguments[0] if arguments else "0"
    if len(arguments) > 1 or seed not in map(str, range(PRETRAININGS)):
        print("usage: python -m helpers.experiments.photograph_pair [0|1|2]", file=sys.stderr)
        return 2
    start(int(seed))
    for path in pretrain(int(seed)):
        print(f"wrote {path}, {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
