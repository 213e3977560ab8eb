"""Chapter 3.2, one thing done wrongly: what each mistake of the training loop does in 2,000 rounds.

``python -m helpers.experiments.run ch3_2_mistakes`` writes ``results/3-2-mistakes.json``, and afterwards ``python -m
helpers.experiments.ch3_2_mistakes`` draws ``results/3-2-mistakes.png`` from the samples of seed 0. The loop is that of
the chapter, with its narrow networks. All arms of a seed share initial weights, real batches and noise. Nothing is
chosen, so there are no validation images. FID: the Fréchet distance on the features of the book's digit network.
The column ``fid_real`` is no floor: it was meant to be, but the bundled training images are sorted by class, and the
first 500 are of two classes. The chapter measures the floor with 500 mixed ones.

Expected, written before any of these runs; for both seeds:

- without a mistake the FID at the end is below a quarter of that of the untrained generator;
- "nothing cleared": it is over twice that of the right loop, and the generator's gradient at its last steps is over
  ten times as long as in the right loop;
- "no detach, cleared early": in the first 50 rounds the generator's gradient is less than half as long as in the right
  loop, and yet the FID at the end is less than twice that of the right loop (Adam divides by the gradient's size);
- "pixels 0 to 1": over three times the FID of the right loop, under 20 % dark pixels where the right loop has over 60;
- "sigmoid twice": over one and a half times the FID of the right loop;
- "discriminator rests": over twice the FID of no training.
"""

from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from helpers import data, losses, metrics, models, train
from helpers.runtime import results_dir

NAME = "3-2-mistakes"
DATA = "MNIST: 3,500 bundled training images; FID against the 1,000 bundled test images"
MISTAKES = (
    "none",
    "nothing cleared",
    "no detach, cleared early",
    "pixels 0 to 1",
    "sigmoid twice",
    "discriminator rests",
)
ROUNDS, BATCH, LATENT, WIDTH = 2_000, 16, 64, 16
RATES, BETAS = (1e-3, 3e-3), (0.0, 0.99)  # generator, discriminator: those of chapter 4.2
EVERY, LOOK, IMAGES, SHOWN = 50, 500, 500, 10
SAMPLES = Path("runs") / f"{NAME}-samples"
SETTINGS: dict[str, Any] = {
    "rounds": ROUNDS,
    "batch_size": BATCH,
    "latent": LATENT,
    "width": WIDTH,
    "rates": RATES,
    "betas": BETAS,
    "losses_every": EVERY,
    "fid_every": LOOK,
    "fid_images": IMAGES,
}


def gradient_norm(model: nn.Module) -> float:
    """Length of the gradient that the next step of an optimizer would use; 0 where there is none."""
    gradients = [p.grad.norm() for p in model.parameters() if p.grad is not None]
    return torch.stack(gradients).norm().item() if gradients else 0.0


def one_round(
    generator: nn.Module,
    discriminator: nn.Module,
    opt_g: torch.optim.Optimizer,
    opt_d: torch.optim.Optimizer,
    real: torch.Tensor,
    z: torch.Tensor,
    mistake: str,
) -> list[float]:
    """Both steps of a round: the discriminator's loss, the generator's, and the length of either's gradient.

    real : float, (N, 1, 32, 32). z : latent vectors, float, (N, latent). mistake : one of `MISTAKES`.
    """

    def score(images: torch.Tensor) -> torch.Tensor:
        scores = discriminator(images)
        return scores.sigmoid() if mistake == "sigmoid twice" else scores

    early = mistake == "no detach, cleared early"
    clear = not early and mistake != "nothing cleared"
    fake = generator(z)
    if early:
        opt_g.zero_grad()
        opt_d.zero_grad()

    loss_d = losses.discriminator_loss(score(real), score(fake if early else fake.detach()))
    length_d = 0.0
    if mistake != "discriminator rests":
        if clear:
            opt_d.zero_grad()
        loss_d.backward(retain_graph=early)
        length_d = gradient_norm(discriminator)
        opt_d.step()

    loss_g = losses.generator_loss(score(fake))
    if clear:
        opt_g.zero_grad()
    loss_g.backward()
    length_g = gradient_norm(generator)
    opt_g.step()
    return [loss_d.item(), loss_g.item(), length_d, length_g]


def runs() -> list[dict]:
    return [{"mistake": mistake, "seed": seed} for mistake in MISTAKES for seed in range(2)]


def run(mistake: str, seed: int) -> dict:
    digits, held_out = (data.load("mnist-5k", part).images for part in ("train", "test"))
    network = models.digit_network()
    distance = metrics.fid_against(held_out, network)
    torch.manual_seed(seed)
    generator, discriminator = models.Generator(LATENT, WIDTH), models.Discriminator(WIDTH)
    optimizers = train.gan_optimizers(generator, discriminator, *RATES, BETAS)
    rng = torch.Generator().manual_seed(seed)
    span = data.UNIT if mistake == "pixels 0 to 1" else data.SIGNED

    fid = [distance(metrics.sample(generator, IMAGES))]
    rows, means = [], []
    for step in range(1, ROUNDS + 1):
        real = data.to_float(digits[torch.randint(len(digits), (BATCH,), generator=rng)], span)
        z = torch.randn(BATCH, LATENT, generator=rng)
        generator.train()
        rows.append(one_round(generator, discriminator, *optimizers, real, z, mistake))
        if step % EVERY == 0:
            means.append(torch.tensor(rows).mean(0).tolist())
            rows = []
        if step % LOOK == 0:
            fid.append(distance(metrics.sample(generator, IMAGES)))

    images = metrics.sample(generator, IMAGES)
    path = SAMPLES / f"{mistake}_{seed}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(strip(images[:SHOWN])).save(path)
    columns = ("loss_discriminator", "loss_generator", "gradient_discriminator", "gradient_generator")
    return {
        "rounds": list(range(EVERY, ROUNDS + 1, EVERY)),
        **{name: [float(f"{row[i]:.4g}") for row in means] for i, name in enumerate(columns)},
        "fid_rounds": list(range(0, ROUNDS + 1, LOOK)),
        "fid": [round(value, 2) for value in fid],
        "fid_real": round(distance(digits[:IMAGES]), 2),
        "dark": round((images < 64).float().mean().item(), 4),  # share of pixels
        "dark_real": round((held_out < 64).float().mean().item(), 4),
    }


def strip(images: torch.Tensor) -> Any:
    """uint8, (N, 1, H, W) → a NumPy array, (H, N · W)."""
    return images[:, 0].permute(1, 0, 2).flatten(1).numpy()


def sheet(seed: int = 0) -> Path:
    """One picture of the finished runs of a seed: real digits, then a row a mistake; the first images, not picked."""
    rows = [torch.from_numpy(strip(data.load("mnist-5k", "test").images[:: 1_000 // SHOWN][:SHOWN]))]
    for mistake in MISTAKES:
        with Image.open(SAMPLES / f"{mistake}_{seed}.png") as tiles:
            rows.append(torch.tensor(list(tiles.getdata()), dtype=torch.uint8).view(32, -1))
    path = results_dir() / f"{NAME}.png"
    Image.fromarray(torch.cat(rows).numpy()).save(path, optimize=True)
    return path


if __name__ == "__main__":
    print("wrote", sheet())
