"""Chapter 4.5, what adversarial adaptation gives: ``python -m helpers.experiments.run ch4_5_domains``.

Seven ways from a labelled domain to an unlabelled one, on three main pairs (five seeds) and three more (three seeds).
Every network but that of "source only" reads the target with batch norm statistics of the target's images; "AdaBN" is
that and nothing else. All arms take 2,000 steps; ADDA's first half of them learns the source. Each arm's rate, and the
weight of what aligns it, are the best of seven (``python -m helpers.experiments.run ch4_5_domains_trials``, seed 100)
by a score that needs no target label: the validation accuracy on the domain that the arm learns from, times the
information in the predictions for held-out target images as a share of its maximum. "target" and "source only", which
have nothing to adapt, are chosen by the validation accuracy alone. The test accuracy is recorded along the way to show
whether it is flat; it chooses nothing.

Expected, written before the seeds that decide. Numbers are means of seeds, differences are paired by seed; a lower
bound has to lie below the 95 % interval, an upper bound above it:

1. MNIST → MNIST-M: DANN at least .10 above AdaBN, ADDA at least .10 above AdaBN, CORAL less than half as far above
   AdaBN as DANN, MMD less than .10 below DANN. Source only .30 to .65, DANN .70 or more, target .94 or more.
2. MNIST → USPS: the better of DANN and ADDA above AdaBN by less than .10, and at least at .90.
3. USPS → MNIST: the better of DANN and ADDA above AdaBN by at least .03, and at least at .85.
4. MNIST → UCI and typeset → MNIST: neither DANN nor ADDA is more than .05 above AdaBN.
5. λ of DANN, MNIST → MNIST-M: 0.1 and 10 are each at least .05 below 1.
6. A target with few of the digits 5 to 9 (MNIST → MNIST-M): without any, DANN is at least .05 below DANN with all.
7. On each main pair, in each seed, the arm of most information among AdaBN, CORAL, MMD, DANN and ADDA is taken: its
   accuracy is less than .03 below that of the best arm of that seed.
8. Between steps 1,500 and 2,000 the mean accuracy of no arm on a main pair moves by more than .02.

First looks that these rest on: the same arms at 400 steps before scikit-image's photographs, with other statistics
(`ch4_5`): source only .34, AdaBN .55, CORAL .53, DANN .78, ADDA .91, target .96; and the label-free score with seed 100
after 300 steps, MNIST → MNIST-M: CORAL .57 (weight 1,000), MMD .65 and .67 (6 and 30), DANN .66. Trials on a smaller
grid, with seed 100, had their best rates on its edge (MMD .86 and CORAL .76 at 3e-3, ADDA .81 at 1e-3, DANN .83 inside,
at 1e-3 and λ 0.3), so the candidates were moved there, before any of the seeds that decide.

Published, to stand beside: MNIST → MNIST-M source only .5225, DANN .7666, target .9596 (Ganin et al. 2016,
https://arxiv.org/abs/1505.07818); MNIST → USPS source only .752, ADDA .894, USPS → MNIST .571 and .901 (Tzeng et al.
2017, https://arxiv.org/abs/1702.05464). Theirs have wider networks without batch norm, and Tzeng's 2,000 images of
MNIST and 1,800 of USPS; here both are complete, and USPS's digits have the size of MNIST's (20 pixels in the frame).
"""

import copy
import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from statistics import mean
from typing import Any, NamedTuple

import torch
from torch import nn

from helpers import data, losses, metrics, train
from helpers.experiments.ch4_5 import SHIFTS, learn, recall, shifted, weighted
from helpers.models import DomainAdversary, DomainDiscriminator
from helpers.runtime import read_results

