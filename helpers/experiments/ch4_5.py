"""Chapter 4.5, domain adaptation: ``python -m helpers.experiments.run ch4_5``.

Five arms on three pairs of domains, λ of DANN, and targets whose classes are not equally frequent; five seeds each.
No arm but "target" sees a label of the target, and every network is the one of the last step. Each domain is read with
batch norm statistics of its own, but by "source only", which knows the source's alone. λ is the paper's.
CORAL's weight and ADDA's learning rate were chosen with seed 100 and without target labels, by the information in the
predictions for held-out target images: ``python -m helpers.experiments.ch4_5`` repeats that.
"""

import copy
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from torch import nn

from helpers import data, losses, metrics, train
from helpers.models import DomainAdversary, DomainDiscriminator, DomainNetwork
from helpers.runtime import seed_everything, start

NAME = "4-5-domain-adaptation"
DATA = "complete MNIST and MNIST-M (made from it and scikit-image's photographs), typeset digits (drawn), UCI digits"
PAIRS = {
    "MNIST → MNIST-M": ("mnist", "mnist-m-skimage"),
    "typeset → MNIST": ("typeset-digits", "mnist"),
    "MNIST → UCI": ("mnist", "uci-digits"),
}
ARMS = ("source only", "CORAL", "DANN", "ADDA", "target")
SEEDS = range(5)
STRENGTHS = (0.1, 10.0)  # of DANN, beside 1 (the arm "DANN") and 0 ("source only")
SHIFTS = {"skewed": 0.1, "half": 0.0}  # what stays of the target's digits 5 to 9
SETTINGS: dict[str, Any] = {
    "steps": 400,
    "batch_size": 32,
    "rate": 1e-3,
    "adda_steps": 300,
    "adda_rates": (3e-4, 1e-3),
    "strength": 1.0,
    "coral_weight": 1000.0,
    "unlabelled": 1000,
    "test_images": 4000,
}


def runs() -> list[dict]:
    def one(pair: str, arm: str, seed: int, strength: float = 1.0, shift: str = "none") -> dict:
        return {"pair": pair, "arm": arm, "strength": strength, "shift": shift, "seed": seed}

    first, *others = PAIRS
    table = [one(first, arm, seed) for seed in SEEDS for arm in ARMS]
    table += [one(first, "DANN", seed, shift=shift) for seed in SEEDS for shift in SHIFTS]
    table += [one(first, "DANN", seed, strength) for seed in SEEDS for strength in STRENGTHS]
    return table + [one(pair, arm, seed) for seed in SEEDS for pair in others for arm in ARMS]


@cache
def load(name: str, split: str) -> data.Dataset:
    """Training images are complete; of the others at most SETTINGS["test_images"] serve, always the same ones."""
    dataset = data.load(name, split)
    chosen = torch.randperm(len(dataset.labels), generator=torch.Generator().manual_seed(0))
    return dataset if split == "train" else dataset.select(chosen[: SETTINGS["test_images"]])


def shifted(dataset: data.Dataset, share: float, seed: int = 0) -> data.Dataset:
    """Keep every 0 to 4, and `share` of the digits 5 to 9."""
    chance = torch.rand(len(dataset.labels), generator=torch.Generator().manual_seed(seed))
    return dataset.select((dataset.labels < 5) | (chance < share))


def alignment(arm: str, strength: float = 1.0, coral_weight: float = 1000.0) -> Callable | None:
    """What draws the domains' features together, as `align` of `train.fit_adapted`; None for the other arms.

    strength : λ of DANN. coral_weight : of CORAL's loss.
    """
    if arm == "DANN":
        return DomainAdversary(strength)
    if arm == "CORAL":
        return partial(weighted, losses.coral_loss, coral_weight)
    return None


def weighted(
    loss: Callable, weight: float, source: torch.Tensor, target: torch.Tensor, progress: float
) -> torch.Tensor:
    """The loss of two batches of features, float, (N, D), times its weight; a scalar. It does not use the progress."""
    return weight * loss(source, target)


def fit(
    arm: str,
    source: data.Dataset,
    target: torch.Tensor,
    seed: int,
    *,
    steps: int,
    batch_size: int = 32,
    rate: float = 1e-3,
    strength: float = 1.0,
    coral_weight: float = 1000.0,
    **options: Any,
) -> train.Result:
    """A new network after training on the source; "DANN" and "CORAL" also use the target's images, without labels.

    target : uint8, (N, C, H, W). The seed decides weights and batches. options : further ones of `train.fit_adapted`.
    """
    return learn(
        partial(alignment, arm, strength, coral_weight),
        source,
        target,
        seed,
        steps=steps,
        batch_size=batch_size,
        rate=rate,
        **{"label": arm} | options,
    )


def learn(
    make_align: Callable[[], Callable | None],
    learned: data.Dataset,
    target: torch.Tensor,
    seed: int,
    *,
    steps: int,
    batch_size: int,
    rate: float,
    **options: Any,
) -> train.Result:
    """A new network after training on `learned`, with Adam at `rate`, which falls to 0 over the second half.

    make_align : makes what draws the domains together, as `align` of `train.fit_adapted`, or gives None. The rest as in
    `fit`.
    """
    torch.manual_seed(seed)
    model = DomainNetwork()  # first, so that all arms of a seed begin alike
    align = make_align()
    learning = nn.ModuleList([model, align] if isinstance(align, nn.Module) else [model])  # an adversary learns as well
    optimizer = torch.optim.Adam(learning.parameters(), rate)
    return train.fit_adapted(
        model,
        optimizer,
        learned,
        target if align else None,
        align,
        steps=steps,
        batch_size=batch_size,
        scheduler=train.linear_decay(optimizer, steps),
        rng=seed,
        **options,
    )


