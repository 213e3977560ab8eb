"""Chapter 4.3, what a pretrained pair gives, by the number of images: ``run ch4_3_few_images`` after its trials.

Eight ways to train a generator of digits from 25, 100, 500 and 2,500 images, each to the end: 5,000 steps, 10,000 with
2,500 images, with the distance to held-out images every 500 steps. It needs the complete MNIST, the rates that
``run ch4_3_few_images_trials`` chose, and two more pretrainings of the letters (``python -m
helpers.experiments.gan_pairs letters``): the seed of a run decides its images, the new weights, the batches, and which
of three pretrainings it starts from, so that an interval holds for the source "letters" and not for one pair.

Expected, written before the seeds that decide ran; "distance" is the test distance at the checkpoint with the lowest
validation distance, "better by a tenth" a mean ratio of at most 0.9 over paired seeds whose interval stays below 1:

- with 100 images "transfer" is better than "scratch" by a seventh (ratio at most 0.86);
- with 100 images "diff-augment" is better than "scratch" by a tenth, with 2,500 it is worse;
- with 100 images "transfer + diff-augment" is better than "transfer" by a tenth;
- of the excess over copies of the training images, "transfer" keeps a smaller part of that of "scratch" with 100
  images than with 2,500;
- with 100 images no arm reaches the distance of plain copies of the training images;
- with 100 images "letters" as a source is better than "fashion" by a tenth ("transfer" against "fashion").
"""

import copy
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from helpers import augment, data, metrics, train
from helpers.experiments.ch4_3 import few
from helpers.experiments.gan_pairs import letters_pair
from helpers.models import Discriminator, Generator, digit_network, freeze_lower, pretrained_pair
from helpers.runtime import read_results, results_dir

NAME = "4-3-few-images"
DATA = "MNIST: drawn from 54,000 training images; 6,000 choose the checkpoint, the 10,000 of the test set judge it"
MAIN = ("scratch", "diff-augment", "transfer", "freeze-d", "transfer + diff-augment", "freeze-d + diff-augment")
SECONDARY = ("diff-augment without cutout", "fashion")
FLOORS = ("copies", "real images", "untrained", "pretrained")  # nothing is trained here
SIZES = (25, 100, 500, 2500)
SEEDS, SECONDARY_SEEDS, PRETRAININGS = range(5), range(3), 3
TRIALS = f"{NAME}-trials"


def best_rates(rows: list[dict]) -> dict[str, dict]:
    """By arm the rates with the lowest validation distance: {"rates": [generator's, discriminator's], "on the edge"}.

    On the edge: the generator's rate is the smallest or the largest that was tried.
    """
    chosen: dict[str, dict] = {}
    tried = sorted({row["lr_generator"] for row in rows})
    for arm in dict.fromkeys(row["arm"] for row in rows):
        finite = [row for row in rows if row["arm"] == arm and row["validation_fid"] is not None]
        best = min(finite, key=lambda row: row["validation_fid"])
        edge = best["lr_generator"] in (tried[0], tried[-1])
        chosen[arm] = {"rates": [best["lr_generator"], best["lr_discriminator"]], "on the edge": edge}
    return chosen


SETTINGS: dict[str, Any] = {
    "steps": {25: 5_000, 100: 5_000, 500: 5_000, 2500: 10_000},
    "every": 500,
    "batch_size": 32,
    "ema_decay": 0.99,
    "samples": 1_000,
    "frozen_layers": 2,
    "rates": best_rates(read_results(TRIALS)["rows"]) if (results_dir() / f"{TRIALS}.json").exists() else None,
}


def is_pretrained(arm: str) -> bool:
    return not arm.startswith(("scratch", "diff-augment", "untrained"))


def make_pair(arm: str, seed: int) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator as an arm starts with them."""
    torch.manual_seed(seed)
    if not is_pretrained(arm):
        return Generator(), Discriminator(width=16)
    if arm == "fashion":
        return pretrained_pair("fashion")
    generator, discriminator = letters_pair(seed % PRETRAININGS)
    if arm.startswith("freeze-d"):
        freeze_lower(discriminator, SETTINGS["frozen_layers"])
    return generator, discriminator


def play(
    arm: str, images: torch.Tensor, seed: int, rates: tuple[float, float], steps: int, measure: Callable
) -> train.Result:
    """One arm on these images, uint8, (N, 1, 32, 32). rates : of the generator and of the discriminator."""
    pair = make_pair(arm, seed)
    augmentation = partial(augment.diff_augment, cutout="without cutout" not in arm) if "diff-augment" in arm else None
    return train.fit_gan(
        *pair,
        train.gan_optimizers(*pair, *rates),
        images,
        steps=steps,
        batch_size=SETTINGS["batch_size"],
        ema_decay=SETTINGS["ema_decay"],
        augment=augmentation,
        rng=seed,
        every=SETTINGS["every"],
        measure=measure,
        label=f"{arm}, {len(images)} images, seed {seed}",
    )


class SecondNetwork(nn.Module):
    """A plain multilayer perceptron that reads digits: another architecture, to judge the arms a second time.

    Input: float, (N, 1, 32, 32), values 0 to 1. `features`: (N, 64). Output: logits, (N, 10).
    """

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(1024, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 64), nn.ReLU()
        )
        self.head = nn.Linear(64, 10)

    def features(self, x):
        """(N, 1, 32, 32), values 0 to 1 → (N, 64)."""
        return self.body(x)

    def forward(self, x):
        return self.head(self.body(x))


@cache
def second_network() -> nn.Module:
    """Trained here on the training images of MNIST, in a few seconds."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = SecondNetwork()
        optimizer = torch.optim.Adam(network.parameters(), 1e-3)
        digits = data.load("mnist", "train")
        return train.fit_classifier(network, optimizer, digits, steps=2_000, batch_size=128, rng=1, every=2_000).model


