"""Chapter 5.2, what makes a good source: number of images, distance, question? ``python -m helpers.experiments.run
ch5_2_sources``.

One small network learns a source for 1,000 steps, gets a new head, and is fine-tuned on ten labelled handwritten digits
a class for 200 steps. A seed decides the source's images (where more are there than needed), the labelled digits, the
initial weights and the batches; target, test images and the drawn sources are fixed. Each source has the same four
pairs of rates for head and body, and `chosen` takes the pair with the best mean accuracy on 1,000 validation digits.
"none" is the same network without a source, so with its best pair it is also training from scratch.

Nine sources have 9,000 images each (USPS 6,562), from handwritten digits to noise, so that the distance has a scale to
vary on: a linear classifier's A-distance between 1,000 images of the source and of the target, on the features of the
evaluation network. "1,000 letters" and "100 letters" vary the number, "random labels" the question: the same 1,000
letters, each with a label drawn at random.

Expected, written before any of these runs, means of five seeds with their whole 95 % interval:

1. "letters", 9,000 of them, is above "100 letters" by .03 or more, and "100 letters" differs from "none" by less than
   .03.
2. Over the nine sources the rank correlation of distance and accuracy is below −.5.
3. The nearest source, "USPS", is above "textures" by .05 or more.
4. "random labels" is below "1,000 letters" by .05 or more, and below "none".
5. All nine sources are above "none".

First looks: three seeds with 250 and 60 steps and one pair of rates, without USPS, clothes and blurred and scrambled
letters: letters .871, 100 letters .726, textures .810, random labels .651, none .727.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from statistics import mean
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from helpers import data, metrics, models
from helpers.experiments.ch5_1_privacy import learn, normalise, small_network

NAME = "5-2-sources"
DATA = "MNIST: 100 of 54,000 labelled images, 1,000 to choose the rates, 10,000 test images; sources: see the module"
SEEDS, IMAGES, PER_CLASS = range(5), 9_000, 10
RATES = ((1e-3, 3e-4), (3e-3, 1e-3), (1e-2, 3e-3), (1e-2, 1e-2))  # of head and body
SETTINGS: dict[str, Any] = {
    "source_images": IMAGES,
    "source_steps": 1_000,
    "source_rate": 2e-3,
    "labels": 10 * PER_CLASS,
    "steps": 200,
    "batch_size": 32,
    "rates": RATES,
}


def textures(n: int, seed: int) -> data.Dataset:
    """Noise, smoothed in one of ten ways: five directions, two scales; (n, 1, 32, 32)."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(10, (n,), generator=draw)
    f = torch.fft.fftfreq(32)
    fy, fx = torch.meshgrid(f, f, indexing="ij")
    filters = []
    for kind in range(10):
        angle, width = kind % 5 * math.pi / 5, (0.08, 0.16)[kind // 5]
        along = fx * math.cos(angle) + fy * math.sin(angle)
        across = fy * math.cos(angle) - fx * math.sin(angle)
        filters.append(torch.exp(-((along / width) ** 2) - (across / width * 4) ** 2))
    noise = torch.fft.fft2(torch.randn(n, 32, 32, generator=draw))
    images = torch.fft.ifft2(noise * torch.stack(filters)[labels]).real
    images = images / images.std((1, 2), keepdim=True)
    images = (255 * (0.3 * images + 0.12).clamp(0, 1)).to(torch.uint8)
    return data.Dataset(images.unsqueeze(1), labels, tuple("0123456789"))


@cache
def letters() -> data.Dataset:
    return data.typeset(data.LETTERS, IMAGES, seed=5)


def changed(change: Callable[[torch.Tensor], torch.Tensor]) -> data.Dataset:
    """The letters with their images changed."""
    return letters()._replace(images=change(letters().images).contiguous())


def blur(images: torch.Tensor) -> torch.Tensor:
    small = F.avg_pool2d(images.float(), 4)
    return F.interpolate(small, scale_factor=4.0, mode="bilinear").round().to(torch.uint8)


def scramble(images: torch.Tensor) -> torch.Tensor:
    """The pixels in another order, the same order for every image."""
    order = torch.randperm(32 * 32, generator=torch.Generator().manual_seed(0))
    return images.flatten(1)[:, order].view_as(images)


SOURCES: dict[str, Callable[[], data.Dataset]] = {
    "USPS": lambda: data.load("usps", "train"),
    "typeset digits": lambda: data.typeset(data.DIGITS, IMAGES, seed=5),
    "letters": letters,
    "blurred letters": lambda: changed(blur),
    "turned letters": lambda: changed(lambda images: images.rot90(1, (2, 3))),
    "inverted letters": lambda: changed(lambda images: 255 - images),
    "scrambled letters": lambda: changed(scramble),
    "clothes": lambda: data.load("fashion-mnist", "train"),
    "textures": lambda: textures(IMAGES, seed=5),
}
FEWER = {"1,000 letters": 1_000, "100 letters": 100, "random labels": 1_000}


def some(dataset: data.Dataset, n: int, seed: int) -> data.Dataset:
    order = torch.randperm(len(dataset.labels), generator=torch.Generator().manual_seed(seed))
    return dataset.select(order[:n])


def images_of(source: str, seed: int) -> data.Dataset:
    """What a body learns: the source's images for this seed."""
    if source in FEWER:
        part = some(letters(), FEWER[source], seed)
        if source != "random labels":
            return part
        draw = torch.Generator().manual_seed(seed)
        return part._replace(labels=torch.randint(26, part.labels.shape, generator=draw))
    return some(SOURCES[source](), IMAGES, seed)


@cache
def load(split: str) -> data.Dataset:
    """Handwritten digits: "train", "test", and 1,000 of "validation"."""
    whole = data.load("mnist", split)
    return some(whole, 1_000, 0) if split == "validation" else whole


def distance(source: data.Dataset, seed: int) -> float:
    """A-distance between 1,000 images of the source and of the target, on the evaluation network's features."""
    network = models.digit_network()
    there, here = (metrics.features(network, some(part, 1_000, seed).images) for part in (source, load("train")))
    return round(metrics.proxy_a_distance(there, here, seed), 4)


def accuracy(model: nn.Module, digits: data.Dataset) -> float:
    return round(metrics.accuracy(model, digits, normalise), 4)


def runs() -> list[dict]:
    return [{"source": source, "seed": seed} for seed in SEEDS for source in (*SOURCES, *FEWER, "none")]


def run(source: str, seed: int) -> dict:
    """Validation and test accuracy for each pair of `RATES`; the source's distance where it is one of `SOURCES`."""
    found: dict[str, Any] = {}
    torch.manual_seed(seed)
    body = small_network(26)
    if source != "none":
        images = images_of(source, seed)
        learn(body, images, (SETTINGS["source_rate"],) * 2, SETTINGS["source_steps"], seed)
        if source in SOURCES:
            found["distance"] = distance(images, seed)
    few = data.few_shot(load("train"), PER_CLASS, seed)
    weights = {name: value.clone() for name, value in body.state_dict().items() if not name.startswith("fc.")}
    found |= {"validation": [], "test": []}
    for rates in RATES:
        torch.manual_seed(seed + 100)
        model = small_network(10)
        model.load_state_dict(weights, strict=False)
        learn(model, few, rates, SETTINGS["steps"], seed)
        for part in ("validation", "test"):
            found[part].append(accuracy(model, load(part)))
    return found


def chosen(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """By source the place in `RATES` of the best mean validation accuracy, of equal ones the first."""
    best = {}
    for source in dict.fromkeys(row["source"] for row in rows):
        each = zip(*(row["validation"] for row in rows if row["source"] == source))
        scores = [mean(values) for values in each]
        best[source] = scores.index(max(scores))
    return best
