"""The methods of the book, each a plain `for` loop: supervised, adversarial, domain-adversarial.

What every training needs and none is about (progress, history, interrupts, checkpoints, several processes) stands in
`helpers.loop`. Batches are drawn from tensors in memory with one generator on the CPU, so a seed means the same on
every device. `batch_size` counts the images of one update, over all processes together.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from helpers import checks, losses, metrics
from helpers.data import SIGNED, UNIT, Dataset, rescale, to_float
from helpers.loop import Objective, Run, require_row
from helpers.runtime import require_counts, require_networks, require_seed


class Result(NamedTuple):
    """model : in evaluation mode, on the device. history : lists of equal length, by name; "step" among them."""

    model: nn.Module
    history: dict[str, list]


# --- modes, statistics, schedules ----------------------------------------------------------------


def set_train_mode(model: nn.Module) -> None:
    """`model.train()`, except that batch norm with frozen weights stays in evaluation mode.

    requires_grad=False stops the gradient, not the running mean and variance: a "frozen" body in
    train mode would still drift with every batch.
    """
    require_networks(model=model)
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.affine and not module.weight.requires_grad:
            module.eval()


@contextmanager
def resting(model: nn.Module) -> Iterator[None]:
    """Inside the block no weight of the model collects a gradient; one still flows through it to its input."""
    require_networks(model=model)
    moving = [p for p in model.parameters() if p.requires_grad]
    try:
        for p in moving:
            p.requires_grad_(False)
        yield
    finally:
        for p in moving:
            p.requires_grad_(True)


def adapt_statistics(
    model: nn.Module,
    images: torch.Tensor,
    transform: Callable | None = None,
    *,
    most: int = 2_000,
    batch_size: int = 100,
    seed: int = 0,
) -> nn.Module:
    """AdaBN: a copy of the model whose batch norms have the means and variances of these images. No weight changes.

    Li et al. 2017, https://arxiv.org/abs/1603.04779. To be used wherever a network meets images that its statistics do
    not come from: another domain, or weights that were scrambled or never trained.

    images : uint8, (N, C, H, W), without labels; at most `most` of them serve, drawn with `seed`: in an order by class
    each batch's variance would be too small. transform : as in `helpers.metrics.predict`. Returns the copy in
    evaluation mode, on the same device; a model without batch norm is only copied.

    Raises
    ------
    ValueError
        Fewer than two images, or images that are not uint8.
    """
    require_networks(model=model)
    adapted = copy.deepcopy(model)
    _measure_statistics(adapted, images, transform, most, batch_size, seed)
    return adapted.eval()


def _measure_statistics(
    model: nn.Module,
    images: torch.Tensor,
    transform: Callable | None = None,
    most: int = 2_000,
    batch_size: int = 100,
    seed: int = 0,
) -> None:
    require_counts(most=most, batch_size=batch_size)
    require_seed(seed)
    checks.require_some_images(images, "images for the statistics")
    if (fewest := min(len(images), most, batch_size)) < 2:
        raise ValueError(f"a variance needs at least two images, got {fewest}: give more, or raise most or batch_size")
    device = metrics.device_of(model, images.device)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[:most]
    parts = order.split(batch_size)
    parts = parts[:-1] if len(parts) > 1 and len(parts[-1]) < batch_size else parts  # a small batch would count as much
    batches = (to_float(images[part.to(images.device)].to(device)) for part in parts)
    prepared = transform or partial(_in_span_of, model)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):  # dropout draws
        update_bn((prepared(x) for x in batches), model)


def linear_decay(optimizer: torch.optim.Optimizer, steps: int, start: float = 0.5) -> LambdaLR:
    """A schedule: constant until the fraction `start` of the steps, then linearly to zero.

    Raises
    ------
    ValueError
        `start` is no fraction.
    TypeError
        `optimizer` is none, or `steps` no whole number.
    """
    require_counts(steps=steps)
    if not hasattr(optimizer, "param_groups"):
        raise TypeError(f"expected a torch.optim.Optimizer, got {str(optimizer)[:60]!r} ({type(optimizer).__name__})")
    if not 0 <= start < 1:
        raise ValueError(f"start is a fraction of the steps, from 0 to below 1, got {start}")
    return LambdaLR(optimizer, lambda step: min(1.0, (steps - step) / (steps * (1 - start))))


def gan_optimizers(
    generator: nn.Module,
    discriminator: nn.Module,
    lr_generator: float = 1e-3,
    lr_discriminator: float = 3e-3,
    betas: tuple[float, float] = (0.0, 0.99),
) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Adam for the generator and Adam for the discriminator, of the weights that are not frozen.

    The discriminator learns faster than the generator (Heusel et al. 2017, https://arxiv.org/abs/1706.08500), and the
    first moment is off: the other player moves at every step, so an average of past gradients points the wrong way.

    Raises ValueError where everything is frozen, or a rate is below 0.
    """
    require_networks(generator=generator, discriminator=discriminator)
    moving = [[p for p in player.parameters() if p.requires_grad] for player in (generator, discriminator)]
    for name, weights in zip(("generator", "discriminator"), moving):
        if not weights:
            raise ValueError(f"the {name} has no weight with requires_grad=True, so it cannot learn: unfreeze some")
    return torch.optim.Adam(moving[0], lr_generator, betas), torch.optim.Adam(moving[1], lr_discriminator, betas)


