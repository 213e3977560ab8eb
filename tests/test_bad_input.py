"""What every public function and command answers to wrong input: a clear error, and nothing left half-written.

A row: what it covers, a call, the exception, a pattern that finds the cause and then the remedy, and the offending
value as the message shows it. Each call runs in a folder with a few files (`material`), which must be the same
afterwards, byte for byte, with no file more.
"""

import contextlib
import copy
import importlib
import inspect
import io
import json
import math
import pkgutil
import re
import shutil
import warnings
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
import torch
from PIL import Image
from torch import nn

from helpers import augment, checks, data, losses, metrics, models, runtime, train
from helpers.book import address, claims, execute, ledger, plots, widgets
from helpers.data import Dataset, downloads
from helpers.experiments import run
from helpers.loop import Objective, Run, require_counts
from helpers.metrics import Interval

NAN, INF = float("nan"), float("inf")


# --- material ------------------------------------------------------------------------------------


def f(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def u(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def rng():
    return torch.Generator().manual_seed(0)


def digits(n=8, size=32, channels=1, **changed):
    """Labels 0 to 3, in turn."""
    return Dataset(u(n, channels, size, size), torch.arange(n) % 4, tuple("abcd"))._replace(**changed)


class Net(nn.Module):
    """Body and head, as the adaptation wants it; six features."""

    def __init__(self, classes=4):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(1024, 6), nn.BatchNorm1d(6))
        self.head = nn.Linear(6, classes)

    def features(self, x):
        return self.body(x)

    def forward(self, x):
        return self.head(self.features(x))


def linear(outputs=4, inputs=1024):
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, outputs))


def broken(network):
    """The same with a NaN among its weights."""
    with torch.no_grad():
        next(network.parameters()).flatten()[0] = NAN
    return network


def sgd(*networks):
    return torch.optim.SGD([p for network in networks for p in network.parameters()], 0.1)


def step(optimizer):
    return torch.optim.lr_scheduler.StepLR(optimizer, 1)


def fit(model=None, optimizer=None, dataset=None, validation=None, **options):
    model = model if model is not None else linear()
    optimizer = optimizer if optimizer is not None else sgd(model)
    options = {"steps": 2, "batch_size": 4, "every": 1} | options
    return train.fit_classifier(model, optimizer, digits() if dataset is None else dataset, validation, **options)


def gan(generator=None, discriminator=None, optimizers=None, images=None, **options):
    generator = models.Generator(4, 2) if generator is None else generator
    discriminator = models.Discriminator(2) if discriminator is None else discriminator
    optimizers = (sgd(generator), sgd(discriminator)) if optimizers is None else optimizers
    images = u(8, 1, 32, 32) if images is None else images
    return train.fit_gan(generator, discriminator, optimizers, images, **({"steps": 2, "batch_size": 4} | options))


def gap(source, target, progress):
    return (source.mean(0) - target.mean(0)).square().sum()


def adapt(model=None, optimizer=None, source=None, target=None, align=gap, **options):
    model = Net() if model is None else model
    optimizer = sgd(model) if optimizer is None else optimizer
    source, target = digits() if source is None else source, u(8, 1, 32, 32) if target is None else target
    return train.fit_adapted(model, optimizer, source, target, align, **({"steps": 2, "batch_size": 4} | options))


def adda(source_model=None, target_model=None, judge=None, optimizers=None, source=None, target=None, **options):
    source_model = Net() if source_model is None else source_model
    target_model = copy.deepcopy(source_model) if target_model is None else target_model
    judge = models.DomainDiscriminator(6, 4) if judge is None else judge
    optimizers = (sgd(getattr(target_model, "body", judge)), sgd(judge)) if optimizers is None else optimizers
    source, target = u(8, 1, 32, 32) if source is None else source, u(8, 1, 32, 32) if target is None else target
    options = {"steps": 2, "batch_size": 4} | options
    return train.fit_adda(source_model, target_model, judge, optimizers, source, target, **options)


def loop(**options):
    return Run(**({"steps": 2, "every": 1} | options))


def looped(measure=None, loss=None, **options):
    """One training by hand, of one weight."""
    weight, run = nn.Parameter(torch.ones(1)), loop(**options)
    optimizer = torch.optim.SGD([weight], 0.1)
    for _ in run.each(measure, optimizer=optimizer):
        run.descend(optimizer, loss=(weight**2).sum() if loss is None else loss(weight))


def frozen(network):
    return network.requires_grad_(False)


class Refused(Exception):
    """A command ended with a message and a code that is not 0."""


def command(main, *arguments):
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = main(list(arguments))
        except SystemExit as error:
            code = error.code
    if code:
        raise Refused(f"exit {code}: {said.getvalue()}")


def experiment(**parts):
    """A module like an experiment's."""
    whole = {"NAME": "mine", "DATA": "noise", "SETTINGS": {}, "run": lambda seed: {"x": 1}}
    module = ModuleType("helpers.losses")
    vars(module).update(whole | {"runs": lambda: [{"seed": 0}]} | parts)
    return module


FINISHED = {"settings": {"steps": 3}, "code": {"mine": "0123"}, "seconds": 1.0, "row": {"seed": 0, "x": 1}}
CLAIM = {"kind": "finding", "name": "1.1-a", "sentence": "It is", "decides": "1.1.1", "measured": "1", "half": None}


def claim(**changed):
    return ledger.Claim(CLAIM | changed, Path("book/a.ipynb"), "Heading")


def table(**changed):
    return {"1.1.1": {"id": "1.1.1", "text": "It is.", "verdict": "holds"} | changed}


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("material")
    with contextlib.chdir(folder):
        for name in ("folder", "empty", "images/a", "images/b", "odd/a", "sums", "book", "runs", "untitled"):
            Path(name).mkdir(parents=True)
        Path("file").write_text("no folder")
        runtime.save_weights(linear(), "w.safetensors")
        runtime.save_state("s.safetensors", {"x": torch.ones(2)})
        shutil.copy("w.safetensors", "sums/w.safetensors")
        Path("sums/checksums.json").write_text("{")
        whole = Path("s.safetensors").read_bytes()
        Path("short.safetensors").write_bytes(whole[: len(whole) // 2])
        Path("foreign.safetensors").write_text("PK: this is a zip file\n" * 9)
        Path("results.json").write_text("{'x': 1}")
        Path("runs/mine").mkdir()
        Path("runs/mine/0.json").write_text(json.dumps(FINISHED))
        Path("run.json").write_text(json.dumps(FINISHED | {"row": {"seed": 7}}))
        for path in ("images/a/1.png", "images/b/1.png"):
            Image.new("L", (8, 8), len(path)).save(path)
        Path("odd/a/1.png").write_bytes(b"no picture")
        Path("_toc.yml").write_text("root: book/a\n")
        Path("_config.yml").write_text("repository:\n  url: https://github.com/someone/book\n")
        Path("book/a.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook(metadata={"claims": [CLAIM]})))
        Path("untitled/_toc.yml").write_text("root: book/missing\n")
        Path("untitled/_config.yml").write_text("repository:\n  url: https://example.org/book\n")
        Path("broken.ipynb").write_text("{")
        Path("list.ipynb").write_text("[]")
        Path("cells.ipynb").write_text('{"nbformat": 4, "nbformat_minor": 5}')
        Path("bad.ipynb").write_text(
            nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]))
        )
    return folder


def bytes_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def fid():
    return metrics.fid_against(u(4, 1, 32, 32), models.DigitNetwork())


def same_network():
    net = Net()
    return adda(net, net)


def quietly(function, *arguments):
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*arguments)


def here(main):
    """The command with the working folder as root of the book."""
    return lambda arguments: main(arguments, Path())


def finished():
    """A finished run of other settings and other code."""
    mine = experiment(SETTINGS={"steps": 4})
    return run.finished(mine, "mine", run.files_of(mine))


# --- the rows ------------------------------------------------------------------------------------

