"""Chapter 4.3, does it carry over to natural images? Horses from a colour pair that never saw one:
``python -m helpers.experiments.run ch4_3_photographs`` after its trials.

Four ways to train a generator of 32×32 photographs from 100 horses of CIFAR-10, two of them from 500 as well, 5,000
steps each, with the distance to held-out horses every 500 steps. FreezeD is left out: on the digits it did not differ
from "transfer", and a processor needs 20 minutes a run. It needs timm and the package with EfficientNet-Lite0's weights
(see `ch4_1_imagenet`), the rates that ``run ch4_3_photographs_trials`` chose, and three pretrainings on the nine other
classes (``python -m helpers.experiments.photograph_pair SEED``): the seed of a run decides its images, the new weights,
the batches, and which pretraining it starts from, so that an interval holds for the source and not for one pair. The
test horses and the network that judges are fixed.

The headline is the kernel distance (KID): on average it is 0 for two sets of real images, however few, which the
Fréchet distance beside it is not. Both are of the 320 features of EfficientNet-Lite0's last stage, averaged over its
places, input 96 pixels, divided by 3; neither can be compared with distances by Inception features. The network has
seen ImageNet, so it can judge photographs; no arm has its weights. The kernel distance is over all pairs of 1,000 real
and 1,000 generated images.

All horses come from one fixed order of the 5,000 training images: 3,000 to draw the few from, 1,000 to choose the best
checkpoint by (and the rates, in the trials), 1,000 for the floor "real images". The 1,000 test horses judge at the end.

Expected, written before the seeds that decide ran, when the floors were known (for seed 0: real images 0.00, copies of
100 and of 500 horses 0.06 and 0.01, photographs of the nine other classes 0.6, an untrained generator 2.0) and no
generator had been trained. "Distance" is the kernel distance to the test horses at the checkpoint with the lowest one
to the validation horses; "better by a fifth" is a mean ratio over the three paired seeds of at most 0.8, geometric,
whose 95 % interval of the log ratios stays below 0:

- with 100 horses "transfer" is better than "scratch" by a fifth, and "transfer + diff-augment" than "diff-augment";
- with 100 horses "transfer + diff-augment" is better than "transfer" by a fifth;
- the mean ratio of "transfer" to "scratch" is nearer to 1 with 500 horses than with 100;
- with either number no arm in any seed reaches the distance of plain copies of its training images;
- with 500 horses neither arm copies: the mean over seeds of "copies" exceeds the mean of "copies_null" by less than
  0.025. The test has the power for it: on real images of which 5 % are copies the excess was 0.05, on others 0.005.

``python -m helpers.experiments.ch4_3_photographs`` draws ``results/4-3-photographs.png`` from the finished runs.
"""

import copy
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn
from torchmetrics.image.kid import poly_mmd

from helpers import augment, data, metrics, train
from helpers.experiments import photograph_pair as source
from helpers.experiments.ch4_1_imagenet import lite0
from helpers.experiments.ch4_3 import few
from helpers.experiments.ch4_3_few_images import NULLS, copy_test, measure_statistics, save_tiles, sheet
from helpers.models import Generator
from helpers.runtime import read_results, results_dir

NAME = "4-3-photographs"
DATA = (
    f"{source.DATA}: 100 or 500 of 3,000 training horses; 1,000 others choose the checkpoint, 1,000 of the test judge"
)
ARMS = ("scratch", "transfer", "diff-augment", "transfer + diff-augment")
BOTH_SIZES = ("scratch", "transfer")
FLOORS = ("copies", "real images", "5 % copies", "untrained", "pretrained")  # nothing is trained here
SIZES, SEEDS = (100, 500), range(3)
TRIALS = f"{NAME}-trials"
# Of the generator and of the discriminator, which has three times its rate as in the rest of the book.
CANDIDATES = ((3e-5, 1e-4), (1e-4, 3e-4), (3e-4, 1e-3), (1e-3, 3e-3), (3e-3, 1e-2))
SPEC = data.Preprocessing(96, (0.5,) * 3, (0.5,) * 3)
SCALE = (
    3.0  # then the mean square of a feature is about 1, and the kernel's cube is not governed by the longest vectors
)
SAMPLES = Path("runs") / NAME / "samples"


