"""The reader's own folder of images: which files are read, how, and into which split they go."""

import hashlib
import os
import sys
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable
from numbers import Integral
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageColor, ImageOps, UnidentifiedImageError

from helpers.data.images import Dataset
from helpers.data.splits import SPLITS, stratified_split

FITS = ("crop", "pad", "stretch")
SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
# Formats that say what they are in their first bytes, so that a damaged file is not taken for another format.
FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
# Left by operating systems and programs; names that begin with a dot are left out as well.
IGNORED = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "__pycache__", "$recycle.bin")

Colour = str | tuple[int, int, int]
Part = tuple[list[Path], list[int]]  # files and their labels


def load_folder(root: Path, split: str, size: int, channels: int, fit: str, background: Colour) -> Dataset:
    """One split of a folder of images; `helpers.data.load` says what the arguments mean and what is raised."""
    classes, parts = _parts(root)
    files, labels = parts[split]
    if not files:
        raise ValueError(
            f"{root} has no images for the split {split!r}: put some into a folder {SPLIT_NAMES[split][0]}/ of its "
            "own, or give each class at least three, so that every split gets one"
        )
    present = set(labels)
    lacking = [name for label, name in enumerate(classes) if label not in present]
    if lacking:
        _warn(f"{root}: the split {split!r} has no images of {_some(lacking)}")
    _warn_of_copies(root, split, parts)
    images = _read_all(root, split, files, size, channels, fit, background)
    return Dataset(images, torch.tensor(labels), classes)


# --- which files, and where they go ------------------------------------------------------------


def _parts(root: Path) -> tuple[tuple[str, ...], dict[str, Part]]:
    """The classes in the order of their labels, and for each split its files and labels."""
    folders = _split_folders(root) or {"train": root}
    skipped: Counter[str] = Counter()
    found = {split: _classes(folder, root, skipped) for split, folder in folders.items()}
    _require_classes(found, folders, skipped)
    if skipped:
        _warn(f"{root}: left out {sum(skipped.values())} files, no images that can be read: {_endings(skipped)}")
    classes = tuple(sorted(found["train"]))
    parts = {}
    for split, part in found.items():
        listed = [(file, label) for label, name in enumerate(classes) for file in part.get(name, [])]
        parts[split] = [file for file, _ in listed], [label for _, label in listed]
    # A split without a folder of its own is taken from the training images.
    share = {"validation": 0.1, "test": 0.2}
    missing = [split for split in SPLITS if split not in parts]
    files, labels = parts["train"]
    fractions = (1 - sum(share[split] for split in missing), *(share[split] for split in missing))
    for split, index in zip(("train", *missing), stratified_split(torch.tensor(labels), fractions, least=1)):
        parts[split] = [files[i] for i in index.tolist()], [labels[i] for i in index.tolist()]
    return classes, parts


def _require_classes(found: dict[str, dict[str, list[Path]]], folders: dict[str, Path], skipped: Counter[str]) -> None:
    """Every class has training images, and no other split has a class of its own."""
    train = found["train"]
    unread = f" ({_endings(skipped)} cannot be read: convert them to PNG or JPEG)" if skipped else ""
    if not train:
        raise ValueError(f"{folders['train']} holds no images{unread}: give one sub-folder a class, or images alone")
    empty = [name for name, files in train.items() if not files]
    if empty:
        raise ValueError(
            f"in {folders['train']} there are no images of {_some(empty)}{unread}: each sub-folder is a class, so put "
            "images into it or take it away"
        )
    for split, part in found.items():
        if bool(_folders(folders[split])) != bool(_folders(folders["train"])) and part:
            raise ValueError(
                f"of {folders['train']} and {folders[split]} only one has a sub-folder a class: make both so"
            )
        unknown = sorted(set(part) - set(train))
        if unknown:
            raise ValueError(
                f"{folders[split]} has the class {_some(unknown)}, which {folders['train'].name}/ lacks (it has "
                f"{_some(sorted(train))}): labels follow the sub-folders of train, so name them alike"
            )