V, T, F = ValueError, TypeError, FloatingPointError
# fmt: off
ROWS = [
    # --- data
    ("data.load", lambda: data.load("mnist5k"), V, "unknown data set.*choose one of mnist-5k", "'mnist5k'"),
    ("data.load", lambda: data.load("mnist-5k", "dev"), V, "unknown split.*choose one of train", "'dev'"),
    ("data.load", lambda: data.load("mnist-5k", size=7), V, "size must be.*at least 8", "7"),
    ("data.load", lambda: data.load("mnist-5k", size="32"), V, "size must be a whole number", "'32'"),
    ("data.load", lambda: data.load("mnist-5k", channels=2), V, r"channels must be 1 \(grey\), 3", "2"),
    ("data.load", lambda: data.load("images", fit="squash"), V, "unknown fit.*choose one of crop", "'squash'"),
    ("data.load", lambda: data.load("images", background="blurple"), V, "unknown background.*give a name", "blurple"),
    ("data.load", lambda: data.load(5), V, "given by its name or the path of a folder", "5"),
    ("data.load", lambda: data.load("file"), V, "is a file: unpack it", "file"),
    ("data.load", lambda: data.load("empty"), V, "holds no images.*give one sub-folder a class", "empty"),
    ("data.load", lambda: data.load("odd"), V, "cannot read 1 of 1 images.*remove or replace", "1.png"),
    ("data.load", lambda: data.load("images", "test"), V, "no images for the split.*put some into", "'test'"),
    ("data.load_folder", lambda: data.load(Path("file/inside")), V, "unknown data set.*path of a folder", "inside"),
    ("data.load_named", lambda: data.load("mnist", "all"), V, "unknown split.*choose", "'all'"),
    ("data.fetching", lambda: downloads.fetching("it", Path("file/inside")).__enter__(), OSError,
     "cannot write to.*set BOOK_DATA", "file/inside"),
    ("data.check_colour", lambda: data.folders.check_colour((0, 0, 256)), V, "unknown background.*0 to 255", "256"),
    ("data.check_colour", lambda: data.folders.check_colour((0.5, 1, 2)), V,
     "unknown background.*three whole numbers", "0.5"),
    ("data.require_dataset", lambda: data.images.require_dataset(u(2, 1, 8, 8), "it"), T,
     "it takes a data set.*use data.load", "Tensor"),
    ("data.require_dataset", lambda: data.images.require_dataset(digits(labels=torch.arange(3)), "it"), V,
     "one label an image.*select both", "3 labels for 8"),
    ("data.require_labels", lambda: data.images.require_labels([0, 1]), T, "tensor of labels.*torch.tensor", "list"),
    ("data.require_labels", lambda: data.images.require_labels(torch.zeros(2, 2).long()), V,
     "whole-number labels of shape", "(2, 2)"),
    ("data.Dataset", lambda: fit(dataset=digits().images), T, "takes a data set.*use data.load", "Tensor"),
    ("data.Preprocessing", lambda: data.preprocess(f(2, 2, 8, 8), data.IMAGENET), V,
     r"shape \(N, 3, H, W\)", "2, 2, 8"),
    ("data.preprocess", lambda: data.preprocess(u(2, 3, 8, 8), data.IMAGENET), V, "floats.*use data.to_float", "uint8"),
    ("data.preprocess", lambda: data.preprocess(255 * f(2, 3, 8, 8), data.IMAGENET), V,
     "takes values 0 to 1.*to_float", "255"),
    ("data.preprocess", lambda: data.preprocess(f(2, 3, 8, 8) * NAN, data.IMAGENET), F, "hold NaN: look at", "NaN"),
    ("data.preprocess", lambda: data.preprocess([1], data.IMAGENET), T, "takes a tensor.*use dataset.images", "list"),
    ("data.preprocess", lambda: data.preprocess(f(2, 3, 8, 8), "imagenet"), T,
     "must be a data.Preprocessing.*data.IMAGENET", "'imagenet'"),
    ("data.Preprocessing", lambda: data.preprocess(f(2, 3, 8, 8), data.IMAGENET._replace(std=(0.2, 0.0, 0.2))), V,
     "std must be above 0.*correct", "0.0"),
    ("data.Preprocessing", lambda: data.preprocess(f(2, 3, 8, 8), data.IMAGENET._replace(std=(0.2, 0.2))), V,
     "std must be above 0, one for each of 3.*correct", "(0.2, 0.2)"),
    ("data.require_images", lambda: data.require_images([1], by="x"), T, "takes a tensor.*use dataset.images", "list"),
    ("data.require_images", lambda: data.require_images(f(1, 8, 8)), V,
     r"shape \(N, C, H, W\).*images\[None\]", "(1, 8, 8)"),
    ("data.require_images", lambda: data.require_images(f(1, 2, 8, 8), (1, 3)), V,
     "channels.*load the data", "2 channels"),
    ("data.require_images", lambda: data.require_images(f(1, 1, 8, 9), size=8), V, "pixels.*size=8", "8×9"),
    ("data.to_float", lambda: data.to_float(f(1, 1, 8, 8)), V, "uint8.*convert floats with", "float32"),
    ("data.to_float", lambda: data.to_float([[0]]), T, "takes a tensor.*use dataset.images", "list"),
    ("data.to_float", lambda: data.to_float(digits()), T, "takes a tensor.*use dataset.images", "Dataset"),
    ("data.to_float", lambda: data.to_float(u(1, 1, 8, 8), 255), V, "its two ends.*use data.UNIT", "255"),
    ("data.to_uint8", lambda: data.to_uint8("images"), T, "takes a tensor.*use dataset.images", "str"),
    ("data.to_uint8", lambda: data.to_uint8(torch.tensor([0.5, NAN])), F, "NaN, which has no grey value: look", "NaN"),
    ("data.to_uint8", lambda: data.to_uint8(f(2), (1.0, 1.0)), V, "not the same.*use data.UNIT", "(1.0, 1.0)"),
    ("data.rescale", lambda: data.rescale(0.5), T, "takes a tensor.*use dataset.images", "float"),
    ("data.rescale", lambda: data.rescale(f(2), (0.0, 0.0)), V, "not the same.*use data.UNIT", "(0.0, 0.0)"),
    ("data.rescale", lambda: data.rescale(f(2), target=(0, NAN)), V, "finite and not the same.*use", "nan"),
    ("data.to_uint8", lambda: data.to_uint8(u(1, 1, 8, 8)), V, "expected floats.*needs no conversion", "uint8"),
    ("data.rescale", lambda: data.rescale(u(1, 1, 8, 8)), V, "expected floats.*use data.to_float", "uint8"),
    ("data.resize", lambda: data.resize(f(1, 1, 8, 8), 0), V, "size must be at least 1", "0"),
    ("data.resize", lambda: data.resize(f(1, 1, 8, 8), 4.5), T, "size must be a whole number of pixels", "4.5"),
    ("data.resize", lambda: data.resize(f(1, 1, 8, 8), "4"), T, "size must be a whole number of pixels", "'4'"),
    ("data.typeset", lambda: data.typeset(("ab",), 3), V, "single letters.*at least one", "ab"),
    ("data.typeset", lambda: data.typeset(("語",), 3), V, "cannot draw.*choose other", "語"),
    ("data.typeset", lambda: data.typeset("ab", 0), V, "n must be at least 1", "0"),
    ("data.typeset", lambda: data.typeset("ab", 2.5), T, "n must be a whole number", "2.5"),
    ("data.typeset", lambda: data.typeset(5, 3), T, "tuple of letters.*such as data.DIGITS", "5"),
    ("data.typeset", lambda: data.typeset((1, 2), 3), V, "single letters or digits", "(1, 2)"),
    ("data.stratified_split", lambda: data.stratified_split(f(4), (0.5, 0.5)), V, "whole-number labels", "float32"),
    ("data.stratified_split", lambda: data.stratified_split(torch.arange(4), (0.5, 0.6)), V, "sum to 1", "0.6"),
    ("data.stratified_split", lambda: data.stratified_split([0, 1], (0.5, 0.5)), T,
     "tensor of labels.*use torch.tensor", "list"),
    ("data.stratified_split", lambda: data.stratified_split(torch.arange(4), (0.5, NAN)), V, "sum to 1", "nan"),
    ("data.stratified_split", lambda: data.stratified_split(torch.arange(4), ("half", "half")), T,
     "tuple of numbers, such as", "'half'"),
    ("data.stratified_split", lambda: data.stratified_split(torch.arange(4), 0.5), T, "tuple of numbers", "0.5"),
    ("data.stratified_split", lambda: data.stratified_split(torch.arange(4), ()), V, "sum to 1", "()"),
    ("data.few_shot", lambda: data.few_shot(digits(), 3), V, "between 1 and 2.*rarest class", "3"),
    ("data.few_shot", lambda: data.few_shot(digits(), 1.5), V, "per_class must be a whole number", "1.5"),
    ("data.few_shot", lambda: data.few_shot("mnist-5k", 1), T, "takes a data set.*use data.load", "str"),
    ("data.few_shot", lambda: data.few_shot(digits(labels=f(8)), 1), V, "whole-number.*use labels.long", "float32"),
    ("data.few_shot", lambda: data.few_shot(digits(labels=torch.arange(4)), 1), V,
     "one label an image.*select both", "4 labels for 8"),
    ("data.few_shot", lambda: data.few_shot(digits(classes=("a", "b")), 1), V, "labels run from.*position in", "3"),
    ("data.few_shot", lambda: data.few_shot(digits(labels=torch.zeros(8).long()), 1), V,
     "no examples of.*Add images", "'b'"),
    ("data.before_photographs", lambda: data.before_photographs(digits(size=28), "train"), V,
     "expected uint8.*32, 32", "28"),
    ("data.before_photographs", lambda: data.before_photographs(digits(), "train", photographs=[u(8, 8, 3)]), V,
     "photographs must be.*32×32", "(8, 8, 3)"),
    ("data.before_photographs", lambda: data.before_photographs(digits().images, "train"), T,
     "takes a data set.*use data.load", "Tensor"),
    ("data.before_photographs", lambda: data.before_photographs(digits(), "train", photographs=[]), V,
     "photographs is empty: give at least one", "empty"),
    ("data.before_photographs", lambda: data.before_photographs(digits(), "train", photographs=[f(40, 40, 3)]), V,
     "photographs must be uint8.*to_uint8", "float32"),
    ("data.before_photographs", lambda: data.before_photographs(digits(), "train", photographs=["a.jpg"]), T,
     "photographs must be uint8 tensors.*use torch", "str"),
    ("data.bsds_photographs", lambda: data.bsds_photographs("all"), V, "unknown split.*choose", "'all'"),
    # --- models
    ("models.Generator", lambda: models.Generator(latent=0), V, "latent must be at least 1", "0"),
    ("models.Generator", lambda: models.Generator(width=8.0), T, "width must be a whole number", "8.0"),
    ("models.Generator", lambda: models.Generator(8, 2)(f(4, 9)), V, r"shape \(N, 8\).*torch.randn", "(4, 9)"),
    ("models.Generator", lambda: models.Generator(8, 2)(torch.ones(4, 8).long()), V, "float.*torch.randn", "int64"),
    ("models.ConditionalGenerator", lambda: models.ConditionalGenerator(4, 8, 2)(f(2, 8), torch.tensor([0, 4])), V,
     "labels must lie between 0 and 3", "0 to 4"),
    ("models.ConditionalGenerator", lambda: models.ConditionalGenerator(4, 8, 2)(f(2, 8), f(2)), V,
     r"labels of shape \(2,\), int64.*labels.long", "float32"),
    ("models.ConditionalGenerator", lambda: models.ConditionalGenerator(True), T,
     "classes must be a whole number", "True"),
    ("models.Discriminator", lambda: models.Discriminator(2)(f(2, 3, 32, 32)), V,
     "3 channels.*channels=1", "(2, 3, 32, 32)"),
    ("models.Discriminator", lambda: models.Discriminator(2)(f(2, 1, 28, 28)), V, "pixels.*size=32", "28×28"),
    ("models.Discriminator", lambda: models.Discriminator(2)(u(2, 1, 32, 32)), V, "floats.*data.to_float", "uint8"),
    ("models.Discriminator", lambda: models.Discriminator(width=-1), V, "width must be at least 1", "-1"),
    ("models.Classifier", lambda: models.Classifier(classes=0), V, "classes must be at least 1", "0"),
    ("models.ClassScore", lambda: models.ClassScore("letters"), T, "classifier must be a network", "'letters'"),
    ("models.ClassScore", lambda: models.ClassScore(models.Discriminator(2))(f(2, 1, 32, 32)), V,
     "reads logits.*Classifier", "(2,)"),
    ("models.ProjectionDiscriminator",
     lambda: models.ProjectionDiscriminator(4, 2)(f(2, 1, 32, 32), torch.tensor([0, -1])), V,
     "between 0 and 3", "-1"),
    ("models.ProjectionDiscriminator",
     lambda: models.ProjectionDiscriminator(4, 2)(f(2, 1, 32, 32), torch.tensor([0])), V,
     r"labels of shape \(2,\)", "(1,)"),
    ("models.ProjectedDiscriminator", lambda: models.ProjectedDiscriminator(linear(), data.IMAGENET), V,
     "must be a ResNet.*pretrained_resnet18", "Sequential"),
    ("models.ProjectedDiscriminator",
     lambda: models.ProjectedDiscriminator(*models.pretrained_resnet18(), 2)(f(2, 3, 32, 32)), V,
     r"shape \(N, 1, H, W\)", "(2, 3, 32, 32)"),
    ("models.pooled_layers", lambda: models.pooled_layers(models.Discriminator(2), f(2, 1, 16, 16)), V,
     "pixels.*resize", "16×16"),
    ("models.pooled_layers", lambda: models.pooled_layers(linear(), f(2, 1, 32, 32)), V,
     "no method `layers`: give", "Sequential"),
    ("models.freeze_lower", lambda: models.freeze_lower(models.Discriminator(2), 4), V, "3 lower layers", "4"),
    ("models.freeze_lower", lambda: models.freeze_lower(models.Discriminator(2), 1.5), V, "3 lower layers", "1.5"),
    ("models.freeze_lower", lambda: models.freeze_lower("letters"), T, "discriminator must be a network", "'letters'"),
    ("models.pretrained_pair", lambda: models.pretrained_pair("faces"), V,
     "unknown source.*choose one of letters", "'faces'"),
    ("models.pretrained_resnet18", lambda: models.pretrained_resnet18("cifar"), V,
     "unknown source.*choose letters", "'cifar'"),
    ("models.mnist_generator", lambda: models.mnist_generator("gpu"), RuntimeError, "cpu, cuda", "gpu"),
    ("models.mnist_discriminator", lambda: models.mnist_discriminator("gpu"), RuntimeError, "cpu, cuda", "gpu"),
    ("models.digit_network", lambda: models.digit_network("gpu"), RuntimeError, "cpu, cuda", "gpu"),
    ("models.DigitNetwork", lambda: models.DigitNetwork()(f(2, 3, 32, 32)), V, "channels.*channels=1", "3 channels"),
    ("models.ResNet18", lambda: models.ResNet18()(f(2, 3, 32, 32)), V, "3 channels.*channels=1", "(2, 3, 32, 32)"),
    ("models.ResNet18", lambda: models.ResNet18()(u(2, 1, 32, 32)), V, "takes floats.*data.to_float", "uint8"),
    ("models.ResNet18", lambda: models.ResNet18(classes="ten"), T, "classes must be a whole number", "'ten'"),
    ("models.features", lambda: models.features(linear(), f(2, 1, 32, 32)), V, "no head `fc`: use", "Sequential"),
    ("models.features", lambda: models.features("letters", f(2, 1, 32, 32)), T, "model must be a network", "'letters'"),
    ("models.DomainNetwork", lambda: models.DomainNetwork()(2 * f(2, 1, 32, 32) - 1), V, "values 0 to 1.*rescale", "-"),
    ("models.DomainNetwork", lambda: models.DomainNetwork(classes=0), V, "classes must be at least 1", "0"),
    ("models.DomainDiscriminator", lambda: models.DomainDiscriminator(8)(f(4, 9)), V,
     r"features \(N, 8\).*build it", "(4, 9)"),
    ("models.DomainAdversary", lambda: models.DomainAdversary()(f(4, 6), f(4, 6), 0.5), V,
     r"features \(N, 512\).*build it", "(4, 6)"),
    ("models.DomainAdversary", lambda: models.DomainAdversary(strength=-1.0), V,
     "strength must be 0 or more.*reversed", "-1.0"),
    # --- losses
    ("losses.discriminator_loss", lambda: losses.discriminator_loss(f(0), f(4)), V,
     "real_scores.*at least one", "(0,)"),
    ("losses.discriminator_loss", lambda: losses.discriminator_loss(f(4), torch.arange(4)), V,
     "fake_scores must be floats", "int64"),
    ("losses.generator_loss", lambda: losses.generator_loss(0.5), V, "fake_scores must be floats", "float"),
    ("losses.saturating_generator_loss", lambda: losses.saturating_generator_loss(f(0)), V, "at least one", "(0,)"),
    ("losses.feature_matching_loss", lambda: losses.feature_matching_loss(f(4, 3), f(4, 2)), V,
     "differ in shape.*one layer", "(4, 2)"),
    ("losses.feature_matching_loss", lambda: losses.feature_matching_loss(f(0, 3), f(4, 3)), V,
     "real_features.*at least one", "(0, 3)"),
    ("losses.r1_penalty", lambda: losses.r1_penalty(f(2, 1, 4, 4), f(2)), V,
     r"requires_grad_\(True\).*before", "requires_grad_"),
    ("losses.r1_penalty", lambda: losses.r1_penalty(f(2, 1, 4, 4).requires_grad_(), f(2).requires_grad_()), V,
     "do not depend on these images: give", "scores"),
    ("losses.gradient_reversal", lambda: losses.gradient_reversal(f(2), -0.5), V,
     "weight must be 0 or more.*reversed", "-0.5"),
    ("losses.coral_loss", lambda: losses.coral_loss(f(1, 3), f(4, 3)), V, "equal width.*two rows", "(1, 3)"),
    ("losses.coral_loss", lambda: losses.coral_loss(f(4, 3, 2, 2), f(4, 3, 2, 2)), V,
     "matrices.*flatten", "(4, 3, 2, 2)"),
    ("losses.mmd_loss", lambda: losses.mmd_loss(f(1, 3), f(4, 3)), V, "equal width.*two rows", "(1, 3)"),
    ("losses.mmd_loss", lambda: losses.mmd_loss(f(4, 3, 2, 2), f(4, 3, 2, 2)), V, "matrices.*flatten", "(4, 3, 2, 2)"),
    # --- augment
    ("augment.random_affine", lambda: augment.random_affine(u(2, 1, 8, 8), rng()), V,
     "takes floats.*to_float", "uint8"),
    ("augment.random_affine", lambda: augment.random_affine(f(2, 8, 8), rng()), V, r"\(N, C, H, W\)", "(2, 8, 8)"),
    ("augment.random_affine", lambda: augment.random_affine(f(2, 1, 8, 8), 0), T, "rng must be.*manual_seed", "0"),
    ("augment.random_affine", lambda: augment.random_affine(f(2, 1, 8, 8), rng(), zoom=1.5), V,
     "zoom 0 to below 1", "1.5"),
    ("augment.random_affine", lambda: augment.random_affine(f(2, 1, 8, 8), rng(), degrees=NAN), V, "0 or more", "nan"),
    ("augment.diff_augment", lambda: augment.diff_augment(u(2, 1, 8, 8), rng()), V, "takes floats.*to_float", "uint8"),
    ("augment.diff_augment", lambda: augment.diff_augment(f(2, 1, 8, 8), None), T, "rng must be.*manual_seed", "None"),
    # --- metrics
    ("metrics.predict", lambda: metrics.predict("resnet", u(2, 1, 32, 32)), T, "model must be a network", "'resnet'"),
    ("metrics.predict", lambda: metrics.predict(linear(), u(0, 1, 32, 32)), V, "0 images; check", "0 images"),
    ("metrics.predict", lambda: metrics.predict(linear(), f(2, 1, 32, 32)), V, "uint8.*to_uint8", "float32"),
    ("metrics.predict", lambda: metrics.predict(linear(), u(2, 1, 32, 32), batch_size=0), V, "batch_size must be", "0"),
    ("metrics.predict", lambda: metrics.predict(linear(), u(2, 1, 32, 32), data.to_uint8), V,
     "transform must return floats", "uint8"),
    ("metrics.predict", lambda: metrics.predict(linear(), u(2, 1, 32, 32), lambda x: x[:1]), V,
     "transform.*2 images", "(1, 1"),
    ("metrics.predict", lambda: metrics.predict(broken(linear()), u(2, 1, 32, 32)), F, "NaN.*learning rate", "NaN"),
    ("metrics.features", lambda: metrics.features(linear(), u(2, 1, 32, 32)), V,
     "no method `features`: take", "Sequential"),
    ("metrics.features", lambda: metrics.features(models.DigitNetwork(), u(2, 3, 32, 32)), V,
     "channels.*channels=1", "3 channels"),
    ("metrics.accuracy", lambda: metrics.accuracy(linear(), digits(labels=torch.arange(3))), V,
     "one label an image", "3 labels"),
    ("metrics.accuracy", lambda: metrics.accuracy(linear(), digits(labels=f(8))), V, "int64.*labels.long", "float32"),
    ("metrics.accuracy", lambda: metrics.accuracy(linear(3), digits()), V,
     "up to 3 but.*replace its head", "3 outputs"),
    ("metrics.accuracy", lambda: metrics.accuracy(models.Discriminator(2), digits()), V, "returns logits", "(8,)"),
    ("metrics.accuracy", lambda: metrics.accuracy(linear(), "mnist-5k"), T, "takes a data set.*data.load", "str"),
    ("metrics.confusion", lambda: metrics.confusion(torch.arange(3), torch.arange(2), 4), V, "shapes differ", "(3,)"),
    ("metrics.evaluating", lambda: metrics.evaluating("net").__enter__(), T, "model must be a network", "'net'"),
    ("metrics.confusion", lambda: metrics.confusion([0], [1], 2), T, "expected two tensors", "list"),
    ("metrics.confusion", lambda: metrics.confusion(f(3), torch.arange(3), 4), V, "whole numbers.*argmax", "float32"),
    ("metrics.confusion", lambda: metrics.confusion(torch.arange(3), torch.arange(3), 2), V,
     "between 0 and 1", "0 to 2"),
    ("metrics.confusion", lambda: metrics.confusion(torch.arange(3), torch.arange(3), 2.5), T,
     "classes must be a whole", "2.5"),
    ("metrics.interval95", lambda: metrics.interval95([1.0]), V, "at least two seeds", "(1,)"),
    ("metrics.interval95", lambda: metrics.interval95([1.0, NAN]), V, "finite values.*a run has failed", "nan"),
    ("metrics.interval95", lambda: metrics.interval95(["a", "b"]), V, "list of numbers, one a seed", "'b'"),
    ("metrics.fid_against", lambda: metrics.fid_against(u(1, 1, 32, 32), models.DigitNetwork()), V,
     "at least two images", "1"),
    ("metrics.fid_against", lambda: metrics.fid_against(f(4, 1, 32, 32), models.DigitNetwork()), V,
     "uint8.*to_uint8", "float32"),
    ("metrics.fid_against", lambda: metrics.fid_against(u(4, 1, 32, 32), "inception"), T,
     "must be a network", "'inception'"),
    ("metrics.fid_against", lambda: fid()(u(1, 1, 32, 32)), V, "at least two images", "1"),
    ("metrics.fid_against", lambda: fid()(u(0, 1, 32, 32)), V, "at least two images", "0"),
    ("metrics.fid_against", lambda: fid()(2 * f(4, 1, 32, 32) - 1), V, "uint8.*to_uint8", "float32"),
    ("metrics.fid_against", lambda: fid()(u(4, 3, 32, 32)), V, "channels.*channels=1", "3 channels"),
    ("metrics.fid_against", lambda: fid()(u(4, 1, 28, 28)), V, "pixels.*size=32", "28×28"),
    ("metrics.kid", lambda: metrics.kid(u(1, 1, 32, 32), u(4, 1, 32, 32), models.DigitNetwork()), V,
     "two images on each side", "1 and 4"),
    ("metrics.kid", lambda: metrics.kid(u(4, 1, 32, 32), u(4, 1, 32, 32), models.DigitNetwork(), subset_size=1), V,
     "at least 2", "1"),
    ("metrics.kid", lambda: metrics.kid(u(4, 1, 32, 32), u(4, 1, 32, 32), models.DigitNetwork(), subsets=0), V,
     "subsets must be", "0"),
    ("metrics.precision_recall", lambda: metrics.precision_recall(f(4, 3), f(4, 2)), V,
     "equal width, from one network", "(4, 2)"),
    ("metrics.precision_recall", lambda: metrics.precision_recall(f(3, 3), f(9, 3)), V, "more than k = 3", "3 and 9"),
    ("metrics.precision_recall", lambda: metrics.precision_recall(f(9, 3), f(9, 3), k=0), V,
     "k must be at least 1", "0"),
    ("metrics.precision_recall", lambda: metrics.precision_recall(f(9, 3) * NAN, f(9, 3)), F, "NaN.*look at", "NaN"),
    ("metrics.memorisation", lambda: metrics.memorisation(f(9, 3), f(0, 3), f(9, 3)), V, "at least 1 row", "(0, 3)"),
    ("metrics.memorisation", lambda: metrics.memorisation(u(9, 1, 4, 4), f(9, 3), f(9, 3)), V,
     "float.*metrics.features", "uint8"),
    ("metrics.proxy_a_distance", lambda: metrics.proxy_a_distance(f(3, 3), f(9, 3)), V, "at least 4 rows", "(3, 3)"),
    ("metrics.proxy_a_distance", lambda: metrics.proxy_a_distance(f(9, 3), f(9, 4)), V, "equal width", "(9, 4)"),
    ("metrics.information", lambda: metrics.information(f(0, 4)), V, "at least 1 row", "(0, 4)"),
    ("metrics.information", lambda: metrics.information(f(4)), V, r"\(N, D\), from metrics", "(4,)"),
    ("metrics.sample", lambda: metrics.sample(models.Generator(4, 2), 0), V, "n must be at least 1", "0"),
    ("metrics.sample", lambda: metrics.sample(models.Discriminator(2), 4), V, "no generator.*latent", "Discriminator"),
    ("metrics.sample", lambda: metrics.sample(models.ConditionalGenerator(4, 8, 2), 4), V,
     "takes labels.*to_uint8", "labels"),
    ("metrics.decode", lambda: metrics.decode(models.Generator(4, 2), f(2, 5)), V, r"shape \(N, 4\)", "(2, 5)"),
    ("metrics.decode", lambda: metrics.decode(broken(models.Generator(4, 2)).eval(), f(2, 4)), F,
     "makes NaN.*train it again", "NaN"),
    ("metrics.decode", lambda: metrics.decode(models.Generator(4, 2), f(0, 4)), V, "at least one latent vector", "[]"),
    # --- loop
    ("loop.Run", lambda: loop(steps=1e3), T, "steps must be a whole number", "1000.0"),
    ("loop.Run", lambda: loop(every=0), V, "every must be at least 1", "0"),
    ("loop.Run", lambda: loop(rng="today"), T, "seed must be a whole number", "'today'"),
    ("loop.Run", lambda: loop(rng=-1), V, "seed must be 0 or more", "-1"),
    ("loop.Run", lambda: loop(checkpoint="folder"), V, "is a folder: name a file in it", "folder"),
    ("loop.Run", lambda: loop(checkpoint="file/run.safetensors"), OSError,
     "cannot write.*no folder that you may write to", "file/run"),
    ("loop.Run", lambda: looped(checkpoint="short.safetensors"), V, "truncated.*delete it", "short.safetensors"),
    ("loop.Run", lambda: looped(checkpoint="foreign.safetensors"), V, "no safetensors file.*delete it", "foreign"),
    ("loop.Run", lambda: looped(checkpoint="w.safetensors"), V, "no training state: give", "w.safetensors"),
    ("loop.Run", lambda: looped(checkpoint="s.safetensors"), V,
     "not a checkpoint.*another file, or delete", "s.safetensors"),
    ("loop.Run", lambda: looped(measure=lambda step: 0.5), T, "measure must return a dict.*such as", "0.5"),
    ("loop.Run", lambda: looped(measure=lambda step: {"loss": 0.5}), V, "records itself.*another name", "'loss'"),
    ("loop.Run", lambda: looped(loss=lambda weight: torch.ones(1)), V, "nothing to train.*Unfreeze", "loss"),
    ("loop.Run", lambda: looped(loss=lambda weight: weight * torch.ones(3)), V, "one number.*take its mean", "(3,)"),
    ("loop.Run", lambda: looped(loss=lambda weight: (weight * NAN).sum()), F, "step 0.*lower the learning rate", "nan"),
    ("loop.Run", lambda: loop().batch(0, f(4)), V, "size must be at least 1", "0"),
    ("loop.Run", lambda: loop().batch(2, f(4), f(3)), V, "equal length", "4, 3"),
    ("loop.Run", lambda: loop().latents(2, 0), V, "width must be at least 1", "0"),
    ("loop.Objective", lambda: Objective(print, "network"), T, "str is not a Module", "str"),
    ("loop.require_row", lambda: looped(measure=lambda step: None), T, "must return a dict", "None"),
    # --- train
    ("train.set_train_mode", lambda: train.set_train_mode("resnet"), T, "model must be a network", "'resnet'"),
    ("train.resting", lambda: train.resting(models.Generator).__enter__(), T, "must be a network.*built", "Generator"),
    ("train.adapt_statistics", lambda: train.adapt_statistics(Net(), u(1, 1, 32, 32)), V, "at least two images", "1"),
    ("train.adapt_statistics", lambda: train.adapt_statistics(Net(), f(8, 1, 32, 32)), V, "uint8.*to_uint8", "float32"),
    ("train.adapt_statistics", lambda: train.adapt_statistics(Net(), u(8, 1, 32, 32), batch_size=1), V,
     "raise.*batch_size", "1"),
    ("train.adapt_statistics", lambda: train.adapt_statistics("net", u(8, 1, 32, 32)), T, "must be a network", "'net'"),
    ("train.linear_decay", lambda: train.linear_decay(sgd(linear()), 0), V, "steps must be at least 1", "0"),
    ("train.linear_decay", lambda: train.linear_decay(sgd(linear()), 9, 1.0), V, "fraction of the steps", "1.0"),
    ("train.linear_decay", lambda: train.linear_decay("adam", 9), T, "expected a torch.optim.Optimizer", "'adam'"),
    ("train.gan_optimizers", lambda: train.gan_optimizers(frozen(models.Generator(4, 2)), linear()), V,
     "generator.*unfreeze", "generator"),
    ("train.gan_optimizers", lambda: train.gan_optimizers(linear(), linear(), -1.0), V, "learning rate", "-1.0"),
    ("train.gan_optimizers", lambda: train.gan_optimizers("g", linear()), T, "generator must be a network", "'g'"),
    ("train.fit_classifier", lambda: fit(batch_size=0), V, "batch_size must be at least 1", "0"),
    ("train.fit_classifier", lambda: fit(every=0), V, "every must be at least 1", "0"),
    ("train.fit_classifier", lambda: fit(steps=1e1), T, "steps must be a whole number", "10.0"),
    ("train.fit_classifier", lambda: fit(steps=True), T, "steps must be a whole number", "True"),
    ("train.fit_classifier", lambda: fit(dataset=digits(labels=f(8))), V, "int64.*labels.long", "float32"),
    ("train.fit_classifier", lambda: fit(dataset=digits(labels=torch.arange(8).int())), V,
     "int64.*labels.long", "int32"),
    ("train.fit_classifier", lambda: fit(dataset=digits(labels=torch.arange(8) % 4 + 1)), V,
     "up to 4 but.*replace its head", "4 outputs"),
    ("train.fit_classifier", lambda: fit(dataset=digits(labels=torch.arange(8) % 4 - 1)), V,
     "labels count from 0", "-1"),
    ("train.fit_classifier", lambda: fit(dataset=digits(labels=torch.arange(4))), V,
     "one label an image", "4 labels for 8"),
    ("train.fit_classifier", lambda: fit(dataset=digits(images=u(4, 1, 32, 32))), V,
     "one label an image", "8 labels for 4"),
    ("train.fit_classifier", lambda: fit(dataset=digits(images=f(8, 1, 32, 32))), V, "uint8.*to_uint8", "float32"),
    ("train.fit_classifier", lambda: fit(dataset=digits(0)), V, "0 images; check", "0 images"),
    ("train.fit_classifier", lambda: fit(validation=digits(images=f(8, 1, 32, 32))), V,
     "validation.*uint8.*to_uint8", "float32"),
    ("train.fit_classifier", lambda: fit(validation=digits(0)), V, "validation: there are 0 images", "0 images"),
    ("train.fit_classifier", lambda: fit("resnet", sgd(linear())), T, "must be a network", "'resnet'"),
    ("train.fit_classifier", lambda: fit(optimizer="adam"), T, "must be a torch.optim.Optimizer", "'adam'"),
    ("train.fit_classifier", lambda: fit(optimizer=sgd(linear())), V,
     "no weight of the model.*a copy has others", "the model"),
    ("train.fit_classifier", lambda: fit(frozen(linear())), V, "are frozen: set requires_grad", "the model"),
    ("train.fit_classifier", lambda: fit(scheduler=step(sgd(linear()))), V,
     "another optimizer.*make it from", "StepLR"),
    ("train.fit_classifier", lambda: fit(scheduler="cosine"), T, "must have a method step", "'cosine'"),
    ("train.fit_classifier", lambda: fit(transform="normalise"), T, "transform must be a function", "'normalise'"),
    ("train.fit_classifier", lambda: fit(transform=data.to_uint8), V, "transform must return floats", "uint8"),
    ("train.fit_classifier", lambda: fit(transform=lambda x: x * NAN), F, "step 0.*check the inputs for NaN", "nan"),
    ("train.fit_classifier", lambda: fit(augment=lambda x, rng: x[:2]), V,
     "augment must return.*4 images", "(2, 1, 32, 32)"),
    ("train.fit_classifier", lambda: fit(augment=lambda x, rng: None), T,
     "augment must return a float tensor", "NoneType"),
    ("train.fit_classifier", lambda: fit(measure={"accuracy": 1}), T, "measure must be a function", "'accuracy'"),
    ("train.fit_classifier", lambda: fit(measure=lambda step, model: 0.9), T, "measure must return a dict", "0.9"),
    ("train.fit_classifier", lambda: fit(models.Discriminator(2)), V, "returns logits", "(4,)"),
    ("train.fit_classifier", lambda: fit(rng="0"), T, "seed must be a whole number", "'0'"),
    ("train.fit_classifier", lambda: fit(checkpoint="folder"), V, "is a folder: name a file", "folder"),
    ("train.fit_classifier", lambda: fit(checkpoint="short.safetensors"), V, "truncated.*delete", "short.safetensors"),
    ("train.fit_gan", lambda: gan(batch_size=0), V, "batch_size must be at least 1", "0"),
    ("train.fit_gan", lambda: gan(every=0), V, "every must be at least 1", "0"),
    ("train.fit_gan", lambda: gan(images=2 * f(8, 1, 32, 32) - 1), V, "uint8.*to_uint8", "float32"),
    ("train.fit_gan", lambda: gan(images=u(8, 3, 32, 32)), V, "3 channels.*load the data with", "3 channels"),
    ("train.fit_gan", lambda: gan(images=u(8, 1, 64, 64)), V, "64×64.*size=32", "64×64"),
    ("train.fit_gan", lambda: gan(images=digits()), T, "tensor of images.*dataset.images", "Dataset"),
    ("train.fit_gan", lambda: gan(optimizers=()), T, "optimizers must be two.*gan_optimizers", "0 values"),
    ("train.fit_gan", lambda: gan(optimizers=sgd(linear())), T, "optimizers must be two.*gan_optimizers", "SGD"),
    ("train.fit_gan", lambda: gan(optimizers=(sgd(linear()), sgd(linear()))), V,
     "no weight of the generator.*order", "generator"),
    ("train.fit_gan", lambda: gan(schedulers=(step(sgd(linear())), None)), V,
     "another optimizer.*make it from", "StepLR"),
    ("train.fit_gan", lambda: gan(schedulers=[None]), T, "schedulers must be two", "1 values"),
    ("train.fit_gan", lambda: gan(models.Discriminator(2)), V, "it comes first.*latent", "Discriminator"),
    ("train.fit_gan", lambda: gan(discriminator=models.Classifier(4, 2)), V, "one score.*ClassScore", "(8, 4)"),
    ("train.fit_gan", lambda: gan(frozen(models.Generator(4, 2))), V,
     "generator.*frozen: set requires_grad", "generator"),
    ("train.fit_gan", lambda: gan(ema_decay=1.5), V, "ema_decay must lie between 0 and 1", "1.5"),
    ("train.fit_gan", lambda: gan(r1_weight=-1), V, "r1_weight must be 0 or more.*reward", "-1"),
    ("train.fit_gan", lambda: gan(labels=torch.zeros(3).long()), V, "one label an image", "(3,) for 8"),
    ("train.fit_gan", lambda: gan(labels=f(8)), V, "int64.*labels.long", "float32"),
    ("train.fit_gan", lambda: gan(models.ConditionalGenerator(2, 4, 2), labels=torch.arange(8)), V,
     "count from 0", "0 to 7"),
    ("train.fit_gan", lambda: gan(augment=lambda x, rng: x[..., 2:-2]), V,
     "augment must keep the shape", "(4, 1, 32, 28)"),
    ("train.fit_gan", lambda: gan(augment=lambda x, rng: data.to_uint8(x)), V, "augment must return floats", "uint8"),
    ("train.fit_gan", lambda: gan(loss_generator="hinge"), T, "loss_generator must be a function", "'hinge'"),
    ("train.fit_gan", lambda: gan(measure=lambda step, model: 12.3), T, "measure must return a dict", "12.3"),
    ("train.fit_gan", lambda: gan(extra_loss=lambda d, rng: f(3)), V, "extra_loss must be one number", "(3,)"),
    ("train.discriminator_step",
     lambda: train.discriminator_step(linear(1), f(2, 1, 32, 32), f(2, 3, 28, 28), augment=lambda x: x), V,
     "the images have 1 channels.*load the data with channels=3", "28×28"),
    ("train.generator_step",
     lambda: train.generator_step(models.Discriminator(2), f(2, 1, 32, 32), f(2, 1, 28, 28), augment=lambda x: x), V,
     "pixels.*size=32", "28×28"),
    ("train.adaptation_step",
     lambda: train.adaptation_step(Net(4), None, f(4, 1, 32, 32), torch.arange(4) + 1, None, 0.5, highest=4), V,
     "up to 4.*replace its head", "4 outputs"),
    ("train.fit_adapted", lambda: adapt(batch_size=2.5), T, "batch_size must be a whole number", "2.5"),
    ("train.fit_adapted", lambda: adapt(align=None), V, "belong together: give both", "target"),
    ("train.fit_adapted", lambda: adapt(align="coral"), T, "align must be a function", "'coral'"),
    ("train.fit_adapted", lambda: adapt(target=f(8, 1, 32, 32)), V, "target.*uint8.*to_uint8", "float32"),
    ("train.fit_adapted", lambda: adapt(target=u(0, 1, 32, 32)), V, "target images: there are 0", "0 images"),
    ("train.fit_adapted", lambda: adapt(linear()), V, "needs features, head.*DomainNetwork", "Sequential"),
    ("train.fit_adapted", lambda: adapt(Net(3)), V, "up to 3.*replace its head", "3 outputs"),
    ("train.fit_adapted", lambda: adapt(source=digits().images), T, "takes a data set.*data.load", "Tensor"),
    ("train.fit_adapted", lambda: adapt(optimizer=sgd(Net())), V, "no weight of the model.*copy", "the model"),
    ("train.fit_adapted", lambda: adapt(align=lambda s, t, p: (s - t).abs()), V,
     "alignment must be one number", "(4, 6)"),
    ("train.fit_adapted",
     lambda: adapt(models.DomainNetwork(4), align=models.DomainAdversary(), target=u(8, 4, 32, 32)), V,
     "4 channels.*channels=3", "4 channels"),
    ("train.fit_adapted", lambda: adapt(batch_size=1), V, "more than 1 value per channel when training", "[1, 6]"),
    ("train.fit_adda", lambda: adda(models.DomainNetwork(4), "copy"), T, "target_model must be a network", "'copy'"),
    ("train.fit_adda", lambda: adda(linear(), linear()), V, "source_model needs features", "Sequential"),
    ("train.fit_adda", lambda: same_network(), V, "one object.*deepcopy", "deepcopy"),
    ("train.fit_adda", lambda: adda(judge=models.DomainDiscriminator(7)), V, r"features \(N, 7\).*build it", "(4, 6)"),
    ("train.fit_adda", lambda: adda(optimizers=sgd(linear())), T, "optimizers must be two", "SGD"),
    ("train.fit_adda", lambda: adda(optimizers=(sgd(Net().body), sgd(linear()))), V,
     "no weight of target_model.body", "target_model.body"),
    ("train.fit_adda", lambda: adda(source=f(8, 1, 32, 32)), V, "source images.*uint8.*to_uint8", "float32"),
    ("train.fit_adda", lambda: adda(steps=-1), V, "steps must be at least 1", "-1"),
    # --- checks: what the loops and metrics call
    ("checks.require_batch", lambda: checks.require_batch(f(3, 2), 4, "it"), V,
     "it must return floats.*4 images", "(3, 2)"),
    ("checks.require_some_images", lambda: checks.require_some_images(u(0, 1, 8, 8), "it"), V, "0 images; check", "it"),
    ("checks.require_labelled", lambda: checks.require_labelled(None, "it"), T,
     "it takes a data set.*data.load", "None"),
    ("checks.require_outputs", lambda: checks.require_outputs(f(4, 3), 3), V, "up to 3.*replace its head", "3 outputs"),
    ("checks.require_optimizer", lambda: checks.require_optimizer("it", None, None, Net()), T, "torch.optim", "None"),
    ("checks.require_pair", lambda: checks.require_pair("these", (1, 2, 3)), T, "two in a tuple.*see", "3 values"),
    ("checks.require_parts", lambda: checks.require_parts("it", linear(), "latent"), V,
     "has no latent: see", "Sequential"),
    ("checks.require_callables", lambda: checks.require_callables(augment=1), T, "augment must be a function", "1"),
    ("checks.require_labels", lambda: checks.require_labels(f(2), u(2, 1, 8, 8), Net()), V,
     "use labels.long", "float32"),
    ("checks.require_augmented", lambda: checks.require_augmented(f(2, 3), f(2, 4)), V, "keep the shape", "(2, 3)"),
    ("checks.require_scores", lambda: checks.require_scores(f(4, 10), 4), V, "one score.*wrap", "(4, 10)"),
    ("checks.require_same_shape", lambda: checks.require_same_shape(f(2, 1, 8, 8), f(2, 3, 8, 8)), V,
     "load the data", "3"),
    ("checks.require_weights", lambda: checks.require_weights(NAN, 0.0), V,
     "ema_decay must lie between 0 and 1", "nan"),
    # --- runtime
    ("runtime.start", lambda: runtime.start(profile="fast"), V, "unknown profile.*quick, full", "'fast'"),
    ("runtime.start", lambda: runtime.start(seed=-1), V, "seed must be 0 or more", "-1"),
    ("runtime.seed_everything", lambda: runtime.seed_everything(0.5), T, "seed must be a whole number", "0.5"),
    ("runtime.seed_everything", lambda: runtime.seed_everything(2**64), V, "below 2\\*\\*63", str(2**64)),
    ("runtime.require_counts", lambda: require_counts(steps=False), T, "steps must be a whole number", "False"),
    ("runtime.require_seed", lambda: runtime.require_seed("1"), T, "whole number", "'1'"),
    ("runtime.require_networks", lambda: runtime.require_networks(model=models.Generator), T,
     "must be a network.*built", "Generator"),
    ("runtime.write_json", lambda: runtime.write_json("results.json", {"x": f(2)}), T,
     "not written.*tolist", "results.json"),
    ("runtime.write_json", lambda: runtime.write_json("file/x.json", 1), OSError,
     "cannot write.*choose a folder", "file/x.json"),
    ("runtime.write_json", lambda: runtime.write_json("folder", 1), OSError, "cannot write.*choose a folder", "folder"),
    ("runtime.read_results", lambda: runtime.read_results("none"), FileNotFoundError,
     "no results file.*README", "none.json"),
    ("runtime.weights_path", lambda: runtime.weights_path(""), V, "names no file: give one", "'.'"),
    ("runtime.save_weights", lambda: runtime.save_weights(broken(linear()), "w"), V,
     "not written.*NaN.*lower rate", "1.weight"),
    ("runtime.save_weights", lambda: runtime.save_weights(linear(), "w", torch.int8), V,
     "floating-point dtype.*use", "int8"),
    ("runtime.save_weights", lambda: runtime.save_weights({"a": f(2)}, "w"), T, "model must be a network", "dict"),
    ("runtime.save_weights", lambda: runtime.save_weights(linear(), "sums/w"), V,
     "damaged.*restore it, or delete", "checksums.json"),
    ("runtime.save_weights", lambda: runtime.save_weights(linear(), "file/w"), OSError,
     "cannot write.*choose a folder", "file/w"),
    ("runtime.load_weights", lambda: runtime.load_weights(linear(), "none"), FileNotFoundError,
     "no weights file.*committed ones", "none"),
    ("runtime.load_weights", lambda: runtime.load_weights(linear(), "folder"), FileNotFoundError,
     "no weights file", "folder"),
    ("runtime.load_weights", lambda: runtime.load_weights(linear(5), "w"), V,
     "does not fit.*Build the network", "1.weight"),
    ("runtime.load_weights", lambda: runtime.load_weights(linear(), "short.safetensors"), V,
     "truncated.*delete it", "short"),
    ("runtime.load_weights", lambda: runtime.load_weights(linear(), "foreign"), V,
     "no safetensors.*delete it", "foreign"),
    ("runtime.load_weights", lambda: runtime.load_weights(linear(), "sums/w"), V,
     "damaged.*restore it", "checksums.json"),
    ("runtime.load_weights", lambda: runtime.load_weights("resnet", "w"), T, "model must be a network", "'resnet'"),
    ("runtime.save_state", lambda: runtime.save_state("s.safetensors", {"x": {1, 2}}), T, "a state holds", "set"),
    ("runtime.save_state", lambda: runtime.save_state("s.safetensors", {(1, 2): 3}), T,
     "a key of type.*a state holds", "(1, 2)"),
    ("runtime.save_state", lambda: runtime.save_state("file/s.safetensors", {}), OSError,
     "cannot write.*choose a folder", "file/s"),
    ("runtime.save_state", lambda: runtime.save_state("folder", {}), OSError,
     "cannot write.*choose a folder", "folder"),
    ("runtime.load_state", lambda: runtime.load_state("none"), FileNotFoundError,
     "no checkpoint.*check the path", "none"),
    ("runtime.load_state", lambda: runtime.load_state("folder"), FileNotFoundError,
     "no checkpoint.*a folder", "folder"),
    ("runtime.load_state", lambda: runtime.load_state("w.safetensors"), V, "no training state: give", "w.safetensors"),
    ("runtime.load_state", lambda: runtime.load_state("short.safetensors"), V,
     "truncated.*delete it", "short.safetensors"),
    # --- book
    ("book.plots.tile", lambda: plots.tile(f(4, 1, 8, 8)), V, "uint8.*to_uint8", "float32"),
    ("book.plots.tile", lambda: plots.tile(u(4, 2, 8, 8)), V, "channels.*load the data", "2 channels"),
    ("book.plots.tile", lambda: plots.tile(u(4, 1, 8, 8), columns=0), V, "columns must be at least 1", "0"),
    ("book.plots.tile", lambda: plots.tile(u(4, 1, 8, 8), columns=2.5), T, "columns must be a whole number", "2.5"),
    ("book.plots.tile", lambda: plots.tile(u(4, 1, 8, 8), pad=-1), V, "pad must be 0 or more", "-1"),
    ("book.plots.show_images", lambda: plots.show_images(u(0, 1, 8, 8), "none"), V,
     "no image to draw: check", "no image"),
    ("book.plots.png", lambda: plots.png(u(1, 8, 8)), V, r"\(N, 1 or 3, H, W\).*images\[None\]", "(1, 8, 8)"),
    ("book.plots.png", lambda: plots.png(u(1, 1, 8, 8), zoom=0), V, "zoom must be at least 1", "0"),
    ("book.plots.png", lambda: plots.png(u(1, 1, 8, 8), zoom=1.5), T, "zoom must be a whole number", "1.5"),
    ("book.plots.band", lambda: plots.band(None, [1], [[1.0], [2.0]], "a", "red"), V,
     "unknown colour.*choose one of blue", "'red'"),
    ("book.plots.show_confusion", lambda: plots.show_confusion(torch.eye(3), ("a", "b"), "t"), V,
     "2 classes.*give metrics.confusion", "(3, 3)"),
    ("book.plots.show_confusion", lambda: plots.show_confusion([[1]], ("a",), "t"), T,
     "must be a tensor.*use metrics.confusion", "list"),
    ("book.widgets.frames", lambda: widgets.frames([b"1"], [], "a"), V, "as many labels as pictures", "0 and 1"),
    ("book.widgets.quiz", lambda: widgets.quiz([{"ask": "Why?", "choices": [("a", "No")]}]), V, "need one", "Why?"),
    ("book.widgets.quiz", lambda: widgets.quiz([{"ask": "Why?"}]), V, "lacks 'choices'.*give 'ask'", "Why?"),
    ("book.widgets.quiz", lambda: widgets.quiz([{"ask": "How many?", "numbers": []}]), V,
     "lacks 'otherwise'.*give 'ask'", "How many?"),
    ("book.widgets.latent_explorer", lambda: widgets.latent_explorer(models.Discriminator(2)), V,
     "has no latent: see.*Generator", "Discriminator"),
    ("book.widgets.latent", lambda: widgets.latent("mnist", 0), T, "generator must be a network", "'mnist'"),
    ("book.widgets.slerp", lambda: widgets.slerp(f(1, 4), f(1, 5), 0.5), V,
     r"one shape \(N, D\).*from one generator", "(1, 5)"),
    ("book.widgets.slerp", lambda: widgets.slerp(f(4), f(4), 0.5), V, r"one shape \(N, D\)", "(4,)"),
    ("book.widgets.latent_explorer", lambda: widgets.latent_explorer(models.ConditionalGenerator(4, 8, 2)), V,
     "takes labels", "labels"),
    ("book.claims.finding", lambda: claims.finding("1.1-a", "Is", 1.0, ">", 0, rests_on="none"), V,
     "no such file: give", "'none'"),
    ("book.claims.finding", lambda: claims.finding("1.1-a", "Is", 1.0, ">", 2, rests_on="exact"), AssertionError,
     "does not hold.*needed > 2", "1.1-a"),
    ("book.claims.finding", lambda: claims.finding("1.1-a", "Is", [1.0, 2.0], ">", 0, rests_on="exact"), T,
     "use interval95", "list"),
    ("book.claims.finding", lambda: claims.finding("1.1-a", "Is", Interval(1.0, -0.5), ">", 0, rests_on="exact"), V,
     "0 or more.*take it from interval95", "-0.5"),
    ("book.claims.demonstration", lambda: claims.demonstration("1.1-a", "Is", 1.0, "=>", 0), V,
     "unknown relation.*choose one", "'=>'"),
    ("book.claims.demonstration", lambda: claims.demonstration("1.1-a", "Is", 1.0, ">", torch.ones(())), T,
     "bound must be a plain number", "Tensor"),
    ("book.claims.demonstration", lambda: claims.demonstration("1.1-a", "Is", 1.0, ">", 0, margin=-1), V,
     "give 0 or more", "-1"),
    ("book.claims.marked", lambda: claims.marked(Interval(1.0, NAN)), V, "not finite", "nan"),
    ("book.claims.marked", lambda: claims.marked(Interval(1.0, -0.5)), V, "0 or more.*interval95", "-0.5"),
    ("book.claims.marked", lambda: claims.marked("0.5"), T, "one number or an Interval", "str"),
    ("book.execute.listed", lambda: execute.listed(Path("folder")), FileNotFoundError,
     "run this in a checkout", "_toc.yml"),
    ("book.execute.listed", lambda: execute.listed(Path("untitled")), FileNotFoundError,
     "lists.*but there is no", "missing"),
    ("book.execute.execute", lambda: execute.execute(Path("bad.ipynb")), RuntimeError,
     "bad.ipynb, code cell 1 of 1", "ZeroDivisionError"),
    ("book.execute.execute", lambda: execute.execute(Path("broken.ipynb")), V,
     "damaged or no notebook.*restore it", "broken.ipynb"),
    ("book.execute.read", lambda: execute.read(Path("broken.ipynb")), V, "damaged.*restore it", "broken.ipynb"),
    ("book.execute.read", lambda: execute.read(Path("list.ipynb")), V, "no notebook.*restore it", "list.ipynb"),
    ("book.execute.read", lambda: execute.read(Path("cells.ipynb")), V, "no notebook.*restore it", "cells.ipynb"),
    ("book.execute.execute_and_write",
     lambda: quietly(execute.execute_and_write, Path("none.ipynb")), FileNotFoundError,
     "No such file", "none.ipynb"),
    ("book.execute.stage", lambda: execute.stage(Path(), Path("folder")), V,
     "would be emptied.*choose a folder below", "folder"),
    ("book.execute.main", lambda: command(execute.main), Refused, "--into.*is required", "exit 2"),
    ("book.execute.main", lambda: command(here(execute.main), "--in-place", "9-9"), Refused,
     "no notebook.*it lists a.ipynb", "9-9"),
    ("book.execute.main", lambda: command(here(execute.main), "--in-place", "--jobs", "0"), Refused,
     "--jobs must be at least 1", "0"),
    ("book.ledger.claims", lambda: ledger.claims(Path()), V, "records the claim.*no cell makes it", "1.1-a"),
    ("book.ledger.claims", lambda: ledger.claims(Path("untitled")), FileNotFoundError, "there is no", "missing"),
    ("book.ledger.verdicts", lambda: ledger.verdicts(table(), []), V, "no finding decides it.*call it 'open'", "1.1.1"),
    ("book.ledger.verdicts", lambda: ledger.verdicts(table(verdict="open"), [claim()]), V,
     "findings decide it.*give a verdict", "1.1.1"),
    ("book.ledger.verdicts", lambda: ledger.verdicts(table(), [claim(decides="9.9.9")]), V, "does not have", "9.9.9"),
    ("book.ledger.statements", lambda: ledger.statements(Path("folder")), FileNotFoundError,
     "no .*run this in a checkout", "statements.yml"),
    ("book.ledger.page", lambda: ledger.page(Path("folder")), FileNotFoundError,
     "run this in a checkout", "statements.yml"),
    ("book.ledger.write", lambda: ledger.write(Path("folder")), FileNotFoundError,
     "run this in a checkout", "statements.yml"),
    ("book.address.parse", lambda: address.parse("github.com/a/b"), V,
     "not a repository address: write", "'github.com/a/b'"),
    ("book.address.parse", lambda: address.parse(5), V, "not a repository address: write", "5"),
    ("book.address.current", lambda: address.current(Path("folder")), FileNotFoundError,
     "run this in a checkout", "_config.yml"),
    ("book.address.current", lambda: address.current(Path("untitled")), V,
     "not a repository address: write", "example.org"),
    ("book.address.rewrite", lambda: address.rewrite("https://github.com/a", Path()), V,
     "write https://github.com", "github.com/a"),
    ("book.address.main", lambda: command(here(address.main), "http://github.com/a/b"), Refused,
     "not a repository address", "exit 1"),
    ("book.address.main", lambda: command(address.main), Refused, "required: url", "exit 2"),
    # --- experiments
    ("experiments.run.load", lambda: run.load("ch9"), V, "unknown experiment.*choose one of ch1", "'ch9'"),
    ("experiments.run.load", lambda: run.load("no.such"), V, "cannot be imported", "'no.such'"),
    ("experiments.run.load", lambda: run.load("helpers.losses"), V, "lacks NAME.*see run.py", "helpers.losses"),
    ("experiments.run.files_of", lambda: run.files_of(experiment(runs=list)), V, "has no runs", "helpers.losses"),
    ("experiments.run.files_of", lambda: run.files_of(experiment(runs=lambda: [{"arm": "a"}])), V,
     "needs a seed", "'a'"),
    ("experiments.run.files_of", lambda: run.files_of(experiment(runs=lambda: [{"seed": -1}])), V,
     "needs a seed", "-1"),
    ("experiments.run.files_of", lambda: run.files_of(experiment(runs=lambda: [{"seed": 1}] * 2)), V,
     "two runs are the same", "{'seed': 1}"),
    ("experiments.run.files_of", lambda: run.files_of(experiment(runs=lambda: [("a", 0)])), V,
     "a run is a dict such as", "('a', 0)"),
    ("experiments.run.files_of", lambda: run.files_of(experiment(runs=lambda: [{"x": f(2), "seed": 1}])), V,
     "something else than numbers and text.*tolist", "Tensor"),
    ("experiments.run.read_run", lambda: run.read_run(Path("results.json"), {"seed": 0}), V,
     "damaged, or not the file", "results.json"),
    ("experiments.run.read_run", lambda: run.read_run(Path("run.json"), {"seed": 0}), V,
     "not the file of this run", "run.json"),
    ("experiments.run.require_writable", lambda: run.require_writable(Path("file")), OSError,
     "cannot write.*start in a folder", "file"),
    ("experiments.run.one_run", lambda: run.one_run("ch9", "f", {"seed": 0}, {}), V,
     "unknown experiment.*choose", "'ch9'"),
    ("experiments.run.execute", lambda: run.execute("ch9"), V, "unknown experiment.*choose one of ch1", "'ch9'"),
    ("experiments.run.execute", lambda: run.execute("ch4_3", jobs=0), V, "jobs must be at least 1", "0"),
    ("experiments.run.execute", lambda: run.execute("ch4_3", jobs="2"), T, "jobs must be a whole number", "'2'"),
    ("experiments.run.show", lambda: run.show("ch9", 1), V, "unknown experiment.*choose one of ch1", "'ch9'"),
    ("experiments.run.show", lambda: run.show("ch4_3", 0), V, "jobs must be at least 1", "0"),
    ("experiments.run.main", lambda: command(run.main, "ch9"), Refused,
     "unknown experiment.*choose one of ch1", "'ch9'"),
    ("experiments.run.main", lambda: command(run.main, "ch4_3", "--jobs", "0"), Refused,
     "--jobs: an integer from 1 on is needed", "'0'"),
    ("experiments.run.main", lambda: command(run.main, "ch4_3", "--jobs", "two"), Refused,
     "--jobs: an integer from 1 on is needed", "'two'"),
    ("experiments.run.main", lambda: command(run.main, "ch4_3", "--fresh", "--list"), Refused,
     "not allowed with", "--fresh"),
    ("experiments.run.cluster", lambda: run.cluster("host").__enter__(), V,
     "no address of a scheduler, such as tcp", "'host'"),
    ("experiments.run.finished", lambda: finished(), V, "not all were made like.*--fresh", "setting steps: 3"),
    ("experiments.run.differences", lambda: finished(), V, "Go back to the settings and the code", "code: changed in"),
]
# fmt: on


