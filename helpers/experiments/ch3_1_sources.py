"""Chapter 3.1, does a quick measure choose the right source? ``python -m helpers.experiments.run ch3_1_sources``.

Nine bodies of one architecture that differ in their past are fine-tuned on handwritten digits, with 10 and 50 labels a
class and five seeds, each at a rate chosen for it (``python -m helpers.experiments.run ch3_1_sources_trials``, and
``ch3_1_sources_edge``). Three scores are taken before any fine-tuning: the nearest neighbour's label in the features,
LEEP of the old head, and the accuracy at the source. Of each the rank correlation with the accuracy after fine-tuning
decides.

Every body reads every kind of images with batch norm statistics of these images. Fine-tuning trains the head alone for
the first quarter of the steps; rates fall to zero along half a cosine; the last weights count.

Expected, written before the seeds that decide; means of seeds with their whole 95 % interval:

1. Fine-tuned with 10 labels a class, "letters" is above "random" by .02 or more; with 50 by less than .03.
2. The spread between the best and the worst body is smaller by half than that of linear probes on the frozen bodies, at
   10 labels a class.
3. The rank correlation of the neighbour score with the accuracy after fine-tuning is above .5 at 10 labels a class.
4. That of the source accuracy is below that of the neighbour score.

First looks: linear probes on the frozen bodies, of which the neighbour score has a rank correlation of .96 and the
source accuracy of .04; letters fine-tuned against scratch at 10 labels a class .047 ± .018, at 50 about .03.
"""

import copy
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn import functional as F
from torch.optim import AdamW

from helpers import data, metrics, models, train
from helpers.experiments.ch4_1_digits import SETTINGS as DIGITS
from helpers.experiments.ch4_1_digits import TRANSFORM, head_first, tune
from helpers.experiments.ch4_1_digits import load as digits
from helpers.runtime import read_results, seed_everything

NAME, TRIALS = "3-1-sources", "3-1-sources-trials"
DATA = "complete MNIST; sources: typeset letters and digits, drawn"
BODIES = {  # what it was trained on, for how many steps, and the stages that are put back to random weights
    "letters": ("letters", None, ()),
    "letters, 100 steps": ("letters", 100, ()),
    "letters, 30 steps": ("letters", 30, ()),
    "digits, 40 steps": ("digits", 40, ()),
    "ink, 20 steps": ("ink", 20, ()),
    "new stage 4": ("letters", None, (4,)),
    "new 3–4": ("letters", None, (3, 4)),
    "new 2–4": ("letters", None, (2, 3, 4)),
    "random": ("letters", 0, ()),
}
LABELS, SEEDS = (10, 50), range(5)
RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
EDGES, EDGE_TRIALS = (1e-4, 1e-1), "3-1-sources-edge"  # tried for all, when three bodies were best at an end of RATES


