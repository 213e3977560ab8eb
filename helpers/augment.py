"""Augmentation by the batch: one affine map for each image, all applied at once on the device."""

import math

import torch
import torch.nn.functional as F

from helpers.data import require_images


def random_affine(
    images: torch.Tensor,
    rng: torch.Generator,
    *,
    shift: float = 2.0,
    degrees: float = 10.0,
    zoom: float = 0.1,
    flip: bool = False,
) -> torch.Tensor:
    """Move, turn and scale each image at random; the border is filled with zeros.

    images : float, (N, C, H, W). rng : on the CPU, so that a seed means the same on every
    device. shift : at most this many pixels. degrees : at most this angle. zoom : at most this
    fraction larger or smaller. flip : mirror half of the images left to right.
    Returns float, (N, C, H, W).

    Raises ValueError or TypeError when images or rng are something else, or a strength is out of its range.
    """
    _require_floats(images, rng)
    if not (0 <= shift < math.inf and 0 <= degrees < math.inf and 0 <= zoom < 1):
        raise ValueError(
            f"shift and degrees must be 0 or more, zoom 0 to below 1, got shift={shift}, degrees={degrees}, zoom={zoom}"
        )
    n, _, height, width = images.shape
    random = 2 * torch.rand(4, n, generator=rng) - 1
    angle, scale = random[0] * math.radians(degrees), 1 + random[1] * zoom
    mirror = torch.where(torch.rand(n, generator=rng) < 0.5, -1.0, 1.0) if flip else torch.ones(n)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = mirror * scale * angle.cos(), -mirror * scale * angle.sin()
    theta[:, 1, 0], theta[:, 1, 1] = scale * angle.sin(), scale * angle.cos()
    # Grid coordinates run from −1 to 1, so one pixel is 2 / width.
    theta[:, 0, 2], theta[:, 1, 2] = random[2] * 2 * shift / width, random[3] * 2 * shift / height
    grid = F.affine_grid(theta.to(images.device), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def diff_augment(images: torch.Tensor, rng: torch.Generator, *, cutout: bool = True) -> torch.Tensor:
    """DiffAugment: brightness, contrast, translation and cutout, each differentiable and drawn for each image.

    Zhao et al. 2020, https://arxiv.org/abs/2006.10738. Real and fake images pass through the same distribution of
    changes, and the generator's gradient flows through them; so the discriminator cannot memorise the few real
    images, and the generator does not learn the changes.

    images : float, (N, C, H, W), values −1 to 1. rng : on the CPU. Brightness moves by up to ±0.5, contrast is
    scaled by 0.5 to 1.5, translation is at most an eighth of the side (the border is −1, black), and cutout blacks out
    a square of half the side; with ``cutout=False`` it is left out. Returns float, (N, C, H, W); brightness and
    contrast may carry values beyond −1 to 1.

    Raises ValueError or TypeError when images or rng are something else.
    """
    _require_floats(images, rng)
    n, _, height, width = images.shape
    random = torch.rand(6, n, 1, 1, 1, generator=rng).to(images.device)
    x = images + random[0] - 0.5
    centre = x.mean((1, 2, 3), keepdim=True)
    x = (x - centre) * (random[1] + 0.5) + centre  # not clamped: a clamp would stop the gradient
    # Translation by whole pixels: rows and columns are looked up, and what lies outside is black.
    rows = torch.arange(height, device=x.device).view(1, 1, -1, 1) + (_centred(random[2]) * height / 8).round()
    columns = torch.arange(width, device=x.device).view(1, 1, 1, -1) + (_centred(random[3]) * width / 8).round()
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    x = x.gather(2, rows.long().clamp(0, height - 1).expand(x.shape))
    x = x.gather(3, columns.long().clamp(0, width - 1).expand(x.shape))
    if not cutout:
        return torch.where(inside, x, x.new_tensor(-1.0))
    top, left = (random[4] * height).floor() - height // 4, (random[5] * width).floor() - width // 4
    down = torch.arange(height, device=x.device).view(1, 1, -1, 1) - top
    right = torch.arange(width, device=x.device).view(1, 1, 1, -1) - left
    cut = (down >= 0) & (down < height // 2) & (right >= 0) & (right < width // 2)
    return torch.where(inside & ~cut, x, x.new_tensor(-1.0))


def _require_floats(images: torch.Tensor, rng: torch.Generator) -> None:
    require_images(images, dtype=torch.float32, by="an augmentation")
    if not isinstance(rng, torch.Generator):
        raise TypeError(f"rng must be a torch.Generator, got {rng!r}: use torch.Generator().manual_seed(seed)")
    if rng.device.type != "cpu":
        raise ValueError(f"rng must be on the CPU, so that a seed means the same everywhere, got one on {rng.device}")


def _centred(random: torch.Tensor) -> torch.Tensor:
    """Uniform on 0 to 1 → uniform on −1 to 1."""
    return 2 * random - 1
