"""Chapters 5.1 and 5.2, privacy: who was in the training set, and does a generator copy?

``python -m helpers.experiments.run ch5_1_privacy`` writes ``results/5-1-privacy.json``, in a few minutes on one core.
Nothing was tuned, and no run preceded these bounds but the chapter's older ones, at equal steps.

- **membership**: a discriminator learns to tell some training digits from good fakes. Passes are whole, so an image has
  been shown exactly as often as the run says. Members and strangers are drawn from the same images, and the generator
  of the fakes has seen all of them, so the AUC is 0.5 before the first step. Expected: 25 images, 100 passes: above
  0.9. At 10 passes 250 images are given away by over 0.05 more than 2,500: few images matter beyond the showings. For
  2,500 images 10 passes give away over 0.02 more than one: showings matter beyond the number of images.
- **copies**: the share of a generator's samples that lie nearer to one of its 54,000 training images than 99 % of test
  digits do, by the distance over a 2×2 mean of pixels relative to that image's own distance to its neighbour (what
  decides), plainly, and by the features of the evaluation network. Planted copies, exact, noisy and shifted by a pixel,
  give the test's power. Expected: below 0.02 of the samples; over 0.9 of exact copies are found.
- **source**: a body learns 1,000 letters and is fine-tuned on 100 digits. Its old head put back, does the loss still
  tell those letters from other ones? Expected: AUC above 0.6 before, above 0.55 after. And a linear classifier reads
  the features of 500 letters that were in the set and 500 that were not, and is tested on as many others. (The first
  runs had the rates of head and body exchanged in the fine-tuning; they were done again with those of chapter 5.2.)
"""

import copy
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from helpers import data, losses, metrics, models, train

NAME = "5-1-privacy"
DATA = "MNIST: 54,000 training and 10,000 test images; typeset letters, drawn"
PASSES = {25: (1, 3, 10, 30, 100), 250: (1, 3, 10, 30), 2_500: (1, 3, 10)}  # 100 to 1,000 steps
BATCH, RATE, WIDTH, FAKES, STRANGERS = 25, 3e-3, 16, 2_000, 1_000
SAMPLES, HELD_OUT, TAIL, NOISE = 1_000, 2_000, 0.01, 0.1
SOURCE, SOURCE_STEPS, TARGET_STEPS = 1_000, 1_000, 60
SETTINGS: dict[str, Any] = {
    "membership": {"batch": BATCH, "rate": RATE, "width": WIDTH, "fakes": FAKES, "strangers": STRANGERS},
    "copies": {"samples": SAMPLES, "held_out": HELD_OUT, "tail": TAIL, "noise": NOISE},
    "source": {"letters": SOURCE, "steps": SOURCE_STEPS, "digits": 100, "fine_tuning_steps": TARGET_STEPS, "batch": 32},
}


def auc(members: torch.Tensor, strangers: torch.Tensor) -> float:
    """The chance that a member scores higher than a stranger; a tie counts as half."""
    won = (members[:, None] > strangers).float() + 0.5 * (members[:, None] == strangers)
    return round(won.mean().item(), 4)


# --- membership --------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def good_fakes() -> torch.Tensor:
    return data.to_float(metrics.sample(models.mnist_generator(), FAKES, seed=500), data.SIGNED)


