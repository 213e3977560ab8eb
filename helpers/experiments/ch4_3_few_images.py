"""Chapter 4.3, what a pretrained pair gives, by the number of images: ``python -m helpers.experiments.run
ch4_3_few_images`` after its trials.

Eight ways to train a generator of digits from 25, 100, 500 and 2,500 images, each to the end: 5,000 steps, 10,000 with
2,500 images, with the distance to held-out images every 500 steps. It needs the complete MNIST, the rates that
``run ch4_3_few_images_trials`` chose, and two more pretrainings of the letters (``python -m
helpers.experiments.gan_pairs letters``): the seed of a run decides its images, the new weights, the batches, and which
of three pretrainings it starts from, so that an interval holds for the source "letters" and not for one pair; "fashion"
is one pair. Arms are compared at equal steps and so at equal passes an image; numbers of images are not, and the curves
say how far each had come. The test images and the two networks that judge are fixed.

Expected, written before the seeds that decide ran; "distance" is the test distance at the checkpoint with the lowest
validation distance, "better by a tenth" a mean ratio of at most 0.9 over paired seeds whose interval stays below 1:

- with 100 images "transfer" is better than "scratch" by a seventh (ratio at most 0.86);
- with 100 images "diff-augment" is better than "scratch" by a tenth, with 2,500 it is worse;
- with 100 images "transfer + diff-augment" is better than "transfer" by a tenth;
- of the excess over copies of the training images, "transfer" keeps a smaller part of that of "scratch" with 100
  images than with 2,500;
- with 100 images no arm reaches the distance of plain copies of the training images;
- with 100 images "letters" as a source is better than "fashion" by a tenth ("transfer" against "fashion");
- with 500 images and more no arm copies: the mean over seeds of "copies" exceeds that of "copies_null" by less than
  0.025. "5 % copies" shows what the test would have found.

First looks: one seed each at 5,000 steps with other rates (100 images: scratch 164, DiffAugment 126 to 139, transfer
112, FreezeD + DiffAugment 106, transfer + DiffAugment 95; 2,500: scratch 26, transfer 19, DiffAugment 116, still
falling), and 32 trials of 2,000 steps on a smaller grid with seed 100, all of them best at their last step: scratch
and DiffAugment between 176 and 255, best at 2e-3 for both networks, worst at 2.5e-4, which was left out.

``python -m helpers.experiments.ch4_3_few_images`` draws ``results/4-3-few-images.png`` from the finished runs.
"""

import copy
import hashlib
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from PIL import Image
from torch import nn

from helpers import augment, data, metrics, train
from helpers.book.plots import tile
from helpers.experiments.ch4_3 import few
from helpers.experiments.gan_pairs import letters_pair
from helpers.models import Discriminator, Generator, digit_network, freeze_lower, pretrained_pair
from helpers.runtime import read_results, results_dir

NAME = "4-3-few-images"
DATA = "MNIST: drawn from 54,000 training images; 6,000 choose the checkpoint, the 10,000 of the test set judge it"
MAIN = ("scratch", "diff-augment", "transfer", "freeze-d", "transfer + diff-augment", "freeze-d + diff-augment")
SECONDARY = ("diff-augment without cutout", "fashion")
FLOORS = ("copies", "real images", "5 % copies", "untrained", "pretrained")  # nothing is trained here
SIZES = (25, 100, 500, 2500)
SEEDS, SECONDARY_SEEDS, PRETRAININGS = range(5), range(3), 3
TRIALS = f"{NAME}-trials"
# Of the generator and of the discriminator: equal, the discriminator's three times higher, three times lower.
CANDIDATES = (
    *((5e-4, 5e-4), (1e-3, 1e-3), (2e-3, 2e-3), (4e-3, 4e-3)),
    *((5e-4, 1.5e-3), (1e-3, 3e-3), (2e-3, 6e-3)),
    *((3e-3, 1e-3), (6e-3, 2e-3)),
)
NULLS = 5  # draws of as many images that the generator did not see
SAMPLES = Path("runs") / NAME / "samples"