# --- supervised ----------------------------------------------------------------------------------


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
    rng: int | torch.Generator = 0,
    every: int = 20,
    measure: Callable[[int, nn.Module], dict[str, Any]] | None = None,
    checkpoint: str | Path | None = None,
    label: str = "train",
) -> Result:
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
        Number of updates, and images an update, drawn with replacement.
    transform
        Maps a float batch in 0 to 1, (N, C, H, W), to the model's input. Without one the model gets its own
        `input_span`, 0 to 1 where it has none.
    augment
        ``augment(batch, rng)``, applied to the float batch in 0 to 1 before `transform`.
    scheduler
        A torch learning-rate scheduler of the optimizer, stepped once an update.
    rng
        A seed, or a torch.Generator on the CPU: of the batches and the augmentation. Initial weights are the caller's.
    measure
        ``measure(step, model)``, called every `every` steps with the model in evaluation mode; the dict that it
        returns joins the history.
    checkpoint
        A file to save to every `every` steps. Where it exists, training goes on from it.

    Returns
    -------
    Result
        The same model, and a history with "step", "loss" (mean over the interval), "validation_accuracy" (0 to 1, NaN
        without a validation set) and what `measure` returned.

    Raises
    ------
    FloatingPointError
        The loss is not finite.
    KeyboardInterrupt
        Interrupted; what was reached is in the checkpoint.
    ValueError, TypeError
        Empty or odd data, labels that the model has no output for, numbers out of range, a checkpoint of another run.
    """
    require_counts(batch_size=batch_size)
    highest = checks.require_labelled(train)
    if validation is not None:
        checks.require_labelled(validation, "validation")
    checks.require_optimizer("the model", optimizer, scheduler, model)
    checks.require_callables(transform=transform, augment=augment, measure=measure)
    settings = {"model": model, "optimizer": optimizer, "train": train, "validation": validation, "augment": augment}
    settings |= {"batch_size": batch_size, "transform": transform, "scheduler": scheduler}
    run = Run(steps, rng, every, checkpoint, label, {"method": "fit_classifier"} | settings)
    model, optimizer = run.prepare(model, optimizer)
    plain = run.plain(model)
    prepared = transform or partial(_in_span_of, plain)
    images, labels = run.to_device(train.images, train.labels)
    best: dict[str, Any] = {"accuracy": -1.0, "weights": None}

    def look(step: int) -> dict[str, Any]:
        row = {"validation_accuracy": math.nan}
        if validation is not None:
            row["validation_accuracy"] = run.once(metrics.accuracy, plain, validation, transform)
            if row["validation_accuracy"] > best["accuracy"]:
                weights = {name: value.detach().cpu().clone() for name, value in plain.state_dict().items()}
                best.update(accuracy=row["validation_accuracy"], weights=weights)
        with metrics.evaluating(plain):
            return row | (require_row(run.once(measure, step, plain)) if measure else {})

    for _ in run.each(look, model=plain, optimizer=optimizer, scheduler=scheduler, best=best):
        set_train_mode(plain)
        x, y = run.batch(batch_size, images, labels)
        x = to_float(x)
        if augment:
            x = checks.require_batch(augment(x, run.rng), len(y), "augment")
        logits = model(checks.require_batch(prepared(x), len(y), "transform"))
        checks.require_outputs(logits, highest)
        run.descend(optimizer, scheduler, loss=F.cross_entropy(logits, y))

    if best["weights"] is not None:
        plain.load_state_dict(best["weights"])
    return Result(plain.eval(), run.history)


# --- adversarial ---------------------------------------------------------------------------------


def discriminator_step(
    discriminator: nn.Module,
    real: torch.Tensor,
    fake: torch.Tensor,
    labels: Sequence[torch.Tensor] = (),
    *,
    augment: Callable[[torch.Tensor], torch.Tensor],
    r1_weight: float = 0.0,
    extra_loss: Callable | None = None,
) -> dict[str, torch.Tensor]:
    """The discriminator's losses: real scores up, fake scores down, and perhaps a flat slope at real images.

    real, fake : float, (N, C, H, W), −1 to 1. labels : nothing, or one tensor, int64, (N,). Returns scalars by name.
    """
    checks.require_same_shape(real, fake)
    real = augment(real)
    if r1_weight:
        real = real.detach().requires_grad_(True)
    scores = discriminator(torch.cat([real, augment(fake)]), *(torch.cat([y, y]) for y in labels))
    real_scores, fake_scores = checks.require_scores(scores, 2 * len(real)).split(len(real))
    terms = {"loss_discriminator": losses.discriminator_loss(real_scores, fake_scores)}
    if r1_weight:
        terms["r1_penalty"] = r1_weight * losses.r1_penalty(real, real_scores)
    if extra_loss:
        terms["extra_loss"] = extra_loss(discriminator)
    return terms


def generator_step(
    discriminator: nn.Module,
    real: torch.Tensor,
    fake: torch.Tensor,
    labels: Sequence[torch.Tensor] = (),
    *,
    augment: Callable[[torch.Tensor], torch.Tensor],
    loss_generator: Callable | None = None,
) -> torch.Tensor:
    """The generator's loss, a scalar: its fakes shall get high scores, or do what `loss_generator` asks for."""
    if loss_generator:
        return loss_generator(discriminator, augment(real), augment(fake))
    return losses.generator_loss(discriminator(augment(fake), *labels))