def chosen(rows: list[dict]) -> dict[str, dict]:
    """By arm the rates with the lowest validation distance: {"rates": [generator's, discriminator's], "on the edge"}.

    On the edge: the lowest or the highest that was tried; of equal distances the first counts. Trials that ended in
    infinite losses have no distance.
    """
    best: dict[str, dict] = {}
    for arm in dict.fromkeys(row["arm"] for row in rows):
        tried = {(r["lr_generator"], r["lr_discriminator"]): r["validation_kid"] for r in rows if r["arm"] == arm}
        rates = min((pair for pair, kid in tried.items() if kid is not None), key=lambda pair: tried[pair])
        best[arm] = {"rates": list(rates), "on the edge": rates in (min(tried), max(tried))}
    return best


SETTINGS: dict[str, Any] = {
    "steps": 5_000,
    "every": 500,
    "batch_size": 32,
    "ema_decay": 0.995,
    "samples": 1_000,
    "features": "EfficientNet-Lite0, last stage, 320, averaged over places, 96 pixels, divided by 3",
    "rates": chosen(read_results(TRIALS)["rows"]) if (results_dir() / f"{TRIALS}.json").exists() else None,
}


# --- the horses and their judge ------------------------------------------------------------------


@cache
def horses() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Training horses, disjoint: 3,000 to draw from, 1,000 for validation, 1,000 others. uint8, (N, 3, 32, 32)."""
    every = source.of_target("train")
    pool, validation, others = few(every, len(every), 0).split((len(every) - 2_000, 1_000, 1_000))
    return pool, validation, others


class PhotographFeatures(nn.Module):
    """EfficientNet-Lite0's last stage, averaged over its places.

    `features`: float, (N, 3, H, W), values 0 to 1 → float, (N, 320).
    """

    def __init__(self):
        super().__init__()
        self.network = lite0(True)

    def features(self, x):
        net = self.network
        x = data.preprocess(x, SPEC)
        return net.blocks(net.bn1(net.conv_stem(x))).mean((2, 3)) / SCALE


@cache
def judge() -> nn.Module:
    return PhotographFeatures().eval().to(Accelerator().device)


def features(images: torch.Tensor) -> torch.Tensor:
    """uint8, (N, 3, 32, 32) → float, (N, 320), on the CPU."""
    return metrics.features(judge(), images, batch_size=250)


@cache
def known(name: str) -> torch.Tensor:
    """Features of what does not change: the "pool" to draw from, "validation", "test", and "source", nine classes."""
    pool, validation, _ = horses()
    if name == "source":
        return features(few(source.of_source("test"), len(validation), 0))
    return features({"pool": pool, "validation": validation, "test": source.of_target("test")}[name])


def distances(real: torch.Tensor, fake: torch.Tensor) -> dict[str, float]:
    """The kernel distance over all pairs, unbiased, and the Fréchet distance. Features, float, equally many of both.

    As `metrics.kid` with one subset of all images and `metrics.fid_against` give, but nothing is read twice.
    """
    x, y = real.double(), fake.double()
    apart = (x.mean(0) - y.mean(0)).square().sum()
    a, b = torch.cov(x.T), torch.cov(y.T)
    # The trace of a root is the sum of the eigenvalues' roots; rounding may leave small imaginary parts.
    fid = apart + a.trace() + b.trace() - 2 * torch.linalg.eigvals(a @ b).sqrt().real.sum()
    return {"kid": round(poly_mmd(x, y).item(), 4), "fid": round(fid.item(), 3)}


class Best:
    """`measure` for `fit_gan`: distances to the validation horses, and a copy of the generator where KID was lowest.

    Not before the first step: that would be the pretrained generator and no result of the training.
    """

    def __init__(self):
        self.kid, self.step, self.generator = float("inf"), 0, None

    def __call__(self, step: int, averaged: nn.Module) -> dict[str, float]:
        found = distances(known("validation"), features(metrics.sample(averaged, SETTINGS["samples"])))
        if step and found["kid"] < self.kid:
            self.kid, self.step, self.generator = found["kid"], step, copy.deepcopy(averaged)
        return {f"validation_{name}": value for name, value in found.items()}


def judged(fakes: torch.Tensor, images: int, seed: int) -> dict[str, Any]:
    """Distances to the test horses, precision, recall, `copy_test`, and the kernel distance to the nine classes.

    fakes : uint8, (N, 3, 32, 32).
    """
    real, fake = known("test"), features(fakes)
    precision, recall = metrics.precision_recall(real, fake)
    return distances(real, fake) | {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        **copy_test(fake, real, few(known("pool"), (1 + NULLS) * images, seed)),  # they begin with the run's own
        "source_kid": distances(known("source"), fake)["kid"],
    }


# --- the arms ------------------------------------------------------------------------------------


def is_pretrained(arm: str) -> bool:
    return arm.startswith(("transfer", "pretrained"))


def make_pair(arm: str, seed: int) -> tuple[Generator, nn.Module]:
    """Generator and discriminator as an arm starts with them."""
    torch.manual_seed(seed)
    if not is_pretrained(arm):
        return source.new_pair()
    return source.photograph_pair(seed % source.PRETRAININGS)


def colour_augment(images: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """DiffAugment as its paper has it for colour images: `augment.diff_augment` and, before it, the saturation.

    images : float, (N, 3, H, W), values −1 to 1. rng : on the CPU. The distance of each pixel's colour from its grey is
    scaled by 0 to 2, one factor an image. Returns float, (N, 3, H, W).
    """
    factor = 2 * torch.rand(len(images), 1, 1, 1, generator=rng).to(images.device)
    grey = images.mean(1, keepdim=True)
    return augment.diff_augment(grey + (images - grey) * factor, rng)


def play(
    arm: str, images: torch.Tensor, seed: int, rates: tuple[float, float], steps: int, measure: Best
) -> train.Result:
    """One arm on these images, uint8, (N, 3, 32, 32). rates : of the generator and of the discriminator."""
    pair = make_pair(arm, seed)
    return train.fit_gan(
        *pair,
        train.gan_optimizers(*pair, *rates),
        images,
        steps=steps,
        batch_size=SETTINGS["batch_size"],
        ema_decay=SETTINGS["ema_decay"],
        augment=colour_augment if "diff-augment" in arm else None,
        rng=seed,
        every=SETTINGS["every"],
        measure=measure,
        label=f"{arm}, {len(images)} horses, seed {seed}",
    )


def floor(arm: str, some: torch.Tensor, seed: int) -> torch.Tensor:
    """As many images as a generator is judged by, from something that is not trained on `some`."""
    n, rng = SETTINGS["samples"], torch.Generator().manual_seed(seed)
    copies = some[torch.randint(len(some), (n,), generator=rng)]
    if arm == "copies":
        return copies
    if arm == "real images":
        return horses()[2][:n]
    if arm == "5 % copies":  # what the test of copies would find: real images, one in twenty a copy
        return torch.cat([copies[: n // 20], horses()[2][n // 20 : n]])
    generator = make_pair(arm, seed)[0].to(Accelerator().device)
    if arm == "untrained":
        measure_statistics(generator)
    return metrics.sample(generator, n, seed=1)


def runs() -> list[dict]:
    """First all that 100 horses need, one seed after the other, so that an unfinished grid has whole seeds."""
    if SETTINGS["rates"] is None:
        raise ValueError(
            f"results/{TRIALS}.json is missing: python -m helpers.experiments.run ch4_3_photographs_trials first"
        )
    return [
        {"arm": arm, "images": n, "seed": seed}
        for n, arms in zip(SIZES, (ARMS, BOTH_SIZES))
        for seed in SEEDS
        for arm in (*arms, *FLOORS)
    ]


def run(arm: str, images: int, seed: int) -> dict:
    """Train one arm, or measure a floor: the test's verdict on the best checkpoint, and on the last one."""
    n, some = SETTINGS["samples"], few(horses()[0], images, seed)
    origin = {}
    if is_pretrained(arm):  # which weights they were
        origin = {"pair": hashlib.sha256(source.file_of(seed % source.PRETRAININGS).read_bytes()).hexdigest()[:12]}
    if arm in FLOORS:
        return judged(floor(arm, some, seed), images, seed) | origin
    best = Best()
    result = play(arm, some, seed, SETTINGS["rates"][arm]["rates"], SETTINGS["steps"], best)
    fakes = metrics.sample(best.generator, n, seed=1)
    save_tiles(fakes[:64], SAMPLES / f"{arm}_{images}_{seed}.png")
    row = {
        "best_step": best.step,
        "last": judged(metrics.sample(result.model, n, seed=1), images, seed),
        **{key: result.history[key] for key in ("step", "validation_kid", "validation_fid")},
    }
    return judged(fakes, images, seed) | row | origin


if __name__ == "__main__":
    pool = horses()[0]
    print("wrote", sheet(results_dir() / f"{NAME}.png", ARMS, SIZES[:1], SAMPLES, lambda n: few(pool, n, 0), "horses"))
