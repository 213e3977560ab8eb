"""Nothing mixes devices: the package and the notebooks on a device that is not there (see simulated_device.py).

The notebooks run with shortened loops, so their numbers mean nothing and their claims are not checked.
"""

import ast
import builtins
import copy
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import torch
from simulated_device import NAME, Mixed, SimulatedDevice
from torch import nn

from helpers import augment, data, losses, metrics, models, train
from helpers.book.execute import ROOT, listed

SHORT = 3  # rounds of a long loop, and updates of a training


@pytest.fixture
def device(monkeypatch):
    from accelerate.state import PartialState

    PartialState()
    monkeypatch.setitem(PartialState._shared_state, "device", NAME)
    with SimulatedDevice() as simulated:
        yield simulated


# --- the simulation itself ------------------------------------------------------------------------


def test_the_simulation_refuses_what_a_device_refuses(device):
    there, here = torch.rand(3, 2).to(NAME), torch.rand(3, 2)
    for mix in (
        lambda: there + here,
        lambda: torch.cat([there, here]),
        lambda: nn.Linear(2, 1)(there),
        lambda: here[torch.tensor([0]).to(NAME)],
        lambda: there.numpy(),
        lambda: torch.rand(3, device=NAME, generator=torch.Generator()),
    ):
        with pytest.raises(Mixed):
            mix()


def test_the_simulation_lets_pass_what_a_device_lets_pass(device):
    there = torch.rand(3, 2).to(NAME)
    assert (there * torch.tensor(2.0) + 1).device == there[torch.tensor([0, 2])].device == NAME
    assert there.cpu().numpy().shape == (3, 2) and there.cpu().device == torch.device("cpu")
    line = nn.Linear(2, 1).to(NAME)
    optimizer = torch.optim.Adam(line.parameters())
    line(there).sum().backward()
    optimizer.step()
    assert line.weight.device == NAME and device.waits == 2  # the two .cpu() above
    assert (line(there) > 0).any() in (True, False) and device.waits > 2


# --- the package ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    return data.load("mnist-5k", "validation")


def test_the_classifiers_loop_never_waits_between_records(device, digits):
    def waits(steps):
        model = models.DigitNetwork()
        before = device.waits
        train.fit_classifier(
            model,
            torch.optim.AdamW(model.parameters()),
            digits,
            steps=steps,
            every=steps,
            augment=augment.random_affine,
        )
        return device.waits - before

    assert waits(3) == waits(12)


def test_the_gans_loop_never_waits_between_records(device, digits):
    def waits(steps):
        pair = models.Generator(width=4), models.Discriminator(width=4)
        optimizers = train.gan_optimizers(*pair)
        before = device.waits
        train.fit_gan(
            *pair, optimizers, digits.images, steps=steps, batch_size=4, every=steps, r1_weight=1.0,
            augment=augment.diff_augment
        )  # fmt: skip
        return device.waits - before

    assert waits(3) == waits(12)


def test_classifying_on_the_device(device, digits, tmp_path):
    model, spec = models.pretrained_resnet18("letters")
    model.fc = nn.Linear(model.fc.in_features, 10)

    def transform(x):
        return data.preprocess(x, spec)

    optimizer = torch.optim.AdamW(model.parameters())
    options = {"transform": transform, "every": 2, "checkpoint": tmp_path / "c.safetensors", "rng": 1}
    for steps in (2, 4):
        result = train.fit_classifier(model, optimizer, digits, digits, steps=steps, **options)
    assert next(result.model.parameters()).device == NAME
    predicted = metrics.predict(model, digits.images, transform)
    assert predicted.device == torch.device("cpu")
    assert metrics.confusion(predicted.argmax(1), digits.labels, 10).sum() == len(digits.labels)
    assert 0 <= metrics.accuracy(model, digits, transform) <= 1
    assert models.features(model, transform(data.to_float(digits.images[:4].to(NAME)))).device == NAME
    fresh = train.adapt_statistics(models.ResNet18().to(NAME), digits.images, transform)
    assert fresh.bn1.running_mean.device == NAME


