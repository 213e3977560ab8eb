"""Pictures: image grids, curves with intervals, confusion matrices.

Importing this module sets the book's figure style: a white card that reads on a white and on a
dark page, and colours that colour-blind readers can tell apart (Okabe and Ito).
"""

import io

import matplotlib.pyplot as plt
import torch
from cycler import cycler
from PIL import Image

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
    """Arrange images in rows: (N, C, H, W) → (rows · (H + pad) + pad, columns · (W + pad) + pad, C), same dtype."""
    if images.ndim != 4:
        raise ValueError(f"expected images of shape (N, C, H, W), got {tuple(images.shape)}")
    n, channels, height, width = images.shape
    rows = -(-n // columns)
    sheet = torch.zeros(rows * (height + pad) + pad, columns * (width + pad) + pad, channels, dtype=images.dtype)
    for i, image in enumerate(images):
        top, left = pad + (i // columns) * (height + pad), pad + (i % columns) * (width + pad)
        sheet[top : top + height, left : left + width] = image.permute(1, 2, 0)
    return sheet


def show_images(images: torch.Tensor, title: str, columns: int = 10, ylabel: str = "", xlabel: str = "", ax=None):
    """Draw uint8 images, (N, C, H, W), as one grid and return the axes."""
    sheet = tile(images, columns).squeeze(-1)
    if ax is None:
        _, ax = plt.subplots(figsize=(columns * 0.55 + 0.4, sheet.shape[0] / sheet.shape[1] * columns * 0.55 + 0.4))
    ax.imshow(sheet.numpy(), vmin=0, vmax=255)
    ax.set(title=title, xticks=[], yticks=[], xlabel=xlabel, ylabel=ylabel)
    ax.grid(False)
    return ax


def band(ax, x, runs, label: str, colour: str, marker: str = "o"):
    """Draw the mean over seeds with its 95 % interval. runs : (seeds, points)."""
    from helpers.metrics import interval95

    mean, half = zip(*(interval95(list(point)) for point in zip(*runs)))
    ax.errorbar(x, mean, yerr=half, label=label, color=COLOURS[colour], marker=marker, capsize=3, markersize=4)
    return ax


def show_confusion(counts: torch.Tensor, classes: tuple[str, ...], title: str, ax=None):
    """Draw a confusion matrix: counts, (classes, classes), rows true, columns predicted."""
    ax = ax or plt.subplots(figsize=(4.6, 4.3))[1]
    share = counts / counts.sum(1, keepdim=True).clamp(min=1)
    ax.imshow(share.numpy(), cmap="Blues", vmin=0, vmax=1)
    for i, j in torch.nonzero(counts).tolist():
        ax.text(
            j,
            i,
            int(counts[i, j]),
            ha="center",
            va="center",
            fontsize=8,
            color="white" if share[i, j] > 0.5 else "black",
        )
    ticks = range(len(classes))
    ax.set(title=title, xlabel="predicted class", ylabel="true class", xticks=ticks, yticks=ticks)
    ax.set_xticklabels(classes, rotation=0 if max(map(len, classes)) < 3 else 60)
    ax.set_yticklabels(classes)
    ax.grid(False)
    return ax


def png(images: torch.Tensor, columns: int = 10, zoom: int = 1) -> bytes:
    """A grid of uint8 images, (N, C, H, W), as the bytes of a PNG file, each pixel `zoom` pixels wide."""
    sheet = Image.fromarray(tile(images, columns).squeeze(-1).numpy())
    out = io.BytesIO()
    sheet.resize((sheet.width * zoom, sheet.height * zoom), Image.Resampling.NEAREST).save(out, "png", optimize=True)
    return out.getvalue()
