"""Chapter 4.4, features of a discriminator: what a linear classifier makes of them, by number of labels.

``python -m helpers.experiments.run ch4_4_features`` writes ``results/4-4-discriminator-features.json``. The width was
chosen on validation images with seed 100, which the runs do not use; the steps were a matter of budget. The strength of
the regularisation is chosen in every run, on 1,000 labelled validation images.
"""

from collections.abc import Callable
from typing import Any

import torch

from helpers import data, metrics, models, train
from helpers.data import Dataset
from helpers.experiments.ch4_4_semi import train_like_the_game

NAME = "4-4-discriminator-features"
DATA = "MNIST: 54,000 training images (the GAN sees no label), 1,000 of 6,000 validation images, 10,000 test images"
LABELS = (10, 50, 100, 500, 2_500)
ARMS = ("pixels", "random", "letters, labels", "discriminator", "trained on the labels")
STEPS, BATCH, WIDTH = 1_000, 32, 32
STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1_000.0)  # of LogisticRegression: the larger, the freer the weights
SETTINGS: dict[str, Any] = {
    "steps": STEPS,
    "batch_size": BATCH,
    "width": WIDTH,
    "labels": LABELS,
    "strengths": STRENGTHS,
    "validation_labels": 1_000,
    "test_images": 10_000,
}


def train_discriminator(
    images: torch.Tensor, seed: int, steps: int = STEPS, batch_size: int = BATCH, width: int = WIDTH, **options
) -> models.Discriminator:
    """A discriminator after its game, in evaluation mode, on the CPU; the global seed decides the initial weights.

    images : without labels, uint8, (N, 1, 32, 32). options : further ones of `train.fit_gan`.
    """
    pair = models.Generator(), models.Discriminator(width=width)
    optimizers = train.gan_optimizers(*pair)
    options = {"steps": steps, "batch_size": batch_size, "rng": seed, "every": steps} | options
    train.fit_gan(*pair, optimizers, images, **options)
    return pair[1].cpu().eval()  # the probes are small


@torch.no_grad()
def read(parts_of: Callable, images: torch.Tensor) -> list[torch.Tensor]:
    """Features of uint8 images: a list of parts, float, (N, D). `parts_of` maps a float batch in 0 to 1 to them."""
    parts = zip(*(parts_of(data.to_float(batch)) for batch in images.split(500)))
    return [torch.cat(part) for part in parts]


def scaled(parts: list[torch.Tensor], reference: list[torch.Tensor]) -> torch.Tensor:
    """One matrix, (N, D): every part centred and divided by its spread over the reference images, then joined.

    An image's features have a mean square length of 1, so one strength of regularisation means the same for any D.
    """
    joined = torch.cat([(part - r.mean(0)) / (r - r.mean(0)).std() for part, r in zip(parts, reference)], 1)
    return joined / joined.shape[1] ** 0.5


def probe(
    few: tuple[torch.Tensor, torch.Tensor],
    validation: tuple[torch.Tensor, torch.Tensor],
    test: tuple[torch.Tensor, torch.Tensor],
    strengths: tuple[float, ...] = STRENGTHS,
) -> tuple[float, float]:
    """A linear classifier with the strength that is best on validation: its test accuracy, and the strength.

    few, validation, test : features, float, (N, D), and labels, int64, (N,). strengths : to try, of scikit-learn's
    LogisticRegression.
    """
    from sklearn.linear_model import LogisticRegression

    tried = []
    for strength in strengths:
        model = LogisticRegression(C=strength, max_iter=200, tol=1e-3)
        model.fit(few[0].numpy(), few[1].numpy())
        tried.append((model.score(validation[0].numpy(), validation[1].numpy()), model, strength))
    _, model, strength = max(tried, key=lambda one: one[0])  # the first of equals
    return float(model.score(test[0].numpy(), test[1].numpy())), strength


def readers(arm: str, network: models.Discriminator | None = None) -> dict[str, Callable]:
    """What a linear classifier may read of an arm: name, and a function from images in 0 to 1 to a list of parts.

    network : the discriminator, for the arms that read one; a ValueError where it is missing.
    """
    if arm == "pixels":
        return {"all": lambda x: [x.flatten(1)]}
    if arm == "letters, labels":
        backbone, spec = models.pretrained_resnet18("letters")
        backbone.eval()
        return {"all": lambda x: [models.features(backbone, data.preprocess(x, spec))]}
    if network is None:
        raise ValueError(f"the arm {arm!r} reads a discriminator: give one")

    def layers(x: torch.Tensor) -> list[torch.Tensor]:
        return models.pooled_layers(network, data.rescale(x))

    return {"all": layers, "last": lambda x: layers(x)[-1:]}


def scaled_reader(reader: Callable, pool: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """A function from uint8 images to one feature matrix, (N, D); 2,000 images of `pool` set the scale of its parts."""
    order = torch.randperm(len(pool), generator=torch.Generator().manual_seed(0))
    reference = read(reader, pool[order[:2_000]])
    return lambda images: scaled(read(reader, images), reference)


def measure(
    reader: Callable, pool: Dataset, validation: Dataset, test: Dataset, seed: int, labels: tuple[int, ...] = LABELS
) -> dict[str, dict]:
    """Accuracy and chosen strength by number of labels, for one way to read images."""
    features = scaled_reader(reader, pool.images)
    seen, unseen = ((features(part.images), part.labels) for part in (validation, test))
    out: dict[str, dict] = {"accuracy": {}, "strength": {}}
    for n in labels:
        few = data.few_shot(pool, n // 10, seed)
        accuracy, strength = probe((features(few.images), few.labels), seen, unseen)
        out["accuracy"][str(n)], out["strength"][str(n)] = round(accuracy, 4), strength
    return out


def runs() -> list[dict]:
    return [{"arm": arm, "seed": seed} for arm in ARMS for seed in range(5)]


def run(arm: str, seed: int) -> dict:
    pool = data.load("mnist", "train")
    validation, test = data.few_shot(data.load("mnist", "validation"), 100), data.load("mnist", "test")
    if arm == "trained on the labels":  # no probe: a whole network, on the same labels, augmented
        accuracy = {}
        for n in LABELS:
            torch.manual_seed(seed)
            classifier = train_like_the_game(data.few_shot(pool, n // 10, seed), seed)
            accuracy[str(n)] = round(metrics.accuracy(classifier, test), 4)
        return {"all": {"accuracy": accuracy}}
    network = None
    if arm == "random":
        network = models.Discriminator(width=WIDTH).eval()
    elif arm == "discriminator":
        network = train_discriminator(pool.images, seed)
    return {name: measure(reader, pool, validation, test, seed) for name, reader in readers(arm, network).items()}