# What needs no row, and why.
NO_ROW = {
    "data.fetch": "needs a server: a wrong checksum is in test_data.py",
    "models.BasicBlock": "a part of ResNet18",
    "metrics.device_of": "takes a network that was checked",
    "metrics.Interval": "what interval95 returns; finding and marked check it",
    "train.Result": "what the loops return",
    "runtime.Settings": "what start returns",
    "book.ledger.Claim": "what claims returns",
    "loop.interrupts": "takes seconds, or nothing",
    "runtime.data_dir": "takes nothing",
    "runtime.results_dir": "takes nothing",
    "runtime.provenance": "notes what it is told",
    "runtime.describe": "takes anything",
    "runtime.differences": "takes what describe returned",
    "book.execute.ThisPython": "takes nothing",
    "book.execute.short_folder": "takes nothing",
    "book.execute.normalise": "takes what execute has run",
    "book.execute.write": "takes what execute has run",
    "book.execute.execute_all": "hands on to execute_and_write; main checks the jobs",
    "book.ledger.deciding": "looks up",
    "book.ledger.decisive": "looks up what verdicts has checked",
    "book.address.files": "lists",
    "experiments.run.fingerprint": "takes what load returned",
    "experiments.run.move_aside": "takes any folder, also one that is not there",
    "experiments.run.seconds_left": "takes what finished returned",
    "experiments.run.in_words": "words",
    "experiments.run.table": "groups rows; a key that they lack is a KeyError that names it",
    "experiments.run.on_this_machine": "execute checks its arguments; failing runs are in test_run.py",
    "experiments.run.on_a_cluster": "execute checks its arguments; failing runs are in test_run_cluster.py",
}
MODULES = (
    *("data", "models", "losses", "augment", "metrics", "loop", "train", "checks", "runtime"),
    *("book.plots", "book.widgets", "book.claims", "book.execute", "book.ledger", "book.address", "experiments.run"),
)


