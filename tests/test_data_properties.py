"""What holds for every input: splits, few-shot subsets, ranges of values, sizes, and folders written and read back.

The inputs are drawn by hypothesis, the same ones in every run.
"""

import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers import data
from helpers.data import SPLITS, Dataset

some = settings(max_examples=60, deadline=None, derandomize=True, database=None)
few = settings(some, max_examples=20)  # where files are written

labels = st.lists(st.integers(0, 4), max_size=80).map(lambda values: torch.tensor(values, dtype=torch.int64))
seeds = st.integers(0, 2**31)
fractions = st.lists(st.integers(0, 10), min_size=1, max_size=4).filter(any).map(lambda w: tuple(x / sum(w) for x in w))
# Wide and near to 0, so that 256 values stay apart in single precision.
spans = st.tuples(st.integers(-100, 100), st.integers(1, 200)).map(lambda x: (float(x[0]), float(x[0] + x[1])))


def pixels(n: int, channels: int, height: int, width: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, channels, height, width), generator=generator, dtype=torch.uint8)


# --- splits and subsets -------------------------------------------------------------------------


@some
@given(labels, fractions, seeds, st.integers(0, 3))
def test_splits_are_disjoint_and_complete(labels, fractions, seed, least):
    parts = data.stratified_split(labels, fractions, seed, least)
    assert len(parts) == len(fractions)
    assert sorted(torch.cat(parts).tolist()) == list(range(len(labels)))
    assert all(part.tolist() == sorted(part.tolist()) for part in parts)
    again = data.stratified_split(labels, fractions, seed, least)
    assert all(torch.equal(a, b) for a, b in zip(parts, again))


@some
@given(labels, fractions, seeds)
def test_each_class_has_its_share_of_each_part(labels, fractions, seed):
    whole = torch.bincount(labels, minlength=5)
    for fraction, part in zip(fractions, data.stratified_split(labels, fractions, seed)):
        counts = torch.bincount(labels[part], minlength=5)
        assert ((counts - fraction * whole).abs() <= 1).all()


@some
@given(labels, fractions, seeds, st.integers(1, 3))
def test_least_is_what_each_class_gets_where_it_can(labels, fractions, seed, least):
    whole = torch.bincount(labels, minlength=5)
    enough = whole >= least * len(fractions)
    plain = data.stratified_split(labels, fractions, seed)
    for part, without in zip(data.stratified_split(labels, fractions, seed, least), plain):
        counts, before = (torch.bincount(labels[index], minlength=5) for index in (part, without))
        assert (counts[enough] >= least).all()
        assert torch.equal(counts[~enough], before[~enough])


@some
@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), seeds, st.data())
def test_few_shot_subsets_are_balanced_and_nested(sizes, seed, draw):
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    # Every image shows its own number, and so which example it is.
    images = torch.arange(len(labels), dtype=torch.uint8).view(-1, 1, 1, 1)
    dataset = Dataset(images, labels, tuple("abcde"[: len(sizes)]))
    large = draw.draw(st.integers(1, min(sizes)))
    small = draw.draw(st.integers(1, large))
    subsets = [data.few_shot(dataset, k, seed) for k in (small, large)]
    for k, subset in zip((small, large), subsets):
        assert torch.bincount(subset.labels).tolist() == [k] * len(sizes)
        assert torch.equal(labels[subset.images.flatten().long()], subset.labels)
        assert len(set(subset.images.flatten().tolist())) == k * len(sizes)
    assert set(subsets[0].images.flatten().tolist()) <= set(subsets[1].images.flatten().tolist())
    with pytest.raises(ValueError, match="per_class must lie between"):
        data.few_shot(dataset, min(sizes) + 1, seed)


# --- ranges and sizes ---------------------------------------------------------------------------


@some
@given(spans, seeds)
def test_uint8_survives_every_range(span, seed):
    images = pixels(2, 3, 8, 8, seed)
    floats = data.to_float(images, span)
    assert floats.dtype == torch.float32 and floats.min() >= span[0] - 1e-3 and floats.max() <= span[1] + 1e-3
    assert torch.equal(data.to_uint8(floats, span), images)


@some
@given(spans, spans, seeds)
def test_rescale_there_and_back_is_where_it_was(source, target, seed):
    images = data.to_float(pixels(1, 1, 8, 8, seed), source)
    there = data.rescale(images, source, target)
    torch.testing.assert_close(data.rescale(there, target, source), images, atol=1e-2, rtol=1e-4)
    torch.testing.assert_close(there, data.to_float(data.to_uint8(images, source), target), atol=1e-2, rtol=1e-4)


