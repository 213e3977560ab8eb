"""Letters and digits drawn from fonts: a data set that needs no file."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont

from helpers.data.images import Dataset
from helpers.runtime import require_counts

DIGITS = tuple("0123456789")
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def typeset(characters: tuple[str, ...] = LETTERS, n: int = 10_000, seed: int = 0) -> Dataset:
    """Draw `n` characters from twelve DejaVu fonts with random size, shear, rotation and place.

    Returns white-on-black images, (n, 1, 32, 32). Letters come in either case, and both cases are
    one class: at random size "O" and "o" are the same shape.

    Raises ValueError when there is nothing to draw, or a font lacks a character; TypeError when `characters` is no text
    and no tuple, or `n` no whole number.
    """
    if not isinstance(characters, Iterable):
        raise TypeError(f"characters must be a tuple of letters or digits, such as data.DIGITS, got {characters!r}")
    characters = tuple(characters)
    if not characters or any(not isinstance(one, str) or len(one) != 1 for one in characters):
        raise ValueError(f"characters must be single letters or digits, at least one, got {characters}")
    require_counts(n=n)
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
    return Dataset((torch.cat(images) * 255).round().to(torch.uint8), labels, characters)


@lru_cache(maxsize=4)
def _glyph_sheet(characters: tuple[str, ...]) -> torch.Tensor:
    """One clean drawing of each character, case and font: (classes, variants, 64, 64), 0 to 1."""
    import matplotlib
    from matplotlib.ft2font import FT2Font

    fonts = sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVuSans*.ttf"))
    fonts += sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVuSerif*.ttf"))
    fonts = [f for f in fonts if "Display" not in f.name]
    known = [FT2Font(str(font)).get_charmap() for font in fonts]
    missing = [c for c in characters if c.isspace() or any(ord(c) not in charmap for charmap in known)]
    if missing:
        # A font draws one and the same box for every character that it lacks.
        raise ValueError(f"the DejaVu fonts cannot draw {missing}: choose other characters")
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