def _split_folders(root: Path) -> dict[str, Path]:
    """Folders called train, val, test and the like, by split; empty where the sub-folders are classes."""
    inside = _folders(root)
    by_split = {split: [f for f in inside if f.name.lower() in names] for split, names in SPLIT_NAMES.items()}
    for split, folders in by_split.items():
        if len(folders) > 1:
            raise ValueError(f"{root} has {_some(f.name for f in folders)} for one split, {split!r}: keep one of them")
    splits = {split: folders[0] for split, folders in by_split.items() if folders}
    others = [f for f in inside if f not in splits.values()]
    if "train" in splits and (len(splits) > 1 or _folders(splits["train"]) or not others):
        if others:
            _warn(f"{root}: left out {_some(f.name for f in others)}, which stand beside train/ and are no split")
        return splits
    if splits and not others and "train" not in splits:
        raise ValueError(f"{root} has {_some(f.name for f in inside)} and no train/: add the training images")
    for folder in inside:
        nested = [f.name for f in _folders(folder) if any(f.name.lower() in names for names in SPLIT_NAMES.values())]
        if nested or (len(inside) == 1 and _folders(folder)):
            raise ValueError(
                f"{root} has no classes of its own, these lie one level deeper, in {folder}: give that path, or put "
                "train/, val/ and test/ above the classes"
            )
    return {}


def _classes(folder: Path, root: Path, skipped: Counter[str]) -> dict[str, list[Path]]:
    """The images of each class; images without sub-folders are one class, which is called like `root`."""
    inside = _folders(folder)
    if not inside:
        files = _images(folder, skipped)
        return {root.resolve().name: files} if files else {}
    loose = sorted(f.name for f in folder.iterdir() if f.is_file() and not _hidden(f.name) and _readable(f.name))
    if loose:
        _warn(f"{folder}: left out {len(loose)} images that lie beside the sub-folders: {_some(loose)}")
    classes: dict[str, list[Path]] = {}
    for sub in inside:
        # One name may be written with "é" as one sign or as two; Macs write two.
        classes.setdefault(unicodedata.normalize("NFC", sub.name), []).extend(_images(sub, skipped))
    return classes


def _images(folder: Path, skipped: Counter[str]) -> list[Path]:
    """Images in a folder and below it, in a fixed order; `skipped` counts the endings of other files."""
    images, seen = [], set()

    def stop(error: OSError) -> None:
        raise error  # os.walk would pass over a folder that it may not open

    for path, folders, names in os.walk(folder, onerror=stop, followlinks=True):
        here = os.path.realpath(path)
        folders[:] = [] if here in seen else [f for f in folders if not _hidden(f)]  # links may lead in circles
        visible = [] if here in seen else [name for name in names if not _hidden(name)]
        images += [Path(path, name) for name in visible if _readable(name)]
        skipped.update(Path(name).suffix.lower() or "no ending" for name in visible if not _readable(name))
        seen.add(here)
    return sorted(images, key=lambda file: (str(file.parent), file.name))


def _folders(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.is_dir() and not _hidden(f.name))


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in IGNORED


def _readable(name: str) -> bool:
    Image.init()
    kind = Image.EXTENSION.get(Path(name).suffix.lower())
    return kind in FORMATS and kind in Image.OPEN


def _warn_of_copies(root: Path, split: str, parts: dict[str, Part]) -> None:
    """Warn of files in this split that another split holds as well, byte for byte."""
    mine = parts[split][0]
    # Files of different size differ, so only those are read that share their size with one of the other side.
    others = [(other, file) for other in SPLITS if other != split for file in parts[other][0] if file.is_file()]
    sizes = {file.stat().st_size for file in mine if file.is_file()} & {file.stat().st_size for _, file in others}
    known = {_digest(file): file for file in mine if file.is_file() and file.stat().st_size in sizes}
    copies = [(file, other, known.get(_digest(file))) for other, file in others if file.stat().st_size in sizes]
    named = [f"{twin.relative_to(root)} = {f.relative_to(root)} ({other})" for f, other, twin in copies if twin]
    if named:
        _warn(f"{root}: {len(named)} files occur in the split {split!r} and in another: {_some(named)}")


def _digest(file: Path) -> bytes:
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").digest()


def _warn(message: str) -> None:
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals["__name__"].startswith("helpers.data"):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)  # at the line that called `load`


