"""Chapter 1.2, eight Gaussians on a ring: when a GAN collapses on a few modes, and what cures it.

``python -m helpers.experiments.run ch1_2_ring`` writes ``results/1-2-ring.json``: momentum x R1 x rates, eight pairs
an arm from different random weights, non-saturating loss, alternating steps; and mixtures fitted by maximum likelihood.
The rates, the weight of R1 and the steps were found with other networks (64 wide, batches of 128) and other random
numbers, where arms without a penalty no longer changed after 2,000 steps. Expected before these runs, of the mean over
the last third of the looks:

- A discriminator with ten times the generator's rate, momentum 0.5 and no penalty: fewer than 3 of 8 modes, over 80 %
  of the samples on a mode. That is a collapse, not noise.
- The same with R1 of weight 0.1: more than 6.5 modes. No penalty, equal rates and no momentum: likewise.
- A fast discriminator with momentum 0.9 and no penalty: fewer than 4 modes.
- A mixture of 16 Gaussians covers eight modes with half of its samples on them in less than a quarter of the steps of
  any arm.

Momentum 0.9 with R1 was not tried at these rates, and nothing is expected of it.
"""

import math
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from helpers import losses

NAME = "1-2-ring"
DATA = "points drawn from eight Gaussians, whose centres lie on a circle of radius 2"
PAIRS = 8  # side by side, from different random weights
MODES, RADIUS, SIGMA = 8, 2.0, 0.1
LATENT, WIDTH, BATCH = 8, 48, 64
LEAST = 0.03  # share of the samples that a mode must get to count; equal shares would be 0.125
STEPS, EVERY, SAMPLES = 5_000, 250, 1_000
SHOWN = 200  # samples of the first two pairs that are kept for a picture
# Learning rates of generator and discriminator.
RATES = {"equal": (3e-3, 3e-3), "fast discriminator": (5e-4, 5e-3)}
MOMENTA, WEIGHTS = (0.0, 0.5, 0.9), (0.0, 0.1)
PARTS, FIT_RATE, FIT_STEPS, FIT_EVERY = (8, 16), 0.05, 200, 10
SETTINGS: dict[str, Any] = {
    "pairs": PAIRS,
    "modes": MODES,
    "radius": RADIUS,
    "sigma": SIGMA,
    "latent": LATENT,
    "width": WIDTH,
    "batch_size": BATCH,
    "steps": STEPS,
    "every": EVERY,
    "rates_generator_discriminator": RATES,
    "adam_second_beta": 0.99,
    "least_share_of_a_mode": LEAST,
    "fit_rate": FIT_RATE,
    "fit_every": FIT_EVERY,
}

_ANGLE = torch.arange(MODES) * 2 * math.pi / MODES
CENTRES = RADIUS * torch.stack([_ANGLE.cos(), _ANGLE.sin()], 1)


class Linears(nn.Module):
    """Linear layers side by side: (PAIRS, N, inputs) → (PAIRS, N, outputs)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        layers = [nn.Linear(inputs, outputs) for _ in range(PAIRS)]
        self.weight = nn.Parameter(torch.stack([layer.weight.detach().T for layer in layers]))
        self.bias = nn.Parameter(torch.stack([layer.bias.detach()[None] for layer in layers]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(self.bias, x, self.weight)


def networks(inputs: int, outputs: int) -> nn.Sequential:
    """Networks with two hidden layers side by side; no weight is shared."""
    return nn.Sequential(Linears(inputs, WIDTH), nn.ReLU(), Linears(WIDTH, WIDTH), nn.ReLU(), Linears(WIDTH, outputs))


class Mixture(nn.Module):
    """Mixtures of `parts` round Gaussians side by side: (PAIRS, N, 2) → log densities, (PAIRS, N)."""

    def __init__(self, parts: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(PAIRS, parts))
        self.centre = nn.Parameter(torch.randn(PAIRS, parts, 2))
        self.log_sigma = nn.Parameter(torch.zeros(PAIRS, parts))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scaled = (x[:, :, None] - self.centre[:, None]) / self.log_sigma.exp()[:, None, :, None]
        log_part = -0.5 * scaled.square().sum(-1) - math.log(2 * math.pi) - 2 * self.log_sigma[:, None]
        return (self.weight.log_softmax(1)[:, None] + log_part).logsumexp(2)

    @torch.no_grad()
    def sample(self, n: int) -> torch.Tensor:
        part = torch.multinomial(self.weight.softmax(1), n, replacement=True)
        centre = self.centre.gather(1, part[..., None].expand(-1, -1, 2))
        return centre + self.log_sigma.exp().gather(1, part)[..., None] * torch.randn(PAIRS, n, 2)


def ring(n: int) -> torch.Tensor:
    """`n` real points for each pair, (PAIRS, n, 2)."""
    return CENTRES[torch.randint(MODES, (PAIRS, n))] + SIGMA * torch.randn(PAIRS, n, 2)


def coverage(samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(..., N, 2) → the modes that get at least LEAST of the samples within 3 σ, and the share within 3 σ of any."""
    distance, nearest = torch.cdist(samples, CENTRES).min(-1)
    hits = F.one_hot(nearest, MODES) * (distance < 3 * SIGMA).unsqueeze(-1)
    share = hits.float().mean(-2)
    return (share >= LEAST).sum(-1), share.sum(-1)


