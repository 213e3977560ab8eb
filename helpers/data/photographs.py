"""Digits before photographs: the recipe of MNIST-M (Ganin et al. 2016, https://arxiv.org/abs/1505.07818)."""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import torch
from PIL import Image

from helpers.data.downloads import fetch, fetching
from helpers.data.images import Dataset, require_dataset
from helpers.data.splits import SPLITS
from helpers.runtime import data_dir

# Photographs inside scikit-image's wheel: these need no download.
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "immunohistochemistry", "rocket", "stereo_motorcycle")
# The 500 photographs of BSDS500 (Arbelaez et al. 2011), the paper's backgrounds: for research and teaching.
BSDS_URL = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz"
# Berkeley publishes no checksum. Several public projects that evaluate on BSDS500 record this one for the archive of
# 70,763,455 bytes, which is also the size in tensorpack's dataflow (bsds500.py).
BSDS_SHA256 = "97e49d31764f3912f0c4122707d53062ac9e783ba0f095e447a4d53c1a41af8e"
BSDS_PARTS = {"train": ("train", 200), "validation": ("val", 100), "test": ("test", 200)}
# Where the photographs may lie in the folder of the data sets: unpacked, or in an archive that is read as it is.
BSDS_FOLDERS = ("BSR/BSDS500/data/images", "BSDS500/data/images", "bsds500-images/images", "bsds500-images")
BSDS_ARCHIVES = ("BSR_bsds500.tgz", "bsds500-images.tar")


def before_photographs(
    digits: Dataset, split: str, seed: int = 0, photographs: list[torch.Tensor] | None = None
) -> Dataset:
    """Blend each digit into a random scrap of a photograph: ``|photograph − digit|``, channel by channel.

    A stroke inverts the colours behind it, so no threshold on brightness finds the digit.

    digits : uint8, (N, 1, 32, 32). split : "train", "validation" or "test". photographs : uint8, (H, W, 3) each, such
    as `bsds_photographs(split)`, the paper's. Left out, scikit-image's six serve, which need no download; of each the
    left 60 % serve "train", the next 20 % "validation" and the last 20 % "test", so no two splits share a pixel of
    background. Returns images of shape (N, 3, 32, 32) with the same labels.

    Raises ValueError on digits or photographs of another form, TypeError when `digits` is no data set or a photograph
    no tensor.
    """
    require_dataset(digits, "before_photographs")
    if digits.images.shape[1:] != (1, 32, 32) or digits.images.dtype != torch.uint8:
        raise ValueError(f"expected uint8 images of shape (N, 1, 32, 32), got {tuple(digits.images.shape)}")
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: choose one of {', '.join(SPLITS)}")
    photographs = _bundled_photographs(split) if photographs is None else photographs
    if len(photographs) == 0:
        raise ValueError("photographs is empty: give at least one, or leave it out for scikit-image's")
    for photograph in photographs:
        if not isinstance(photograph, torch.Tensor):
            raise TypeError(
                f"photographs must be uint8 tensors (H, W, 3), got {type(photograph).__name__}: use torch.from_numpy"
            )
        if photograph.dtype != torch.uint8:
            raise ValueError(
                f"photographs must be uint8 with values 0 to 255, got {photograph.dtype}: use "
                "data.to_uint8(photograph, span)"
            )
        if photograph.ndim != 3 or photograph.shape[2] != 3 or min(photograph.shape[:2]) < 32:
            raise ValueError(f"photographs must be (H, W, 3), at least 32×32, got {tuple(photograph.shape)}")
    n, generator = len(digits.labels), torch.Generator().manual_seed(seed)
    which, place = torch.randint(len(photographs), (n,), generator=generator), torch.rand(2, n, generator=generator)
    images, pixel = torch.empty(n, 3, 32, 32, dtype=torch.uint8), torch.arange(32)
    for i, photograph in enumerate(photographs):
        index = torch.nonzero(which == i).flatten()
        top, left = ((place[j, index] * (photograph.shape[j] - 31)).long() for j in (0, 1))
        scrap = photograph[(top[:, None] + pixel)[:, :, None], (left[:, None] + pixel)[:, None, :]].permute(0, 3, 1, 2)
        digit = digits.images[index]
        images[index] = torch.maximum(scrap, digit) - torch.minimum(scrap, digit)  # uint8 has no sign
    return Dataset(images, digits.labels, digits.classes)


def _bundled_photographs(split: str) -> list[torch.Tensor]:
    from skimage import data as photographs

    low, high = dict(zip(SPLITS, ((0.0, 0.6), (0.6, 0.8), (0.8, 1.0))))[split]
    columns = []
    for name in PHOTOGRAPHS:
        photograph = getattr(photographs, name)()
        if isinstance(photograph, tuple):  # the motorcycle comes as two views and a map of distances
            photograph = photograph[0]
        width = photograph.shape[1]
        columns.append(torch.from_numpy(photograph[:, round(low * width) : round(high * width)].copy()))
    return columns


def bsds_photographs(split: str) -> list[torch.Tensor]:
    """The photographs of BSDS500 for one split (200, 100, 200), uint8, (H, W, 3) each, in the order of their names.

    They are looked for in the folder of the data sets, unpacked or as an archive, and else fetched (71 MB) and their
    checksum verified. No archive is unpacked: its pictures are read where they lie.

    Raises ValueError when some are missing or damaged, ConnectionError when they cannot be fetched, OSError when the
    disk refuses.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: choose one of {', '.join(SPLITS)}")
    part, count = BSDS_PARTS[split]
    photographs = {}
    for name, file in _bsds_files(part):
        try:
            photographs[name] = torch.from_numpy(np.array(Image.open(file).convert("RGB")))
        except Exception as error:  # a damaged file can raise nearly anything inside its decoder
            raise ValueError(f"the photograph {name} of BSDS500 is damaged ({error}): fetch it anew") from error
    if len(photographs) != count:
        raise ValueError(
            f"BSDS500 in {data_dir()} has {len(photographs)} photographs in {part}/, the complete set has {count}: "
            "complete it, or take it away and run again"
        )
    return [photographs[name] for name in sorted(photographs)]


def _bsds_files(part: str) -> Iterator[tuple[str, Path | IO[bytes]]]:
    """Name and content of each photograph in one part of BSDS500, wherever it lies."""
    root = data_dir()
    for folder in BSDS_FOLDERS:
        if (root / folder / part).is_dir():
            yield from ((path.name, path) for path in (root / folder / part).glob("*.jpg"))
            return
    archive = next((root / name for name in BSDS_ARCHIVES if (root / name).is_file()), None)
    if archive is None:
        archive = root / BSDS_ARCHIVES[0]
        with fetching("the photographs of MNIST-M (BSDS500)", root):
            fetch(BSDS_URL, archive, BSDS_SHA256)
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                path = Path(member.name)
                if path.suffix == ".jpg" and path.parent.parts[-2:] == ("images", part):
                    if file := tar.extractfile(member):
                        yield path.name, file
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ValueError(f"the archive {archive} is damaged ({error}): delete it and run again") from error
