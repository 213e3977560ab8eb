"""Fine-tune the letters' pair on the bundled digits: ``python -m helpers.experiments.letters_to_digits``.

Three to five minutes on one CPU core; it can be interrupted and started again. Writes
``runs/pairs/letters-to-digits.safetensors``, the generator alone, in half precision: chapter 4.3 shows the way from the
one to the other.
"""

from pathlib import Path

import torch

from helpers import data, metrics, train
from helpers.experiments.gan_pairs import FOLDER
from helpers.models import Generator, digit_network, pretrained_pair
from helpers.runtime import save_weights, start

STEPS, BATCH, SEED, SAMPLES = 900, 64, 0, 1_000
PATH = FOLDER / "letters-to-digits.safetensors"
CHECKPOINT = Path("letters-to-digits.checkpoint.safetensors")


def fit(images: torch.Tensor) -> Generator:
    """The averaged generator of the pair, after it went on with these images, uint8, (N, 1, 32, 32)."""
    pair = pretrained_pair("letters")
    optimizers = train.gan_optimizers(*pair)
    return train.fit_gan(
        *pair,
        optimizers,
        images,
        steps=STEPS,
        batch_size=BATCH,
        schedulers=[train.linear_decay(optimizer, STEPS) for optimizer in optimizers],
        ema_decay=0.99,
        rng=SEED,
        every=100,
        checkpoint=CHECKPOINT,
        label="letters to digits",
    ).model


def save(generator: Generator, n: int) -> Path:
    """Write the generator, which saw `n` digits, with its distance to the test digits."""
    generator.half().float()  # what the file will hold
    distance = metrics.fid_against(data.load("mnist-5k", "test").images, digit_network("cpu"))
    fid = distance(metrics.sample(generator, SAMPLES))
    return save_weights(
        generator,
        PATH,
        dtype=torch.float16,
        data=f"pair-letters, fine-tuned on {n:,} MNIST digits (mnist-5k), no labels",
        command="python -m helpers.experiments.letters_to_digits",
        steps=STEPS,
        batch_size=BATCH,
        seed=SEED,
        torch=torch.__version__.split("+")[0],
        fid=f"{fid:.1f} ({SAMPLES:,} samples against the 1,000 bundled test digits, digit network)",
    )


def main() -> None:
    start(SEED)
    images = data.load("mnist-5k", "train").images
    path = save(fit(images), len(images))
    CHECKPOINT.unlink(missing_ok=True)
    print(f"wrote {path.name}, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
