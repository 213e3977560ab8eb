"""Augmentation by the batch: one affine map for each image, all applied at once on the device."""

import math

import torch
import torch.nn.functional as F


def random_affine(
    images: torch.Tensor,
    generator: torch.Generator,
    *,
    shift: float = 2.0,
    degrees: float = 10.0,
    zoom: float = 0.1,
    flip: bool = False,
) -> torch.Tensor:
    """Move, turn and scale each image at random; the border is filled with zeros.

    images : float, (N, C, H, W). generator : on the CPU, so that a seed means the same on every
    device. shift : at most this many pixels. degrees : at most this angle. zoom : at most this
    fraction larger or smaller. flip : mirror half of the images left to right.
    Returns float, (N, C, H, W).
    """
    if images.ndim != 4:
        raise ValueError(f"expected images of shape (N, C, H, W), got {tuple(images.shape)}")
    n, _, height, width = images.shape
    random = 2 * torch.rand(4, n, generator=generator) - 1
    angle, scale = random[0] * math.radians(degrees), 1 + random[1] * zoom
    mirror = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0) if flip else torch.ones(n)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = mirror * scale * angle.cos(), -mirror * scale * angle.sin()
    theta[:, 1, 0], theta[:, 1, 1] = scale * angle.sin(), scale * angle.cos()
    # Grid coordinates run from −1 to 1, so one pixel is 2 / width.
    theta[:, 0, 2], theta[:, 1, 2] = random[2] * 2 * shift / width, random[3] * 2 * shift / height
    grid = F.affine_grid(theta.to(images.device), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)