def test_adversarial_training_and_its_measures_on_the_device(device, digits):
    network = models.digit_network(NAME)
    distance = metrics.fid_against(digits.images, network)
    generator, discriminator = models.pretrained_pair("letters")
    models.freeze_lower(discriminator)
    model, history = train.fit_gan(
        generator,
        discriminator,
        train.gan_optimizers(generator, discriminator),
        digits.images,
        steps=2,
        every=1,
        batch_size=4,
        augment=augment.diff_augment,
        measure=lambda step, model: {"fid": distance(metrics.sample(model, 50))},
    )
    assert len(history["fid"]) == 3
    fakes = metrics.sample(model, 60)
    real, fake = metrics.features(network, digits.images[:60]), metrics.features(network, fakes)
    assert metrics.features(discriminator, fakes).device == torch.device("cpu")
    metrics.kid(digits.images, fakes, network, subsets=2, subset_size=20)
    metrics.precision_recall(real, fake)
    metrics.memorisation(real, fake, real)
    metrics.proxy_a_distance(real, fake)
    metrics.information(metrics.predict(network, fakes))
    models.pooled_layers(discriminator, data.to_float(fakes, data.SIGNED).to(NAME))


def test_other_players_on_the_device(device, digits):
    few = digits.select(torch.arange(0, 500, 10))
    generator, discriminator = models.ConditionalGenerator(), models.ProjectionDiscriminator(width=8)
    train.fit_gan(
        generator, discriminator, train.gan_optimizers(generator, discriminator), few.images, labels=few.labels,
        steps=2, batch_size=4
    )  # fmt: skip
    score = models.ClassScore(models.Classifier(width=8))
    generator = models.Generator()
    train.fit_gan(
        generator,
        score,
        train.gan_optimizers(generator, score),
        few.images,
        steps=2,
        batch_size=4,
        loss_generator=lambda d, real, fake: losses.feature_matching_loss(d.features(real), d.features(fake)),
    )
    generator, projected = models.Generator(), models.ProjectedDiscriminator(*models.pretrained_resnet18("letters"))
    train.fit_gan(
        generator, projected, train.gan_optimizers(generator, projected), few.images, steps=2, batch_size=4
    )  # fmt: skip
    assert metrics.predict(score.classifier, few.images).shape == (50, 10)


def test_adapting_on_the_device(device, digits):
    target = data.load("mnist-m-5k", "validation").images
    model, align = models.DomainNetwork(), models.DomainAdversary()
    optimizer = torch.optim.Adam([*model.parameters(), *align.parameters()])
    train.fit_adapted(model, optimizer, digits, target, align, steps=2, batch_size=8, measure=lambda step, m: {})
    train.fit_adapted(
        model, optimizer, digits, target, lambda s, t, progress: losses.coral_loss(s, t), steps=2, batch_size=8
    )  # fmt: skip
    copied, discriminator = copy.deepcopy(model), models.DomainDiscriminator()
    optimizers = torch.optim.Adam(copied.body.parameters()), torch.optim.Adam(discriminator.parameters())
    adapted = train.fit_adda(
        model, copied, discriminator, optimizers, digits.images, target, steps=2, batch_size=8
    ).model
    assert metrics.accuracy(adapted, digits) >= 0 and next(adapted.head.parameters()).device == NAME


# --- the notebooks --------------------------------------------------------------------------------

NOTEBOOKS = listed(ROOT)


class Shorter(ast.NodeTransformer):
    """range(…) → _short(range(…)), and two seeds are enough."""

    def visit_Assign(self, node):
        self.generic_visit(node)
        if getattr(node.targets[0], "id", "") == "SEEDS":
            node.value = ast.Call(ast.Name("_two", ast.Load()), [node.value], [])
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "range":
            return ast.Call(ast.Name("_short", ast.Load()), [node], [])
        return node


