"""Pictures: image grids, curves with intervals, confusion matrices.

Importing this module sets the book's figure style: a white card that reads on a white and on a
dark page, and colours that colour-blind readers can tell apart (Okabe and Ito).
"""

import io

import matplotlib.pyplot as plt
import torch
from cycler import cycler
from PIL import Image
from sklearn.metrics import ConfusionMatrixDisplay
from torchvision.utils import make_grid

from helpers.data import require_images
from helpers.runtime import require_counts

COLOURS = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "grey": "#666666",
}

plt.rcParams.update(
    {
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "figure.dpi": 90,
        "savefig.bbox": "tight",
        "figure.figsize": (7, 3.6),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.3,
        "axes.axisbelow": True,
        "font.size": 10,
        "axes.titlesize": 11,
        "legend.frameon": False,
        "axes.prop_cycle": cycler(color=list(COLOURS.values())),
        "image.cmap": "gray",
        "image.interpolation": "nearest",
    }
)


def tile(images: torch.Tensor, columns: int = 10, pad: int = 1) -> torch.Tensor:
    """Arrange images in rows: uint8, (N, C, H, W) → uint8, (H', W', C), on the CPU, with `pad` black pixels between.

    One image stays as it is; fewer than `columns` give a shorter row.

    Raises ValueError when there is no image, or when the images are not uint8 with 1 or 3 channels; TypeError when they
    are no tensor, or `columns` is no whole number.
    """
    require_images(images, channels=(1, 3), dtype=torch.uint8, by="a picture")
    if len(images) == 0:
        raise ValueError("there is no image to draw: check what was selected")
    require_counts(columns=columns)
    if pad < 0:
        raise ValueError(f"pad must be 0 or more, got {pad}")
    sheet = make_grid(images.cpu(), nrow=columns, padding=pad)  # repeats grey as three channels
    return sheet[: images.shape[1]].permute(1, 2, 0)


def show_images(images: torch.Tensor, title: str, columns: int = 10, ylabel: str = "", xlabel: str = "", ax=None):
    """Draw uint8 images, (N, C, H, W), as one grid and return the axes.

    Raises ValueError for what `tile` refuses: floats, no images, another shape.
    """
    sheet = tile(images, columns).squeeze(-1)
    if ax is None:
        columns = min(columns, len(images))
        _, ax = plt.subplots(figsize=(columns * 0.55 + 0.4, sheet.shape[0] / sheet.shape[1] * columns * 0.55 + 0.4))
    ax.imshow(sheet.numpy(), vmin=0, vmax=255)
    ax.set(title=title, xticks=[], yticks=[], xlabel=xlabel, ylabel=ylabel)
    ax.grid(False)
    return ax


def band(ax, x, runs, label: str, colour: str, marker: str = "o"):
    """Draw the mean over seeds with its 95 % interval. runs : (seeds, points). colour : one of COLOURS.

    Raises ValueError for another colour, and for what `interval95` refuses.
    """
    from helpers.metrics import interval95

    if colour not in COLOURS:
        raise ValueError(f"unknown colour {colour!r}: choose one of {', '.join(COLOURS)}")
    mean, half = zip(*(interval95(list(point)) for point in zip(*runs)))
    ax.errorbar(x, mean, yerr=half, label=label, color=COLOURS[colour], marker=marker, capsize=3, markersize=4)
    return ax


def show_confusion(counts: torch.Tensor, classes: tuple[str, ...], title: str, ax=None):
    """Draw a confusion matrix: counts, (classes, classes), rows true, columns predicted.

    Raises ValueError when counts and classes do not fit together, TypeError when the counts are no tensor.
    """
    if not isinstance(counts, torch.Tensor):
        raise TypeError(f"counts must be a tensor, got {type(counts).__name__}: use metrics.confusion")
    if counts.shape != (len(classes), len(classes)):
        raise ValueError(
            f"counts must be ({len(classes)}, {len(classes)}) for {len(classes)} classes, got {tuple(counts.shape)}: "
            "give metrics.confusion and the classes of one data set"
        )
    ax = ax or plt.subplots(figsize=(4.6, 4.3))[1]
    share = counts / counts.sum(1, keepdim=True).clamp(min=1)
    shown = ConfusionMatrixDisplay(share.numpy(), display_labels=classes).plot(
        ax=ax,
        cmap="Blues",
        colorbar=False,
        im_kw={"vmin": 0, "vmax": 1},
        text_kw={"fontsize": 8},
        xticks_rotation="horizontal" if max(map(len, classes)) < 3 else 60,
    )
    for text, count in zip(shown.text_.flat, counts.flatten().tolist()):  # colour: the share; text: the count
        text.set_text(count or "")
    ax.set(title=title, xlabel="predicted class", ylabel="true class")
    ax.grid(False)
    return ax


def png(images: torch.Tensor, columns: int = 10, zoom: int = 1) -> bytes:
    """A grid of uint8 images, (N, C, H, W), as the bytes of a PNG file, each pixel `zoom` pixels wide.

    Raises ValueError for what `tile` refuses (floats, no images, another shape) and a zoom below 1.
    """
    require_counts(zoom=zoom)
    sheet = Image.fromarray(tile(images, columns).squeeze(-1).numpy())
    out = io.BytesIO()
    sheet.resize((sheet.width * zoom, sheet.height * zoom), Image.Resampling.NEAREST).save(out, "png", optimize=True)
    return out.getvalue()
