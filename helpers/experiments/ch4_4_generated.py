"""Chapter 4.4, generated images as augmentation: does a class-conditional generator help a classifier?

``python -m helpers.experiments.run ch4_4_generated`` writes ``results/4-4-generated-images.json``. The generator is
trained on the same n labelled images as the classifier and on nothing else. Learning rates, steps and the GAN's own
augmentation were chosen on validation images with seed 100, which the runs do not use.
"""

import torch

from helpers import augment, data, metrics, models, train
from helpers.data import Dataset
from helpers.experiments.run import require_finished

NAME = "4-4-generated-images"
DATA = "MNIST: n labelled images of 54,000 for training, 10,000 test images"
LABELS = (10, 50, 100, 500, 2_500)  # at 10, one image a class, no generator is trained
GAN_STEPS, GAN_BATCH, EMA_DECAY, GENERATED = 500, 32, 0.99, 2_000
STEPS, BATCH, RATE, WIDTH = 400, 32, 3e-3, 16
SETTINGS = {
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


def to_range(x: torch.Tensor) -> torch.Tensor:
    """0 to 1 → −1 to 1, what generator and discriminator work with."""
    return 2 * x - 1


def fit(few: Dataset, seed: int, augmented: bool, steps: int = STEPS) -> models.Classifier:
    """A classifier trained on labelled images alone; the global seed decides its initial weights."""
    model = models.Classifier(len(few.classes), WIDTH)
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.01)
    history = train.fit_classifier(
        model,
        optimizer,
        few,
        steps=steps,
        batch_size=BATCH,
        scheduler=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps),
        transform=to_range,
        augment=augment.random_affine if augmented else None,
        seed=seed,
        every=steps,
    )
    require_finished(history, steps)
    return model


def affine(x: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """`augment.random_affine` for images from −1 to 1."""
    return to_range(augment.random_affine((x + 1) / 2, random))


def train_pair(few: Dataset, seed: int, steps: int = GAN_STEPS, change=affine) -> models.ConditionalGenerator:
    """A conditional generator that saw these labelled images and nothing else; its average, in evaluation mode."""
    result = train.train_gan(
        models.ConditionalGenerator(len(few.classes)),
        models.ProjectionDiscriminator(len(few.classes), WIDTH),
        few.images,
        labels=few.labels,
        steps=steps,
        batch_size=GAN_BATCH,
        augment=change,
        ema_decay=EMA_DECAY,
        seed=seed,
        every=steps,
    )
    require_finished(result.history, steps)
    return result.ema


@torch.no_grad()
def draw(generator: models.ConditionalGenerator, n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """n images, equally many of each class: uint8, (n, 1, 32, 32), and the labels that were asked for, int64, (n,)."""
    device = next(generator.parameters()).device
    labels = torch.arange(generator.classes).repeat_interleave(n // generator.classes)
    latents = torch.randn(len(labels), generator.latent, generator=torch.Generator().manual_seed(seed))
    parts = [generator(z.to(device), y.to(device)).cpu() for z, y in zip(latents.split(500), labels.split(500))]
    return ((torch.cat(parts) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8), labels


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
        answers = train.predict(models.digit_network(), images).argmax(1)
        row["labels right"] = round((answers == wanted).float().mean().item(), 4)
        sets["real + generated"] = with_generated(few, images, wanted)
    for name, images in sets.items():
        for augmented in (False, True):
            torch.manual_seed(seed)
            accuracy = metrics.accuracy(fit(images, seed, augmented), test, to_range)
            row[name + (" + affine" if augmented else "")] = round(accuracy, 4)
    return row