def public(module):
    """Names of the functions and classes that a module, or the modules of a package, define; private ones left out."""
    whole = importlib.import_module(f"helpers.{module}")
    parts = [whole.__name__ + "." + m.name for m in pkgutil.iter_modules(getattr(whole, "__path__", []))]
    found = [item for name in [whole.__name__, *parts] for item in vars(importlib.import_module(name)).items()]
    return {
        f"{module}.{name}"
        for name, thing in found
        if name[0] != "_" and callable(thing) and inspect.unwrap(thing).__module__.startswith(whole.__name__)
    }


def test_every_public_function_has_a_row_or_a_reason():
    needed, covered = {name for module in MODULES for name in public(module)}, {name for name, *_ in ROWS}
    assert needed == covered | NO_ROW.keys(), sorted(needed ^ (covered | NO_ROW.keys()))
    assert not covered & NO_ROW.keys()
    assert len(ROWS) >= 80


@pytest.mark.parametrize(("name", "call", "error", "pattern", "shown"), ROWS, ids=[row[0] for row in ROWS])
def test_the_error_names_cause_and_remedy_and_nothing_is_left(name, call, error, pattern, shown, material):
    before = bytes_of(material)
    with contextlib.chdir(material), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception) as caught:
            call()
    said = str(caught.value)
    assert caught.type is error, f"{caught.type.__name__}: {said}"
    assert re.search(pattern, said, re.DOTALL), said
    assert shown in said
    assert bytes_of(material) == before


