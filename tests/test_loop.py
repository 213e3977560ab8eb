"""What every training needs: resuming, interrupts, kills, refused checkpoints."""

import copy
import hashlib
import json
import math
import multiprocessing
import os
import random
import signal
import time

import pytest
import torch
from torch import nn

from helpers import augment, train
from helpers.data import Dataset
from helpers.loop import Run, require_counts
from helpers.models import Discriminator, Generator

# --- one small training of each kind, with dropout, augmentation and frozen layers ----------------


def images(n=64, channels=1, seed=0):
    return torch.randint(
        0, 256, (n, channels, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


def labelled(n=64, seed=0):
    return Dataset(images(n, seed=seed), torch.arange(n) % 4, tuple("abcd"))


class Net(nn.Module):
    """Body and head, with batch norm and dropout; the first convolution and its norm are frozen."""

    def __init__(self, width=4, dropout=0.3):
        super().__init__()
        norms = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.body = nn.Sequential(
            *(nn.Conv2d(1, width, 5, 4), norms[0], nn.ReLU(), nn.Conv2d(width, width, 3, 2), norms[1], nn.ReLU()),
            *(nn.Flatten(), nn.Dropout(dropout), nn.Linear(9 * width, 6)),
        )
        self.head = nn.Linear(6, 4)
        self.body[:2].requires_grad_(False)

    def features(self, x):
        return self.body(x)

    def forward(self, x):
        return self.head(self.features(x))


def gap(source, target, progress):
    return progress * (source.mean(0) - target.mean(0)).square().sum()


def classifier(checkpoint=None, steps=24, seed=0, **options):
    torch.manual_seed(seed)
    net = options.pop("net", None) or Net()
    optimizer = options.pop("optimizer", torch.optim.AdamW)(
        [p for p in net.parameters() if p.requires_grad], options.pop("lr", 1e-2)
    )
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 24)
    options = {"batch_size": 8, "every": 5, "augment": augment.random_affine, "train": labelled()} | options
    return train.fit_classifier(
        net,
        optimizer,
        options.pop("train"),
        labelled(32, 1),
        scheduler=scheduler,
        steps=steps,
        checkpoint=checkpoint,
        **options,
    )


def gan(checkpoint=None, steps=24, seed=0, **options):
    torch.manual_seed(seed)
    generator, discriminator = Generator(4, options.pop("width", 4)), Discriminator(4)
    discriminator.body[0].requires_grad_(False)
    discriminator.body.insert(2, nn.Dropout2d(0.3))
    optimizers = train.gan_optimizers(generator, discriminator, options.pop("lr_generator", 1e-3))
    schedulers = [train.linear_decay(optimizer, 24, options.pop("start", 0.5)) for optimizer in optimizers]
    options = {
        "batch_size": 4,
        "every": 5,
        "r1_weight": 0.1,
        "augment": augment.diff_augment,
        "ema_decay": 0.8,
    } | options
    return train.fit_gan(
        generator, discriminator, optimizers, options.pop("images", images()), schedulers=schedulers, steps=steps,
        checkpoint=checkpoint, **options
    )  # fmt: skip


def adapted(checkpoint=None, steps=24, seed=0):
    torch.manual_seed(seed)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    target = images(48, seed=7)
    return train.fit_adapted(
        net, optimizer, labelled(), target, gap, steps=steps, batch_size=8, every=5, checkpoint=checkpoint
    )


def adda(checkpoint=None, steps=24, seed=0):
    torch.manual_seed(0)
    source_model = Net()
    torch.manual_seed(seed)
    copied = copy.deepcopy(source_model) if seed == 0 else Net()
    discriminator = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1), nn.Flatten(0))
    optimizers = torch.optim.Adam(copied.body.parameters(), 1e-3), torch.optim.Adam(discriminator.parameters(), 1e-2)
    return train.fit_adda(
        source_model, copied, discriminator, optimizers, images(), images(48, seed=7), steps=steps, batch_size=8,
        every=5, checkpoint=checkpoint
    )  # fmt: skip


LOOPS = {"classifier": classifier, "gan": gan, "adapted": adapted, "adda": adda}


def digest(result):
    total = hashlib.sha256(json.dumps(result.history).encode())
    for value in result.model.state_dict().values():
        total.update(value.cpu().contiguous().numpy().tobytes())
    return total.hexdigest()


# --- going on -------------------------------------------------------------------------------------


