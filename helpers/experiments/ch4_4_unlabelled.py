"""Chapter 4.4, is a GAN needed to learn from images without labels? ``python -m helpers.experiments.run
ch4_4_unlabelled`` after ``run ch4_4_unlabelled_trials``.

100 labelled digits and 54,000 without labels; one network, the classifier of `ch4_4_semi`; six ways to train it. A seed
decides which images have labels, the initial weights and the batches. Rates fall linearly to zero over the second half,
and the last weights count; validation images choose the rates, in the trials, and draw the curves.

- "supervised": labels only, moved and turned at random; so are the labelled images of all arms.
- "pseudo-labels": the network labels further images itself, where it is sure, and learns these labels
  (Lee 2013, http://deeplearning.net/wp-content/uploads/2013/03/pseudo_label_final.pdf).
- "consistency": the same, but it learns them on a strongly changed view of the image (FixMatch, Sohn et al. 2020,
  https://arxiv.org/abs/2001.07685).
- "GAN": a semi-supervised GAN with the non-saturating loss (Salimans et al. 2016, https://arxiv.org/abs/1606.03498).
- "GAN, labelled only": its control, whose real images are the 100 labelled ones.
- "feature matching": the paper's loss of the generator, for `STEPS` of its own, because it is slower.

Expected, written before any of these runs; mean differences over the paired seeds, with their whole 95 % interval:

1. "GAN" is above "supervised" by .02 or more.
2. "consistency" is above "supervised" by .02 or more, and no more than .01 below "GAN": no GAN is needed.
3. "GAN, labelled only" is above "supervised" by less than .01.
4. "feature matching" is above "supervised" by .03 or more.
5. In the last third of the steps the mean validation accuracy of no arm moves by more than .01.

First looks that these rest on: the older runs of this chapter, 750 steps: fair baseline .908, control .908, feature
matching .918, GAN .955.
"""

from collections.abc import Callable, Sequence
from functools import cache
from statistics import mean
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers import augment, data, metrics, models, train
from helpers.experiments.ch4_4_semi import MATCHING, NON_SATURATING, train_semi
from helpers.loop import Run
from helpers.runtime import read_results

NAME, TRIALS = "4-4-unlabelled", "4-4-unlabelled-trials"
DATA = "MNIST: 100 labelled images, 54,000 without labels, 10,000 test images; 1,000 validation images for the curves"
WITH_GAN = ("GAN", "GAN, labelled only", "feature matching")
ARMS = ("supervised", "pseudo-labels", "consistency", *WITH_GAN)
SEEDS = range(3)
PER_CLASS, BATCH, WIDTH = 10, 32, 16
STEPS = dict.fromkeys(ARMS, 6_000) | {"feature matching": 20_000}
RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)  # of the classifier; a generator has a third of it
SURE = 0.95  # a label that the network gives itself counts from this probability on