def _some(names: Iterable[str], most: int = 5) -> str:
    names = list(names)
    return ", ".join(map(str, names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")


def _endings(skipped: Counter[str]) -> str:
    return ", ".join(f"{count} {ending}" for ending, count in skipped.most_common())


# --- how a file becomes a square of pixels -----------------------------------------------------


def _read_all(
    root: Path, split: str, files: list[Path], size: int, channels: int, fit: str, background: Colour
) -> torch.Tensor:
    from tqdm.auto import tqdm

    images = torch.empty(len(files), channels, size, size, dtype=torch.uint8)
    damaged, long = [], []
    for row, path in enumerate(tqdm(files, desc=f"{root.name}/{split}", leave=False)):
        try:
            image = _read_image(path, size, channels, background)
        except OSError as error:
            damaged.append(f"{path} ({error})")
            continue
        if max(image.size) > 2 * min(image.size):
            long.append(path.relative_to(root))
        pixels = np.array(_square(image, size, fit, background))
        images[row] = torch.from_numpy(pixels.reshape(size, size, channels)).permute(2, 0, 1)
    if damaged:
        raise ValueError(
            f"cannot read {len(damaged)} of {len(files)} images: {_some(damaged)}. To go on, remove or replace them"
        )
    if long and fit == "crop":
        _warn(
            f"{root}: {len(long)} of {len(files)} pictures are more than twice as long as wide, and only their middle "
            f'square is kept; fit="pad" or fit="stretch" keeps all of them: {_some(map(str, long))}'
        )
    return images


def _read_image(path: str | Path, size: int, channels: int = 3, background: Colour = "white") -> Image.Image:
    """An image file, upright, 8 bits, on a background, in colour or grey; OSError when it cannot be read.

    `size` bounds the memory: a large JPEG is decoded at a fraction of its size, never below twice `size`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=[kind for kind in FORMATS if kind in Image.OPEN]) as file:
                file.draft(file.mode, (2 * size, 2 * size))
                image = _eight_bits(ImageOps.exif_transpose(file), file.format)
            if image.has_transparency_data:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, background), image)
            return image.convert("L" if channels == 1 else "RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise OSError(f"{error} Make it smaller, or raise PIL.Image.MAX_IMAGE_PIXELS") from error
    except UnidentifiedImageError as error:
        raise OSError("its content is no image in a format that can be read") from error
    except Exception as error:  # a damaged file can raise nearly anything inside its decoder
        raise OSError(f"{type(error).__name__}: {error}") from error


def _eight_bits(image: Image.Image, file_format: str | None) -> Image.Image:
    """Grey of 16 bits, 32 bits or floating point → 8 bits, by the range that the format or the values show."""
    if not (image.mode in ("I", "F") or image.mode.startswith("I;")):
        return image
    values = np.asarray(image).astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;") or (image.mode == "I" and file_format in ("PNG", "PPM")):
        top = 65535.0  # what 16 bits mean, however dark the picture
    else:
        tops = (1.0, 255.0) if image.mode == "F" else (255.0, 65535.0)
        top = next((bound for bound in tops if low >= 0 and high <= bound), 0.0)
        if not top:
            raise ValueError(f"grey values {low:g} to {high:g} of unknown range: save it with 8 or 16 bits")
    return Image.fromarray((values * (255 / top)).round().astype(np.uint8))


def _square(image: Image.Image, size: int, fit: str, background: Colour) -> Image.Image:
    """To size×size: the middle square, the whole on a background, or the whole distorted."""
    if fit == "stretch":
        return image.resize((size, size))
    if fit == "crop":
        return ImageOps.fit(image, (size, size))
    scale = size / max(image.size)
    inner = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    canvas = Image.new("RGB", (size, size), background).convert(image.mode)
    canvas.paste(inner, ((size - inner.width) // 2, (size - inner.height) // 2))
    return canvas


def check_colour(colour: Colour) -> None:
    """Raise ValueError when `colour` is neither a name that Pillow knows, nor "#rrggbb", nor three whole numbers."""
    try:
        red, green, blue = (ImageColor.getrgb(colour) if isinstance(colour, str) else colour)[:3]
        if all(isinstance(value, Integral) and 0 <= value <= 255 for value in (red, green, blue)):
            return
    except (ValueError, TypeError):
        pass
    raise ValueError(
        f"unknown background {colour!r}: give a name such as 'white', '#rrggbb', or three whole numbers from 0 to 255"
    )