def best_rates(rows: Sequence[dict]) -> dict[str, dict]:
    """By arm the rates with the lowest validation distance: {"rates": [generator's, discriminator's], "on the edge"}.

    On the edge: one of the two is the smallest or the largest that was tried. Of equal distances the first counts;
    trials that ended in infinite losses have none.
    """
    chosen: dict[str, dict] = {}
    for arm in dict.fromkeys(row["arm"] for row in rows):
        finite = [row for row in rows if row["arm"] == arm and row["validation_fid"] is not None]
        best = min(finite, key=lambda row: row["validation_fid"])
        rates = [best["lr_generator"], best["lr_discriminator"]]
        edges = [(min(tried), max(tried)) for tried in zip(*CANDIDATES)]
        chosen[arm] = {"rates": rates, "on the edge": any(rate in edge for rate, edge in zip(rates, edges))}
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
    return arm.startswith(("transfer", "freeze-d", "fashion", "pretrained"))


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


@cache
def pool() -> torch.Tensor:
    """Features of the training images that a run may draw its few from, on the CPU."""
    return metrics.features(judges()["network"], data.load("mnist", "train").images)


def copy_test(fake: torch.Tensor, real: torch.Tensor, drawn: torch.Tensor) -> dict[str, Any]:
    """Are these fakes copies? drawn : of (1 + NULLS) equal draws, the generator's own first. Features, float, (N, D).

    "copies": how many fakes are nearer to a training image than 95 % of new real images are. "copies_null": the same
    for draws that the generator did not see, which tells copies from good fakes. "nearer_seen": how many are nearer to
    the seen images than to such a draw, on average; 0.5 where nothing is copied, also for poor fakes.
    """
    seen, *unseen = drawn.chunk(1 + NULLS)
    to_seen, *to_unseen = (torch.cdist(fake, x).amin(1) for x in (seen, *unseen))
    nearer = torch.stack([(to_seen < x).float().mean() for x in to_unseen]).mean()
    return {
        "copies": round(metrics.memorisation(seen, fake, real), 4),
        "copies_null": [round(metrics.memorisation(x, fake, real), 4) for x in unseen],
        "nearer_seen": round(nearer.item(), 4),
    }


def judged(fakes: torch.Tensor, images: int, seed: int) -> dict[str, Any]:
    """Distances to the test images, precision, recall, and `copy_test`. fakes : uint8, (N, 1, 32, 32)."""
    by = judges()
    real, fake = (metrics.features(by["network"], x) for x in (by["held_out"], fakes))
    precision, recall = metrics.precision_recall(real, fake)
    return {
        "fid": round(by["test"](fakes), 2),
        "kid": round(metrics.kid(by["held_out"], fakes, by["network"])[0], 3),
        "fid_second": round(by["second"](fakes), 2),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        **copy_test(fake, real, few(pool(), (1 + NULLS) * images, seed)),  # they begin with the run's own
    }


