"""A reader's own folder of images: layouts, odd files, odd formats, and what is said about them."""

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from helpers import data
from helpers.data import SPLITS

COLOURS = {"blue": (0, 0, 250), "green": (0, 250, 0), "red": (250, 0, 0)}


@pytest.fixture(autouse=True)
def warnings_are_errors():
    """What is said unasked is a fault; a test that expects a warning uses pytest.warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def paint(root: Path, per_class: int = 10, first: int = 0, classes=tuple(COLOURS)) -> Path:
    """Images whose colour says the class and whose brightness says which image it is."""
    for name in classes:
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(first, first + per_class):
            colour = tuple(c * (100 + i) // 200 for c in COLOURS[name.lower()])
            Image.new("RGB", (12, 12), colour).save(root / name / f"{i:03}.png")
    return root


def check_colours(part):
    assert part.classes == ("blue", "green", "red")
    brightest = part.images.float().mean((2, 3)).argmax(1)  # 0 red, 1 green, 2 blue
    assert torch.equal(2 - brightest, part.labels)


def brightness(part):
    """Which images these are."""
    return sorted(part.images.amax((1, 2, 3)).tolist())


def one(folder: Path, image: Image.Image, ending: str = ".png", **options) -> Path:
    """A folder with three copies of one image, so that each split gets one; copies are warned of elsewhere."""
    (folder / "a").mkdir(parents=True, exist_ok=True)
    for i in range(3):
        image.save(folder / "a" / f"{i}{ending}", **options)
    return folder


def load_one(folder: Path, size: int = 8, **options):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*occur in the split.*")
        return data.load(folder, "train", size, **options).images[0]


# --- layouts ------------------------------------------------------------------------------------


def test_classes_alone_are_split(tmp_path):
    root = paint(tmp_path / "mine")
    parts = {split: data.load(root, split, size=16) for split in SPLITS}
    assert [len(part.labels) for part in parts.values()] == [21, 3, 6]
    seen = [
        (label, bright) for p in parts.values() for label, bright in zip(p.labels.tolist(), p.images.amax((1, 2, 3)))
    ]
    assert len(set(seen)) == 30  # no image twice
    for part in parts.values():
        assert part.images.shape[1:] == (3, 16, 16) and part.images.dtype == torch.uint8
        assert part.labels.dtype == torch.int64
        assert torch.bincount(part.labels, minlength=3).unique().numel() == 1
        check_colours(part)
    assert torch.equal(data.load(str(root), "test", size=16).images, parts["test"].images)


@pytest.mark.parametrize(
    "train, validation, test",
    [
        ("train", "val", "test"),
        ("Train", "valid", "TEST"),
        ("TRAIN", "Validation", "Testing"),
        ("training", "VAL", "test"),
    ],
)
def test_split_folders_are_known_in_any_case(tmp_path, train, validation, test):
    for name, per_class, first in ((train, 8, 0), (validation, 3, 20), (test, 4, 40)):
        paint(tmp_path / name, per_class, first)
    parts = {split: data.load(tmp_path, split) for split in SPLITS}
    assert [len(part.labels) for part in parts.values()] == [24, 9, 12]
    for part in parts.values():
        check_colours(part)
    assert max(brightness(parts["train"])) < min(brightness(parts["validation"]))
    assert max(brightness(parts["validation"])) < min(brightness(parts["test"]))


@pytest.mark.parametrize(
    "given, sizes",
    [
        (("train", "test"), (27, 3, 15)),
        (("train", "val"), (24, 15, 6)),
        (("train",), (21, 3, 6)),
    ],
)
def test_a_split_without_a_folder_is_taken_from_train(tmp_path, given, sizes):
    for name, first in zip(given, (0, 60)):
        paint(tmp_path / name, per_class=10 if name == "train" else 5, first=first)
    parts = {split: data.load(tmp_path, split) for split in SPLITS}
    assert tuple(len(part.labels) for part in parts.values()) == sizes
    for part in parts.values():
        check_colours(part)
        assert torch.bincount(part.labels).unique().numel() == 1
    bright = [b for part in parts.values() for b in brightness(part)]
    assert len(set(bright)) == len(bright) // 3  # each brightness once a class


def test_labels_follow_train_where_a_split_lacks_a_class(tmp_path):
    paint(tmp_path / "train", 6)
    paint(tmp_path / "val", 2, first=30, classes=("green", "red"))
    (tmp_path / "val" / "blue").mkdir()  # there, but empty
    paint(tmp_path / "test", 2, first=60, classes=("blue", "red"))
    with pytest.warns(UserWarning, match="'test' has no images of green") as caught:
        check_colours(data.load(tmp_path, "test"))
    assert caught[0].filename == __file__  # the line that called load
    with pytest.warns(UserWarning, match="'validation' has no images of blue"):
        check_colours(data.load(tmp_path, "validation"))
    check_colours(data.load(tmp_path, "train"))


@pytest.mark.parametrize("split", SPLITS)
def test_a_class_that_train_lacks_is_named(tmp_path, split):
    paint(tmp_path / "train", 4, classes=("blue", "green"))
    paint(tmp_path / "test", 4, first=30)
    with pytest.raises(ValueError, match=r"test has the class red, which train/ lacks \(it has blue, green\)"):
        data.load(tmp_path, split)


def test_a_class_in_another_case_is_another_class(tmp_path):
    paint(tmp_path / "train", 4)
    paint(tmp_path / "test", 4, first=30, classes=("Blue", "green", "red"))
    with pytest.raises(ValueError, match=r"class Blue, .*it has blue, green, red"):
        data.load(tmp_path)


def test_one_name_written_with_one_sign_or_two_is_one_class(tmp_path):
    for folder, name in (("train", "caf\u00e9"), ("test", "cafe\u0301")):
        (tmp_path / folder / name).mkdir(parents=True)
        for i in range(3):
            Image.new("L", (9, 9), i + (90 if folder == "test" else 0)).save(tmp_path / folder / name / f"{i}.png")
    assert data.load(tmp_path, "test").classes == ("caf\u00e9",)


@pytest.mark.parametrize(
    "folders, message",
    [
        (("train", "val", "Valid"), "Valid, val for one split, 'validation'"),
        (("Train", "train"), "Train, train for one split"),
        (("val", "test"), "test, val and no train/"),
        (("everything/train", "everything/val"), "one level deeper, in .*everything"),
        (("everything",), "one level deeper, in .*everything"),
        (("cats/train", "cats/val", "dogs/train"), "put train/, val/ and test/ above the classes"),
    ],
)
def test_layouts_that_are_misunderstood_easily_are_refused(tmp_path, folders, message):
    for i, folder in enumerate(folders):
        paint(tmp_path / folder, 3, first=10 * i)
    with pytest.raises(ValueError, match=message):
        data.load(tmp_path)


def test_classes_may_be_called_like_splits(tmp_path):
    for pair in (("test", "control"), ("train", "bus"), ("validation", "x")):
        root = tmp_path / pair[1]
        for value, name in enumerate(pair):
            (root / name).mkdir(parents=True)
            for i in range(5):
                Image.new("L", (9, 9), 100 * value + i).save(root / name / f"{i}.png")
        assert data.load(root).classes == tuple(sorted(pair))


def test_images_without_classes_are_one_class(tmp_path, monkeypatch):
    root = tmp_path / "faces"
    root.mkdir()
    for i in range(20):
        Image.new("RGB", (9, 9), (i, 0, 0)).save(root / f"{i}.png")
    parts = {split: data.load(root, split) for split in SPLITS}
    assert [len(part.labels) for part in parts.values()] == [14, 2, 4]
    assert all(part.classes == ("faces",) and part.labels.unique().tolist() == [0] for part in parts.values())
    monkeypatch.chdir(root)
    assert data.load(".").classes == ("faces",)
    assert torch.equal(data.load("../faces/").images, parts["train"].images)


def test_images_without_classes_may_be_split(tmp_path):
    for name, first in (("train", 0), ("test", 100)):
        (tmp_path / name).mkdir()
        for i in range(10):
            Image.new("RGB", (9, 9), (first + i, 0, 0)).save(tmp_path / name / f"{i}.png")
    test = data.load(tmp_path, "test")
    assert test.classes == (tmp_path.name,) and brightness(test) == list(range(100, 110))
    assert len(data.load(tmp_path, "train").labels) == 9


def test_an_unlabelled_test_folder_beside_a_labelled_one_is_refused(tmp_path):
    paint(tmp_path / "train", 3)
    (tmp_path / "test").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "test" / "1.jpg")
    with pytest.raises(ValueError, match="train and .*test only one has a sub-folder a class"):
        data.load(tmp_path)


def test_what_stands_beside_the_folders_is_named(tmp_path):
    paint(tmp_path / "a")
    Image.new("RGB", (9, 9)).save(tmp_path / "a" / "loose.png")
    (tmp_path / "a" / "README.txt").write_text("no image, and no class")
    with pytest.warns(UserWarning, match="1 images that lie beside the sub-folders: loose.png"):
        assert len(data.load(tmp_path / "a", "test").labels) == 6
    paint(tmp_path / "b" / "train"), paint(tmp_path / "b" / "unlabelled")
    with pytest.warns(UserWarning, match="left out unlabelled, which stand beside train/"):
        assert len(data.load(tmp_path / "b", "test").labels) == 6


# --- files --------------------------------------------------------------------------------------


def test_hidden_files_and_folders_are_left_out_silently(tmp_path):
    root = paint(tmp_path / "mine")
    for name in (".DS_Store", "blue/.DS_Store", "red/Thumbs.db", "red/desktop.ini", "green/._000.png", "red/Icon\r"):
        (root / name).write_bytes(b"x")
    for folder in (".ipynb_checkpoints", "__MACOSX/red", "red/.ipynb_checkpoints", "green/.thumbnails", ".git"):
        (root / folder).mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(root / folder / "x.png")
    parts = [data.load(root, split) for split in SPLITS]
    assert sum(len(part.labels) for part in parts) == 30
    for part in parts:
        check_colours(part)


def test_files_that_are_no_images_are_counted_by_their_ending(tmp_path):
    root = paint(tmp_path / "mine")
    for name in ("blue/1.heic", "red/2.HEIC", "red/3.heic", "red/labels.txt", "green/noending", "green/4.svg"):
        (root / name).write_bytes(b"x")
    with pytest.warns(UserWarning, match="left out 6 files, .*: 3 .heic, 1 ") as caught:
        check_colours(data.load(root))
    assert all(ending in str(caught[0].message) for ending in (".txt", ".svg", "no ending"))


@pytest.mark.parametrize("folder", ["", "a/"])
def test_a_folder_of_unreadable_formats_says_so(tmp_path, folder):
    (tmp_path / folder).mkdir(exist_ok=True)
    for i in range(4):
        (tmp_path / f"{folder}{i}.heic").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"4 \.heic cannot be read: convert"):
        data.load(tmp_path)


def test_an_empty_folder_says_what_belongs_there(tmp_path):
    with pytest.raises(ValueError, match="holds no images: give one sub-folder a class"):
        data.load(tmp_path)


def test_a_class_folder_without_images_is_named(tmp_path):
    root = paint(tmp_path / "mine")
    (root / "yellow").mkdir()
    with pytest.raises(ValueError, match="no images of yellow"):
        data.load(root)


def test_folders_below_a_class_belong_to_it_and_links_do_not_lead_in_circles(tmp_path):
    root = paint(tmp_path / "mine")
    paint(tmp_path / "elsewhere", 5, first=50)
    (root / "red" / "more" / "yet").mkdir(parents=True)
    os.rename(root / "red" / "000.png", root / "red" / "more" / "yet" / "000.png")
    (root / "red" / "more" / "loop").symlink_to(root / "red")
    (root / "blue" / "linked").symlink_to(tmp_path / "elsewhere" / "blue")
    parts = [data.load(root, split) for split in SPLITS]
    assert torch.bincount(torch.cat([part.labels for part in parts])).tolist() == [15, 10, 10]
    for part in parts:
        check_colours(part)


@pytest.mark.parametrize("per_class", [3, 4, 5, 6])
def test_every_split_gets_an_image_of_a_small_class(tmp_path, per_class):
    root = paint(tmp_path / "mine", per_class)
    parts = [data.load(root, split) for split in SPLITS]
    assert all(torch.bincount(part.labels, minlength=3).min() >= 1 for part in parts)
    assert sum(len(part.labels) for part in parts) == 3 * per_class


def test_one_class_too_small_for_all_splits_is_named(tmp_path):
    root = paint(tmp_path / "mine")
    for file in sorted((root / "red").iterdir())[1:]:
        file.unlink()
    check_colours(data.load(root))
    for split in ("validation", "test"):
        with pytest.warns(UserWarning, match=f"{split!r} has no images of red"):
            check_colours(data.load(root, split))
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="no examples of 'red'"):
        data.few_shot(data.load(root, "test"), 1)


def test_a_split_that_stays_empty_says_how_to_fill_it(tmp_path):
    root = paint(tmp_path / "mine", 1)
    assert len(data.load(root).labels) == 3
    with pytest.raises(ValueError, match="no images for the split 'test': .*at least three"):
        data.load(root, "test")


def test_an_empty_split_folder_is_not_filled_from_train(tmp_path):
    paint(tmp_path / "train", 6)
    (tmp_path / "val").mkdir()
    with pytest.raises(ValueError, match="no images for the split 'validation'"):
        data.load(tmp_path, "validation")


def test_copies_in_two_splits_are_named(tmp_path):
    paint(tmp_path / "train", 10)
    paint(tmp_path / "test", 3, first=50)
    (tmp_path / "test" / "red" / "copy.png").write_bytes((tmp_path / "train" / "red" / "004.png").read_bytes())
    (tmp_path / "test" / "red" / "twice.png").write_bytes((tmp_path / "test" / "red" / "050.png").read_bytes())
    with pytest.warns(
        UserWarning,
        match=r"1 files occur .*'test' and in another: train/red/004.png = test/red/copy.png"
        r"|test/red/copy.png = train/red/004.png",
    ) as caught:
        data.load(tmp_path, "test")
    assert len(caught) == 1 and "twice" not in str(caught[0].message)


@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "link"])
def test_damaged_images_are_all_named(tmp_path, kind):
    root = paint(tmp_path / "mine")
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8))
    noise.save(tmp_path / "noise.png")
    content = {"empty": b"", "text": b"this is no image", "truncated": (tmp_path / "noise.png").read_bytes()[:800]}
    damaged = [root / "green" / f"{i:03}.png" for i in range(10)]
    for file in damaged:
        file.unlink()
        file.symlink_to(tmp_path / "gone.png") if kind == "link" else file.write_bytes(content[kind])
    # Copies of one damaged file are reported as copies as well.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"cannot read 7 of 21 images: .*green/0\d\d\.png .* and 2 more.*replace"):
            data.load(root)
        with pytest.raises(ValueError, match=r"cannot read 1 of 3 images: .*green/0\d\d\.png"):
            data.load(root, "validation")


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims this size and holds nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 30_000], ids=["warned of by Pillow", "refused by Pillow"])
def test_decompression_bombs_are_named(tmp_path, side):
    root = paint(tmp_path / "mine", 3)
    for i, file in enumerate(sorted((root / "red").iterdir())):
        file.write_bytes(png_of(side + i, side))
    with pytest.raises(ValueError, match=r"red/00\d\.png \(Image size .*MAX_IMAGE_PIXELS"):
        data.load(root)


def test_paths_of_any_kind(tmp_path, monkeypatch):
    root = paint(tmp_path / "home" / "Bilder für Ünï 图像 (copy)")
    expected = data.load(root, "test").images
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(root)
    for path in (f"~/{root.name}", Path("~") / root.name, str(root) + "/", ".", Path("."), f"../{root.name}"):
        assert torch.equal(data.load(path, "test").images, expected)


def test_a_path_is_never_taken_for_a_name(tmp_path, monkeypatch):
    paint(tmp_path / "letters")
    monkeypatch.chdir(tmp_path)
    assert data.load(Path("letters"), "test").classes == tuple(COLOURS)
    assert len(data.load("letters", "test").classes) == 26


def test_a_folder_that_is_not_there_is_named_in_full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("pets", "./pets", Path("pets"), "~nobody-of-that-name/pets"):
        with pytest.raises(ValueError, match="unknown data set .*mnist-5k.*pets is none"):
            data.load(name)


@pytest.mark.parametrize("name", ["", None, 5, ["mnist-5k"]])
def test_what_is_neither_name_nor_path_is_refused(name):
    with pytest.raises(ValueError, match="by its name or the path of a folder"):
        data.load(name)


def test_an_archive_has_to_be_unpacked(tmp_path):
    (tmp_path / "pets.zip").write_bytes(b"PK")
    with pytest.raises(ValueError, match="pets.zip is a file: unpack it"):
        data.load(tmp_path / "pets.zip")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"fit": "cover"}, "unknown fit 'cover': choose one of crop, pad, stretch"),
        ({"channels": 4}, "channels must be 1 .* got 4"),
        ({"background": "whiteish"}, "unknown background 'whiteish'"),
        ({"background": (1, 2)}, r"unknown background \(1, 2\)"),
        ({"background": (0, 0, 300)}, r"unknown background \(0, 0, 300\)"),
        ({"background": None}, "unknown background None"),
        ({"size": 32.5}, "whole number .*got 32.5"),
        ({"size": "32"}, "whole number .*got '32'"),
        ({"size": 7}, "at least 8 pixels, got 7"),
    ],
)
@pytest.mark.parametrize("name", ["letters", "folder"])
def test_unknown_options_are_refused(tmp_path, name, options, message):
    with pytest.raises(ValueError, match=message):
        data.load(paint(tmp_path) if name == "folder" else name, **options)


# --- formats ------------------------------------------------------------------------------------


def quarters() -> Image.Image:
    """24×16, a different colour in each corner: every turn and every mirror shows."""
    image = Image.new("RGB", (24, 16))
    for colour, corner in (("red", (0, 0)), ("lime", (12, 0)), ("blue", (0, 8)), ("white", (12, 8))):
        image.paste(colour, (*corner, corner[0] + 12, corner[1] + 8))
    return image


STORED_AS = {  # what a camera does before it writes the orientation
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif"])
def test_images_are_turned_as_their_exif_entry_says(tmp_path, orientation, ending):
    how = STORED_AS[orientation]
    stored = quarters() if how is None else quarters().transpose(how)
    exif = Image.Exif()
    exif[0x0112] = orientation
    x = load_one(one(tmp_path, stored, ending, exif=exif), 16).float()
    corners = {(i, j): (x[:, i, j] > 128).int().tolist() for i in (2, 13) for j in (2, 13)}
    assert corners == {(2, 2): [1, 0, 0], (2, 13): [0, 1, 0], (13, 2): [0, 0, 1], (13, 13): [1, 1, 1]}


RAMP = np.linspace(0, 1, 64).reshape(8, 8)


@pytest.mark.parametrize(
    "ending, values",
    [
        (".png", (RAMP * 65535).astype(np.uint16)),
        (".tif", (RAMP * 65535).astype(np.uint16)),
        (".tif", (RAMP * 65535).astype(np.int32)),
        (".tif", (RAMP * 255).astype(np.int32)),
        (".tif", RAMP.astype(np.float32)),
        (".tif", (RAMP * 255).astype(np.float32)),
        (".pgm", (RAMP * 65535).astype(np.uint16)),
        (".png", (RAMP * 255).astype(np.uint8)),
    ],
)
def test_grey_of_any_depth_becomes_8_bits(tmp_path, ending, values):
    x = load_one(one(tmp_path, Image.fromarray(values), ending), channels=1)
    assert x.shape == (1, 8, 8) and (x[0].numpy() - RAMP * 255).__abs__().max() <= 1.01


def test_dark_16_bit_images_stay_dark(tmp_path):
    x = load_one(one(tmp_path, Image.fromarray(np.full((8, 8), 200, np.uint16))))
    assert x.max() == 1  # 200 of 65,535


def test_big_endian_16_bit_tiff(tmp_path):
    import tifffile

    (tmp_path / "a").mkdir()
    for i in range(3):
        tifffile.imwrite(tmp_path / "a" / f"{i}.tif", (RAMP * 65535).astype(">u2"), byteorder=">")
    assert np.abs(load_one(tmp_path)[0].numpy() - RAMP * 255).max() <= 1


def test_16_bit_images_are_turned_as_well(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3
    x = load_one(one(tmp_path, Image.fromarray((RAMP * 65535).astype(np.uint16)), ".png", exif=exif))
    assert x[0, 0, 0] > 250 and x[0, -1, -1] < 5


@pytest.mark.parametrize("low, high", [(-1.0, 1.0), (0.0, 4095.0), (0.0, float("nan")), (0.0, float("inf"))])
def test_floats_of_unknown_range_are_named(tmp_path, low, high):
    values = np.full((8, 8), low, np.float32)
    values[0, 0] = high
    one(tmp_path, Image.fromarray(values), ".tif")
    with pytest.raises(ValueError, match=r"\.tif .*grey values .* of unknown range"):
        load_one(tmp_path)


def transparent(mode: str) -> tuple[Image.Image, dict]:
    """Rubbish under a transparent border, a grey square (60) in the middle; and how to save it."""
    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 4), dtype=np.uint8)
    pixels[..., 3] = 0
    pixels[4:12, 4:12] = (60, 60, 60, 255)
    image = Image.fromarray(pixels)
    if mode in ("RGBA", "LA"):
        return image.convert(mode), {}
    opaque = Image.new("RGB", (16, 16), (250, 0, 250))  # one colour stands for what is transparent
    opaque.paste((60, 60, 60), (4, 4, 12, 12))
    if mode == "RGB":
        return opaque, {"transparency": (250, 0, 250)}
    paletted = opaque.convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
    return paletted, {"transparency": paletted.getpixel((0, 0))}


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
@pytest.mark.parametrize(
    "background, seen", [("white", (255, 255, 255)), ("#0a141e", (10, 20, 30)), ((9, 9, 9), (9, 9, 9))]
)
def test_transparent_images_are_laid_on_the_background(tmp_path, mode, background, seen):
    image, options = transparent(mode)
    x = load_one(one(tmp_path, image, ".png", **options), 16, background=background)
    border = torch.cat([x[:, :3].flatten(1), x[:, :, :3].flatten(1)], 1)
    assert torch.equal(border, torch.tensor(seen, dtype=torch.uint8)[:, None].expand_as(border))
    assert (x[:, 6:10, 6:10].int() - 60).abs().max() <= 1


def test_half_transparent_is_half_of_each(tmp_path):
    x = load_one(one(tmp_path, Image.new("RGBA", (9, 9), (0, 0, 0, 128))))
    assert (x.int() - 127).abs().max() <= 1
    assert load_one(tmp_path, channels=1, background="black").max() == 0


@pytest.mark.parametrize("ending", [".jpg", ".tif"])
def test_cmyk_becomes_rgb(tmp_path, ending):
    x = load_one(one(tmp_path, Image.new("CMYK", (16, 16), (255, 0, 0, 0)), ending)).float().mean((1, 2))
    assert x[0] < 10 and x[1] > 240 and x[2] > 240  # cyan


@pytest.mark.parametrize("mode", ["1", "L", "P", "YCbCr", "HSV", "RGBX"])
def test_other_modes_become_colour_and_grey(tmp_path, mode):
    image = Image.new("RGB", (9, 9), "white").convert(mode)
    ending = ".png" if mode in ("1", "L", "P") else ".tif" if mode in ("YCbCr", "RGBX") else ".png"
    one(tmp_path, image if mode != "HSV" else image.convert("RGB"), ending)
    assert load_one(tmp_path).shape == (3, 8, 8) and load_one(tmp_path).min() >= 254
    assert load_one(tmp_path, channels=1).shape == (1, 8, 8)


@pytest.mark.parametrize("ending", [".gif", ".webp", ".tif", ".png"])
def test_of_an_animation_the_first_image_counts(tmp_path, ending):
    red, blue = Image.new("RGB", (9, 9), (250, 0, 0)), Image.new("RGB", (9, 9), (0, 0, 250))
    x = load_one(one(tmp_path, red, ending, save_all=True, append_images=[blue])).float().mean((1, 2))
    assert x[0] > 220 and x[2] < 30


def test_the_content_decides_and_not_the_ending(tmp_path):
    (tmp_path / "a").mkdir()
    for i in range(3):
        Image.new("RGB", (9, 9), (7, 8, 9)).save(tmp_path / "a" / f"{i}.jpg", format="PNG")
    assert load_one(tmp_path)[:, 0, 0].tolist() == [7, 8, 9]


def test_grey_is_the_brightness_of_the_colours(tmp_path):
    for name, colour in (("r", "red"), ("g", "lime"), ("b", "blue")):
        one(tmp_path / name, Image.new("RGB", (9, 9), colour))
    grey = [int(load_one(tmp_path / name, channels=1).float().mean()) for name in "rgb"]
    assert grey == [76, 150, 29]


def test_large_jpeg_images_look_like_their_full_decoding(tmp_path):
    random = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    large = Image.fromarray(random).resize((1600, 1200), Image.Resampling.BICUBIC)
    one(tmp_path / "jpg", large, ".jpg", quality=95)
    one(tmp_path / "png", large, ".png")
    fast, full = load_one(tmp_path / "jpg", 32).float(), load_one(tmp_path / "png", 32).float()
    assert (fast - full).abs().mean() < 2 and (fast - full).abs().max() < 20


# --- how a picture becomes a square -------------------------------------------------------------


def three_thirds() -> Image.Image:
    image = Image.new("RGB", (90, 30), (255, 0, 0))
    image.paste((0, 255, 0), (30, 0, 60, 30))
    image.paste((0, 0, 255), (60, 0, 90, 30))
    return image


@pytest.mark.parametrize("turned", [False, True])
def test_crop_keeps_the_middle_and_says_so(tmp_path, turned):
    one(tmp_path, three_thirds().rotate(90, expand=True) if turned else three_thirds())
    with pytest.warns(UserWarning, match=r'1 of 1 pictures are more than twice as long.*fit="pad".*a/0.png|.*a/\d.png'):
        x = load_one(tmp_path, 30)
    assert torch.equal(x, torch.tensor([0, 255, 0], dtype=torch.uint8)[:, None, None].expand(3, 30, 30))


def test_pad_keeps_all_on_the_background(tmp_path):
    x = load_one(one(tmp_path, three_thirds()), 30, fit="pad", background=(1, 2, 3))
    for rows in (slice(0, 10), slice(20, 30)):
        assert torch.equal(x[:, rows], torch.tensor([1, 2, 3], dtype=torch.uint8)[:, None, None].expand(3, 10, 30))
    assert x[:, 15, [3, 15, 26]].T.tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    grey = load_one(tmp_path, 30, fit="pad", channels=1)
    assert grey.shape == (1, 30, 30) and (grey[:, :10] == 255).all()


def test_stretch_keeps_all_without_a_border(tmp_path):
    x = load_one(one(tmp_path, three_thirds()), 30, fit="stretch")
    assert x[:, 2, [3, 15, 26]].T.tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


@pytest.mark.parametrize("fit", data.FITS)
@pytest.mark.parametrize("form", [(1, 3000), (3000, 1), (1, 1), (31, 33)])
def test_extreme_forms_are_read(tmp_path, fit, form):
    one(tmp_path, Image.new("RGB", form, (9, 99, 199)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*twice as long.*")
        x = load_one(tmp_path, 32, fit=fit)
    assert x[:, 15, 15].tolist() == [9, 99, 199]


def test_a_ratio_of_two_is_not_warned_of(tmp_path):
    load_one(one(tmp_path, Image.new("RGB", (20, 10))))


@pytest.mark.parametrize("size", [8, 32, 64])
def test_images_of_the_size_asked_for_are_kept_to_the_last_bit(tmp_path, size):
    pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    one(tmp_path, Image.fromarray(pixels))
    for fit in data.FITS:
        assert np.array_equal(load_one(tmp_path, size, fit=fit).permute(1, 2, 0).numpy(), pixels)