def short(numbers):
    return numbers if len(numbers) <= 30 else numbers[:SHORT]


def two(seeds):
    return min(seeds, 2) if isinstance(seeds, int) else seeds[:2]


def capped(function):
    def run(*args, steps, **options):
        return function(*args, steps=min(steps, SHORT), **options | {"every": SHORT})

    return run


def make_small() -> None:
    """Short trainings, few images, few samples: where tensors are does not depend on how many there are."""
    for name in ("fit_classifier", "fit_gan", "fit_adapted", "fit_adda"):
        setattr(train, name, capped(getattr(train, name)))
    adapt = train.adapt_statistics
    train.adapt_statistics = lambda *args, **options: adapt(*args, **options | {"most": 100})
    load, few_shot, typeset, sample = data.load, data.few_shot, data.typeset, metrics.sample

    def small(dataset):
        return dataset.select(torch.arange(0, len(dataset.labels), max(1, len(dataset.labels) // 1_000)))

    def few(dataset, per_class, seed=0):
        rarest = int(torch.bincount(dataset.labels, minlength=len(dataset.classes)).min())
        return few_shot(dataset, min(per_class, rarest), seed)

    data.load = lambda *args, **options: small(load(*args, **options))
    data.few_shot = few
    data.typeset = lambda characters=data.LETTERS, n=300, seed=0: typeset(characters, min(n, 300), seed)
    metrics.sample = lambda generator, n, seed=0: sample(generator, min(n, 60), seed)


def run_notebook(path: Path) -> tuple[list[str], list[str], int]:
    """Run a notebook's cells on the simulated device: what mixed devices, what else went wrong, and how many cells."""
    from accelerate.state import PartialState
    from IPython.core.inputtransformer2 import TransformerManager

    from helpers.book import claims

    PartialState()
    PartialState._shared_state["device"] = NAME
    make_small()
    claims.finding = claims.demonstration = lambda *args, **options: None
    os.chdir(path.parent)
    builtins.display = lambda *things, **options: SimpleNamespace(update=lambda *things: None)
    space = {"__name__": "__main__", "_short": short, "_two": two}
    mixed, others, cells = [], [], 0
    with SimulatedDevice():
        for i, cell in enumerate(nbformat.read(path, as_version=4).cells):
            if cell.cell_type != "code":
                continue
            cells += 1
            tree = Shorter().visit(ast.parse(TransformerManager().transform_cell(cell.source)))
            try:
                exec(compile(ast.fix_missing_locations(tree), f"{path.name}, cell {i}", "exec"), space)
            except Mixed as error:
                mixed.append(f"cell {i}: {error} (line {line_of(error, path.name)})")
            except Exception as error:
                others.append(f"cell {i}: {type(error).__name__}: {error} (line {line_of(error, path.name)})"[:300])
    return mixed, others, cells


def line_of(error: BaseException, name: str) -> str:
    trace, line = error.__traceback__, "?"
    while trace:
        if trace.tb_frame.f_code.co_filename.startswith(name):
            line = str(trace.tb_lineno)
        trace = trace.tb_next
    return line


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("BOOK_DEVICES"), reason="eight minutes: make devices")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_mixes_no_devices(path):
    # A process of its own: the notebook's imports are patched, and figures and memory go with it.
    environment = os.environ | {"MPLBACKEND": "agg", "BOOK_PROFILE": "quick", "TQDM_DISABLE": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), environment.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, __file__, str(path)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1500:]


if __name__ == "__main__":
    found, unfinished, total = run_notebook(Path(sys.argv[1]))
    print(*(f"MIXED {line}" for line in found), *(f"other {line}" for line in unfinished), sep="\n")
    # A short loop may break an assertion or leave too few images; what does not run at all was not tested.
    sys.exit(bool(found) or len(unfinished) > total / 4)
