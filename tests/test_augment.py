"""Augmentation by the batch."""

import pytest
import torch

from helpers.augment import diff_augment, random_affine

STILL = dict(shift=0.0, degrees=0.0, zoom=0.0)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def blob(n, height=33, width=49):
    """A bright spot in the centre, n times."""
    y, x = torch.meshgrid(torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2, indexing="ij")
    return torch.exp(-(x**2 + y**2) / 8).expand(n, 1, height, width).clone()


def centroid(images):
    """(N, 2): x and y of the centre of mass, in pixels from the middle."""
    _, _, height, width = images.shape
    mass = images.sum((1, 2, 3))
    x = (images.sum((1, 2)) * (torch.arange(width) - (width - 1) / 2)).sum(1) / mass
    y = (images.sum((1, 3)) * (torch.arange(height) - (height - 1) / 2)).sum(1) / mass
    return torch.stack([x, y], 1)


def test_zero_parameters_change_nothing():
    images = torch.rand(5, 3, 20, 28, generator=seeded(1))
    torch.testing.assert_close(random_affine(images, seeded(), **STILL), images, atol=1e-5, rtol=0)


def test_a_pure_shift_moves_by_up_to_that_many_pixels_in_both_directions():
    moved = centroid(random_affine(blob(400), seeded(), **STILL | {"shift": 4.0}))
    # The bound is in pixels on both axes, of an image that is not square.
    for axis in range(2):
        assert 3.8 < moved[:, axis].max() < 4.05 and -4.05 < moved[:, axis].min() < -3.8
        assert abs(moved[:, axis].mean()) < 0.5
    assert abs(torch.corrcoef(moved.T)[0, 1]) < 0.2  # the two directions are independent


def test_a_shift_by_whole_pixels_is_exact(monkeypatch):
    ones = lambda *size, **kw: torch.ones(size)  # noqa: E731 - the largest shift that can be drawn
    images = torch.rand(2, 1, 12, 16, generator=seeded(1))
    monkeypatch.setattr(torch, "rand", ones)
    out = random_affine(images, seeded(), **STILL | {"shift": 3.0})
    # Which way is up to the implementation; the border that appears is black.
    candidates = []
    for dy in (-3, 3):
        for dx in (-3, 3):
            moved = torch.zeros_like(images)
            moved[..., max(dy, 0) : 12 + min(dy, 0), max(dx, 0) : 16 + min(dx, 0)] = images[
                ..., max(-dy, 0) : 12 + min(-dy, 0), max(-dx, 0) : 16 + min(-dx, 0)
            ]
            candidates.append((out - moved).abs().max().item())
    assert min(candidates) < 1e-5


def test_zoom_changes_the_size_by_up_to_that_fraction():
    out = random_affine(blob(400), seeded(), **STILL | {"zoom": 0.2})
    area = out.sum((1, 2, 3)) / blob(1).sum()
    # A factor between 0.8 and 1.2 on each axis of the grid: an area between 1 / 1.44 and 1 / 0.64.
    assert 1 / 1.44 - 0.02 < area.min() < 0.73 and 1.45 < area.max() < 1 / 0.64 + 0.02
    assert centroid(out).abs().max() < 0.01


def test_rotation_turns_by_up_to_that_angle():
    bar = torch.zeros(400, 1, 41, 41)
    bar[..., 20, 4:37] = 1
    out = random_affine(bar, seeded(), **STILL | {"degrees": 30.0})
    pos = torch.arange(41) - 20.0
    mass = out.sum((1, 2, 3))
    y, x = torch.meshgrid(pos, pos, indexing="ij")
    xx, yy, xy = ((out[:, 0] * p).sum((1, 2)) / mass for p in (x * x, y * y, x * y))
    angle = torch.rad2deg(0.5 * torch.atan2(2 * xy, xx - yy))
    assert 27 < angle.max() < 31 and -31 < angle.min() < -27
    # Mass is kept: a rotation does not stretch.
    torch.testing.assert_close(mass, torch.full_like(mass, 33.0), atol=1.5, rtol=0)


def test_flip_mirrors_about_half_of_the_images_left_to_right():
    images = torch.rand(400, 1, 10, 14, generator=seeded(1))
    out = random_affine(images, seeded(), **STILL, flip=True)
    same = (out - images).abs().amax((1, 2, 3)) < 1e-4
    mirrored = (out - images.flip(3)).abs().amax((1, 2, 3)) < 1e-4
    assert (same ^ mirrored).all()
    assert 150 < mirrored.sum() < 250