# --- what is unusual, and right --------------------------------------------------------------------


@pytest.mark.parametrize(
    "fakes",
    [
        lambda real: real[-20:],
        lambda real: real[:1].repeat(100, 1, 1, 1),
        lambda real: torch.zeros(50, 1, 32, 32, dtype=torch.uint8),
        lambda real: torch.full((2, 1, 32, 32), 255, dtype=torch.uint8),
    ],
    ids=["fewer than features", "one image many times", "black", "two white ones"],
)
def test_few_or_equal_fakes_have_a_finite_distance(fakes):
    torch.manual_seed(0)
    network, real = models.DigitNetwork().eval(), u(100, 1, 32, 32)
    found = metrics.fid_against(real, network)(fakes(real))
    assert 0 < found < math.inf
    assert all(map(math.isfinite, metrics.kid(real, fakes(real), network, subsets=2)))


def test_a_distance_depends_neither_on_batches_nor_on_order_nor_on_the_mode_of_the_network():
    torch.manual_seed(0)
    network, real, fake = models.DigitNetwork(), u(100, 1, 32, 32), 255 - u(60, 1, 32, 32)
    network.train()
    before = copy.deepcopy(network.state_dict())
    distance = metrics.fid_against(real, network)
    first = distance(fake)
    assert distance(fake) == first  # the fakes of the last call are forgotten
    assert distance(fake.flip(0)) == pytest.approx(first, rel=1e-3)
    assert metrics.fid_against(real, network, batch_size=7)(fake) == pytest.approx(first, rel=1e-3)
    assert metrics.fid_against(real, network.eval())(fake) == pytest.approx(first, rel=1e-3)
    assert distance(real) == pytest.approx(0, abs=1e-3)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_batches_of_one_and_batches_larger_than_the_data_work():
    torch.manual_seed(0)
    few = digits(4)
    for size in (1, 64):
        model = models.ResNet18(4, width=4)
        assert math.isfinite(fit(model, torch.optim.Adam(model.parameters()), few, batch_size=size).history["loss"][-1])
    assert math.isfinite(adapt(models.DomainNetwork(4), source=few, batch_size=64).history["loss"][-1])
    images = u(257, 1, 32, 32)  # the last batch has one image
    whole, single = metrics.predict(model, images), [metrics.predict(model, images[i : i + 1]) for i in (0, 99, 256)]
    torch.testing.assert_close(whole[[0, 99, 256]], torch.cat(single), atol=1e-4, rtol=1e-3)


def test_a_network_without_weights_can_be_evaluated():
    class Pixels(nn.Module):
        def features(self, x):
            return x.flatten(1)[:, :8]

    real = u(20, 1, 32, 32)
    assert metrics.features(Pixels(), real).shape == (20, 8)
    assert metrics.fid_against(real, Pixels())(real) == pytest.approx(0, abs=1e-4)


def test_small_whole_numbers_of_labels_do_not_overflow():
    labels = torch.tensor([200, 199], dtype=torch.uint8)
    assert metrics.confusion(labels, labels, 201)[200, 200] == 1


def test_a_damaged_list_of_checksums_keeps_the_weights_as_they_were(tmp_path):
    file = runtime.save_weights(linear(), tmp_path / "w")
    before = file.read_bytes()
    (tmp_path / "checksums.json").write_text("[1]")
    with pytest.raises(ValueError, match="holds no names.*delete it"):
        runtime.save_weights(linear(), file)
    assert file.read_bytes() == before
