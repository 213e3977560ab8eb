"""The loops of the book: supervised, adversarial, domain-adversarial. All run on Hugging Face Accelerate.

They draw their batches from tensors in memory with one CPU generator, so a seed means the same on
every device; all can be interrupted (the stop button, Ctrl-C), and all but the short `fit_adda` go
on from a checkpoint.
"""

import copy
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from helpers import losses
from helpers.data import Dataset, to_float
from helpers.runtime import load_state, save_state


class GanResult(NamedTuple):
    """ema : the averaged generator, in evaluation mode. history : lists of equal length by name."""

    ema: nn.Module
    history: dict[str, list]


def set_train_mode(model: nn.Module) -> None:
    """`model.train()`, except that batch norm with frozen weights stays in evaluation mode.

    requires_grad=False stops the gradient, not the running mean and variance: a "frozen" body in
    train mode would still drift with every batch.
    """
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.affine and not module.weight.requires_grad:
            module.eval()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards every part has its own mode again."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@torch.no_grad()
def predict(
    model: nn.Module, images: torch.Tensor, transform: Callable | None = None, batch_size: int = 256
) -> torch.Tensor:
    """Logits of all images, on the CPU, in evaluation mode; the model's mode is restored.

    images : uint8, (N, C, H, W). transform : maps a float batch in 0 to 1 to the model's input.
    Returns float, (N, classes).
    """
    device, out = next(model.parameters()).device, []
    with evaluating(model):
        for batch in images.split(batch_size):
            x = to_float(batch.to(device))
            out.append(model(transform(x) if transform else x).float().cpu())
    return torch.cat(out)


def fit_classifier(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    train: Dataset,
    validation: Dataset | None = None,
    *,
    steps: int,
    batch_size: int = 32,
    transform: Callable | None = None,
    augment: Callable | None = None,
    scheduler: Any = None,
    seed: int = 0,
    every: int = 20,
    checkpoint: str | Path | None = None,
    label: str = "train",
) -> dict[str, list]:
    """Train a classifier with cross-entropy, and leave it at its best validation accuracy.

    Parameters
    ----------
    model, optimizer
        The model returns logits (N, classes). Learning rates, groups and weight decay are the
        optimizer's; parameters with requires_grad=False stay as they are.
    train, validation
        Labelled uint8 images. Every `every` steps the validation accuracy is measured and the best
        weights kept; without a validation set the last weights stay.
    steps, batch_size
        Number of updates, and images an update and process, drawn with replacement.
    transform
        Maps a float batch in 0 to 1, (N, C, H, W), to the model's input.
    augment
        ``augment(batch, generator)``, applied to the float batch before `transform`.
    scheduler
        A torch learning-rate scheduler, stepped once an update.
    seed
        Of the batches and the augmentation. Initial weights are the caller's.
    checkpoint
        A file to save to every `every` steps. Where it exists, training goes on from it.

    Returns
    -------
    dict
        "step", "loss" (mean over the interval) and "validation_accuracy" (0 to 1), lists of equal length.

    Raises
    ------
    FloatingPointError
        The loss is not finite.
    ValueError
        Empty data, or labels that the model has no output for.
    """
    if len(train.labels) == 0 or steps < 1:
        raise ValueError(f"need at least one image and one step, got {len(train.labels)} images and {steps} steps")
    accelerator = Accelerator()
    model, optimizer = accelerator.prepare(model, optimizer)
    plain = accelerator.unwrap_model(model)
    images, labels = train.images.to(accelerator.device), train.labels.to(accelerator.device)
    generator = torch.Generator().manual_seed(seed + 100_003 * accelerator.process_index)
    history: dict[str, list] = {"step": [], "loss": [], "validation_accuracy": []}
    best: dict[str, Any] = {"accuracy": -1.0, "weights": None}
    step, recent = 0, []  # recent: the losses since the last measurement

    def snapshot() -> dict[str, Any]:
        return {
            "kind": "classifier",
            "step": step,
            "recent": recent,
            **_learner(plain, optimizer, scheduler),
            "generator": generator.get_state(),
            "history": history,
            "best": best,
        }

    if checkpoint and Path(checkpoint).exists():
        state = _resume(checkpoint, "classifier")
        _load_learner(state, plain, optimizer, scheduler)
        step, recent, history, best = state["step"], state["recent"], state["history"], state["best"]
        _resume_random(accelerator, generator, state["generator"], seed, step)

    bar = _bar(accelerator, steps, step, label)
    with bar, _interrupts() as interrupted:
        while step < steps and not interrupted:
            set_train_mode(plain)
            index = torch.randint(len(labels), (batch_size,), generator=generator).to(images.device)
            x, y = to_float(images[index]), labels[index]
            if augment:
                x = augment(x, generator)
            logits = model(transform(x) if transform else x)
            if step == 0 and int(labels.max()) >= logits.shape[1]:
                raise ValueError(
                    f"labels go up to {int(labels.max())} but the model has {logits.shape[1]} outputs: replace its head"
                )
            loss = F.cross_entropy(logits, y)
            _require_finite(step, loss=loss.item())
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
            if scheduler:
                scheduler.step()
            step += 1
            recent.append(loss.item())
            bar.update()
            if step % every == 0 or step == steps:
                accuracy = math.nan
                if validation is not None:
                    for buffer in plain.buffers():  # the statistics of the first process's batches, in all of them
                        broadcast(buffer)
                    accuracy = (
                        (predict(plain, validation.images, transform).argmax(1) == validation.labels)
                        .float()
                        .mean()
                        .item()
                    )
                    if accuracy > best["accuracy"]:
                        best = {
                            "accuracy": accuracy,
                            "weights": {k: v.detach().cpu().clone() for k, v in plain.state_dict().items()},
                        }
                history["step"].append(step)
                history["loss"].append(sum(recent) / len(recent))
                history["validation_accuracy"].append(accuracy)
                recent.clear()
                _save(accelerator, checkpoint, snapshot)
    if step < steps:
        _interrupted(accelerator, checkpoint, snapshot, step, steps)
    if best["weights"] is not None:
        plain.load_state_dict(best["weights"])
    plain.eval()
    return history