def fit_gan(
    generator: nn.Module,
    discriminator: nn.Module,
    optimizers: tuple[torch.optim.Optimizer, torch.optim.Optimizer],
    images: torch.Tensor,
    *,
    steps: int,
    batch_size: int = 64,
    labels: torch.Tensor | None = None,
    schedulers: Sequence[Any] | None = None,
    r1_weight: float = 0.0,
    ema_decay: float = 0.999,
    augment: Callable | None = None,
    loss_generator: Callable | None = None,
    extra_loss: Callable | None = None,
    rng: int | torch.Generator = 0,
    every: int = 100,
    measure: Callable[[int, nn.Module], dict[str, Any]] | None = None,
    checkpoint: str | Path | None = None,
    label: str = "GAN",
) -> Result:
    """Train a generator against a discriminator with the non-saturating loss.

    Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661.

    Parameters
    ----------
    generator, discriminator
        ``generator(z)`` maps (N, generator.latent) to images with values −1 to 1;
        ``discriminator(x)`` maps images to scores (N,). Parameters with requires_grad=False stay frozen.
    optimizers, schedulers
        Of the generator and of the discriminator, in this order; `gan_optimizers` and `linear_decay` make them.
    images
        Real images, uint8, (N, C, H, W).
    labels
        int64, (N,), for a class-conditional pair: the calls become ``generator(z, y)`` and ``discriminator(x, y)``,
        and a fake gets the label of a random real image.
    r1_weight
        Weight of the R1 penalty; 0 leaves it out.
    ema_decay
        Of the average of the generator's weights, θ̄ ← decay · θ̄ + (1 − decay) · θ. It remembers
        about 1 / (1 − decay) steps: keep that well below `steps`.
    augment
        ``augment(batch, rng)``, applied to real and fake images alike before the discriminator.
        It must be differentiable: the generator learns through it.
    loss_generator
        ``loss_generator(discriminator, real, fake)`` in place of the non-saturating loss, for feature matching.
    extra_loss
        ``extra_loss(discriminator, rng)``, added to the discriminator's loss: what labelled images
        teach it in a semi-supervised GAN.
    measure
        ``measure(step, averaged_generator)``, called at step 0, every `every` steps and at the end;
        the dict that it returns joins the history.
    steps, batch_size, rng, every, checkpoint
        As in `fit_classifier`.

    Returns
    -------
    Result
        The averaged generator, and a history with "step", "loss_discriminator", "loss_generator" (means over the
        interval), "r1_penalty" and "extra_loss" where they are used, and what `measure` returned.

    Raises
    ------
    FloatingPointError, KeyboardInterrupt
        As in `fit_classifier`.
    ValueError, TypeError
        Images, labels or numbers that do not fit; a checkpoint of another run.
    """
    require_counts(batch_size=batch_size)
    checks.require_some_images(images, "training")
    checks.require_weights(ema_decay, r1_weight)
    checks.require_labels(labels, images, generator)
    checks.require_parts("the generator (it comes first)", generator, "latent")
    opt_g, opt_d = checks.require_pair("optimizers", optimizers)
    scheduler_g, scheduler_d = checks.require_pair("schedulers", schedulers) if schedulers else (None, None)
    checks.require_optimizer("the generator", opt_g, scheduler_g, generator)
    checks.require_optimizer("the discriminator", opt_d, scheduler_d, discriminator)
    checks.require_callables(augment=augment, loss_generator=loss_generator, extra_loss=extra_loss, measure=measure)
    settings = {"generator": generator, "discriminator": discriminator, "optimizers": optimizers, "images": images}
    settings |= {"labels": labels, "schedulers": schedulers, "augment": augment, "loss_generator": loss_generator}
    settings |= {"extra_loss": extra_loss, "batch_size": batch_size, "r1_weight": r1_weight, "ema_decay": ema_decay}
    run = Run(steps, rng, every, checkpoint, label, {"method": "fit_gan"} | settings)

    def augmented(batch: torch.Tensor) -> torch.Tensor:
        return checks.require_augmented(augment(batch, run.rng), batch) if augment else batch

    extra = (lambda d: extra_loss(d, run.rng)) if extra_loss else None
    losses_of = partial(discriminator_step, discriminator, augment=augmented, r1_weight=r1_weight, extra_loss=extra)
    generator, objective, opt_g, opt_d = run.prepare(generator, Objective(losses_of, discriminator), opt_g, opt_d)
    plain = run.plain(generator)
    averaged = AveragedModel(plain, multi_avg_fn=get_ema_multi_avg_fn(ema_decay), use_buffers=True).eval()
    images, labels = run.to_device(images, labels)
    rows = (images,) if labels is None else (images, labels)
    parts = {"generator": plain, "discriminator": discriminator, "averaged": averaged, "opt_g": opt_g, "opt_d": opt_d}
    parts |= {"scheduler_g": scheduler_g, "scheduler_d": scheduler_d}

    def look(step: int) -> dict[str, Any]:
        return run.once(measure, step, averaged.module) if measure else {}

    for _ in run.each(look, first=True, **parts):
        set_train_mode(generator)
        set_train_mode(discriminator)
        x, *y = run.batch(batch_size, *rows)
        real = to_float(x, SIGNED)
        fake = generator(run.latents(batch_size, plain.latent), *y)

        # The fakes are detached: this step must not move the generator.
        run.descend(opt_d, scheduler_d, **objective(real, fake.detach(), y))

        # The discriminator rests: its own gradients would be wasted work.
        with resting(discriminator), run.autocast():
            loss = generator_step(discriminator, real, fake, y, augment=augmented, loss_generator=loss_generator)
            run.descend(opt_g, scheduler_g, loss_generator=loss)

        averaged.update_parameters(plain)

    return Result(averaged.module.eval(), run.history)