def chosen(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By arm the rate of the highest validation accuracy, of equal ones the smallest, and if it is on the edge."""
    found = {}
    for arm in ARMS:
        scores = [mean(row["validation"] for row in rows if (row["arm"], row["rate"]) == (arm, r)) for r in RATES]
        best = RATES[scores.index(max(scores))]
        found[arm] = {"rate": best, "on the edge": best in (RATES[0], RATES[-1])}
    return found


def read_rates() -> dict[str, dict[str, Any]] | None:
    """What the trials chose, or None where they have not been made."""
    try:
        return chosen(read_results(TRIALS)["rows"])
    except FileNotFoundError:
        return None


SETTINGS: dict[str, Any] = {
    "steps": STEPS,
    "labels": 10 * PER_CLASS,
    "batch_size": BATCH,
    "width": WIDTH,
    "sure": SURE,
    "records": 12,
    "rates": read_rates(),
}


@cache
def load(split: str) -> data.Dataset:
    """A complete split; read once a process."""
    return data.load("mnist", split)


# --- the arms ------------------------------------------------------------------------------------


def affine(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Moved and turned: float, (N, 1, 32, 32), values 0 to 1 → the same, values −1 to 1."""
    return data.rescale(augment.random_affine(x, rng))


def strong(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Moved and turned further, other in brightness and contrast, and a square of half the side is black."""
    x = augment.random_affine(x, rng, shift=4, degrees=20, zoom=0.2)
    return augment.diff_augment(data.rescale(x), rng)


def own_labels_loss(classifier: nn.Module, images: torch.Tensor, view: Callable, rng: torch.Generator) -> torch.Tensor:
    """Cross-entropy with the labels that the network itself is sure of, read on a moved and turned view.

    images : without labels, float, (N, 1, 32, 32), values 0 to 1. view : what the network learns them on. A scalar;
    images of which the network is not sure count as 0.
    """
    with torch.no_grad():
        sureness, guesses = classifier(affine(images, rng)).softmax(1).max(1)
    loss = F.cross_entropy(classifier(view(images, rng)), guesses, reduction="none")
    return (loss * (sureness >= SURE)).mean()


def fit_plain(
    few: data.Dataset, unlabelled: torch.Tensor, view: Callable | None, seed: int, rate: float, steps: int, **options
) -> models.Classifier:
    """A classifier on labelled images, and with a `view` on images that it labels itself."""
    classifier = models.Classifier(len(few.classes), WIDTH)
    optimizer = torch.optim.Adam(classifier.parameters(), rate, (0.0, 0.99))
    scheduler = train.linear_decay(optimizer, steps)
    measure = options.pop("measure")
    run = Run(steps, seed, **options)
    classifier, optimizer = run.prepare(classifier, optimizer)
    images, labels, others = run.to_device(few.images, few.labels, unlabelled)
    for _ in run.each(lambda step: measure(step, classifier), model=classifier, optimizer=optimizer):
        classifier.train()
        x, y = run.batch(BATCH, images, labels)
        terms = {"loss": F.cross_entropy(classifier(affine(data.to_float(x), run.rng)), y)}
        if view:
            (u,) = run.batch(BATCH, others)
            terms["own"] = own_labels_loss(classifier, data.to_float(u), view, run.rng)
        run.descend(optimizer, scheduler, **terms)
    return classifier.eval()


def fit(arm: str, seed: int, rate: float, steps: int) -> tuple[models.Classifier, dict[str, list]]:
    """One arm; and its curve {"step": [...], "accuracy": [...]} on 1,000 validation images, which choose nothing."""
    pool, seen = load("train"), data.few_shot(load("validation"), 100)
    few = data.few_shot(pool, PER_CLASS, seed)
    curve: dict[str, list] = {"step": [], "accuracy": []}

    def measure(step: int, classifier: nn.Module) -> dict[str, float]:
        with metrics.evaluating(classifier):
            accuracy = round(metrics.accuracy(classifier, seen), 4)
        curve["step"].append(step)
        curve["accuracy"].append(accuracy)
        return {"accuracy": accuracy}

    torch.manual_seed(seed)
    options: dict[str, Any] = {"every": steps // SETTINGS["records"], "measure": measure, "label": f"{arm}, {seed}"}
    if arm in WITH_GAN:
        images = few.images if arm == "GAN, labelled only" else pool.images
        loss = MATCHING if arm == "feature matching" else NON_SATURATING
        how: dict[str, Any] = {
            "loss": loss,
            "steps": steps,
            "batch_size": BATCH,
            "width": WIDTH,
            "rates": (rate / 3, rate),
        }
        return train_semi(few, images, seed, **how, **options)[0], curve
    view = {"supervised": None, "pseudo-labels": affine, "consistency": strong}[arm]
    return fit_plain(few, pool.images, view, seed, rate, steps, **options), curve


def runs() -> list[dict]:
    if SETTINGS["rates"] is None:
        raise ValueError(
            f"the rates are not chosen yet, results/{TRIALS}.json is missing: "
            "python -m helpers.experiments.run ch4_4_unlabelled_trials"
        )
    return [{"arm": arm, "seed": seed} for seed in SEEDS for arm in ARMS]


def run(arm: str, seed: int) -> dict:
    rate = SETTINGS["rates"][arm]["rate"]
    classifier, curve = fit(arm, seed, rate, STEPS[arm])
    return {"accuracy": round(metrics.accuracy(classifier, load("test")), 4), "rate": rate, "curve": curve}
