"""Chapter 4.4, training images from a generator that was pretrained: ``python -m helpers.experiments.run
ch4_4_transferred``.

A class-conditional generator learns 26 typeset letters (three times, a seed each: ``python -m
helpers.experiments.ch4_4_transferred`` makes the three pairs in ``runs/pairs``, minutes each), and then the digits from
n labelled images. What it draws joins these n images as training data of a classifier, beside what a generator draws
that was trained on the n images alone; each as it is, and "filtered": only those images in which a classifier, trained
on the n images, reads the digit that was asked for. All classifiers have the network, the augmentation and the steps of
the fair baseline of `ch4_4_semi`, 2,000 of them. The seed decides the labelled images, the new weights, the batches and
the pretraining.

Expected, written before any of these runs; mean differences over the paired seeds, with their whole 95 % interval:

1. With 100 labels the transferred generator's digits, unfiltered, are read as asked for .05 more often than those from
   scratch.
2. With 100 labels the filtered images of the transferred generator add less than .01 to real images with augmentation.
3. With 100 labels they add more than the unfiltered images from scratch do.
4. With 500 labels no arm is above real images with augmentation by .005 or more.

First looks: the older runs of this chapter, 500 steps from scratch: 100 labels, 80 % of the digits are read as asked
for, and on top of augmentation they add nothing.
"""

import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from helpers import data, metrics, models, train
from helpers.experiments.ch4_4_generated import affine, draw, with_generated
from helpers.experiments.ch4_4_semi import train_like_the_game
from helpers.runtime import load_weights, save_weights, seed_everything, start

NAME = "4-4-transferred-generator"
DATA = "MNIST: n labelled images of 54,000, 10,000 test images; source: 60,000 typeset letters with their labels"
LABELS, SEEDS = (100, 500), range(3)
SETTINGS: dict[str, Any] = {
    "pretraining": {"steps": 3_000, "batch_size": 64},
    "gan_steps": 2_000,
    "gan_batch_size": 32,
    "ema_decay": 0.995,
    "width": 16,
    "generated": 2_000,
    "steps": 2_000,
    "batch_size": 32,
}
FOLDER = Path("runs/pairs")

Pair = tuple[models.ConditionalGenerator, models.ProjectionDiscriminator]


def new_pair(classes: int = 10) -> Pair:
    """A generator that is told the class, and its discriminator: untrained."""
    return models.ConditionalGenerator(classes), models.ProjectionDiscriminator(classes, SETTINGS["width"])


def play(pair: Pair, images: data.Dataset, seed: int, label: str, **options: Any) -> models.ConditionalGenerator:
    """Train a pair on labelled images; the averaged generator, in evaluation mode."""
    return train.fit_gan(
        *pair,
        train.gan_optimizers(*pair),
        images.images,
        labels=images.labels,
        ema_decay=SETTINGS["ema_decay"],
        rng=seed,
        label=label,
        **options,
    ).model


def file_of(seed: int) -> Path:
    return FOLDER / f"letters-by-class-{seed}.safetensors"


def pretrain(seed: int) -> Path:
    """One pair on the letters."""
    began, letters = time.time(), data.typeset(n=60_000)
    seed_everything(seed)
    pair = new_pair(26)
    averaged = play(pair, letters, seed, f"letters, seed {seed}", every=500, **SETTINGS["pretraining"])
    return save_weights(
        nn.ModuleList([averaged, pair[1]]),
        file_of(seed),
        dtype=torch.float16,
        data="60,000 images: typeset letters, labels",
        command="python -m helpers.experiments.ch4_4_transferred",
        **SETTINGS["pretraining"],
        seed=seed,
        seconds=round(time.time() - began),
        torch=torch.__version__.split("+")[0],
    )


def transferred_pair(seed: int) -> Pair:
    """The pair of one pretraining, told of ten digits in place of 26 letters: each begins as the mean of all letters.

    On the CPU. Raises FileNotFoundError where the pretraining was not made yet.
    """
    if not file_of(seed).exists():
        raise FileNotFoundError(f"{file_of(seed)} is missing: python -m helpers.experiments.ch4_4_transferred makes it")
    old, new = nn.ModuleList(new_pair(26)), new_pair()
    load_weights(old, file_of(seed))
    for before, after in zip(old, nn.ModuleList(new)):
        kept, wanted = before.state_dict(), after.state_dict()
        for name, value in kept.items():
            if value.shape != wanted[name].shape:  # one row a class, after those of the latent vector
                others = len(wanted[name]) - 10
                mean = value[others:].mean(0, keepdim=True)
                kept[name] = torch.cat([value[:others], mean.expand(10, *mean.shape[1:])])
        after.load_state_dict(kept)
    return new


def runs() -> list[dict]:
    return [{"labels": n, "seed": seed} for seed in SEEDS for n in LABELS]


def run(labels: int, seed: int) -> dict:
    """Test accuracies by training set, and how often each generator's digits are read as asked for."""
    few, test = data.few_shot(data.load("mnist", "train"), labels // 10, seed), data.load("mnist", "test")
    how = {"steps": SETTINGS["gan_steps"], "batch_size": SETTINGS["gan_batch_size"], "every": SETTINGS["gan_steps"]}

    def classifier(images: data.Dataset) -> models.Classifier:
        torch.manual_seed(seed)
        return train_like_the_game(images, seed, steps=SETTINGS["steps"], batch_size=SETTINGS["batch_size"])

    reader = classifier(few)
    row: dict[str, Any] = {"real": round(metrics.accuracy(reader, test), 4)}
    for name, make in (("scratch", new_pair), ("transferred", lambda: transferred_pair(seed))):
        torch.manual_seed(seed)
        made, wanted = draw(play(make(), few, seed, name, augment=affine, **how), SETTINGS["generated"], seed)
        judged = metrics.predict(models.digit_network(), made).argmax(1)
        kept = metrics.predict(reader, made).argmax(1) == wanted
        row[f"{name}: labels right"] = round((judged == wanted).float().mean().item(), 4)
        row[f"{name}: kept"] = round(kept.float().mean().item(), 4)
        row[f"{name}: kept and right"] = round((judged == wanted)[kept].float().mean().item(), 4)
        row[name] = round(metrics.accuracy(classifier(with_generated(few, made, wanted)), test), 4)
        filtered = with_generated(few, made[kept], wanted[kept])
        row[f"{name}, filtered"] = round(metrics.accuracy(classifier(filtered), test), 4)
    return row


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit("usage: python -m helpers.experiments.ch4_4_transferred")
    for number in SEEDS:
        if not file_of(number).exists():
            start(number)
            print("wrote", pretrain(number))
