"""Train the discriminator of chapter 4.4, without labels: ``python -m helpers.experiments.mnist_discriminator``.

About a minute on two CPU cores. Writes ``helpers/weights/mnist-discriminator.safetensors``, in half precision, when the
training is over. It is the discriminator of the chapter's full-scale run with seed 0, up to rounding.
"""

import time

import torch

from helpers import data
from helpers.experiments import ch4_4_features
from helpers.runtime import WEIGHTS, save_weights, seed_everything, start

STEPS, SEED = ch4_4_features.STEPS, 0


def main() -> None:
    start(SEED)
    images = data.load("mnist", "train").images
    began = time.time()
    seed_everything(SEED)
    discriminator = ch4_4_features.train_discriminator(images, SEED, STEPS)
    path = save_weights(
        discriminator,
        WEIGHTS / "mnist-discriminator.safetensors",
        dtype=torch.float16,
        data=f"MNIST, {len(images):,} training images, no labels",
        command="python -m helpers.experiments.mnist_discriminator",
        steps=STEPS,
        batch_size=ch4_4_features.BATCH,
        seed=SEED,
        seconds=round(time.time() - began),
        torch=torch.__version__.split("+")[0],
    )
    print(f"wrote {path.name}, {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
