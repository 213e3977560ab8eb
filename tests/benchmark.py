"""How fast are the loops and the metrics on this machine? ``make bench``; no test depends on the answer."""

import platform
import time

import torch

from helpers import data, metrics, models, train


def timed(name: str, unit: str, amount: int, action, repeats: int = 3) -> None:
    """Print the median of a few runs, after one that is not counted."""
    seconds = []
    for repeat in range(repeats + 1):
        began = time.perf_counter()
        action()
        if repeat:
            seconds.append(time.perf_counter() - began)
    median = sorted(seconds)[repeats // 2]
    spread = f"{amount / max(seconds):,.0f} to {amount / min(seconds):,.0f}"
    print(f"{name:34}{amount / median:>9,.0f} {unit:16} ({spread})", flush=True)


def main() -> None:
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.machine()}; median (range) of three"
    )
    digits = data.load("mnist-5k", "train")
    network = models.digit_network()
    distance = metrics.fid_against(digits.images, network)

    def classifier() -> None:
        model = models.pretrained_resnet18("letters")[0]
        train.fit_classifier(model, torch.optim.AdamW(model.parameters()), digits, steps=50, every=50)

    def gan() -> None:
        train.train_gan(models.Generator(), models.Discriminator(), digits.images, steps=50, every=50)

    timed("letters to digits, batch 32", "steps a second", 50, classifier)
    timed("GAN of chapter 4.2, batch 64", "steps a second", 50, gan)
    timed("digit network reads", "images a second", 3_500, lambda: train.predict(network, digits.images))
    timed("FID, fakes only", "images a second", 3_500, lambda: distance(digits.images))
    timed("typeset letters drawn", "images a second", 500, lambda: data.typeset(n=500))


if __name__ == "__main__":
    main()