@cache
def judges() -> dict[str, Any]:
    """What every run is measured with: two networks, and their distances to the validation and the test images."""
    network, second = digit_network(Accelerator().device), second_network()
    test, validation = (data.load("mnist", split).images for split in ("test", "validation"))
    return {
        "network": network,
        "validation": metrics.fid_against(validation, network),
        "test": metrics.fid_against(test, network),
        "second": metrics.fid_against(test, second),
        "held_out": few(test, SETTINGS["samples"], 0),
        "others": few(validation, SETTINGS["samples"], 0),
    }


class Best:
    """`measure` for `fit_gan`: the validation distance, and a copy of the generator where it was lowest."""

    def __init__(self):
        self.fid, self.step, self.generator = float("inf"), 0, None

    def __call__(self, step: int, averaged: nn.Module) -> dict[str, float]:
        fid = judges()["validation"](metrics.sample(averaged, SETTINGS["samples"]))
        if fid < self.fid:
            self.fid, self.step, self.generator = fid, step, copy.deepcopy(averaged)
        return {"validation_fid": round(fid, 2)}


def judged(fakes: torch.Tensor, some: torch.Tensor) -> dict[str, float]:
    """Distances, precision and recall of these fakes, and how many are nearer to `some`, the training images, than new
    real ones are. All uint8, (N, 1, 32, 32)."""
    by = judges()
    real, fake, known, others = (
        metrics.features(by["network"], x) for x in (by["held_out"], fakes, some, by["others"])
    )
    precision, recall = metrics.precision_recall(real, fake)
    return {
        "fid": round(by["test"](fakes), 2),
        "kid": round(metrics.kid(by["held_out"], fakes, by["network"])[0], 3),
        "fid_second": round(by["second"](fakes), 2),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "memorised": round(metrics.memorisation(known, fake, real), 4),
        "memorised_null": round(metrics.memorisation(known, others, real), 4),
    }


def floor(arm: str, some: torch.Tensor, seed: int) -> torch.Tensor:
    """As many images as a generator is judged by, from something that is not trained on `some`."""
    n, rng = SETTINGS["samples"], torch.Generator().manual_seed(seed)
    if arm == "copies":
        return some[torch.randint(len(some), (n,), generator=rng)]
    if arm == "real images":
        return few(data.load("mnist", "validation").images, n, seed)
    return metrics.sample(make_pair(arm, seed)[0].to(Accelerator().device), n, seed=1)


def runs() -> list[dict]:
    """One seed after the other, so that an unfinished grid has whole seeds."""
    if SETTINGS["rates"] is None:
        raise ValueError(f"results/{TRIALS}.json is missing: python -m helpers.experiments.run ch4_3_few_images_trials")
    table = []
    for seed in SEEDS:
        arms = (*FLOORS, *MAIN, *(SECONDARY if seed in SECONDARY_SEEDS else ()))
        table += [{"arm": arm, "images": n, "seed": seed} for n in reversed(SIZES) for arm in arms]
    return table


def run(arm: str, images: int, seed: int) -> dict:
    """Train one arm, or measure a floor: the test's verdict on the best checkpoint, and on the last one."""
    some = few(data.load("mnist", "train").images, images, seed)
    n = SETTINGS["samples"]
    if arm in FLOORS:
        return judged(floor(arm, some, seed), some)
    best = Best()
    result = play(arm, some, seed, SETTINGS["rates"][arm]["rates"], SETTINGS["steps"][images], best)
    last = judged(metrics.sample(result.model, n, seed=1), some)
    return judged(metrics.sample(best.generator, n, seed=1), some) | {
        "best_step": best.step,
        "last": last,
        "step": result.history["step"],
        "validation_fid": result.history["validation_fid"],
    }
