"""Chapter 4.4, a semi-supervised GAN: 100 labelled digits, and the rest without labels.

``python -m helpers.experiments.run ch4_4_semi`` writes ``results/4-4-semi-supervised.json``. Learning rates and steps
were chosen on validation images with seed 100, which the runs do not use.
"""

import torch
from torch.nn import functional as F

from helpers import augment, data, losses, metrics, models, train
from helpers.data import Dataset
from helpers.experiments.ch4_4_generated import fit, to_range
from helpers.experiments.run import require_finished

NAME = "4-4-semi-supervised"
DATA = "MNIST: 100 labelled images, 54,000 without labels, 10,000 test images"
PER_CLASS, STEPS, BATCH, WIDTH = 10, 750, 32, 16
# Name: does it play the game, does it see images without labels, are the labelled images augmented, generator's loss.
# Without a game: "its optimizer and steps" are those of the discriminator, so that only the game differs.
ARMS = {
    "supervised": (False, False, False, ""),
    "supervised + affine": (False, False, True, ""),
    "supervised + affine, like the game": (False, False, True, "its optimizer and steps"),
    "GAN + affine": (True, True, True, "feature matching"),
    "GAN + affine, non-saturating": (True, True, True, "non-saturating"),
    "GAN + affine, non-saturating, labelled images only": (True, False, True, "non-saturating"),
}
SETTINGS = {"labels": 10 * PER_CLASS, "steps": STEPS, "batch_size": BATCH, "width": WIDTH, "test_images": 10_000}


def train_semi(
    few: Dataset,
    unlabelled: torch.Tensor,
    seed: int,
    augmented: bool = True,
    loss: str = "feature matching",
    steps: int = STEPS,
    **options,
) -> models.Classifier:
    """A classifier that also tells real from generated images.

    few : labelled images. unlabelled : uint8, (N, 1, 32, 32). loss : the generator's, "feature matching" or
    "non-saturating".
    """
    score = models.ClassScore(models.Classifier(len(few.classes), WIDTH))

    def supervised(score: models.ClassScore, random: torch.Generator) -> torch.Tensor:
        index = torch.randint(len(few.labels), (BATCH,), generator=random)
        device = next(score.parameters()).device
        x, y = data.to_float(few.images[index].to(device)), few.labels[index].to(device)
        x = augment.random_affine(x, random) if augmented else x
        return F.cross_entropy(score.classifier(to_range(x)), y)

    def matching(score: models.ClassScore, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return losses.feature_matching_loss(score.features(real), score.features(fake))

    result = train.train_gan(
        models.Generator(),
        score,
        unlabelled,
        steps=steps,
        batch_size=BATCH,
        decay_from=0.5,
        loss_generator=matching if loss == "feature matching" else None,
        extra_loss=supervised,
        seed=seed,
        every=steps,
        **options,
    )
    require_finished(result.history, steps)
    return score.classifier.eval()


def train_like_the_game(few: Dataset, seed: int) -> models.Classifier:
    """The classifier trained on labelled, augmented images alone, with what `train_semi` gives its discriminator."""
    model = models.Classifier(len(few.classes), WIDTH)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3, (0.0, 0.99))
    history = train.fit_classifier(
        model,
        optimizer,
        few,
        steps=STEPS,
        batch_size=BATCH,
        scheduler=torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2 * (1 - step / STEPS))),
        transform=to_range,
        augment=augment.random_affine,
        seed=seed,
        every=STEPS,
    )
    require_finished(history, STEPS)
    return model


def runs() -> list[dict]:
    return [{"arm": arm, "seed": seed} for arm in ARMS for seed in range(5)]


def run(arm: str, seed: int) -> dict:
    pool, test = data.load("mnist", "train"), data.load("mnist", "test")
    few = data.few_shot(pool, PER_CLASS, seed)
    game, unlabelled, augmented, loss = ARMS[arm]
    if game:
        classifier = train_semi(few, pool.images if unlabelled else few.images, seed, augmented, loss)
    elif loss:
        classifier = train_like_the_game(few, seed)
    else:
        classifier = fit(few, seed, augmented)
    return {"accuracy": round(metrics.accuracy(classifier, test, to_range), 4)}