def membership(count: int, seed: int) -> dict:
    images = data.load("mnist", "train").images
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    members, strangers = (
        data.to_float(images[part], data.SIGNED) for part in (order[:count], order[count : count + STRANGERS])
    )
    fakes = good_fakes()
    torch.manual_seed(seed)
    critic = models.Discriminator(width=WIDTH)
    optimizer = torch.optim.Adam(critic.parameters(), RATE, (0.0, 0.99), fused=True)

    @torch.no_grad()
    def attack() -> dict:
        critic.eval()
        inside, outside = critic(members), critic(strangers)
        critic.train()
        # An attacker who must hardly ever be wrong: members above 99 of 100 strangers.
        return {"auc": auc(inside, outside), "tpr": round((inside > outside.quantile(0.99)).float().mean().item(), 4)}

    found = {"0": attack()}
    for done in range(1, PASSES[count][-1] + 1):
        for index in torch.randperm(count).split(BATCH):
            fake = fakes[torch.randint(FAKES, (len(index),))]
            scores = critic(torch.cat([members[index], fake]))
            loss = losses.discriminator_loss(*scores.split(len(index)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if done in PASSES[count]:
            found[str(done)] = attack()
    return found


# --- copies ------------------------------------------------------------------------------------


def nearest(rows: torch.Tensor, train_rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Distance to the nearest training row, and the same relative to that row's distance to its own neighbour."""
    norms = train_rows.square().sum(1)
    buffer = torch.empty(250, len(train_rows))

    def squared(rows: torch.Tensor) -> torch.Tensor:  # in one buffer: a new one each time costs more than the products
        out = buffer[: len(rows)]
        torch.addmm(norms, rows, train_rows.T, alpha=-2, out=out)
        return out.add_(rows.square().sum(1, keepdim=True))

    near, relative = [], []
    for part in rows.split(250):
        distance, index = squared(part).min(1)
        others = squared(train_rows[index]).scatter_(1, index[:, None], torch.inf)
        own = others.amin(1).clamp(min=1e-6).sqrt()
        near.append(distance.clamp(min=0).sqrt())
        relative.append(near[-1] / own)
    return torch.cat(near), torch.cat(relative)


def copies(seed: int) -> dict:
    draw = torch.Generator().manual_seed(seed)
    training, test = data.load("mnist", "train").images, data.load("mnist", "test").images
    test = test[torch.randperm(len(test), generator=draw)]
    planted = training[torch.randperm(len(training), generator=draw)[:SAMPLES]]
    noisy = data.to_float(planted) + NOISE * torch.randn(planted.shape, generator=draw)
    candidates = {
        "held out": test[:HELD_OUT],
        "real": test[HELD_OUT : HELD_OUT + SAMPLES],
        "generated": metrics.sample(models.mnist_generator(), SAMPLES, seed=1_000 + seed),
        "exact copies": planted,
        "noisy copies": data.to_uint8(noisy.clamp(0, 1), data.UNIT),
        "shifted copies": planted.roll(1, 3),
    }
    spaces: dict[str, Callable] = {
        "pixels": lambda images: F.avg_pool2d(data.to_float(images), 2).flatten(1),
        "features": partial(metrics.features, models.digit_network()),
    }
    found: dict[str, dict] = {}
    for space, read in spaces.items():
        known = read(training)
        results = {name: nearest(read(images), known) for name, images in candidates.items()}
        usual = results.pop("held out")
        for i, statistic in enumerate(("plain", "relative")):
            found[f"{space}, {statistic}"] = {
                name: round((both[i] < usual[i].quantile(TAIL)).float().mean().item(), 4)
                for name, both in results.items()
            }
    return found


# --- the source's letters ----------------------------------------------------------------------

# Mean and spread of typeset letters.
normalise = partial(data.preprocess, spec=data.Preprocessing(32, (0.121,), (0.297,)))


def small_network(classes: int) -> nn.Sequential:
    """The network of chapter 5.2: `body`, three convolutions, and `fc`, the head. Input: float, (N, 1, 32, 32)."""
    body = nn.Sequential()
    for inputs, outputs in ((1, 16), (16, 32), (32, 64)):
        body.extend([nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()])
    body.append(nn.Flatten())
    model = nn.Sequential()
    model.body, model.fc = body, nn.Linear(64 * 4 * 4, classes)
    return model


def learn(
    model: nn.Sequential, dataset: data.Dataset, rates: tuple[float, float], steps: int, seed: int
) -> nn.Sequential:
    """Train `fc` and `body` of the model with these two rates, on its device; returned in evaluation mode."""
    groups = [{"params": part.parameters(), "lr": rate} for part, rate in zip((model.fc, model.body), rates)]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    draw, device = torch.Generator().manual_seed(seed), metrics.device_of(model, dataset.images.device)
    x, labels = normalise(data.to_float(dataset.images.to(device))), dataset.labels.to(device)
    model.train()
    for _ in range(steps):
        index = torch.randint(len(labels), (32,), generator=draw).to(device)
        loss = F.cross_entropy(model(x[index]), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def source(seed: int) -> dict:
    from sklearn.linear_model import LogisticRegression

    letters = data.typeset(data.LETTERS, 2 * SOURCE, seed=500 + seed)
    inside, outside = letters.select(torch.arange(SOURCE)), letters.select(torch.arange(SOURCE, 2 * SOURCE))
    others = data.typeset(data.LETTERS, 2_000, seed=900 + seed)  # for the statistics of the batch norms
    digits = data.few_shot(data.load("mnist", "train"), 10, seed)
    torch.manual_seed(seed)
    model = small_network(26)
    learn(model, inside, (2e-3, 2e-3), SOURCE_STEPS, seed)
    known = torch.arange(SOURCE) < SOURCE // 2

    @torch.no_grad()
    def attack(body: nn.Module, head: nn.Module) -> dict:
        both = nn.Sequential(body, head)
        logits = [metrics.predict(both, part.images, normalise) for part in (inside, outside)]
        fit = [-F.cross_entropy(x, part.labels, reduction="none") for x, part in zip(logits, (inside, outside))]
        rows = [metrics.predict(body, part.images, normalise) for part in (inside, outside)]
        scale = torch.cat(rows).std(0).clamp(min=1e-6)
        seen, unseen = (torch.cat([r[mask] for r in rows]) / scale for mask in (known, ~known))
        answers = torch.arange(2).repeat_interleave(SOURCE // 2)
        linear = LogisticRegression(C=1e-3, max_iter=500).fit(seen.numpy(), (1 - answers).numpy())
        scores = torch.from_numpy(linear.decision_function(unseen.numpy()))
        right = (logits[1].argmax(1) == outside.labels).float().mean().item()
        return {
            "loss": auc(*fit),
            "features": auc(scores[answers == 0], scores[answers == 1]),
            "accuracy": round(right, 4),  # on letters that were not in the set
        }

    found = {"before": attack(model.body, model.fc)}
    old_head = copy.deepcopy(model.fc)
    torch.manual_seed(seed + 100)
    model.fc = nn.Linear(64 * 4 * 4, 10)
    learn(model, digits, (3e-3, 1e-3), TARGET_STEPS, seed)
    found["after"] = attack(model.body, old_head)
    own = train.adapt_statistics(nn.Sequential(model.body, old_head), others.images, normalise)
    found["after, statistics of letters"] = attack(*own)
    return found


def runs() -> list[dict]:
    one = [{"part": "membership", "count": count, "seed": seed} for count in PASSES for seed in range(5)]
    return one + [
        {"part": part, "count": 0, "seed": seed}
        for part, seeds in (("copies", 3), ("source", 5))
        for seed in range(seeds)
    ]


def run(part: str, count: int, seed: int) -> dict:
    if part == "membership":
        return membership(count, seed)
    return copies(seed) if part == "copies" else source(seed)