def floor(arm: str, some: torch.Tensor, seed: int) -> torch.Tensor:
    """As many images as a generator is judged by, from something that is not trained on `some`."""
    n, rng = SETTINGS["samples"], torch.Generator().manual_seed(seed)
    copies = some[torch.randint(len(some), (n,), generator=rng)]
    new = few(data.load("mnist", "validation").images, n, seed)
    if arm in ("copies", "real images"):
        return copies if arm == "copies" else new
    if arm == "5 % copies":  # what the test of copies would find: real images, one in twenty a copy
        return torch.cat([copies[: n // 20], new[n // 20 :]])
    generator = make_pair(arm, seed)[0].to(Accelerator().device)
    if arm == "untrained":
        measure_statistics(generator)
    return metrics.sample(generator, n, seed=1)


@torch.no_grad()
def measure_statistics(generator: Generator) -> None:
    """Give the batch norms the statistics of the untrained weights: with those that they start with it draws grey."""
    for module in generator.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean of what it sees, which is one batch
    generator.train()
    generator(torch.randn(500, generator.latent).to(next(generator.parameters()).device))


def runs() -> list[dict]:
    """What matters most comes first, one seed after the other, so that an unfinished grid has whole seeds."""
    if SETTINGS["rates"] is None:
        raise ValueError(f"results/{TRIALS}.json is missing: python -m helpers.experiments.run ch4_3_few_images_trials")

    def table(arms: Sequence[str], seeds: Sequence[int]) -> list[dict]:
        return [{"arm": arm, "images": n, "seed": seed} for seed in seeds for n in reversed(SIZES) for arm in arms]

    fewer = len(SECONDARY_SEEDS)
    main = (*MAIN, *FLOORS)
    return [*table(main, SEEDS[:fewer]), *table(SECONDARY, SECONDARY_SEEDS), *table(main, SEEDS[fewer:])]


def run(arm: str, images: int, seed: int) -> dict:
    """Train one arm, or measure a floor: the test's verdict on the best checkpoint, and on the last one."""
    some = few(data.load("mnist", "train").images, images, seed)
    n = SETTINGS["samples"]
    origin = {"pair": weights_of(make_pair(arm, seed)[0])} if is_pretrained(arm) else {}
    if arm in FLOORS:
        return judged(floor(arm, some, seed), images, seed) | origin
    best = Best()
    result = play(arm, some, seed, SETTINGS["rates"][arm]["rates"], SETTINGS["steps"][images], best)
    fakes = metrics.sample(best.generator, n, seed=1)
    save_tiles(fakes[:64], SAMPLES / f"{arm}_{images}_{seed}.png")
    row = {
        "best_step": best.step,
        "last": judged(metrics.sample(result.model, n, seed=1), images, seed),
        **{key: result.history[key] for key in ("step", "validation_fid")},
    }
    return judged(fakes, images, seed) | row | origin


def weights_of(network: nn.Module) -> str:
    """A short hash of the weights: which pretraining a run started from."""
    total = hashlib.sha256()
    for value in network.state_dict().values():
        total.update(value.contiguous().numpy().tobytes())
    return total.hexdigest()[:12]


# --- the picture ---------------------------------------------------------------------------------


def save_tiles(images: torch.Tensor, path: Path) -> None:
    """64 images, uint8, (64, C, 32, 32), as one PNG of 8×8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(tile(images, 8, pad=0).squeeze(-1).numpy()).save(path)


def sheet(
    path: Path, arms: Sequence[str], sizes: Sequence[int], samples: Path, real: Callable, what: str, columns: int = 8
) -> Path:
    """One picture of the finished runs of seed 0: a block a number of images, in it a row an arm, real images first.

    The images are the first of the best checkpoint, not picked. real : ``real(n)``, the training images of that run.
    Raises FileNotFoundError where a run is not finished.
    """
    from matplotlib import pyplot

    size = (3.2 * len(sizes) + 2, 0.5 * len(arms) + 1)
    figure, axes = pyplot.subplots(len(arms) + 1, len(sizes), figsize=size, squeeze=False, layout="constrained")
    for column, n in zip(axes.T, sizes):
        column[0].set_title(f"from {n:,} {what}")
        column[0].imshow(tile(real(n)[:columns], columns, pad=0), vmin=0, vmax=255)
        for axis, arm in zip(column[1:], arms):
            with Image.open(samples / f"{arm}_{n}_0.png") as tiles:
                axis.imshow(np.asarray(tiles)[:32, : 32 * columns], vmin=0, vmax=255)
    for axis, name in zip(axes[:, 0], (f"real {what}", *arms)):
        axis.set_ylabel(name, rotation=0, ha="right", va="center")
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[], frame_on=False)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
    return path


if __name__ == "__main__":
    digits = data.load("mnist", "train").images
    arms = (*MAIN, *SECONDARY)
    print("wrote", sheet(results_dir() / f"{NAME}.png", arms, SIZES, SAMPLES, lambda n: few(digits, n, 0), "digits"))
