"""Train the generator of chapter 4.2 on the complete MNIST: ``python -m helpers.experiments.mnist_generator``.

About 25 minutes on two CPU cores; it can be interrupted and started again. Writes
``helpers/weights/mnist-generator.safetensors``.
"""

from pathlib import Path

import torch

from helpers import data, metrics, train
from helpers.models import Discriminator, digit_network, mnist_generator
from helpers.runtime import WEIGHTS, save_weights, start

STEPS, SEED = 20_000, 0
CHECKPOINT = Path("mnist-generator.checkpoint.safetensors")


def main() -> None:
    settings = start(SEED)
    images = data.load("mnist", "train").images
    network = digit_network(settings.device)
    against_validation = metrics.fid_against(data.load("mnist", "validation").images, network)

    def measure(step: int, ema: torch.nn.Module, distance=against_validation) -> dict[str, float]:
        fakes = metrics.sample(ema, 5_000)
        sure = (train.predict(network, fakes).softmax(1).amax(1) > 0.9).float().mean().item()
        row = {"fid": distance(fakes), "sure": sure}
        print(step, row, flush=True)
        return row

    result = train.train_gan(
        mnist_generator(weights=False),
        Discriminator(),
        images,
        steps=STEPS,
        decay_from=0.625,
        ema_decay=0.999,
        seed=SEED,
        every=2_500,
        measure=measure,
        checkpoint=CHECKPOINT,
    )
    if result.history["step"][-1] < STEPS:
        return
    result.ema.half().float()  # what the file will hold
    final = measure(STEPS, result.ema, metrics.fid_against(data.load("mnist", "test").images, network))
    path = save_weights(
        result.ema,
        WEIGHTS / "mnist-generator.safetensors",
        data=f"MNIST, {len(images):,} training images",
        command="python -m helpers.experiments.mnist_generator",
        dtype=torch.float16,
        steps=STEPS,
        seed=SEED,
        torch=torch.__version__.split("+")[0],
        fid=f"{final['fid']:.2f} (5,000 samples against the 10,000 test images, digit network)",
        confidence_above_0_9=f"{final['sure']:.4f} of 5,000 samples",
    )
    CHECKPOINT.unlink()
    print(f"{path.name}: FID {final['fid']:.2f}, {final['sure']:.3f} above confidence 0.9")


if __name__ == "__main__":
    main()