def step(pair: tuple, r1: float) -> None:
    """One step of discriminator and generator, with the non-saturating loss, of all pairs."""
    generator, discriminator, optimizer_g, optimizer_d = pair
    real = ring(BATCH).requires_grad_(r1 > 0)
    fake = generator(torch.randn(PAIRS, BATCH, LATENT))
    real_scores = discriminator(real)
    loss = losses.discriminator_loss(real_scores, discriminator(fake.detach()))
    if r1:
        (slope,) = torch.autograd.grad(real_scores.sum(), real, create_graph=True)
        loss = loss + r1 * 0.5 * slope.square().sum(-1).mean()
    optimizer_d.zero_grad()
    (PAIRS * loss).backward()  # the loss is a mean over the pairs, and each needs its own
    optimizer_d.step()
    loss = losses.generator_loss(discriminator(fake))
    optimizer_g.zero_grad()
    (PAIRS * loss).backward()
    optimizer_g.step()


@torch.no_grad()
def look(generator: nn.Module, discriminator: nn.Module, z: torch.Tensor) -> tuple[torch.Tensor, dict]:
    """The samples of `z`, and by name one value a pair."""
    samples, real = generator(z), ring(SAMPLES)
    scores, real_scores = discriminator(samples).squeeze(-1), discriminator(real).squeeze(-1)
    modes, quality = coverage(samples)
    return samples, {
        "modes": modes,
        "quality": quality,
        "accuracy": ((real_scores > 0).float() + (scores < 0).float()).mean(1) / 2,
        "discriminator_loss": (F.softplus(-real_scores) + F.softplus(scores)).mean(1),
        "generator_loss": F.softplus(-scores).mean(1),
    }


def play(momentum: float, r1: float, rates: tuple[float, float], steps: int = STEPS, every: int = EVERY) -> dict:
    """Train eight pairs; the global seed decides all that is random.

    momentum : Adam's first beta. r1 : weight of the penalty. rates : of generator and discriminator. Returns modes and
    quality as a row of eight values for every `every` steps, the means of the last third of the looks ("late"), and the
    last samples of the first two pairs.
    """
    generator, discriminator = networks(LATENT, 2), networks(2, 1)
    adam = partial(torch.optim.Adam, betas=(momentum, 0.99))
    pair = (
        generator,
        discriminator,
        adam(generator.parameters(), lr=rates[0]),
        adam(discriminator.parameters(), lr=rates[1]),
    )
    z = torch.randn(PAIRS, SAMPLES, LATENT)
    before, _ = look(generator, discriminator, z)
    looks: dict[str, list[torch.Tensor]] = {}
    for number in range(1, steps + 1):
        step(pair, r1)
        if number % every == 0:
            samples, row = look(generator, discriminator, z)
            row["movement"] = (samples - before).norm(dim=-1).mean(1)
            before = samples
            for name, values in row.items():
                looks.setdefault(name, []).append(values)
    last = steps // every // 3
    out: dict[str, Any] = {name: _rounded(torch.stack(looks[name])) for name in ("modes", "quality")}
    out["late"] = {name: _rounded(torch.stack(values[-last:]).float().mean(0)) for name, values in looks.items()}
    middle = torch.stack(looks["modes"][-2 * last : -last]).float().mean(0)
    out["late"]["modes_in_the_middle_third"] = _rounded(middle)
    return out | {"samples": _rounded(before[:2, :SHOWN], 2)}


def _rounded(values: torch.Tensor, digits: int = 3) -> list:
    """Nested lists; whole numbers stay whole."""
    if not values.is_floating_point():
        return values.tolist()
    return (values.double() * 10**digits).round().div(10**digits).tolist()


def fit(parts: int) -> dict:
    """Fit eight mixtures to the same points by maximum likelihood: what needs no opponent."""
    mixture = Mixture(parts)
    optimizer = torch.optim.Adam(mixture.parameters(), lr=FIT_RATE)
    out: dict[str, Any] = {"step": [], "modes": [], "quality": []}
    for number in range(1, FIT_STEPS + 1):
        loss = -mixture(ring(BATCH)).mean(1).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if number % FIT_EVERY == 0:
            modes, quality = coverage(mixture.sample(SAMPLES))
            out["step"].append(number)
            out["modes"].append(modes.tolist())
            out["quality"].append(_rounded(quality))
    return out


def runs() -> list[dict]:
    games = [
        {"arm": rates, "momentum": momentum, "r1": r1, "seed": 0}
        for rates in RATES
        for r1 in WEIGHTS
        for momentum in MOMENTA
    ]
    return games + [{"arm": "likelihood", "parts": parts, "seed": 0} for parts in PARTS]


def run(arm: str, seed: int, momentum: float = 0.0, r1: float = 0.0, parts: int = 0) -> dict:
    torch.manual_seed(seed)
    return fit(parts) if arm == "likelihood" else play(momentum, r1, RATES[arm])
