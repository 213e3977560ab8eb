"""Chapter 4.4, a semi-supervised GAN: 100 labelled digits, and the rest without labels.

``python -m helpers.experiments.run ch4_4_semi`` writes ``results/4-4-semi-supervised.json``. Learning rates and steps
were chosen on validation images with seed 100, which the runs do not use.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from helpers import augment, data, losses, metrics, models, train
from helpers.data import Dataset
from helpers.experiments.ch4_4_generated import fit

NAME = "4-4-semi-supervised"
DATA = "MNIST: 100 labelled images, 54,000 without labels, 10,000 test images"
PER_CLASS, STEPS, BATCH, WIDTH = 10, 750, 32, 16
MATCHING, NON_SATURATING = "feature matching", "non-saturating"
SETTINGS: dict[str, Any] = {
    "labels": 10 * PER_CLASS,
    "steps": STEPS,
    "batch_size": BATCH,
    "width": WIDTH,
    "test_images": 10_000,
}


class Arm(NamedTuple):
    """What an arm does. generator_loss : "" without a game. unlabelled : the game sees images without labels."""

    generator_loss: str = ""
    unlabelled: bool = False
    augmented: bool = False
    like_the_game: bool = False  # no game, but the optimizer and the steps of its discriminator


ARMS = {
    "supervised": Arm(),
    "supervised + affine": Arm(augmented=True),
    "supervised + affine, like the game": Arm(augmented=True, like_the_game=True),
    "GAN + affine": Arm(MATCHING, unlabelled=True, augmented=True),
    "GAN + affine, non-saturating": Arm(NON_SATURATING, unlabelled=True, augmented=True),
    "GAN + affine, non-saturating, labelled images only": Arm(NON_SATURATING, augmented=True),
}


def matching(score: models.ClassScore, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """The generator's loss that matches the mean features of real and generated images, a scalar."""
    return losses.feature_matching_loss(score.features(real), score.features(fake))


def train_semi(
    few: Dataset,
    unlabelled: torch.Tensor,
    seed: int,
    augmented: bool = True,
    loss: str = MATCHING,
    steps: int = STEPS,
    batch_size: int = BATCH,
    width: int = WIDTH,
    ema_decay: float = 0.999,
    rates: tuple[float, float] = (1e-3, 3e-3),
    measure: Callable[[int, models.Classifier], dict[str, float]] | None = None,
    **options: Any,
) -> tuple[models.Classifier, nn.Module]:
    """A classifier that also tells real from generated images, and the averaged generator; both in evaluation mode.

    few : labelled images. unlabelled : uint8, (N, 1, 32, 32). augmented : of the labelled images. loss : the
    generator's, "feature matching" or "non-saturating". rates : of the generator and of the classifier. measure :
    called with the step and the classifier. options : further ones of `train.fit_gan`. The global seed decides the
    initial weights.
    """
    score = models.ClassScore(models.Classifier(len(few.classes), width))

    def supervised(score: models.ClassScore, rng: torch.Generator) -> torch.Tensor:
        index = torch.randint(len(few.labels), (batch_size,), generator=rng)
        device = next(score.parameters()).device
        x, y = data.to_float(few.images[index].to(device)), few.labels[index].to(device)
        x = augment.random_affine(x, rng) if augmented else x
        return F.cross_entropy(score.classifier(data.rescale(x)), y)

    generator = models.Generator()
    optimizers = opt_g, opt_d = train.gan_optimizers(generator, score, *rates)
    result = train.fit_gan(
        generator,
        score,
        optimizers,
        unlabelled,
        steps=steps,
        batch_size=batch_size,
        schedulers=(train.linear_decay(opt_g, steps), train.linear_decay(opt_d, steps)),
        ema_decay=ema_decay,
        loss_generator=matching if loss == MATCHING else None,
        extra_loss=supervised,
        rng=seed,
        measure=(lambda step, _: measure(step, score.classifier)) if measure else None,
        **{"every": steps} | options,
    )
    return score.classifier.eval(), result.model


def train_like_the_game(
    few: Dataset,
    seed: int,
    augmented: bool = True,
    steps: int = STEPS,
    batch_size: int = BATCH,
    width: int = WIDTH,
) -> models.Classifier:
    """The classifier trained on labelled images alone, with what `train_semi` gives its discriminator.

    The global seed decides the initial weights. Returns it in evaluation mode.
    """
    model = models.Classifier(len(few.classes), width)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3, (0.0, 0.99))
    return train.fit_classifier(
        model,
        optimizer,
        few,
        steps=steps,
        batch_size=batch_size,
        scheduler=train.linear_decay(optimizer, steps),
        augment=augment.random_affine if augmented else None,
        rng=seed,
        every=steps,
    ).model


def runs() -> list[dict]:
    return [{"arm": arm, "seed": seed} for arm in ARMS for seed in range(5)]


def run(arm: str, seed: int) -> dict:
    pool, test = data.load("mnist", "train"), data.load("mnist", "test")
    few, does = data.few_shot(pool, PER_CLASS, seed), ARMS[arm]
    if does.generator_loss:
        images = pool.images if does.unlabelled else few.images
        classifier, _ = train_semi(few, images, seed, does.augmented, does.generator_loss)
    elif does.like_the_game:
        classifier = train_like_the_game(few, seed, does.augmented)
    else:
        classifier = fit(few, seed, does.augmented)
    return {"accuracy": round(metrics.accuracy(classifier, test), 4)}
