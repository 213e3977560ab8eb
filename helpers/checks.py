"""What the loops and metrics refuse before they begin: each error says what is wrong, and what to do.

Inside a loop only shapes and types are looked at: to read a value, a device would have to finish its work first.
"""

import math
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from helpers.data import Dataset, require_images
from helpers.runtime import require_networks


def require_batch(batch: torch.Tensor, n: int, by: str) -> torch.Tensor:
    """The batch itself, if it is a float tensor with `n` rows; `by` made it, and is named in the error."""
    if not isinstance(batch, torch.Tensor):
        raise TypeError(f"{by} must return a float tensor, a row an image, got {type(batch).__name__}")
    if not batch.is_floating_point() or batch.shape[:1] != (n,):
        raise ValueError(
            f"{by} must return floats, a row for each of the {n} images, got {batch.dtype} {tuple(batch.shape)}"
        )
    return batch


def require_some_images(images: torch.Tensor, name: str) -> None:
    """At least one image, uint8, (N, C, H, W)."""
    require_images(images, dtype=torch.uint8, by=name)
    if len(images) == 0:
        raise ValueError(f"{name}: there are 0 images; check what was selected")


def require_labelled(dataset: Dataset, name: str = "training") -> int:
    """At least one image, each with a label: int64, (N,), counted from 0. Returns the highest label."""
    if not hasattr(dataset, "images") or not hasattr(dataset, "labels"):
        raise TypeError(
            f"{name} takes a data set with images and labels, got {type(dataset).__name__}: use data.load, or "
            "data.Dataset(images, labels, classes)"
        )
    images, labels = dataset.images, dataset.labels
    require_some_images(images, name)
    if not isinstance(labels, torch.Tensor) or labels.dtype != torch.int64 or labels.ndim != 1:
        got = f"{labels.dtype} {tuple(labels.shape)}" if isinstance(labels, torch.Tensor) else type(labels).__name__
        raise ValueError(f"labels must be one int64 tensor (N,), got {got}: use labels.long()")
    if len(labels) != len(images):
        raise ValueError(f"need one label an image, got {len(labels)} labels for {len(images)} images")
    if int(labels.min()) < 0:
        raise ValueError(f"labels count from 0, got {int(labels.min())}")
    return int(labels.max())


def require_outputs(logits: torch.Tensor, highest: int) -> None:
    """Logits (N, classes), with a class for the label `highest`."""
    if logits.ndim != 2:
        raise ValueError(f"a classifier returns logits (N, classes), this model returns {tuple(logits.shape)}")
    if highest >= logits.shape[1]:
        raise ValueError(f"labels go up to {highest} but the model has {logits.shape[1]} outputs: replace its head")


def require_optimizer(name: str, optimizer: Any, scheduler: Any, network: nn.Module) -> None:
    """An optimizer that can move the network, and a scheduler of that optimizer or None."""
    require_networks(**{name: network})
    if not hasattr(optimizer, "param_groups"):
        raise TypeError(f"the optimizer of {name} must be a torch.optim.Optimizer, got {str(optimizer)[:60]!r}")
    own = {id(p) for p in network.parameters()}
    held = [p for group in optimizer.param_groups for p in group["params"] if id(p) in own]
    if not held:
        raise ValueError(
            f"the optimizer holds no weight of {name}, so that would not learn: make it from the parameters of the "
            "very network that is trained (a copy has others), and give several in the order of their networks"
        )
    if not any(p.requires_grad for p in held):
        raise ValueError(f"all weights of {name} that the optimizer holds are frozen: set requires_grad=True for some")
    if scheduler is not None and not callable(getattr(scheduler, "step", None)):
        raise TypeError(f"the scheduler of {name} must have a method step, got {str(scheduler)[:60]!r}")
    if getattr(scheduler, "optimizer", optimizer) is not optimizer:
        raise ValueError(
            f"the {type(scheduler).__name__} of {name} belongs to another optimizer, so it would change nothing: make "
            "it from the one that is given here"
        )
    if isinstance(scheduler, ReduceLROnPlateau):
        raise ValueError("ReduceLROnPlateau waits for a measured value, which no loop here gives: use linear_decay")