def chosen(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By body the rate of the highest validation accuracy, of equal ones the smallest, and if it is on the edge.

    rows : of the trials, one a body and a rate.
    """
    found = {}
    for body in BODIES:
        scores = dict(sorted((row["rate"], row["validation"]) for row in rows if row["body"] == body))
        best = max(scores, key=scores.__getitem__)
        found[body] = {"rate": best, "on the edge": best in (min(scores), max(scores))}
    return found


def read_rates() -> dict[str, dict[str, Any]] | None:
    """What the trials chose, or None where they have not been made."""
    try:
        return chosen([row for file in (TRIALS, EDGE_TRIALS) for row in read_results(file)["rows"]])
    except FileNotFoundError:
        return None


SETTINGS: dict[str, Any] = {
    "steps": {"10": 600, "50": 1_000},
    **{name: DIGITS[name] for name in ("batch_size", "head_first", "weight_decay", "records", "record_images")},
    "pretraining": {"rate": 2e-3, "weight_decay": 0.05, "images": 3_200},
    "rates": read_rates(),
}


# --- images and bodies ---------------------------------------------------------------------------


@cache
def source(name: str, split: str) -> data.Dataset:
    """Drawn images of a source; "ink" asks of a letter only whether it is white on black or black on white."""
    n, seed = (SETTINGS["pretraining"]["images"], 5) if split == "train" else (500, 6)
    drawn = data.typeset(data.DIGITS if name == "digits" else data.LETTERS, n, seed)
    if name != "ink":
        return drawn
    black = torch.randint(2, (n,), generator=torch.Generator().manual_seed(0))
    images = torch.where(black.view(-1, 1, 1, 1) == 1, 255 - drawn.images, drawn.images)
    return data.Dataset(images, black, ("white", "black"))


@cache
def make_body(name: str) -> nn.Module:
    """One of the nine, with the head of its source."""
    task, steps, renewed = BODIES[name]
    seed_everything(0)
    if steps is None:
        network = models.pretrained_resnet18(task)[0]
        for stage in renewed:
            for layer in getattr(network, f"layer{stage}").modules():
                if hasattr(layer, "reset_parameters"):
                    layer.reset_parameters()
        return network.eval()
    learned = source(task, "train")
    network = models.ResNet18(len(learned.classes))
    if steps:
        rate, decay = (SETTINGS["pretraining"][key] for key in ("rate", "weight_decay"))
        optimizer = AdamW(network.parameters(), rate, weight_decay=decay)
        train.fit_classifier(network, optimizer, learned, steps=steps, transform=TRANSFORM, label=name)
    return network.eval()


def settled(network: nn.Module, images: torch.Tensor) -> nn.Module:
    """A copy whose batch norms have the statistics of these images, uint8, (N, 1, 32, 32)."""
    return train.adapt_statistics(network, images, TRANSFORM)


# --- what is measured before ---------------------------------------------------------------------


def features_of(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """What the head would get: uint8, (N, 1, 32, 32) → float, (N, 128)."""
    body = copy.deepcopy(network)
    body.fc = nn.Identity()
    return metrics.predict(body, images, TRANSFORM)


def neighbour_score(features: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of images whose most similar other image, by cosine, has the same label. Features: (N, D)."""
    unit = F.normalize(features, dim=1)
    return (labels[(unit @ unit.T).fill_diagonal_(-2).argmax(1)] == labels).float().mean().item()


def leep(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """LEEP (Nguyen et al. 2020, https://arxiv.org/abs/2002.12462) from the old head's logits, (N, source classes)."""
    theta = logits.softmax(1)
    joint = F.one_hot(labels).float().T @ theta / len(labels)
    conditional = joint / joint.sum(0)
    return (theta @ conditional.T)[range(len(labels)), labels].log().mean().item()


def probe_accuracy(network: nn.Module, few: data.Dataset) -> float:
    """Test accuracy of a linear classifier on the frozen body's standardised features."""
    features = features_of(network, few.images)
    centre, spread = features.mean(0), features.std(0) + 1e-6
    linear = LogisticRegression(C=0.5, max_iter=1_000).fit(((features - centre) / spread).numpy(), few.labels.numpy())
    seen = (features_of(network, digits("test").images) - centre) / spread
    return float(linear.score(seen.numpy(), digits("test").labels.numpy()))


def before(name: str, few: data.Dataset) -> dict[str, float]:
    """The three scores of a body, from the few labelled images and its source, and what a probe on it reaches."""
    network, task = make_body(name), BODIES[name][0]
    at_home = settled(network, source(task, "train").images)
    here = settled(network, digits("train").images)
    return {
        "probe": probe_accuracy(here, few),
        "neighbour": neighbour_score(features_of(here, few.images), few.labels),
        "leep": leep(metrics.predict(here, few.images, TRANSFORM), few.labels),
        "source": metrics.accuracy(at_home, source(task, "test"), TRANSFORM),
    }


# --- fine-tuning ---------------------------------------------------------------------------------


def fit(name: str, few: data.Dataset, seed: int, rate: float, steps: int) -> tuple[nn.Module, dict[str, list]]:
    """The body with a new head, fine-tuned, and the curve of `ch4_1_digits.tune`.

    rate : of all weights, in the second phase. The seed decides the new head and the batches.
    """
    network = settled(make_body(name), digits("train").images)
    seed_everything(seed)
    network.fc = nn.Linear(network.fc.in_features, 10)
    return network, tune(network, head_first(network, steps, rate), few, seed, f"{name}, {len(few.labels)} labels")


def runs() -> list[dict]:
    if SETTINGS["rates"] is None:
        raise ValueError(
            f"the rates are not chosen yet, results/{TRIALS}.json or results/{EDGE_TRIALS}.json is missing: "
            "python -m helpers.experiments.run ch3_1_sources_trials, then the same of ch3_1_sources_edge"
        )
    return [{"body": body, "per_class": n, "seed": seed} for seed in SEEDS for n in LABELS for body in BODIES]


def run(body: str, per_class: int, seed: int) -> dict:
    few = data.few_shot(digits("train"), per_class, seed)
    rate = SETTINGS["rates"][body]["rate"]
    scores = {name: round(value, 4) for name, value in before(body, few).items()}
    network, curve = fit(body, few, seed, rate, SETTINGS["steps"][str(per_class)])
    accuracy = metrics.accuracy(network, digits("test"), TRANSFORM)
    return {"accuracy": round(accuracy, 4), "rate": rate, **scores, "curve": curve}