# The progress of fit_adapted runs over all steps, so a part of it is another training.
@pytest.mark.parametrize("loop", [name for name in LOOPS if name != "adapted"])
def test_any_part_and_the_rest_make_the_whole(loop, tmp_path):
    # Other initial weights and another random state the second time: everything has to come from the file.
    whole = digest(LOOPS[loop]())
    LOOPS[loop](tmp_path / "c.safetensors", steps=10)
    torch.manual_seed(99)
    assert digest(LOOPS[loop](tmp_path / "c.safetensors", seed=5)) == whole


def run_in_child(loop, file, answer):
    torch.set_num_threads(1)
    os.environ["TQDM_DISABLE"] = "1"
    found = digest(LOOPS[loop](file, steps=80))
    answer.write_text(found)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("loop", LOOPS)
def test_ten_random_stops_change_nothing(loop, number, tmp_path):
    torch.set_num_threads(1)
    began = time.monotonic()
    whole = digest(LOOPS[loop](steps=80))
    seconds = time.monotonic() - began
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["helpers.train", "test_loop"])
    file, answer, moments = tmp_path / "c.safetensors", tmp_path / "answer", random.Random(0)
    stops = 0
    for _ in range(200):
        child = processes.Process(target=run_in_child, args=(loop, file, answer))
        child.start()
        if stops < 10:
            child.join(moments.uniform(0.05, 0.3 * seconds + 0.3))
            if child.is_alive():
                os.kill(child.pid, number)
                stops += 1
        child.join(120)
        assert not child.is_alive()
        if answer.exists():
            break
    assert answer.read_text() == whole and stops
    assert {p.name for p in tmp_path.iterdir()} - {file.name, answer.name} <= {
        p.name
        for pattern in (f".{file.name}.*", ".tmp*")  # a kill in the middle of a write leaves its part or safetensors'
        for p in tmp_path.glob(pattern)
    }


def test_a_failure_gives_the_signal_back():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(FloatingPointError):
        classifier(augment=lambda batch, rng: batch * math.nan)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.SGD])
def test_a_fused_optimizer_goes_on_after_a_resume(tmp_path, optimizer):
    # Fused updates need a weight and its moments in one order in memory.
    def fused(parameters, lr):
        return optimizer(parameters, lr, fused=True, **({"momentum": 0.9} if optimizer is torch.optim.SGD else {}))

    whole = classifier(optimizer=fused)
    classifier(tmp_path / "a.safetensors", steps=10, optimizer=fused)
    assert digest(classifier(tmp_path / "a.safetensors", optimizer=fused)) == digest(whole)


def test_networks_are_moved_to_the_memory_that_suits_their_layers():
    x = torch.rand(64, 4, 16, 16)
    for first, moved in {
        nn.Conv2d(4, 8, 3, stride=2): True,
        nn.Conv2d(4, 8, 1): True,
        nn.Conv2d(4, 8, 1, stride=2): False,  # on a CPU its gradients would be written past the end of a buffer
        nn.Conv2d(4, 8, 1, stride=2).to(memory_format=torch.channels_last): False,
    }.items():
        net = nn.Sequential(first, nn.Conv2d(8, 8, 3), nn.Flatten(), nn.LazyLinear(2))
        net(x)
        run = Run(steps=2)
        net, optimizer = run.prepare(net, torch.optim.SGD(net.parameters(), 0.1))
        assert net[1].weight.is_contiguous(memory_format=torch.channels_last) == moved
        for _ in run.each():
            run.descend(optimizer, loss=net(x).square().mean())
        assert math.isfinite(run.history["loss"][-1])


def test_networks_of_other_dimensions_are_trained_too():
    net = nn.Sequential(nn.Conv1d(1, 2, 3), nn.Unflatten(1, (1, 1, 2)), nn.Conv3d(1, 2, (1, 2, 3)))
    run = Run(steps=2)
    net, optimizer = run.prepare(net, torch.optim.SGD(net.parameters(), 0.1))
    for _ in run.each():
        run.descend(optimizer, loss=net(torch.ones(2, 1, 8)).square().mean())
    assert len(run.history["loss"]) == 1


def test_fewer_steps_than_were_done_are_refused(tmp_path):
    classifier(tmp_path / "c.safetensors", steps=10)
    with pytest.raises(ValueError, match="at step 10 already"):
        classifier(tmp_path / "c.safetensors", steps=9)