def require_pair(name: str, values: Any) -> tuple[Any, Any]:
    """The two values: optimizers or schedulers of two networks."""
    if not isinstance(values, tuple | list) or len(values) != 2:
        got = f"{len(values)} values" if isinstance(values, tuple | list) else type(values).__name__
        raise TypeError(f"{name} must be two in a tuple, in the order of the networks, got {got}: see gan_optimizers")
    return values[0], values[1]


def require_parts(name: str, network: Any, *parts: str) -> None:
    """A network with these attributes."""
    require_networks(**{name: network})
    if lacking := [part for part in parts if not hasattr(network, part)]:
        raise ValueError(
            f"{name} needs {', '.join(parts)}, but {type(network).__name__} has no {', '.join(lacking)}: see "
            f"helpers.models.{'Generator' if parts == ('latent',) else 'DomainNetwork'} for one that has"
        )


def require_callables(**functions: Any) -> None:
    """Functions or None."""
    for name, function in functions.items():
        if function is not None and not callable(function):
            got = f"{str(function)[:60]!r} ({type(function).__name__})"
            raise TypeError(f"{name} must be a function or None, got {got}")


def require_labels(labels: torch.Tensor | None, images: torch.Tensor, generator: nn.Module) -> None:
    """One label an image, int64, that the generator has a class for; or None."""
    if labels is None:
        return
    if labels.shape != images.shape[:1]:
        raise ValueError(f"need one label an image, got {tuple(labels.shape)} for {len(images)} images")
    if labels.dtype != torch.int64:
        raise ValueError(f"labels must be int64, got {labels.dtype}: use labels.long()")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= getattr(generator, "classes", high + 1):
        classes = getattr(generator, "classes", "?")
        raise ValueError(f"labels count from 0 to classes - 1, got {low} to {high} and {classes} classes")


def require_augmented(augmented: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
    """What an augmentation made of the batch: floats of the same shape."""
    require_batch(augmented, len(batch), "augment")
    if augmented.shape != batch.shape:
        raise ValueError(f"augment must keep the shape: it got {tuple(batch.shape)}, returned {tuple(augmented.shape)}")
    return augmented


def require_scores(scores: torch.Tensor, n: int) -> torch.Tensor:
    """A discriminator's scores of `n` images, or a map of them each."""
    if isinstance(scores, torch.Tensor) and scores.ndim == 2 and scores.shape[1] > 1:
        raise ValueError(
            f"a discriminator returns one score an image, this one returned {tuple(scores.shape)}: wrap a classifier "
            "in helpers.models.ClassScore"
        )
    return require_batch(scores, n, "the discriminator")


def require_same_shape(real: torch.Tensor, fake: torch.Tensor) -> None:
    """Real images of the form that the generator makes."""
    if real.shape[1:] != fake.shape[1:]:
        (c, *size), (channels, *pixels) = real.shape[1:], fake.shape[1:]
        raise ValueError(
            f"the images have {c} channels and {size[0]}×{size[1]} pixels, the generator makes {channels} channels and "
            f"{pixels[0]}×{pixels[1]} pixels: load the data with channels={channels} and size={pixels[0]}, or build "
            "generator and discriminator for the images"
        )


def require_weights(ema_decay: float, r1_weight: float) -> None:
    """A fraction, and a number from 0 on."""
    if not 0 <= ema_decay <= 1:
        raise ValueError(f"ema_decay must lie between 0 and 1, got {ema_decay}")
    if not 0 <= r1_weight < math.inf:
        raise ValueError(f"r1_weight must be 0 or more, got {r1_weight}: a penalty below 0 is a reward")