@some
@given(st.floats(-1e6, 1e6, width=32), spans)
def test_what_lies_outside_is_cut_off_and_what_lies_inside_is_rounded(value, span):
    found = int(data.to_uint8(torch.tensor([value]), span))
    exact = min(max((value - span[0]) / (span[1] - span[0]), 0), 1) * 255
    assert abs(found - exact) <= 0.51


@some
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), seeds)
def test_resize_keeps_type_and_range(height, width, size, seed):
    images = pixels(2, 1, height, width, seed)
    out = data.resize(images, size)
    assert out.shape == (2, 1, size, size) and out.dtype == torch.uint8
    assert (out.amax((1, 2, 3)) <= images.amax((1, 2, 3))).all() and (
        out.amin((1, 2, 3)) >= images.amin((1, 2, 3))
    ).all()
    mirrored = data.resize(images.flip(3), size).flip(3)
    assert (mirrored.int() - out.int()).abs().max() <= 1
    if height == width == size:
        assert torch.equal(out, images)
    # Floats take the same way: no other rule for them.
    assert (data.resize(images.float(), size) - out).abs().max() <= 0.51


@some
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=5),
    st.sampled_from([torch.uint8, torch.float32, torch.float16, torch.int64]),
    st.sampled_from([None, 1, 3, (1, 3)]),
    st.sampled_from([None, data.UNIT, data.SIGNED]),
    st.floats(-3, 3),
)
def test_images_pass_where_they_fit_and_only_there(shape, dtype, channels, span, value):
    assume(span is None or min(abs(value - bound) for bound in span) > 0.01)  # not within the slack
    images = torch.full(shape, value).to(dtype)
    allowed = {None: range(99), 1: [1], 3: [3], (1, 3): [1, 3]}[channels]
    fits = len(shape) == 4 and shape[1] in allowed
    fits = fits and (span is None or (dtype.is_floating_point and span[0] <= value <= span[1]))
    if fits:
        data.require_images(images, channels, span)
    else:
        with pytest.raises(ValueError, match="the network|the images"):
            data.require_images(images, channels, span)


# --- folders ------------------------------------------------------------------------------------


def seen(part: Dataset) -> Counter:
    return Counter((part.classes[label], image.numpy().tobytes()) for label, image in zip(part.labels, part.images))


@few
@given(
    st.lists(st.integers(3, 7), min_size=1, max_size=3),
    st.sampled_from([1, 3]),
    st.integers(8, 12),
    st.booleans(),
    seeds,
)
def test_a_folder_written_is_the_folder_read(sizes, channels, size, official, seed):
    written = {split: Counter() for split in SPLITS}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        for split, name in zip(SPLITS, ("train", "val", "test")):
            for c, n in enumerate(sizes):
                below = Path(folder, name, f"class {c}") if official else Path(folder, f"class {c}")
                below.mkdir(parents=True, exist_ok=True)
                for i, image in enumerate(pixels(n, channels, size, size, seed + 100 * c + SPLITS.index(split))):
                    array = image.permute(1, 2, 0).numpy()
                    Image.fromarray(array if channels == 3 else array[..., 0]).save(below / f"{name} {i}.png")
                    written[split][f"class {c}", image.numpy().tobytes()] += 1
        read = {split: data.load(folder, split, size, channels=channels) for split in SPLITS}
    assert all(part.classes == tuple(f"class {c}" for c in range(len(sizes))) for part in read.values())
    if official:
        assert {split: seen(part) for split, part in read.items()} == written
    assert sum((seen(part) for part in read.values()), Counter()) == sum(written.values(), Counter())
    assert all(torch.bincount(part.labels, minlength=len(sizes)).min() >= 1 for part in read.values())


@few
@given(st.integers(1, 70), st.integers(1, 70), st.integers(8, 40), st.sampled_from(data.FITS))
def test_a_picture_of_any_form_becomes_a_square_of_its_colours(width, height, size, fit):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.new("RGB", (width, height), (9, 99, 199)).save(Path(folder, "a.png"))
        image = data.load(folder, "train", size, fit=fit, background="black").images[0]
    assert image.shape == (3, size, size)
    colours = {tuple(colour) for colour in image.flatten(1).T.tolist()}
    assert (9, 99, 199) in colours and colours <= ({(9, 99, 199), (0, 0, 0)} if fit == "pad" else {(9, 99, 199)})
    if fit == "pad":
        filled = np.array(image.numpy().any(0))
        # The whole picture is there in its own proportions: one side is full, the other as long as it should be.
        inner = (int(filled.any(1).sum()), int(filled.any(0).sum()))
        expected = [max(1, round(side * size / max(width, height))) for side in (height, width)]
        assert list(inner) == expected
