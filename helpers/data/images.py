"""Images in memory: their form, their range of values, and what a backbone expects."""

import math
from numbers import Integral, Real
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F

Span = tuple[float, float]
# Ranges of floating-point images: classifiers take the first, generators give the second.
UNIT: Span = (0.0, 1.0)
SIGNED: Span = (-1.0, 1.0)


class Dataset(NamedTuple):
    """Images and labels in memory.

    Parameters
    ----------
    images
        uint8 tensor, (N, C, H, W), values 0 to 255.
    labels
        int64 tensor, (N,), values 0 to len(classes) - 1.
    classes
        The name of each class.
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


# --- ranges of values --------------------------------------------------------------------------


def to_float(images: torch.Tensor, span: Span = UNIT) -> torch.Tensor:
    """uint8, 0 to 255 → float32 in `span` (UNIT: 0 to 1; SIGNED: −1 to 1), same shape.

    Raises TypeError when the images are no tensor, ValueError when they are not uint8, or `span` has no width.
    """
    _require_tensor(images, "to_float")
    if images.dtype != torch.uint8:
        raise ValueError(
            f"expected uint8 images with values 0 to 255, got {images.dtype}: convert floats with "
            "data.to_uint8(images, span), or move them to another range with data.rescale"
        )
    return rescale(images.float() / 255, UNIT, span)


def to_uint8(images: torch.Tensor, span: Span = SIGNED) -> torch.Tensor:
    """Floats in `span` → uint8, 0 to 255, same shape: rounded, and what lies outside `span` is cut off.

    Raises TypeError when the images are no tensor, ValueError when they are not floats, or `span` has no width;
    FloatingPointError when they hold NaN (looked at on the CPU only).
    """
    _require_tensor(images, "to_uint8")
    _require_widths(span)
    if not images.is_floating_point():
        raise ValueError(f"expected floats in {span[0]:g} to {span[1]:g}, got {images.dtype}: this needs no conversion")
    if images.device.type == "cpu" and images.isnan().any():
        raise FloatingPointError("the images for to_uint8 hold NaN, which has no grey value: look at what made them")
    return (rescale(images.float(), span, UNIT) * 255).round().clamp(0, 255).to(torch.uint8)


def rescale(images: torch.Tensor, source: Span = UNIT, target: Span = SIGNED) -> torch.Tensor:
    """Floats in the range `source` → floats in the range `target`, same shape; nothing is cut off.

    Raises TypeError when the images are no tensor, ValueError when they are not floats, or a range has no width.
    """
    _require_tensor(images, "rescale")
    _require_widths(source, target)
    if not images.is_floating_point():
        raise ValueError(f"expected floats in {source[0]:g} to {source[1]:g}, got {images.dtype}: use data.to_float")
    if source == target:
        return images
    factor = (target[1] - target[0]) / (source[1] - source[0])
    # Multiplied before it is shifted: from UNIT to SIGNED this is 2x − 1 to the last bit.
    return images * factor + (target[0] - source[0] * factor)


def _require_tensor(images: Any, by: str) -> None:
    if not isinstance(images, torch.Tensor):
        raise TypeError(f"{by} takes a tensor of images, got {type(images).__name__}: use dataset.images")


def _require_widths(*spans: Any) -> None:
    for span in spans:
        numbers = isinstance(span, tuple | list) and len(span) == 2 and all(isinstance(x, Real) for x in span)
        if not numbers or span[0] == span[1] or not all(map(math.isfinite, span)):
            raise ValueError(
                f"a range is its two ends, finite and not the same, got {span!r}: use data.UNIT, data.SIGNED or two "
                "numbers such as (0.0, 255.0)"
            )


def require_dataset(dataset: Any, by: str) -> None:
    """A `Dataset` with one label an image, (N,); else TypeError or ValueError, which name `by`, the receiver."""
    if not isinstance(dataset, Dataset):
        raise TypeError(
            f"{by} takes a data set, got {type(dataset).__name__}: use data.load, or "
            "data.Dataset(images, labels, classes)"
        )
    _require_tensor(dataset.images, by)
    require_labels(dataset.labels)
    if len(dataset.labels) != len(dataset.images):
        raise ValueError(
            f"{by} needs one label an image, got {len(dataset.labels)} labels for {len(dataset.images)} images: select "
            "both with one index"
        )


def require_labels(labels: Any) -> None:
    """Whole numbers in a tensor, (N,); else TypeError or ValueError."""
    if not isinstance(labels, torch.Tensor):
        raise TypeError(f"expected a tensor of labels, (N,), got {type(labels).__name__}: use torch.tensor(labels)")
    if labels.ndim != 1 or labels.is_floating_point() or labels.is_complex():
        raise ValueError(
            f"expected whole-number labels of shape (N,), got {labels.dtype} {tuple(labels.shape)}: use labels.long()"
        )


def require_images(
    images: torch.Tensor,
    channels: int | tuple[int, ...] | None = None,
    span: Span | None = None,
    dtype: torch.dtype | None = None,
    size: int | None = None,
    by: str = "the network",
) -> None:
    """Refuse images of another form than `by` takes, where they enter; what is left out is not checked.

    channels : the number allowed, or several. span : floats with values in this range. dtype : torch.uint8, or
    torch.float32 for floats of any precision and range. size : height and width. by : the receiver, named in errors.

    Raises TypeError when `images` is no tensor, else ValueError; FloatingPointError when they hold NaN.
    """
    _require_tensor(images, by)
    allowed = (channels,) if isinstance(channels, int) else channels
    count = " or ".join(map(str, allowed)) if allowed else "C"
    form = f"(N, {count}, {f'{size}, {size}' if size else 'H, W'})"
    got = tuple(images.shape)
    if images.ndim != 4:
        one = ": add the first dimension with images[None]" if images.ndim == 3 else ""
        raise ValueError(f"{by} takes images of shape {form}, got {got}{one}")
    if allowed and got[1] not in allowed:
        raise ValueError(
            f"the images have {got[1]} channels, {by} takes {count} (shape {form}, got {got}): load the data with "
            f"channels={allowed[-1]}, or build the network for {got[1]}"
        )
    if size and got[2:] != (size, size):
        raise ValueError(
            f"the images have {got[2]}×{got[3]} pixels, {by} takes {size}×{size}: load the data with "
            f"size={size}, or use data.resize(images, {size}) (shape {form}, got {got})"
        )
    if dtype == torch.uint8 and images.dtype != torch.uint8:
        raise ValueError(
            f"{by} takes uint8 images with values 0 to 255, got {images.dtype}: use data.to_uint8(images, span)"
        )
    if (span or dtype == torch.float32) and not images.is_floating_point():
        wanted = "floats" if span is None else f"floats with values {span[0]:g} to {span[1]:g}"
        named = ", data.SIGNED" if span == SIGNED else ""
        raise ValueError(f"{by} takes {wanted}, got {images.dtype}: use data.to_float(images{named})")
    # Values are read on the CPU only: a GPU would have to finish all its work before they can be read.
    if span and images.device.type == "cpu" and images.numel():
        _require_span(images.detach(), span, by)


def _require_span(images: torch.Tensor, span: Span, by: str) -> None:
    low, high = (float(value) for value in images.aminmax())
    slack = 1e-3 * (span[1] - span[0])  # rounding of a resize or a rotation
    if low != low or high != high:
        raise FloatingPointError(f"the images for {by} hold NaN: look at the step that made them")
    if low < span[0] - slack or high > span[1] + slack:
        raise ValueError(
            f"{by} takes values {span[0]:g} to {span[1]:g}, got {low:.3g} to {high:.3g}: use data.to_float on uint8 "
            "images, or data.rescale(images, source, target) on floats"
        )


# --- size and backbone -------------------------------------------------------------------------


def resize(images: torch.Tensor, size: int) -> torch.Tensor:
    """Bilinear, antialiased, to size×size; uint8 stays uint8.

    images : uint8 or float, (N, C, H, W). Raises ValueError on another shape and on a size below 1,
    TypeError when the images are no tensor or the size is no whole number.
    """
    require_images(images, by="resize")
    if isinstance(size, bool) or not isinstance(size, Integral):
        raise TypeError(f"size must be a whole number of pixels, got {size!r} ({type(size).__name__})")
    if size < 1:
        raise ValueError(f"size must be at least 1 pixel, got {size}")
    if images.shape[-2:] == (size, size):
        return images
    out = F.interpolate(images.float(), size=(size, size), mode="bilinear", antialias=True, align_corners=False)
    return out.round().clamp(0, 255).to(torch.uint8) if images.dtype == torch.uint8 else out


def preprocess(images: torch.Tensor, spec: Preprocessing, span: Span | None = UNIT) -> torch.Tensor:
    """Bring images to the form that a backbone was trained on.

    images : float, (N, C, H, W), values 0 to 1; C is 1 or the backbone's own number of channels.
    span : the range that is checked (on the CPU); None where an augmentation may leave 0 to 1.
    Returns float, (N, len(spec.mean), spec.size, spec.size): grey repeated into colour where
    needed, resized, then (x − mean) / std.

    Raises ValueError on another shape, on uint8, on values outside 0 to 1 and on a standard deviation of 0;
    TypeError when `images` is no tensor or `spec` no `Preprocessing`.
    """
    _require_tensor(images, "preprocess")
    if not isinstance(spec, Preprocessing):
        raise TypeError(f"spec must be a data.Preprocessing, such as data.IMAGENET, got {spec!r}")
    channels = len(spec.mean)
    if len(spec.std) != channels or not all(0 < std < math.inf for std in spec.std):
        raise ValueError(f"spec.std must be above 0, one for each of {channels} channels, got {spec.std}: correct it")
    if images.ndim != 4 or images.shape[1] not in (1, channels):
        raise ValueError(f"expected images of shape (N, {channels}, H, W) or (N, 1, H, W), got {tuple(images.shape)}")
    require_images(images, span=span, dtype=torch.float32, by="preprocess")
    images = resize(images.expand(-1, channels, -1, -1), spec.size)
    mean = torch.tensor(spec.mean, device=images.device).view(1, -1, 1, 1)
    std = torch.tensor(spec.std, device=images.device).view(1, -1, 1, 1)
    return (images - mean) / std