NAME, TRIALS = "4-5-domains", "4-5-domains-trials"
DATA = (
    "complete MNIST, USPS and MNIST-M (made from MNIST and the photographs of BSDS500, or scikit-image's), typeset "
    "digits (drawn), UCI digits"
)
MAIN = {
    "MNIST → MNIST-M": ("mnist", "mnist-m"),
    "MNIST → USPS": ("mnist", "usps"),
    "USPS → MNIST": ("usps", "mnist"),
}
SECONDARY = {
    "MNIST → MNIST-M (scikit-image)": ("mnist", "mnist-m-skimage"),
    "typeset → MNIST": ("typeset-digits", "mnist"),
    "MNIST → UCI": ("mnist", "uci-digits"),
}
ARMS = ("source only", "AdaBN", "CORAL", "MMD", "DANN", "ADDA", "target")
SEEDS, FEWER_SEEDS = range(5), range(3)
STRENGTHS = (0.1, 1.0, 10.0)  # λ of DANN, beside the one that the trials chose
DISCREPANCIES = {"CORAL": losses.coral_loss, "MMD": losses.mmd_loss}
RATES = [{"rate": x} for x in (3e-4, 1e-3, 3e-3, 1e-2, 2e-2, 3e-2, 1e-1)]
# rate : Adam's, in ADDA of the second phase's body. weight : of the loss that aligns, λ in DANN.
CANDIDATES: dict[str, list[dict[str, float]]] = {
    "source only": RATES,
    "AdaBN": RATES,
    "CORAL": [{"rate": x, "weight": 1e3} for x in (1e-3, 3e-3, 1e-2, 3e-2)]
    + [{"rate": 3e-3, "weight": x} for x in (1e1, 1e2, 1e4)],
    "MMD": [{"rate": x, "weight": 30.0} for x in (1e-3, 3e-3, 1e-2, 3e-2)]
    + [{"rate": 3e-3, "weight": x} for x in (3.0, 10.0, 100.0)],
    "DANN": [{"rate": x, "weight": 0.3} for x in (3e-4, 1e-3, 3e-3, 1e-2)]
    + [{"rate": 1e-3, "weight": x} for x in (0.1, 1.0, 3.0)],
    "ADDA": [{"rate": x, "discriminator_rate": 1e-3} for x in (3e-4, 1e-3, 3e-3, 1e-2)]
    + [{"rate": 1e-3, "discriminator_rate": x} for x in (3e-4, 3e-3, 1e-2)],
    "target": RATES,
}


# --- the choice of the rates ---------------------------------------------------------------------