# --- domain-adversarial --------------------------------------------------------------------------


def adaptation_step(
    model: nn.Module,
    align: Callable | None,
    x: torch.Tensor,
    y: torch.Tensor,
    other: torch.Tensor | None,
    progress: float,
    highest: int = 0,
) -> dict[str, torch.Tensor]:
    """The cross-entropy of source images `x`, and how far the features of target images `other` lie from theirs.

    x, other : float, (N, C, H, W), in the model's range. y : int64, (N,). progress : 0 to 1. highest : a label that the
    model must have an output for. Returns scalars by name.
    """
    features = model.features(x)
    apart = x.new_zeros(())
    if align is not None:
        # The target passes on its own: batch norm must not mix the domains' statistics within a batch.
        apart = align(features, model.features(other), progress)
    logits = model.head(features)
    checks.require_outputs(logits, highest)
    return {"loss": F.cross_entropy(logits, y), "alignment": apart}


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
    rng: int | torch.Generator = 0,
    every: int = 100,
    measure: Callable[[int, nn.Module], dict[str, Any]] | None = None,
    checkpoint: str | Path | None = None,
    label: str = "adapt",
) -> Result:
    """Learn from labelled source images while `align` draws the features of both domains together.

    With `helpers.models.DomainAdversary` this is DANN (Ganin et al. 2016, https://arxiv.org/abs/1505.07818).

    Parameters
    ----------
    model
        ``model.features(x)`` maps float images to (N, D); ``model.head`` maps features to logits.
    optimizer, scheduler
        Of the model's parameters, and of `align`'s where it has some.
    source, target
        Labelled uint8 images, and uint8 images (N, C, H, W) **without labels**. Without a target only the source is
        learned.
    align
        ``align(source_features, target_features, progress)`` returns a scalar, added to the cross-entropy; progress
        runs from 0 to 1.
    steps, batch_size, rng, every, checkpoint
        As in `fit_classifier`; a batch has `batch_size` images of each domain. The last weights stay: there are no
        target labels to choose earlier ones by.
    measure
        ``measure(step, model)``, called every `every` steps and at the end; the dict that it returns joins the history.

    Returns
    -------
    Result
        The same model, and a history with "step", "loss" (the cross-entropy), "alignment" (both means over the
        interval) and what `measure` returned. With a target, `measure` and the result have batch norm with the target's
        statistics; ``adapt_statistics(model, source.images)`` gives the network for the source.

    Raises
    ------
    FloatingPointError, KeyboardInterrupt
        As in `fit_classifier`.
    ValueError, TypeError
        Empty or odd data, only one of `target` and `align`, numbers out of range, a checkpoint of another run.
    """
    require_counts(batch_size=batch_size)
    highest = checks.require_labelled(source, "source")
    checks.require_parts("the model", model, "features", "head")
    checks.require_optimizer("the model", optimizer, scheduler, model)
    checks.require_callables(align=align, measure=measure)
    if (target is None) != (align is None):
        raise ValueError("target images and align belong together: give both or neither")
    if target is not None:
        checks.require_some_images(target, "target images")
    settings = {"model": model, "optimizer": optimizer, "source": source, "target": target, "align": align}
    settings |= {"batch_size": batch_size, "scheduler": scheduler, "steps": steps}  # progress depends on the steps
    run = Run(steps, rng, every, checkpoint, label, {"method": "fit_adapted"} | settings)
    networks = [part for part in (model, align) if isinstance(part, nn.Module)]
    losses_of = partial(adaptation_step, model, align, highest=highest)
    objective, optimizer = run.prepare(Objective(losses_of, *networks), optimizer)
    images, labels, others = run.to_device(source.images, source.labels, target)

    def look(step: int) -> dict[str, Any]:
        if measure is None:
            return {}
        return run.once(measure, step, model if target is None else adapt_statistics(model, target))

    parts = {f"network_{i}": network for i, network in enumerate(networks)}
    for step in run.each(look, optimizer=optimizer, scheduler=scheduler, **parts):
        for network in networks:
            set_train_mode(network)
        x, y = run.batch(batch_size, images, labels)
        other = None if others is None else _in_span_of(model, to_float(run.batch(batch_size, others)[0]))
        terms = objective(_in_span_of(model, to_float(x)), y, other, step / steps)
        run.descend(optimizer, scheduler, **terms)

    if target is not None:
        _measure_statistics(model, target)
    return Result(model.eval(), run.history)


