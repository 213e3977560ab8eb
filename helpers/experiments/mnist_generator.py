"""Train the generator of chapter 4.2 on the complete MNIST: ``python -m helpers.experiments.mnist_generator``.

About 25 minutes on two CPU cores; it can be interrupted and started again. Writes
``helpers/weights/mnist-generator.safetensors``, in half precision, when the training is over.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from helpers import data, metrics, train
from helpers.models import Discriminator, digit_network, mnist_generator
from helpers.runtime import WEIGHTS, save_weights, start

STEPS, SEED, SAMPLES = 20_000, 0, 5_000
CHECKPOINT = Path("mnist-generator.checkpoint.safetensors")


def quality(generator: nn.Module, network: nn.Module, distance: Callable, n: int) -> dict[str, float]:
    """Fréchet distance of `n` samples, and the share of them that the digit network is sure of (above 0.9)."""
    fakes = metrics.sample(generator, n)
    sure = (metrics.predict(network, fakes).softmax(1).amax(1) > 0.9).float().mean().item()
    return {"fid": distance(fakes), "sure": sure}


def main() -> None:
    settings = start(SEED)
    images = data.load("mnist", "train").images
    network = digit_network(settings.device)
    validation, test = (
        metrics.fid_against(data.load("mnist", part).images, network) for part in ("validation", "test")
    )

    def measure(step: int, generator: nn.Module) -> dict[str, float]:
        row = quality(generator, network, validation, SAMPLES)
        print(step, row, flush=True)
        return row

    pair = mnist_generator(weights=False), Discriminator()
    optimizers = opt_g, opt_d = train.gan_optimizers(*pair)
    generator = train.fit_gan(
        *pair,
        optimizers,
        images,
        steps=STEPS,
        schedulers=(train.linear_decay(opt_g, STEPS, start=0.625), train.linear_decay(opt_d, STEPS, start=0.625)),
        ema_decay=0.999,
        rng=SEED,
        every=2_500,
        measure=measure,
        checkpoint=CHECKPOINT,
    ).model
    generator.half().float()  # what the file will hold
    final = quality(generator, network, test, SAMPLES)
    path = save_weights(
        generator,
        WEIGHTS / "mnist-generator.safetensors",
        data=f"MNIST, {len(images):,} training images",
        command="python -m helpers.experiments.mnist_generator",
        dtype=torch.float16,
        steps=STEPS,
        seed=SEED,
        torch=torch.__version__.split("+")[0],
        fid=f"{final['fid']:.2f} ({SAMPLES:,} samples against the 10,000 test images, digit network)",
        confidence_above_0_9=f"{final['sure']:.4f} of {SAMPLES:,} samples",
    )
    CHECKPOINT.unlink(missing_ok=True)
    print(f"{path.name}: FID {final['fid']:.2f}, {final['sure']:.3f} above confidence 0.9")


if __name__ == "__main__":
    main()