CHANGES = {
    "batch size": (classifier, {"batch_size": 9}, "batch_size was 8 and is 9"),
    "interval": (classifier, {"every": 4}, "every was 5 and is 4"),
    "learning rate": (classifier, {"lr": 2e-2}, r"optimizer.groups\[0\].*lr was 0.01 and is 0.02"),
    "optimizer": (classifier, {"optimizer": torch.optim.SGD}, "optimizer.kind was AdamW and is SGD"),
    "width": (classifier, {"net": Net(width=5)}, r"model.layers.*Conv2d\(1, 4.*Conv2d\(1, 5"),
    "dropout": (classifier, {"net": Net(dropout=0.4)}, "Dropout.*0.3.*0.4"),
    "augmentation": (classifier, {"augment": None}, "augment was random_affine and is None"),
    "images": (classifier, {"train": labelled(seed=3)}, r"train.images was uint8 \(64, 1, 32, 32\)"),
    "labels": (classifier, {"train": labelled()._replace(labels=torch.zeros(64).long())}, "train.labels was"),
    "seed": (classifier, {"rng": 1}, "rng was"),
    "rate of a GAN": (gan, {"lr_generator": 2e-3}, r"optimizers\[0\].groups\[0\].*lr was 0.001 and is 0.002"),
    "decay of a GAN": (gan, {"start": 0.25}, r"schedulers\[0\].lr_lambdas"),
    "width of a GAN": (gan, {"width": 5}, "generator.layers"),
    "penalty": (gan, {"r1_weight": 0.2}, "r1_weight was 0.1 and is 0.2"),
    "images of a GAN": (gan, {"images": images(seed=3)}, "images was"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_setting_is_named_and_the_file_stays(change, tmp_path):
    loop, options, message = CHANGES[change]
    file = tmp_path / "c.safetensors"
    loop(file, steps=5)
    before = file.read_bytes()
    with pytest.raises(ValueError, match=message) as error:
        loop(file, **options)
    assert str(file) in str(error.value) and "delete the file" in str(error.value)
    assert file.read_bytes() == before


def test_a_thawed_layer_is_a_changed_setting(tmp_path):
    net = Net()
    classifier(tmp_path / "c.safetensors", steps=5)
    net.requires_grad_(True)
    with pytest.raises(ValueError, match="frozen"):
        classifier(tmp_path / "c.safetensors", net=net)


def test_a_truncated_checkpoint_is_named(tmp_path):
    file = tmp_path / "c.safetensors"
    classifier(file, steps=5)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match="c.safetensors is truncated"):
        classifier(file)


def test_looking_does_not_disturb():
    def measure(step, model):
        torch.rand(3)
        model(torch.rand(2, 1, 32, 32))
        return {}

    assert digest(classifier()) == digest(classifier(measure=measure))


def test_a_generator_may_be_given_in_place_of_a_seed():
    assert digest(classifier(rng=torch.Generator().manual_seed(4))) == digest(classifier(rng=4))
    assert digest(classifier(rng=4)) != digest(classifier(rng=5))


# --- a loop of one's own ----------------------------------------------------------------------------


def test_a_loop_of_ones_own(tmp_path):
    def fit(steps, seed=0, file=None):
        torch.manual_seed(seed)
        line = nn.Linear(1, 1)
        optimizer = torch.optim.SGD(line.parameters(), 0.1)
        x = torch.linspace(-1, 1, 20).view(-1, 1)
        run = Run(steps, rng=0, every=10, checkpoint=file)
        line, optimizer = run.prepare(line, optimizer)
        x, y = run.to_device(x, 3 * x + 1)
        for _ in run.each(lambda step: {"slope": line.weight.item()}, first=True, line=line, optimizer=optimizer):
            a, b = run.batch(5, x, y)
            run.descend(optimizer, square=(line(a) - b).square().mean())
        return line, run.history

    line, history = fit(200)
    assert line.weight.item() == pytest.approx(3, abs=0.05) and history["step"] == list(range(0, 201, 10))
    assert history["slope"][-1] == line.weight.item() and math.isnan(history["square"][0])
    fit(95, file=tmp_path / "l.safetensors")
    again, the_same = fit(200, seed=3, file=tmp_path / "l.safetensors")
    assert torch.equal(again.weight, line.weight) and the_same["slope"][-1] == history["slope"][-1]


@pytest.mark.parametrize("value, error", [(0, ValueError), (-3, ValueError), (1e1, TypeError), (True, TypeError)])
def test_counts_are_whole_numbers(value, error):
    with pytest.raises(error, match="steps must be"):
        require_counts(steps=value)
