"""Write the networks of the live pieces as scripts for the pages: ``python -m helpers.book.live``.

About two minutes, most of it for the three networks of chapter 4.1. ``digits``, ``pair`` or ``readers`` behind the
command writes one alone. Each goes to ``book/_static/live`` with the still picture of its piece.

A tensor becomes whole numbers times a step; the numbers are deflated and written in base64, because a page opened from
a file may load scripts, but no other data. ``unpack`` of ``nets.js`` reads them.
"""

import base64
import json
import sys
import time
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from helpers import augment, data, metrics, models, train
from helpers.book.plots import png
from helpers.book.widgets import slerp
from helpers.experiments import letters_to_digits
from helpers.runtime import load_weights, seed_everything

FOLDER = Path(__file__).parents[2] / "book" / "_static" / "live"
SEED = 0
ARMS = ("scratch", "probe", "fine-tune")
SCRIPTS = {"scratch": "scratch", "probe": "probe", "fine-tune": "tuned"}
# Of head and body, as in chapter 4.1.
RATES = {"scratch": (1e-2, 1e-2), "probe": (3e-2, 0.0), "fine-tune": (1e-2, 1e-3)}
STEPS, BATCH = 120, 32
# A step of the whole numbers, in standard deviations of its tensor, by the beginning of the tensor's name. A
# generator's edges are steep and need fine steps. Three quarters of a reader's weights are in its last stage, which
# needs them least.
DRAWING = {"": 0.0013}
READING = {"layer4": 0.12, "layer3": 0.05, "": 0.012}

Tensors = dict[str, torch.Tensor]
Layers = list[dict[str, Any]]


# --- numbers into text ---------------------------------------------------------------------------


def pack(tensors: Tensors, steps: dict[str, float], base: Tensors | None = None) -> tuple[dict[str, Any], Tensors]:
    """What a script holds of these tensors, and the tensors as it will read them.

    A tensor that `base` has, too, is written as its difference from that one: a network that was fine-tuned has not
    moved far, and small numbers are short.
    """
    entries, codes, read = [], [], {}
    for name, tensor in tensors.items():
        start = (base or {}).get(name, torch.zeros(()))
        step = next(step for beginning, step in steps.items() if name.startswith(beginning))
        width = step * (base or {}).get(name, tensor).std().item()
        whole = ((tensor - start) / width).round()
        read[name] = start + whole * width
        codes.append(whole.to(torch.int32).numpy().ravel())
        entries.append({"name": name, "shape": list(tensor.shape), "step": width})
    flat = np.concatenate(codes)
    # 0, −1, 1, −2, … → 0, 1, 2, 3, …: then the upper bytes of small numbers are zeros, and cost nothing.
    unsigned = np.where(flat < 0, -2 * flat - 1, 2 * flat)
    if unsigned.max() >= 2**16:
        raise ValueError(f"the steps {steps} need more than 16 bits: choose larger ones")
    planes = unsigned.astype("<u2").view(np.uint8).reshape(-1, 2).T.tobytes()  # all lower bytes, then all upper ones
    text = base64.b64encode(zlib.compress(planes, 9)).decode()
    return {"tensors": entries, "bytes": text}, read


def numbers(tensor: torch.Tensor | None) -> list:
    """Nested lists with six digits: a script needs no more."""
    assert tensor is not None, "a layer without a bias or statistics cannot be written"
    values = np.asarray(tensor.detach().cpu(), dtype=np.float64)
    return json.loads(json.dumps(values.tolist()), parse_float=lambda text: float(f"{float(text):.6g}"))


def write(name: str, value: dict[str, Any]) -> Path:
    """``Live.data.NAME = value`` in a script of this name."""
    path = FOLDER / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "// Written by python -m helpers.book.live; do not edit.\n(globalThis.Live ??= {}).data ??= {};\n"
    path.write_text(f"{head}Live.data.{name} = {json.dumps(value)};\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size / 1e3:,.0f} kB")
    return path