def test_without_flip_nothing_is_mirrored():
    images = torch.rand(50, 1, 10, 14, generator=seeded(1))
    assert ((random_affine(images, seeded(), **STILL) - images).abs() < 1e-4).all()


def test_images_of_one_batch_are_moved_differently():
    out = random_affine(blob(8), seeded())
    assert len({tuple(row.flatten().tolist()) for row in out}) == 8


def test_all_channels_are_moved_together():
    images = blob(6).expand(-1, 3, -1, -1)
    out = random_affine(images, seeded())
    assert torch.equal(out[:, 0], out[:, 1]) and torch.equal(out[:, 0], out[:, 2])


def test_one_seed_gives_one_result():
    images = torch.rand(4, 1, 16, 16, generator=seeded(1))
    first = random_affine(images, seeded(5), flip=True)
    torch.manual_seed(123)  # the global generator has no say
    assert torch.equal(first, random_affine(images, seeded(5), flip=True))
    assert not torch.equal(first, random_affine(images, seeded(6), flip=True))
    generator = seeded(5)
    random_affine(images, generator, flip=True)
    assert not torch.equal(first, random_affine(images, generator, flip=True))  # the generator moves on


def test_gradients_pass_through_to_the_images():
    images = blob(3, 16, 16).requires_grad_(True)
    random_affine(images, seeded()).square().sum().backward()
    assert (images.grad.abs().sum((1, 2, 3)) > 0).all()


@pytest.mark.parametrize("shape", [(1, 16, 16), (16, 16), (2, 1, 1, 16, 16)])
def test_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"\(N, C, H, W\)"):
        random_affine(torch.zeros(shape), seeded())


# --- DiffAugment --------------------------------------------------------------------------------


def test_diff_augment_moves_cuts_and_changes_brightness():
    images = -torch.ones(300, 1, 32, 32)
    images[:, :, 8:24, 8:24] = 0.5
    out = diff_augment(images, seeded())
    assert out.shape == images.shape and out.dtype == images.dtype
    # A corner of the translated border or of the cutout is black, whatever the brightness.
    black = (out == -1).flatten(1).float().mean(1)
    assert black.min() > 0.05 and black.max() < 0.5  # at most half × half is cut out, and an eighth moves in on a side
    bright = out.amax((1, 2, 3))
    assert 0.3 < bright.max() - bright.min() < 2.5
    assert len({tuple(x.flatten()[::37].tolist()) for x in out}) == 300  # each image its own changes


def test_diff_augment_translates_by_an_eighth_at_most(monkeypatch):
    images = torch.rand(1, 2, 32, 32, generator=seeded(1)) - 0.5

    def drawn(down, right):
        # brightness, contrast, translation down and right; the cutout lies in the upper left corner
        values = torch.tensor([0.5, 0.5, down, right, 0.0, 0.0])
        return lambda *size, generator: values.view(size[0], 1, 1, 1, 1).expand(size)

    monkeypatch.setattr(torch, "rand", drawn(1.0, 1.0))
    out = diff_augment(images, seeded())
    torch.testing.assert_close(out[..., 8:28, 8:28], images[..., 12:32, 12:32])
    assert (out[..., 28:, :] == -1).all() and (out[..., :, 28:] == -1).all()
    monkeypatch.setattr(torch, "rand", drawn(0.5, 0.5))
    out = diff_augment(images, seeded())
    torch.testing.assert_close(out[..., 8:, 8:], images[..., 8:, 8:])
    assert (out[..., :8, :8] == -1).all()  # centred on the corner, a quarter of the square of 16 lies inside


def test_diff_augment_without_cutout_moves_black_in_from_the_border_only():
    out = diff_augment(torch.zeros(200, 1, 32, 32), seeded(), cutout=False)
    assert (out[..., 4:28, 4:28] > -1).all() and (out[..., :4, :] == -1).any() and (out[..., :, 28:] == -1).any()


def test_diff_augment_lets_the_gradient_through_and_follows_its_seed():
    images = (2 * torch.rand(6, 1, 32, 32, generator=seeded(1)) - 1).requires_grad_(True)
    out = diff_augment(images, seeded(2))
    (gradient,) = torch.autograd.grad(out.sum(), images)
    assert (gradient.flatten(1).abs().sum(1) > 0).all()
    assert torch.equal(out, diff_augment(images, seeded(2))) and not torch.equal(out, diff_augment(images, seeded(3)))
    with pytest.raises(ValueError, match="N, C, H, W"):
        diff_augment(torch.zeros(3, 32, 32), seeded())