def fit_adda(
    source_model: nn.Module,
    target_model: nn.Module,
    domain_discriminator: nn.Module,
    optimizers: tuple[torch.optim.Optimizer, torch.optim.Optimizer],
    source: torch.Tensor,
    target: torch.Tensor,
    *,
    steps: int,
    batch_size: int = 32,
    schedulers: Sequence[Any] | None = None,
    rng: int | torch.Generator = 0,
    every: int = 100,
    measure: Callable[[int, nn.Module], dict[str, Any]] | None = None,
    checkpoint: str | Path | None = None,
    label: str = "ADDA",
) -> Result:
    """ADDA's second phase: a copy of a trained network learns target features that pass for the source's.

    Tzeng et al. 2017, https://arxiv.org/abs/1702.05464: a GAN on features. The source network is frozen and gives the
    "real" features; the copy's body is the generator, its head stays as it is.

    Parameters
    ----------
    source_model, target_model
        Trained on the source, and a copy of it (``copy.deepcopy``). Both have `features`, `body` and `head`; the first
        is not changed.
    domain_discriminator
        Features (N, D) → scores (N,), positive: source.
    optimizers, schedulers
        Of ``target_model.body`` and of the domain discriminator, in this order.
    source, target
        uint8 images, (N, C, H, W), of the two domains, without labels.
    steps, batch_size, rng, every, measure, checkpoint
        As in `fit_adapted`.

    Returns
    -------
    Result
        `target_model` with the target's statistics in its batch norms, and a history with "step",
        "loss_domain_discriminator", "loss_model" (means over the interval) and what `measure` returned.

    Raises
    ------
    FloatingPointError, KeyboardInterrupt
        As in `fit_classifier`.
    ValueError, TypeError
        No images, one network in both places, numbers out of range, a checkpoint of another run.
    """
    require_counts(batch_size=batch_size)
    checks.require_some_images(source, "source images")
    checks.require_some_images(target, "target images")
    for name, model in (("source_model", source_model), ("target_model", target_model)):
        checks.require_parts(name, model, "features", "body", "head")
    opt_m, opt_d = checks.require_pair("optimizers", optimizers)
    scheduler_m, scheduler_d = checks.require_pair("schedulers", schedulers) if schedulers else (None, None)
    if source_model is target_model:
        raise ValueError("both networks are one object: target_model = copy.deepcopy(source_model)")
    checks.require_optimizer("target_model.body", opt_m, scheduler_m, target_model.body)
    checks.require_optimizer("the domain discriminator", opt_d, scheduler_d, domain_discriminator)
    checks.require_callables(measure=measure)
    settings = {"source_model": source_model, "target_model": target_model, "source": source, "target": target}
    settings |= {"domain_discriminator": domain_discriminator, "optimizers": optimizers, "schedulers": schedulers}
    run = Run(steps, rng, every, checkpoint, label, {"method": "fit_adda", "batch_size": batch_size} | settings)
    fixed = copy.deepcopy(source_model).eval().to(run.device)

    def losses_of(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        # One domain at a time, as in `adaptation_step`.
        return losses.discriminator_loss(domain_discriminator(real), domain_discriminator(fake))

    body, objective, opt_m, opt_d = run.prepare(
        Objective(target_model.features, target_model.body), Objective(losses_of, domain_discriminator), opt_m, opt_d
    )
    target_model.to(run.device)  # the head, too
    reals, fakes = run.to_device(source, target)
    parts = {"model": target_model, "domain_discriminator": domain_discriminator, "opt_m": opt_m, "opt_d": opt_d}
    parts |= {"scheduler_m": scheduler_m, "scheduler_d": scheduler_d}

    def look(step: int) -> dict[str, Any]:
        return run.once(measure, step, adapt_statistics(target_model, target)) if measure else {}

    for _ in run.each(look, **parts):
        set_train_mode(target_model)
        set_train_mode(domain_discriminator)
        x, y = (_in_span_of(fixed, to_float(run.batch(batch_size, images)[0])) for images in (reals, fakes))
        with torch.no_grad():
            real = fixed.features(x)
        fake = body(y)
        run.descend(opt_d, scheduler_d, loss_domain_discriminator=objective(real, fake.detach()))
        with resting(domain_discriminator), run.autocast():
            run.descend(opt_m, scheduler_m, loss_model=losses.generator_loss(domain_discriminator(fake)))

    _measure_statistics(target_model, target)
    return Result(target_model.eval(), run.history)


# --- what goes in --------------------------------------------------------------------------------


def _in_span_of(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """0 to 1 → the range that the model was made for."""
    span = getattr(model, "input_span", UNIT)
    return x if span == UNIT else rescale(x, UNIT, span)