# --- layers ----------------------------------------------------------------------------------------


def scale_and_shift(norm: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """What batch norm in evaluation mode multiplies by and adds."""
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return scale.detach(), (norm.bias - norm.running_mean * scale).detach()


def channels_last(weight: torch.Tensor, transposed: bool = False) -> torch.Tensor:
    """A kernel as the scripts walk through it: (height, width, inputs, outputs)."""
    return weight.detach().permute((2, 3, 0, 1) if transposed else (2, 3, 1, 0)).contiguous()


def generator_layers(generator: models.Generator) -> list[tuple[nn.ConvTranspose2d, nn.BatchNorm2d | None]]:
    """Its transposed convolutions, each with the batch norm behind it."""
    modules = list(generator.net)
    after = [*modules[1:], None]
    return [
        (layer, norm if isinstance(norm, nn.BatchNorm2d) else None)
        for layer, norm in zip(modules, after)
        if isinstance(layer, nn.ConvTranspose2d)
    ]


def folded_generator(generator: models.Generator) -> tuple[Tensors, Layers]:
    """Kernels and the rest of each layer, with batch norm folded into both."""
    kernels, layers = {}, []
    for i, (layer, norm) in enumerate(generator_layers(generator)):
        scale, bias = scale_and_shift(norm) if norm else (torch.ones(1), layer.bias)
        kernels[f"{i}"] = channels_last(layer.weight, transposed=True) * scale
        layers.append({"stride": layer.stride[0], "padding": layer.padding[0], "bias": numbers(bias)})
    return kernels, layers


def folded_resnet(model: models.ResNet18) -> tuple[Tensors, dict[str, list]]:
    """Kernels by name, and the bias that batch norm leaves behind each of them; ``fc`` is among both."""
    kernels, biases = {}, {}
    modules = dict(model.named_modules())
    for name, layer in modules.items():
        if isinstance(layer, nn.Conv2d):
            short = name.replace("downsample.0", "shortcut")
            norm = name.replace("downsample.0", "downsample.1").replace("conv", "bn")
            scale, shift = scale_and_shift(modules[norm])
            kernels[short], biases[short] = channels_last(layer.weight) * scale, numbers(shift)
    kernels["fc"], biases["fc"] = model.fc.weight.detach().T.contiguous(), numbers(model.fc.bias)
    return kernels, biases


# --- the generator of digits -----------------------------------------------------------------------


@torch.no_grad()
def measures(images: torch.Tensor) -> torch.Tensor:
    """Slant, width and ink of images 0 to 1, (N, 1, H, W) → (N, 3): from their moments."""
    x = images.squeeze(1)
    rows, columns = torch.meshgrid(*(torch.arange(float(n)) for n in x.shape[1:]), indexing="ij")
    ink = x.sum((1, 2)).clamp(min=1e-3)

    def mean(values):
        return (x * values).sum((1, 2)) / ink

    down, across = (places - mean(places)[:, None, None] for places in (rows, columns))
    slant = -mean(down * across) / mean(down * down).clamp(min=1e-3)  # columns to the right a row upwards
    return torch.stack([slant, mean(across * across).sqrt(), ink / x[0].numel()], 1)


@torch.no_grad()
def directions(generator: models.Generator, network: nn.Module, n: int = 2_000) -> tuple[torch.Tensor, Tensors]:
    """Directions of the latent space in which slant, width and ink grow, (3, latent), and latents that make a digit.

    Least squares of each measure on the latent vector, both less their mean over the fakes that are read as the same
    digit: otherwise "more ink" would be the way from a 1 to an 8.
    """
    z = torch.randn(n, generator.latent, generator=torch.Generator().manual_seed(SEED))
    images = (torch.cat([generator(part) for part in z.split(200)]) + 1) / 2
    probability = metrics.predict(network, data.to_uint8(images, data.UNIT)).softmax(1)
    confidence, digit = probability.max(1)
    y = measures(images)
    centred = [torch.empty_like(values) for values in (z, y)]
    for values, out in zip((z, y), centred):
        for d in range(10):
            out[digit == d] = values[digit == d] - values[digit == d].mean(0)
    slopes = torch.linalg.lstsq(*centred).solution.T
    order = confidence.argsort(descending=True)  # the surest fakes of each digit first
    sure = {str(d): z[order[digit[order] == d][:4]] for d in range(10)}
    return slopes / slopes.norm(dim=1, keepdim=True), sure


def export_digits() -> None:
    """The committed generator of chapter 4.2."""
    generator = models.mnist_generator()
    kernels, layers = folded_generator(generator)
    packed, _ = pack(kernels, DRAWING)
    ways, sure = directions(generator, models.digit_network("cpu"))
    latents = {d: numbers(z) for d, z in sure.items()}
    named = dict(zip(("slant", "width", "ink"), numbers(ways)))
    write("digits", {"layers": layers, "latents": latents, "directions": named, **packed})
    ends = sure["3"][:1], sure["8"][:1]
    walk = torch.cat([slerp(*ends, i / 8) for i in range(9)])
    (FOLDER / "generator.png").write_bytes(png(metrics.decode(generator, walk), columns=9, zoom=3))


# --- from letters to digits --------------------------------------------------------------------------


def unfolded_generator(generator: models.Generator) -> tuple[Tensors, Layers]:
    """As they were trained: to mix two networks, mix their weights and statistics, and fold afterwards."""
    kernels: Tensors = {}
    layers: Layers = []
    for i, (layer, norm) in enumerate(generator_layers(generator)):
        kernels[f"{i}"] = channels_last(layer.weight, transposed=True)
        own: dict[str, Any] = {"stride": layer.stride[0], "padding": layer.padding[0]}
        if norm:
            parts = {"gain": norm.weight, "bias": norm.bias, "mean": norm.running_mean, "variance": norm.running_var}
            layers.append(own | {"eps": norm.eps} | {key: numbers(value) for key, value in parts.items()})
        else:
            layers.append(own | {"bias": numbers(layer.bias)})
    return kernels, layers


def digits_from_letters() -> models.Generator:
    """What ``python -m helpers.experiments.letters_to_digits`` made, in evaluation mode."""
    generator = models.Generator()
    load_weights(generator, letters_to_digits.PATH)
    return generator.eval()


def between(one: models.Generator, two: models.Generator, t: float) -> models.Generator:
    """The generator whose weights and statistics lie on the line from `one`, at 0, to `two`, at 1."""
    a, b = one.state_dict(), two.state_dict()
    mixed = models.Generator()
    mixed.load_state_dict({key: a[key].float().lerp(b[key].float(), t).to(a[key].dtype) for key in a})
    return mixed.eval()


def export_pair() -> None:
    """The letters' generator of chapter 4.3 and the one that was fine-tuned from it on digits."""
    letters, digits = models.pretrained_pair("letters")[0].eval(), digits_from_letters()
    (first, layers), (second, tuned) = unfolded_generator(letters), unfolded_generator(digits)
    packed, read = pack(first, DRAWING)
    difference, _ = pack(second, DRAWING, base=read)
    write("pair", {"letters": {"layers": layers, **packed}, "digits": {"layers": tuned, **difference}})
    z = torch.randn(9, letters.latent, generator=torch.Generator().manual_seed(7))
    path = [metrics.decode(between(letters, digits, t), z) for t in (0, 0.25, 0.5, 0.75, 1)]
    (FOLDER / "interpolate.png").write_bytes(png(torch.cat(path), columns=9, zoom=3))


# --- three readers -------------------------------------------------------------------------------------


def reader(arm: str) -> nn.Module:
    """One arm of chapter 4.1, trained as there, with seed 0."""
    pool, validation = data.load("mnist-5k", "train"), data.load("mnist-5k", "validation")
    few = data.few_shot(pool, 10, SEED)
    seed_everything(SEED)
    model, spec = models.pretrained_resnet18("letters")
    if arm == "scratch":
        model.apply(lambda layer: layer.reset_parameters() if hasattr(layer, "reset_parameters") else None)
    model.fc = nn.Linear(model.fc.in_features, 10)
    head_rate, body_rate = RATES[arm]
    groups = [{"params": list(model.fc.parameters()), "lr": head_rate}]
    body = [p for name, p in model.named_parameters() if not name.startswith("fc.")]
    if arm == "probe":
        for p in body:
            p.requires_grad_(False)
    else:
        groups.append({"params": body, "lr": body_rate})
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    return train.fit_classifier(
        model,
        optimizer,
        few,
        data.few_shot(validation, 10),
        steps=STEPS,
        batch_size=BATCH,
        transform=partial(data.preprocess, spec=spec),
        augment=partial(augment.random_affine, flip=False),
        scheduler=CosineAnnealingLR(optimizer, STEPS),
        rng=SEED,
        label=arm,
    ).model


def export_readers(networks: dict[str, nn.Module] | None = None) -> None:
    """The three networks of chapter 4.1. The probe has the letters' body; the tuned body is written as a difference."""
    networks = networks or {arm: reader(arm) for arm in ARMS}
    spec = models.pretrained_resnet18("letters")[1]
    transform = partial(data.preprocess, spec=spec)
    test = data.load("mnist-5k", "test")
    examples = data.few_shot(test, 2, SEED)
    order = torch.randperm(len(examples.labels), generator=torch.Generator().manual_seed(SEED))
    examples = examples.select(order)
    value: dict[str, Any] = {
        "mean": spec.mean[0],
        "std": spec.std[0],
        "digits": base64.b64encode(examples.images.numpy().tobytes()).decode(),
        "labels": examples.labels.tolist(),
        "accuracy": {},
        "reference": {},  # PyTorch's probabilities for these digits, from the weights before rounding
    }
    shared: Tensors = {}
    for arm in ("probe", "fine-tune", "scratch"):
        model = networks[arm].cpu().eval()
        kernels, biases = folded_resnet(model)
        packed, read = pack(kernels, READING, base=shared if arm == "fine-tune" else None)
        shared = read if arm == "probe" else shared
        probability = metrics.predict(model, examples.images, transform).softmax(1)
        value["accuracy"][arm] = round(metrics.accuracy(model, test, transform), 4)
        value["reference"][arm] = numbers(probability)
        print(arm, "reads", value["accuracy"][arm], "of the test digits")
        write(SCRIPTS[arm], {"biases": biases, **packed})
    write("readers", value)
    _draw_still(examples.images[0, 0], {arm: value["reference"][arm][0] for arm in ARMS})


def _draw_still(digit: torch.Tensor, probabilities: dict[str, list[float]]) -> None:
    fig, axes = plt.subplots(1, 4, figsize=(8, 2.6), width_ratios=(1.3, 1, 1, 1))
    axes[0].imshow(digit, cmap="gray_r")
    axes[0].set(xticks=[], yticks=[], title="a test digit")
    axes[0].spines[:].set_visible(False)
    for ax, (arm, values) in zip(axes[1:], probabilities.items()):
        ax.barh(range(10), values, color="#444")
        ax.set(xlim=(0, 1), ylim=(9.6, -0.6), yticks=range(10), xticks=[0, 1], title=arm, xlabel="confidence")
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(False)
    fig.tight_layout()
    fig.savefig(FOLDER / "draw.png", dpi=110, transparent=True, metadata={"Software": None})
    plt.close(fig)


EXPORTS = {"digits": export_digits, "pair": export_pair, "readers": export_readers}


def main(arguments: Sequence[str] = ()) -> int:
    if unknown := [name for name in arguments if name not in EXPORTS]:
        print(f"unknown {', '.join(unknown)}: choose among {', '.join(EXPORTS)}", file=sys.stderr)
        return 2
    began = time.time()
    for name in arguments or EXPORTS:
        EXPORTS[name]()
    print(f"{time.time() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
