"""Chapter 4.5, domain adaptation: ``python -m helpers.experiments.run ch4_5``.

Five arms on three pairs of domains, λ of DANN, and targets whose classes are not equally frequent; five seeds each.
No arm but "target" sees a label of the target, and every network is the one of the last step. λ is the paper's.
CORAL's weight and ADDA's learning rate were chosen with seed 100 and without target labels, by the information in the
predictions for held-out target images: ``python -m helpers.experiments.ch4_5`` repeats that.
"""

from functools import cache, partial

import torch
from torch import nn

from helpers import data, losses, metrics, train
from helpers.experiments.run import require_finished
from helpers.models import DomainAdversary, DomainJudge, DomainNetwork
from helpers.runtime import seed_everything, start

NAME = "4-5-domain-adaptation"
DATA = "complete MNIST and MNIST-M (made from it), typeset digits (drawn), UCI digits"
PAIRS = {
    "MNIST → MNIST-M": ("mnist", "mnist-m"),
    "typeset → MNIST": ("typeset-digits", "mnist"),
    "MNIST → UCI": ("mnist", "uci-digits"),
}
ARMS = ("source only", "CORAL", "DANN", "ADDA", "target")
SEEDS = range(5)
STRENGTHS = (0.1, 10.0)  # of DANN, beside 1 (the arm "DANN") and 0 ("source only")
SHIFTS = {"skewed": 0.1, "half": 0.0}  # what stays of the target's digits 5 to 9
SETTINGS = {
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


def fit(arm: str, source: data.Dataset, target: data.Dataset, seed: int, settings: dict = SETTINGS) -> nn.Module:
    """Train one arm. Of `target` only the images are used, except by the arm "target"."""
    seed_everything(seed)
    model = DomainNetwork()
    align = {
        "DANN": lambda: DomainAdversary(settings["strength"]),
        "CORAL": lambda: partial(weighted_coral, settings["coral_weight"]),
    }.get(arm, lambda: None)()
    players = nn.ModuleList([model, align] if isinstance(align, nn.Module) else [model])
    optimizer = torch.optim.Adam(players.parameters(), settings["rate"])
    history = train.fit_adapted(
        model,
        optimizer,
        target if arm == "target" else source,
        target.images if align else None,
        align,
        steps=settings["steps"],
        batch_size=settings["batch_size"],
        scheduler=falling(optimizer, settings["steps"]),
        seed=seed,
        label=arm,
    )
    require_finished(history, settings["steps"])
    if arm == "ADDA":
        steps, (lr_model, lr_judge) = settings["adda_steps"], settings["adda_rates"]
        model, history = train.fit_adda(
            model,
            DomainJudge(),
            source.images,
            target.images,
            steps=steps,
            lr_model=lr_model,
            lr_judge=lr_judge,
            seed=seed,
        )
        require_finished(history, steps)
    return model


def weighted_coral(weight: float, source: torch.Tensor, target: torch.Tensor, progress: float) -> torch.Tensor:
    return weight * losses.coral_loss(source, target)


def falling(optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """Constant for half of the steps, then linearly to zero."""
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2 * (1 - step / steps)))


def unlabelled(model: nn.Module, source: data.Dataset, target: torch.Tensor) -> dict[str, float]:
    """What can be measured without a target label, on held-out images."""
    n = SETTINGS["unlabelled"]
    source, target = (
        x[torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:n]] for x in (source.images, target)
    )
    return {
        "a_distance": metrics.proxy_a_distance(metrics.features(model, source), metrics.features(model, target)),
        "information": metrics.information(train.predict(model, target)),
    }


def adapted_statistics(model: nn.Module, images: torch.Tensor) -> nn.Module:
    """AdaBN: the batch norms' means and variances measured anew on target images; no weight changes."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
            module.momentum = None  # a plain average of all batches
    model.train()
    with torch.no_grad():
        for batch in images.split(100):
            model(data.to_float(batch))
    return model.eval()


def recall(model: nn.Module, test: data.Dataset) -> list[float]:
    """Share of each class that is recognised."""
    counts = metrics.confusion(train.predict(model, test.images).argmax(1), test.labels, len(test.classes))
    return (counts.diag() / counts.sum(1)).tolist()


def run(pair: str, arm: str, strength: float, shift: str, seed: int) -> dict:
    names = PAIRS[pair]
    source, target = (load(name, "train") for name in names)
    if shift != "none":
        target = shifted(target, SHIFTS[shift])
    model = fit(arm, source, target, seed, SETTINGS | {"strength": strength})
    validation, test = load(names[0], "validation"), load(names[1], "test")
    by_class = recall(model, test)
    share = torch.bincount(test.labels, minlength=len(by_class)) / len(test.labels)
    measured = {
        "accuracy": round(float(share @ torch.tensor(by_class)), 4),
        "recall": [round(x, 4) for x in by_class],
        "source_accuracy": round(metrics.accuracy(model, validation), 4),
        **{k: round(v, 3) for k, v in unlabelled(model, validation, load(names[1], "validation").images).items()},
    }
    if arm == "source only":
        some = torch.randperm(len(target.images), generator=torch.Generator().manual_seed(seed))[:2_000]
        measured["accuracy_adabn"] = round(metrics.accuracy(adapted_statistics(model, target.images[some]), test), 4)
    return measured


def main() -> None:
    """The choice of the settings; in brackets what target labels would have said, which took no part in it."""
    start(0)
    grid = [("CORAL", {"coral_weight": x}) for x in (10.0, 100.0, 1000.0)]
    grid += [("ADDA", {"adda_rates": (x, 1e-3)}) for x in (1e-4, 3e-4)]
    names = PAIRS["MNIST → MNIST-M"]
    for arm, change in grid:
        model = fit(arm, *(load(name, "train") for name in names), 100, SETTINGS | change)
        validation, target = (load(name, "validation") for name in names)
        measured = {"source": metrics.accuracy(model, validation), **unlabelled(model, validation, target.images)}
        print(arm, change, measured, f"({metrics.accuracy(model, target):.3f})", flush=True)


if __name__ == "__main__":
    main()