def train_gan(
    generator: nn.Module,
    discriminator: nn.Module,
    images: torch.Tensor,
    *,
    steps: int,
    batch_size: int = 64,
    lr_generator: float = 1e-3,
    lr_discriminator: float = 3e-3,
    betas: tuple[float, float] = (0.0, 0.99),
    decay_from: float = 1.0,
    r1_weight: float = 0.0,
    ema_decay: float = 0.999,
    augment: Callable | None = None,
    labels: torch.Tensor | None = None,
    loss_generator: Callable | None = None,
    extra_loss: Callable | None = None,
    seed: int = 0,
    every: int = 100,
    measure: Callable[[int, nn.Module], dict[str, Any]] | None = None,
    checkpoint: str | Path | None = None,
    label: str = "GAN",
) -> GanResult:
    """Train a generator against a discriminator with the non-saturating loss.

    Parameters
    ----------
    generator, discriminator
        ``generator(z)`` maps (N, generator.latent) to images with values −1 to 1;
        ``discriminator(x)`` maps images to scores (N,). Parameters with requires_grad=False stay frozen.
    images
        Real images, uint8, (N, C, H, W).
    lr_generator, lr_discriminator, betas
        Of the two Adam optimizers. The discriminator learns faster than the generator (Heusel et
        al. 2017, https://arxiv.org/abs/1706.08500), and the first moment is off: the other player
        moves at every step, so an average of past gradients points the wrong way.
    decay_from
        Fraction of `steps`, 0 to 1, after which both learning rates fall linearly to zero; 1 keeps
        them constant.
    r1_weight
        Weight of the R1 penalty; 0 leaves it out.
    ema_decay
        Of the average of the generator's weights, θ̄ ← decay · θ̄ + (1 − decay) · θ. It remembers
        about 1 / (1 − decay) steps: keep that well below `steps`.
    augment
        ``augment(batch, generator)``, applied to real and fake images alike before the discriminator.
        It must be differentiable: the generator learns through it.
    labels
        int64, (N,), for a class-conditional pair: the calls become ``generator(z, y)`` and ``discriminator(x, y)``,
        and a fake gets the label of a random real image.
    loss_generator
        ``loss_generator(discriminator, real, fake)`` in place of the non-saturating loss, for feature matching.
    extra_loss
        ``extra_loss(discriminator, generator_of_randomness)``, added to the discriminator's loss: what labelled images
        teach it in a semi-supervised GAN.
    measure
        ``measure(step, ema_generator)``, called at step 0, every `every` steps and at the end;
        the dict that it returns is added to the history.
    checkpoint
        A file to save to every `every` steps. Where it exists, training goes on from it.

    Returns
    -------
    GanResult
        The averaged generator and a history with "step", "loss_discriminator", "loss_generator"
        (means over the interval) and what `measure` returned.

    Raises
    ------
    FloatingPointError
        A loss is not finite.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or len(images) == 0 or steps < 1:
        raise ValueError(
            f"need uint8 images of shape (N, C, H, W) and at least one step, "
            f"got {images.dtype} {tuple(images.shape)} and {steps}"
        )
    if labels is not None and labels.shape != images.shape[:1]:
        raise ValueError(f"need one label an image, got {tuple(labels.shape)} for {len(images)} images")
    if not 0 <= decay_from <= 1:
        raise ValueError(f"decay_from is a fraction of the steps, 0 to 1, got {decay_from}")
    # Channels-last memory lets the CPU's convolutions run about half as fast again.
    generator.to(memory_format=torch.channels_last)
    discriminator.to(memory_format=torch.channels_last)
    trainable = [p for p in discriminator.parameters() if p.requires_grad]
    opt_g = torch.optim.Adam([p for p in generator.parameters() if p.requires_grad], lr_generator, betas)
    opt_d = torch.optim.Adam(trainable, lr_discriminator, betas)
    accelerator = Accelerator()
    generator, discriminator, opt_g, opt_d = accelerator.prepare(generator, discriminator, opt_g, opt_d)
    plain_g, plain_d = accelerator.unwrap_model(generator), accelerator.unwrap_model(discriminator)
    ema = AveragedModel(plain_g, multi_avg_fn=get_ema_multi_avg_fn(ema_decay), use_buffers=True)
    device = accelerator.device
    images = images.to(device)
    labels = None if labels is None else labels.to(device)
    random = torch.Generator().manual_seed(seed + 100_003 * accelerator.process_index)
    history: dict[str, list] = {"step": [], "loss_discriminator": [], "loss_generator": []}
    step, recent = 0, []  # recent: the two losses of every step since the last measurement

    def snapshot() -> dict[str, Any]:
        return {
            "kind": "gan",
            "step": step,
            "recent": recent,
            "generator": plain_g.state_dict(),
            "discriminator": plain_d.state_dict(),
            "ema": ema.state_dict(),
            "opt_g": opt_g.state_dict(),
            "opt_d": opt_d.state_dict(),
            "random": random.get_state(),
            "history": history,
        }

    def record() -> None:
        loss_d, loss_g = (sum(column) / len(recent) for column in zip(*recent)) if recent else (math.nan, math.nan)
        row = {"step": step, "loss_discriminator": loss_d, "loss_generator": loss_g}
        if measure and accelerator.is_main_process:
            ema.eval()
            row |= measure(step, ema.module)
        for key, value in row.items():
            history.setdefault(key, []).append(value)

    if checkpoint and Path(checkpoint).exists():
        state = _resume(checkpoint, "gan")
        for module, key in (
            (plain_g, "generator"),
            (plain_d, "discriminator"),
            (ema, "ema"),
            (opt_g, "opt_g"),
            (opt_d, "opt_d"),
        ):
            module.load_state_dict(state[key])
        step, recent, history = state["step"], state["recent"], state["history"]
        _resume_random(accelerator, random, state["random"], seed, step)
    else:
        record()

    def prepared(batch: torch.Tensor) -> torch.Tensor:
        return augment(batch, random) if augment else batch

    bar = _bar(accelerator, steps, step, label)
    try:
        with bar, _interrupts() as interrupted:
            while step < steps and not interrupted:
                generator.train()
                discriminator.train()
                # From the step alone, so that a resumed run has the same rates.
                share = 1.0 if step < decay_from * steps else (steps - step) / (steps * (1 - decay_from))
                for optimizer, rate in ((opt_g, lr_generator), (opt_d, lr_discriminator)):
                    for group in optimizer.param_groups:
                        group["lr"] = share * rate
                index = torch.randint(len(images), (batch_size,), generator=random).to(device)
                real = 2 * to_float(images[index]) - 1
                y = () if labels is None else (labels[index],)  # nothing more to pass without labels
                fake = generator(torch.randn(batch_size, plain_g.latent, generator=random).to(device), *y)

                # Discriminator. The fakes are detached: this step must not move the generator.
                real_in = prepared(real)
                if r1_weight:
                    real_in = real_in.detach().requires_grad_(True)
                scores = discriminator(torch.cat([real_in, prepared(fake.detach())]), *(torch.cat([t, t]) for t in y))
                real_scores, fake_scores = scores[:batch_size], scores[batch_size:]
                loss_d = losses.discriminator_loss(real_scores, fake_scores)
                total_d = loss_d + r1_weight * losses.r1_penalty(real_in, real_scores) if r1_weight else loss_d
                if extra_loss:
                    total_d = total_d + extra_loss(discriminator, random)
                _require_finite(step, discriminator=total_d.item())
                opt_d.zero_grad()
                accelerator.backward(total_d)
                opt_d.step()

                # Generator. The discriminator is only a judge here: its own gradients would be wasted work.
                for p in trainable:
                    p.requires_grad_(False)
                if loss_generator:
                    loss_g = loss_generator(discriminator, prepared(real), prepared(fake))
                else:
                    loss_g = losses.generator_loss(discriminator(prepared(fake), *y))
                _require_finite(step, generator=loss_g.item())
                opt_g.zero_grad()
                accelerator.backward(loss_g)
                opt_g.step()
                for p in trainable:
                    p.requires_grad_(True)

                ema.update_parameters(plain_g)
                step += 1
                recent.append([loss_d.item(), loss_g.item()])
                bar.update()
                if step % every == 0 or step == steps:
                    record()
                    recent.clear()
                    _save(accelerator, checkpoint, snapshot)
    finally:
        for p in trainable:
            p.requires_grad_(True)
    if step < steps:
        _interrupted(accelerator, checkpoint, snapshot, step, steps)
    return GanResult(ema.module.eval(), history)


class _Together(nn.Module):
    """One forward pass of network and alignment, so that several processes average the gradients of both."""

    def __init__(self, model: nn.Module, align: Callable | None):
        super().__init__()
        self.model, self.align = model, align

    def forward(self, source: torch.Tensor, target: torch.Tensor | None, progress: float):
        features = self.model.features(source)
        # The target passes on its own: batch norm must not mix the domains' statistics within a batch.
        apart = source.new_zeros(()) if target is None else self.align(features, self.model.features(target), progress)
        return self.model.head(features), apart


def fit_adapted(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    source: Dataset,
    target: torch.Tensor | None = None,
    align: Callable | None = None,
    *,
    steps: int,
    batch_size: int = 32,
    scheduler: Any = None,
    seed: int = 0,
    every: int = 100,
    measure: Callable[[int], dict[str, Any]] | None = None,
    checkpoint: str | Path | None = None,
    label: str = "adapt",
) -> dict[str, list]:
    """Learn from labelled source images while `align` draws the features of both domains together.

    Parameters
    ----------
    model
        ``model.features(x)`` maps images, float, 0 to 1, to (N, D); ``model.head`` maps features to logits.
    optimizer
        Of the model's parameters, and of `align`'s where it has some.
    source, target
        Labelled uint8 images, and uint8 images (N, C, H, W) **without labels**. Without a target only the source is
        learned.
    align
        ``align(source_features, target_features, progress)`` returns a scalar, added to the cross-entropy; progress
        runs from 0 to 1.
    steps, batch_size, scheduler, seed, checkpoint
        As in `fit_classifier`; a batch has `batch_size` images of each domain. The last weights stay: there are no
        target labels to choose earlier ones by.
    measure
        ``measure(step)``, called every `every` steps and at the end; the dict that it returns joins the history.

    Returns
    -------
    dict
        "step", "loss" (the cross-entropy), "alignment" (both means over the interval) and what `measure` returned.

    Raises
    ------
    FloatingPointError
        A loss is not finite.
    ValueError
        No images, no steps, or only one of `target` and `align`.
    """
    if len(source.labels) == 0 or steps < 1 or (target is not None and len(target) == 0):
        raise ValueError(f"need at least one image of each domain and one step, got {steps} steps")
    if (target is None) != (align is None):
        raise ValueError("target images and align belong together: give both or neither")
    accelerator = Accelerator()
    both, optimizer = accelerator.prepare(_Together(model, align), optimizer)
    plain = accelerator.unwrap_model(both)
    images, labels = source.images.to(accelerator.device), source.labels.to(accelerator.device)
    target = None if target is None else target.to(accelerator.device)
    generator = torch.Generator().manual_seed(seed + 100_003 * accelerator.process_index)
    history: dict[str, list] = {"step": [], "loss": [], "alignment": []}
    step, recent = 0, []  # recent: the two losses of every step since the last measurement

    def snapshot() -> dict[str, Any]:
        return {
            "kind": "adapted",
            "step": step,
            "recent": recent,
            **_learner(plain, optimizer, scheduler),
            "generator": generator.get_state(),
            "history": history,
        }

    if checkpoint and Path(checkpoint).exists():
        state = _resume(checkpoint, "adapted")
        _load_learner(state, plain, optimizer, scheduler)
        step, recent, history = state["step"], state["recent"], state["history"]
        _resume_random(accelerator, generator, state["generator"], seed, step)

    with _bar(accelerator, steps, step, label) as bar, _interrupts() as interrupted:
        while step < steps and not interrupted:
            both.train()
            index = torch.randint(len(labels), (batch_size,), generator=generator).to(images.device)
            other = None
            if target is not None:
                drawn = torch.randint(len(target), (batch_size,), generator=generator)
                other = to_float(target[drawn.to(images.device)])
            logits, apart = both(to_float(images[index]), other, step / steps)
            loss = F.cross_entropy(logits, labels[index])
            _require_finite(step, classification=loss.item(), alignment=apart.item())
            optimizer.zero_grad()
            accelerator.backward(loss + apart)
            optimizer.step()
            if scheduler:
                scheduler.step()
            step += 1
            recent.append([loss.item(), apart.item()])
            bar.update()
            if step % every == 0 or step == steps:
                means = (sum(column) / len(recent) for column in zip(*recent))
                row = {"step": step, **dict(zip(("loss", "alignment"), means))} | (measure(step) if measure else {})
                for key, value in row.items():
                    history.setdefault(key, []).append(value)
                recent.clear()
                _save(accelerator, checkpoint, snapshot)
    if step < steps:
        _interrupted(accelerator, checkpoint, snapshot, step, steps)
    both.eval()
    return history


def fit_adda(
    model: nn.Module,
    judge: nn.Module,
    source: torch.Tensor,
    target: torch.Tensor,
    *,
    steps: int,
    batch_size: int = 32,
    lr_model: float = 1e-4,
    lr_judge: float = 1e-3,
    seed: int = 0,
    every: int = 100,
    label: str = "ADDA",
) -> tuple[nn.Module, dict[str, list]]:
    """ADDA's second phase: a copy of a trained network learns target features that pass for the source's.

    Tzeng et al. 2017, https://arxiv.org/abs/1702.05464: a GAN on features. The source network is frozen and gives the
    "real" features; the copy's body is the generator, its head stays as it is.

    model : trained on the source; has `features`, `body` and `head`; not changed. judge : features → scores, (N,).
    source, target : uint8 images, (N, C, H, W). Returns the adapted copy, in evaluation mode, and a history with
    "step", "loss_judge" and "loss_model", means over `every` steps.

    Raises
    ------
    FloatingPointError
        A loss is not finite.
    ValueError
        No images, or no steps.
    """
    if min(len(source), len(target)) == 0 or steps < 1:
        raise ValueError(f"need at least one image of each domain and one step, got {steps} steps")
    accelerator = Accelerator()
    fixed = copy.deepcopy(model).requires_grad_(False).eval().to(accelerator.device)
    adapted = copy.deepcopy(model)
    adapted.head.requires_grad_(False)
    opt_m = torch.optim.Adam(adapted.body.parameters(), lr_model, (0.5, 0.99))
    opt_j = torch.optim.Adam(judge.parameters(), lr_judge, (0.5, 0.99))
    body, judge, opt_m, opt_j = accelerator.prepare(_Body(adapted), judge, opt_m, opt_j)
    source, target = source.to(accelerator.device), target.to(accelerator.device)
    generator = torch.Generator().manual_seed(seed + 100_003 * accelerator.process_index)
    history: dict[str, list] = {"step": [], "loss_judge": [], "loss_model": []}
    step, recent = 0, []
    with _bar(accelerator, steps, step, label) as bar, _interrupts() as interrupted:
        while step < steps and not interrupted:
            body.train()
            x, y = (
                to_float(images[torch.randint(len(images), (batch_size,), generator=generator).to(images.device)])
                for images in (source, target)
            )
            real, fake = fixed.features(x), body(y)
            loss_j = losses.discriminator_loss(judge(real), judge(fake.detach()))
            _require_finite(step, judge=loss_j.item())
            opt_j.zero_grad()
            accelerator.backward(loss_j)
            opt_j.step()
            loss_m = losses.generator_loss(judge(fake))
            _require_finite(step, model=loss_m.item())
            opt_m.zero_grad()
            accelerator.backward(loss_m)
            opt_m.step()
            step += 1
            recent.append([loss_j.item(), loss_m.item()])
            bar.update()
            if step % every == 0 or step == steps:
                means = (sum(column) / len(recent) for column in zip(*recent))
                for key, value in zip(history, (step, *means)):
                    history[key].append(value)
                recent.clear()
    if step < steps and accelerator.is_main_process:
        print(f"interrupted at step {step} of {steps}: run the cell again to start this phase afresh")
    return adapted.eval(), history


class _Body(nn.Module):
    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model.features(x)


def _bar(accelerator: Accelerator, steps: int, step: int, label: str) -> tqdm:
    # In a notebook tqdm overlooks its own variable TQDM_DISABLE.
    silent = bool(os.environ.get("TQDM_DISABLE")) or not accelerator.is_main_process
    return tqdm(total=steps, initial=step, desc=label, leave=False, disable=silent)


def _require_finite(step: int, **values: float) -> None:
    for name, value in values.items():
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the {name} loss became {value} at step {step}: lower the learning rate or check the "
                "inputs for NaN. An earlier checkpoint, if you asked for one, is untouched."
            )


@contextmanager
def _interrupts() -> Iterator[list]:
    """Note the first Ctrl-C in the list, so that the step in progress is finished; a second one stops at once."""
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen  # Python delivers signals to the main thread only
        return

    def note(number, frame):
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)


def _learner(model: nn.Module, optimizer: torch.optim.Optimizer, scheduler: Any) -> dict[str, Any]:
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict() if scheduler else None,
    }


def _load_learner(state: dict[str, Any], model: nn.Module, optimizer: torch.optim.Optimizer, scheduler: Any) -> None:
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    if scheduler:
        scheduler.load_state_dict(state["scheduler"])


def _resume_random(
    accelerator: Accelerator, generator: torch.Generator, state: torch.Tensor, seed: int, step: int
) -> None:
    # The file holds the first process's generator. The others draw afresh: with its state they would draw its batches.
    if accelerator.is_main_process:
        generator.set_state(state)
    else:
        generator.manual_seed(seed + 100_003 * accelerator.process_index + 1_000_003 * step)


def _resume(path: str | Path, kind: str) -> dict[str, Any]:
    state = load_state(path)
    if not isinstance(state, dict) or state.get("kind") != kind:
        raise ValueError(
            f"{path} is not a checkpoint of this loop ({kind}): give another file, or delete it to start afresh"
        )
    return state


def _save(accelerator: Accelerator, path: str | Path | None, snapshot: Callable) -> None:
    if path and accelerator.is_main_process:
        save_state(path, snapshot())


def _interrupted(accelerator: Accelerator, path: str | Path | None, snapshot: Callable, step: int, steps: int) -> None:
    _save(accelerator, path, snapshot)
    if accelerator.is_main_process:
        print(
            f"interrupted at step {step} of {steps}: "
            + (
                f"run the cell again to go on from {path}"
                if path
                else 'give checkpoint="some-file.safetensors" to be able to go on later'
            )
        )
