"""Train the digit network on the complete MNIST: ``python -m helpers.experiments.digit_network``.

About 3 minutes on two CPU cores; it can be interrupted and started again. Writes
``helpers/weights/digit-network.safetensors`` when the training is over, and nothing before.
"""

import time
from pathlib import Path

import torch

from helpers import augment, data, metrics, train
from helpers.models import DigitNetwork
from helpers.runtime import WEIGHTS, save_weights, start

STEPS, BATCH, SEED = 4_000, 128, 0
CHECKPOINT = Path("digit-network.checkpoint.safetensors")


def main() -> None:
    start(SEED)
    began = time.time()
    model = DigitNetwork()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    train.fit_classifier(
        model,
        optimizer,
        data.load("mnist", "train"),
        data.load("mnist", "validation"),
        steps=STEPS,
        batch_size=BATCH,
        scheduler=torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=STEPS),
        augment=augment.random_affine,
        rng=SEED,
        every=500,
        checkpoint=CHECKPOINT,
    )
    test = data.load("mnist", "test")
    logits = metrics.predict(model, test.images)
    accuracy = (logits.argmax(1) == test.labels).float().mean().item()
    sure = (logits.softmax(1).amax(1) > 0.9).float().mean().item()
    path = save_weights(
        model,
        WEIGHTS / "digit-network.safetensors",
        data="MNIST, 54,000 training images; 6,000 for validation",
        command="python -m helpers.experiments.digit_network",
        steps=STEPS,
        batch_size=BATCH,
        seed=SEED,
        seconds=round(time.time() - began),
        torch=torch.__version__.split("+")[0],
        test_accuracy=f"{accuracy:.4f}",
        test_confidence_above_0_9=f"{sure:.4f}",
    )
    CHECKPOINT.unlink(missing_ok=True)
    print(f"{path.name}: test accuracy {accuracy:.4f}, {sure:.4f} of the test images above confidence 0.9")


if __name__ == "__main__":
    main()