def adapt(
    source_model: nn.Module,
    source: torch.Tensor,
    target: torch.Tensor,
    seed: int,
    *,
    steps: int,
    batch_size: int = 32,
    rates: tuple[float, float] = (3e-4, 1e-3),
    **options: Any,
) -> train.Result:
    """ADDA's second phase: an adapted copy of a network that `fit` trained on the source alone.

    source, target : uint8, (N, C, H, W). rates : of the copy's body and of the domain discriminator, whose initial
    weights the global seed decides. options : further ones of `train.fit_adda`.
    """
    target_model, domain_discriminator = copy.deepcopy(source_model), DomainDiscriminator()
    return train.fit_adda(
        source_model,
        target_model,
        domain_discriminator,
        (
            torch.optim.Adam(target_model.body.parameters(), rates[0], (0.5, 0.99)),
            torch.optim.Adam(domain_discriminator.parameters(), rates[1], (0.5, 0.99)),
        ),
        source,
        target,
        steps=steps,
        batch_size=batch_size,
        rng=seed,
        **options,
    )


def fit_arm(arm: str, source: data.Dataset, target: data.Dataset, seed: int, settings: dict = SETTINGS) -> nn.Module:
    """Train one arm. Of `target` only the images are used, except by the arm "target"."""
    learned = target if arm == "target" else source
    names = ("steps", "batch_size", "rate", "strength", "coral_weight")
    model = fit(arm, learned, target.images, seed, **{name: settings[name] for name in names}).model
    if arm == "ADDA":
        sizes = {"steps": settings["adda_steps"], "batch_size": settings["batch_size"]}
        model = adapt(model, source.images, target.images, seed, rates=settings["adda_rates"], **sizes).model
    return model


def for_source(arm: str, model: nn.Module, source: torch.Tensor) -> nn.Module:
    """The network with the source's statistics: those of "source only" are, the other arms have the target's."""
    return model if arm == "source only" else train.adapt_statistics(model, source)


def unlabelled(
    on_source: nn.Module, on_target: nn.Module, source: torch.Tensor, target: torch.Tensor, n: int = 1_000
) -> dict[str, float]:
    """What can be measured without a target label, on `n` held-out images of each domain, uint8.

    on_source, on_target : the network with each domain's statistics.
    """
    source, target = (
        images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:n]]
        for images in (source, target)
    )
    features = metrics.features(on_source, source), metrics.features(on_target, target)
    return {
        "a_distance": metrics.proxy_a_distance(*features),
        "information": metrics.information(metrics.predict(on_target, target)),
    }


def recall(model: nn.Module, test: data.Dataset) -> list[float]:
    """Share of each class that is recognised."""
    counts = metrics.confusion(metrics.predict(model, test.images).argmax(1), test.labels, len(test.classes))
    return (counts.diag() / counts.sum(1)).tolist()


def run(pair: str, arm: str, strength: float, shift: str, seed: int) -> dict:
    names = PAIRS[pair]
    source, target = (load(name, "train") for name in names)
    if shift != "none":
        target = shifted(target, SHIFTS[shift])
    model = fit_arm(arm, source, target, seed, SETTINGS | {"strength": strength})
    on_source = for_source(arm, model, source.images)
    validation, test = load(names[0], "validation"), load(names[1], "test")
    by_class = recall(model, test)
    share = torch.bincount(test.labels, minlength=len(by_class)) / len(test.labels)
    blind = unlabelled(on_source, model, validation.images, load(names[1], "validation").images, SETTINGS["unlabelled"])
    measured = {
        "accuracy": round(float(share @ torch.tensor(by_class)), 4),
        "recall": [round(x, 4) for x in by_class],
        "source_accuracy": round(metrics.accuracy(on_source, validation), 4),
        **{name: round(value, 3) for name, value in blind.items()},
    }
    if arm == "source only":
        adapted = train.adapt_statistics(model, target.images, seed=seed)
        measured["accuracy_adabn"] = round(metrics.accuracy(adapted, test), 4)
    return measured


def main() -> None:
    """The choice of the settings; in brackets what target labels would have said, which took no part in it."""
    start(0)
    grid: list[tuple[str, dict[str, Any]]] = [("CORAL", {"coral_weight": x}) for x in (10.0, 100.0, 1000.0)]
    grid += [("ADDA", {"adda_rates": (x, 1e-3)}) for x in (1e-4, 3e-4)]
    names = PAIRS["MNIST → MNIST-M"]
    source, target = (load(name, "train") for name in names)
    held_out, unseen = (load(name, "validation") for name in names)
    for arm, change in grid:
        seed_everything(100)
        model = fit_arm(arm, source, target, 100, SETTINGS | change)
        on_source = for_source(arm, model, source.images)
        measured = {"source": metrics.accuracy(on_source, held_out)}
        measured |= unlabelled(on_source, model, held_out.images, unseen.images)
        print(arm, change, measured, f"({metrics.accuracy(model, unseen):.3f})", flush=True)


if __name__ == "__main__":
    main()
