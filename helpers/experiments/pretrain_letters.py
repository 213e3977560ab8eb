"""Pretrain the narrow ResNet-18 on typeset letters: ``python -m helpers.experiments.pretrain_letters``.

About 5 minutes on two CPU cores; it can be interrupted and started again. Writes
``helpers/weights/resnet18-letters.safetensors``, in half precision (1.4 MB in place of 2.8), when the training is over,
and nothing before.
"""

import time
from functools import partial
from pathlib import Path

import torch

from helpers import data, metrics, train
from helpers.models import ResNet18
from helpers.models.resnet import TYPESET
from helpers.runtime import WEIGHTS, save_weights, start

LETTERS, STEPS, BATCH, SEED = 60_000, 3_000, 64, 0
CHECKPOINT = Path("resnet18-letters.checkpoint.safetensors")


def main() -> None:
    start(SEED)
    began = time.time()
    transform = partial(data.preprocess, spec=TYPESET)
    model = ResNet18(classes=len(data.LETTERS))
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    train.fit_classifier(
        model,
        optimizer,
        data.typeset(n=LETTERS, seed=SEED),
        data.load("letters", "validation"),
        steps=STEPS,
        batch_size=BATCH,
        scheduler=torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=STEPS),
        transform=transform,
        rng=SEED,
        every=500,
        checkpoint=CHECKPOINT,
    )
    model.half().float()  # what the file will hold
    accuracy = metrics.accuracy(model, data.load("letters", "test"), transform)
    path = save_weights(
        model,
        WEIGHTS / "resnet18-letters.safetensors",
        dtype=torch.float16,
        data=f"{LETTERS:,} typeset letters, 26 classes, seed {SEED}",
        command="python -m helpers.experiments.pretrain_letters",
        steps=STEPS,
        batch_size=BATCH,
        seed=SEED,
        seconds=round(time.time() - began),
        torch=torch.__version__.split("+")[0],
        test_accuracy=f"{accuracy:.4f}",
    )
    CHECKPOINT.unlink(missing_ok=True)
    print(f"{path.name}: accuracy {accuracy:.4f} on 1,000 unseen letters")


if __name__ == "__main__":
    main()
