"""Chapter 4.4, generated images as augmentation: does a class-conditional generator help a classifier?

``python -m helpers.experiments.run ch4_4_generated`` writes ``results/4-4-generated-images.json``. The generator is
trained on the same n labelled images as the classifier and on nothing else. Learning rates, steps and the GAN's own
augmentation were chosen on validation images with seed 100, which the runs do not use.
"""

from collections.abc import Callable
from typing import Any

import torch

from helpers import augment, data, metrics, models, train
from helpers.data import SIGNED, UNIT, Dataset

NAME = "4-4-generated-images"
DATA = "MNIST: n labelled images of 54,000 for training, 10,000 test images"
LABELS = (10, 50, 100, 500, 2_500)  # at 10, one image a class, no generator is trained
GAN_STEPS, GAN_BATCH, EMA_DECAY, GENERATED = 500, 32, 0.99, 2_000
STEPS, BATCH, RATE, WIDTH = 400, 32, 3e-3, 16
SETTINGS: dict[str, Any] = {
    "gan_steps": GAN_STEPS,
    "gan_batch_size": GAN_BATCH,
    "ema_decay": EMA_DECAY,
    "generated_images": GENERATED,
    "steps": STEPS,
    "batch_size": BATCH,
    "rate": RATE,
    "width": WIDTH,
    "test_images": 10_000,
}


def fit(
    few: Dataset,
    seed: int,
    augmented: bool,
    steps: int = STEPS,
    batch_size: int = BATCH,
    rate: float = RATE,
    width: int = WIDTH,
) -> models.Classifier:
    """A classifier trained on labelled images alone; the global seed decides its initial weights."""
    model = models.Classifier(len(few.classes), width)
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.01)
    return train.fit_classifier(
        model,
        optimizer,
        few,
        steps=steps,
        batch_size=batch_size,
        scheduler=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps),
        augment=augment.random_affine if augmented else None,
        rng=seed,
        every=steps,
    ).model


def affine(images: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """`augment.random_affine` for images from −1 to 1; the border is black."""
    return data.rescale(augment.random_affine(data.rescale(images, SIGNED, UNIT), rng), UNIT, SIGNED)


def train_pair(
    few: Dataset,
    seed: int,
    steps: int = GAN_STEPS,
    change: Callable | None = affine,
    batch_size: int = GAN_BATCH,
    ema_decay: float = EMA_DECAY,
    width: int = WIDTH,
) -> models.ConditionalGenerator:
    """A conditional generator that saw these labelled images and nothing else; its average, in evaluation mode.

    change : the augmentation of what the discriminator sees. The global seed decides the initial weights.
    """
    pair = models.ConditionalGenerator(len(few.classes)), models.ProjectionDiscriminator(len(few.classes), width)
    return train.fit_gan(
        *pair,
        train.gan_optimizers(*pair),
        few.images,
        labels=few.labels,
        steps=steps,
        batch_size=batch_size,
        augment=change,
        ema_decay=ema_decay,
        rng=seed,
        every=steps,
    ).model


@torch.no_grad()
def draw(generator: models.ConditionalGenerator, n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """n images, equally many of each class: uint8, (n, 1, 32, 32), and the labels that were asked for, int64, (n,)."""
    device = next(generator.parameters()).device
    labels = torch.arange(generator.classes).repeat_interleave(n // generator.classes)
    latents = torch.randn(len(labels), generator.latent, generator=torch.Generator().manual_seed(seed))
    parts = [generator(z.to(device), y.to(device)).cpu() for z, y in zip(latents.split(500), labels.split(500))]
    return data.to_uint8(torch.cat(parts)), labels


def with_generated(few: Dataset, images: torch.Tensor, labels: torch.Tensor) -> Dataset:
    """Real images repeated until they are as many as the generated ones: half of every batch is real."""
    times = -(-len(labels) // len(few.labels))
    return Dataset(
        torch.cat([few.images.repeat(times, 1, 1, 1), images]),
        torch.cat([few.labels.repeat(times), labels]),
        few.classes,
    )


def runs() -> list[dict]:
    return [{"labels": n, "seed": seed} for n in LABELS for seed in range(5)]


def run(labels: int, seed: int) -> dict:
    few, test = data.few_shot(data.load("mnist", "train"), labels // 10, seed), data.load("mnist", "test")
    sets, row = {"real": few}, {}
    if labels > 10:
        images, wanted = draw(train_pair(few, seed), GENERATED, seed)
        # What the digit network reads in them, as a measure of how often the label is right.
        answers = metrics.predict(models.digit_network(), images).argmax(1)
        row["labels right"] = round((answers == wanted).float().mean().item(), 4)
        sets["real + generated"] = with_generated(few, images, wanted)
    for name, labelled in sets.items():
        for augmented in (False, True):
            torch.manual_seed(seed)
            accuracy = metrics.accuracy(fit(labelled, seed, augmented), test)
            row[name + (" + affine" if augmented else "")] = round(accuracy, 4)
    return row