def chosen(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each arm's candidate of the highest mean score over the pairs that it was tried on; of equal ones the first.

    rows : of the trials, with "arm", "score" and the candidate's numbers. "on the edge": a number of the best candidate
    is the smallest or the largest that was tried. "tied": another candidate has the same score.
    """
    best: dict[str, dict[str, Any]] = {}
    for arm, candidates in CANDIDATES.items():
        scores = [
            mean(row["score"] for row in rows if row["arm"] == arm and row | candidate == row)
            for candidate in candidates
        ]
        winner = candidates[scores.index(max(scores))]
        tried = {key: {candidate[key] for candidate in candidates} for key in winner}
        best[arm] = {
            "candidate": winner,
            "score": round(max(scores), 4),
            "on the edge": any(winner[key] in (min(values), max(values)) for key, values in tried.items()),
            "tied": scores.count(max(scores)) > 1,
        }
    return best


def rates() -> dict[str, dict[str, Any]] | None:
    """What the trials chose, or None where they have not been made."""
    try:
        return chosen(read_results(TRIALS)["rows"])
    except FileNotFoundError:
        return None


SETTINGS: dict[str, Any] = {
    "steps": 2_000,
    "batch_size": 64,
    "every": 500,
    "adda_source_share": 0.5,
    "adda_source_rate": 3e-3,
    "unlabelled": 2_000,
    "rates": rates(),
}


# --- the images ----------------------------------------------------------------------------------


class Pair(NamedTuple):
    """source, target : training images. validation, unseen : held out of them. test : of the target.

    The labels of `target` and `unseen` are for the arm "target" alone.
    """

    source: data.Dataset
    validation: data.Dataset
    target: data.Dataset
    unseen: data.Dataset
    test: data.Dataset


@cache
def load(name: str, split: str) -> data.Dataset:
    """A complete split; read once a process."""
    return data.load(name, split)


def some(dataset: data.Dataset, n: int) -> data.Dataset:
    """At most `n` images, always the same ones."""
    return dataset.select(torch.randperm(len(dataset.labels), generator=torch.Generator().manual_seed(0))[:n])


def images_of(pair: str, shift: str = "none", unlabelled: int = 2_000) -> Pair:
    """The images of a pair. shift : one of SHIFTS, which holds for all target images but the test's.

    unlabelled : the label-free measures use at most so many held-out target images.
    """
    names = (MAIN | SECONDARY)[pair]
    source, validation = (load(names[0], split) for split in ("train", "validation"))
    target, unseen = (load(names[1], split) for split in ("train", "validation"))
    if shift != "none":
        target, unseen = (shifted(dataset, SHIFTS[shift]) for dataset in (target, unseen))
    return Pair(source, validation, target, some(unseen, unlabelled), load(names[1], "test"))


# --- the arms ------------------------------------------------------------------------------------


def alignment(arm: str, weight: float = 0.0) -> Callable | None:
    """What draws the domains' features together, as `align` of `train.fit_adapted`; None for the other arms."""
    if arm == "DANN":
        return DomainAdversary(weight)
    return partial(weighted, DISCREPANCIES[arm], weight) if arm in DISCREPANCIES else None


def fit(
    arm: str,
    learned: data.Dataset,
    target: torch.Tensor,
    seed: int,
    *,
    steps: int,
    batch_size: int,
    rate: float,
    weight: float = 0.0,
    **options: Any,
) -> train.Result:
    """A new network after training on `learned`; CORAL, MMD and DANN also use the target's images, without labels.

    target : uint8, (N, C, H, W). The seed decides weights and batches. options : further ones of `train.fit_adapted`.
    """
    return learn(
        partial(alignment, arm, weight),
        learned,
        target,
        seed,
        steps=steps,
        batch_size=batch_size,
        rate=rate,
        label=arm,
        **options,
    )


def second_phase(
    source_model: nn.Module,
    source: torch.Tensor,
    target: torch.Tensor,
    seed: int,
    *,
    steps: int,
    batch_size: int,
    rate: float,
    discriminator_rate: float,
    **options: Any,
) -> train.Result:
    """ADDA from a network that has learned the source; the rates fall linearly in the second half, as in `fit`.

    source, target : uint8, (N, C, H, W). The seed decides the domain discriminator's weights and the batches. options :
    further ones of `train.fit_adda`.
    """
    torch.manual_seed(seed)
    target_model, discriminator = copy.deepcopy(source_model), DomainDiscriminator()
    optimizers = (
        torch.optim.Adam(target_model.body.parameters(), rate, (0.5, 0.99)),
        torch.optim.Adam(discriminator.parameters(), discriminator_rate, (0.5, 0.99)),
    )
    return train.fit_adda(
        source_model,
        target_model,
        discriminator,
        optimizers,
        source,
        target,
        steps=steps,
        batch_size=batch_size,
        schedulers=[train.linear_decay(optimizer, steps) for optimizer in optimizers],
        rng=seed,
        **options,
    )


def fit_arm(
    arm: str,
    pair: Pair,
    seed: int,
    candidate: dict[str, Any],
    settings: dict[str, Any],
    measure: Callable[[nn.Module, nn.Module], dict] | None = None,
    **options: Any,
) -> tuple[nn.Module, train.Result]:
    """Train one arm for ``settings["steps"]`` in all: the network for the source's images, and that for the target's.

    They are one, but in ADDA; its history has both phases, and what both record. candidate : one of CANDIDATES[arm].
    measure : ``measure(source_model, target_model)``. options : further ones of `train.fit_adapted`.
    """

    def record(source_model: nn.Module | None = None) -> Callable | None:
        return (lambda step, model: measure(source_model or model, model)) if measure else None

    options = options | {"batch_size": settings["batch_size"]}
    steps = settings["steps"]
    if arm != "ADDA":
        learned = pair.target if arm == "target" else pair.source
        result = fit(arm, learned, pair.target.images, seed, steps=steps, measure=record(), **candidate, **options)
        return result.model, result
    early = round(settings["adda_source_share"] * steps)
    rate = settings["adda_source_rate"]
    first = fit(
        "source only", pair.source, pair.target.images, seed, steps=early, rate=rate, measure=record(), **options
    )
    second = second_phase(
        first.model,
        pair.source.images,
        pair.target.images,
        seed,
        steps=steps - early,
        measure=record(first.model),
        **candidate,
        **options,
    )
    later = second.history | {"step": [early + step for step in second.history["step"]]}
    history = {name: first.history[name] + later[name] for name in first.history if name in later}
    return first.model, train.Result(second.model, history)


# --- the measures --------------------------------------------------------------------------------


def neighbourhood_density(logits: torch.Tensor, temperature: float = 0.05) -> float:
    """Soft neighbourhood density: how many neighbours an image's prediction has. Higher is taken to be better.

    Saito et al. 2021, https://arxiv.org/abs/2108.10860: the entropy of softmax(cosine / temperature) over the other
    images' predicted probabilities, mean over the images; 0 to log(N − 1). logits : float, (N, classes).
    """
    p = nn.functional.normalize(logits.softmax(1))
    similarity = (p @ p.T / temperature).fill_diagonal_(-math.inf)
    return torch.special.entr(similarity.softmax(1)).sum(1).mean().item()


def correct(model: nn.Module, dataset: data.Dataset) -> float:
    """The accuracy, 0 to 1."""
    predicted = metrics.predict(model, dataset.images, batch_size=1_000).argmax(1)
    return (predicted == dataset.labels).float().mean().item()


def label_free(arm: str, on_source: nn.Module, on_target: nn.Module, pair: Pair) -> dict[str, float]:
    """What is known of a network without a label of the target; of the arm "target", which has them, the same.

    on_source, on_target : the network with each domain's statistics. "validation_accuracy" is that on the domain that
    the arm learns from.
    """
    logits = metrics.predict(on_target, pair.unseen.images, batch_size=1_000)
    seen = (on_target, pair.unseen) if arm == "target" else (on_source, pair.validation)
    return {
        "validation_accuracy": correct(*seen),
        "information": metrics.information(logits),
        "snd": neighbourhood_density(logits),
    }


def score(arm: str, measured: dict[str, float]) -> float:
    """What chooses among networks of one arm, 0 to 1. measured : from `label_free`."""
    if arm in ("source only", "target"):
        return measured["validation_accuracy"]
    return measured["validation_accuracy"] * measured["information"] / math.log(10)


def more_label_free(on_source: nn.Module, on_target: nn.Module, pair: Pair) -> dict[str, float]:
    """Two measures that cost a classifier of features each: the proxy A-distance, and deep embedded validation's risk.

    The second: You et al. 2019, https://proceedings.mlr.press/v97/you19a.html. The error on validation images of the
    source, each weighted by how much more likely its features are in the target, less a control variate. Lower is taken
    to be better.
    """
    from sklearn.linear_model import LogisticRegression

    held_out, learned = (some(part, len(pair.unseen.labels)) for part in (pair.validation, pair.source))
    source, validation = (metrics.features(on_source, part.images).double() for part in (learned, held_out))
    target = metrics.features(on_target, pair.unseen.images).double()
    centre, scale = source.mean(0), source.std(0).clamp(min=1e-6)
    both = ((torch.cat([source, target]) - centre) / scale).numpy()
    is_target = [0] * len(source) + [1] * len(target)
    linear = LogisticRegression(C=0.01, max_iter=1_000).fit(both, is_target)
    p = torch.from_numpy(linear.predict_proba(((validation - centre) / scale).numpy()))
    weight = p[:, 1] / p[:, 0].clamp(min=1e-6) * len(source) / len(target)
    wrong = metrics.predict(on_source, held_out.images, batch_size=1_000).argmax(1) != held_out.labels
    weighted_errors = weight * wrong
    centred = weight - weight.mean()
    control = -(centred * weighted_errors).mean() / centred.square().mean().clamp(min=1e-12)
    return {
        "a_distance": metrics.proxy_a_distance(validation, target),
        "dev": (weighted_errors.mean() + control * (weight.mean() - 1)).item(),
    }


def statistics_of(
    arm: str, source_model: nn.Module, target_model: nn.Module, pair: Pair
) -> tuple[nn.Module, nn.Module]:
    """The networks with each domain's statistics; "source only" reads the target with those that it has."""
    if arm == "source only":
        return source_model, target_model
    return (
        train.adapt_statistics(source_model, pair.source.images),
        train.adapt_statistics(target_model, pair.target.images),
    )


def look(arm: str, pair: Pair, source_model: nn.Module, target_model: nn.Module) -> dict[str, float]:
    """All that a curve records."""
    on_source, on_target = statistics_of(arm, source_model, target_model, pair)
    return {"accuracy": correct(on_target, pair.test)} | label_free(arm, on_source, on_target, pair)


def rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers and lists of numbers to four places."""
    return {
        name: [round(x, 4) for x in value] if isinstance(value, list) else round(value, 4)
        for name, value in values.items()
    }


# --- the runs ------------------------------------------------------------------------------------


def runs() -> list[dict]:
    def one(pair: str, arm: str, variant: str, seed: int) -> dict:
        return {"pair": pair, "arm": arm, "variant": variant, "seed": seed}

    if SETTINGS["rates"] is None:
        raise ValueError(
            f"the rates are not chosen yet, results/{TRIALS}.json is missing: "
            "python -m helpers.experiments.run ch4_5_domains_trials"
        )
    first = next(iter(MAIN))
    strength = SETTINGS["rates"]["DANN"]["candidate"]["weight"]
    variants = [*(f"λ {x:g}" for x in STRENGTHS if x != strength), *SHIFTS]
    table = [one(pair, arm, "main", seed) for seed in FEWER_SEEDS for pair in MAIN for arm in ARMS]
    table += [one(pair, arm, "main", seed) for seed in SEEDS[len(FEWER_SEEDS) :] for pair in MAIN for arm in ARMS]
    table += [one(first, "DANN", variant, seed) for seed in FEWER_SEEDS for variant in variants]
    return table + [one(pair, arm, "main", seed) for seed in FEWER_SEEDS for pair in SECONDARY for arm in ARMS]


def run(pair: str, arm: str, variant: str, seed: int) -> dict:
    images = images_of(pair, variant if variant in SHIFTS else "none", SETTINGS["unlabelled"])
    candidate = dict(SETTINGS["rates"][arm]["candidate"])
    if variant.startswith("λ "):
        candidate["weight"] = float(variant.removeprefix("λ "))
    source_model, (model, history) = fit_arm(
        arm, images, seed, candidate, SETTINGS, partial(look, arm, images), every=SETTINGS["every"]
    )
    last = {name: values[-1] for name, values in history.items() if name != "step"}
    scores = [score(arm, {name: values[i] for name, values in history.items()}) for i in range(len(history["step"]))]
    best = scores.index(max(scores))
    measured = last | {"score": scores[-1], "accuracy_at_best": history["accuracy"][best]}
    on_source, on_target = statistics_of(arm, source_model, model, images)
    measured |= more_label_free(on_source, on_target, images) | {"recall": recall(on_target, images.test)}
    if arm == "AdaBN":  # its statistics, too, may come from a target whose classes are uneven
        for shift in SHIFTS:
            uneven = train.adapt_statistics(model, shifted(images.target, SHIFTS[shift]).images)
            measured[f"accuracy_{shift}"] = correct(uneven, images.test)
    return {"rates": candidate, "best_step": history["step"][best]} | rounded(measured) | {"curve": rounded(history)}
