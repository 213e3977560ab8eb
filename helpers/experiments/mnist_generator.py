"""Train the generator of chapter 4.2 on the complete MNIST: ``python -m helpers.experiments.mnist_generator``.

About 40 minutes on two CPU cores; it can be interrupted and started again. Writes
``helpers/weights/mnist-generator.safetensors``.
"""

import time
from pathlib import Path

import torch

from helpers import data, metrics, train
from helpers.models import Discriminator, Generator, digit_network
from helpers.runtime import WEIGHTS, save_weights, start

STEPS, SEED = 25_000, 0
CHECKPOINT = Path("mnist-generator.checkpoint.safetensors")


def main() -> None:
    settings = start(SEED)
    began = time.time()
    images = torch.cat([data.load("mnist", split).images for split in ("train", "validation")])
    network = digit_network(settings.device)
    distance = metrics.fid_against(data.load("mnist", "validation").images, network)

    def measure(step: int, ema: torch.nn.Module) -> dict[str, float]:
        fakes = metrics.sample(ema, 5_000)
        sure = (train.predict(network, fakes).softmax(1).amax(1) > 0.9).float().mean().item()
        row = {"fid": distance(fakes), "sure": sure}
        print(step, row, flush=True)
        return row

    result = train.train_gan(Generator(), Discriminator(), images, steps=STEPS, ema_decay=0.9995, seed=SEED, every=2_500,
                             measure=measure, checkpoint=CHECKPOINT)
    if result.history["step"][-1] < STEPS:
        return
    path = save_weights(
        result.ema, WEIGHTS / "mnist-generator.safetensors", data="MNIST, 60,000 training images",
        command="python -m helpers.experiments.mnist_generator", steps=STEPS, seed=SEED,
        seconds=round(time.time() - began), torch=torch.__version__.split("+")[0],
        fid=f"{result.history['fid'][-1]:.2f} (5,000 images against 6,000, digit network)",
        confidence_above_0_9=f"{result.history['sure'][-1]:.4f}")
    CHECKPOINT.unlink()
    print(f"{path.name}: FID {result.history['fid'][-1]:.2f}, {result.history['sure'][-1]:.3f} above confidence 0.9")


if __name__ == "__main__":
    main()
