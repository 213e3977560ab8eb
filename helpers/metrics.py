"""How good is it? Accuracy and confusion for classifiers; FID, KID, precision, recall, memorisation for generators.

Networks work on their own device. What they answer comes to the CPU, and statistics are computed there: the distances
need float64, which not every device has. No function here waits for other processes.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from helpers import checks
from helpers.data import UNIT, Dataset, require_images, to_float, to_uint8
from helpers.models import ConditionalGenerator
from helpers.runtime import require_counts, require_networks, require_seed


class Interval(NamedTuple):
    """A mean and half the width of its 95 % confidence interval."""

    mean: float
    half: float

    @property
    def low(self) -> float:
        """The interval's lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The interval's upper end."""
        return self.mean + self.half


# --- what a network answers --------------------------------------------------------------------


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards every part has its own mode again."""
    require_networks(model=model)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


# The default of 100 images a pass: with 500 the maps no longer fit into a CPU's cache, and an image took nearly twice
# as long.
@torch.no_grad()
def _answers(
    network: nn.Module, function: Callable, images: torch.Tensor, transform: Callable | None, batch_size: int
) -> torch.Tensor:
    checks.require_some_images(images, "images to evaluate")
    require_counts(batch_size=batch_size)
    device = device_of(network, images.device)
    # A transform starts from 0 to 1; without one the network gets the range that it was made for.
    span = UNIT if transform else getattr(network, "input_span", UNIT)
    parts = []
    with evaluating(network):
        for batch in images.split(batch_size):
            x = to_float(batch.to(device), span)
            x = checks.require_batch(transform(x), len(batch), "transform") if transform else x
            parts.append(checks.require_batch(function(x), len(batch), "the network"))
    answers = torch.cat(parts).float().cpu()
    if not answers.isfinite().all():
        raise FloatingPointError(
            "the network answers NaN or infinity: its weights are damaged or were trained at too high a learning rate, "
            "or the transform made NaN"
        )
    return answers


def predict(
    model: nn.Module, images: torch.Tensor, transform: Callable | None = None, batch_size: int = 100
) -> torch.Tensor:
    """Logits of all images, on the CPU, in evaluation mode; the model's mode is restored.

    images : uint8, (N, C, H, W). transform : maps a float batch in 0 to 1 to the model's input; without one the model
    gets its own `input_span`, 0 to 1 where it has none. Returns float, (N, classes).

    Raises
    ------
    ValueError
        No images, images that are not uint8, or a transform or network that gives no float tensor with a row an image.
    TypeError
        `model` is no network, or `batch_size` no whole number.
    FloatingPointError
        The answers hold NaN or infinity.
    """
    require_networks(model=model)
    return _answers(model, model, images, transform, batch_size)


def features(
    network: nn.Module, images: torch.Tensor, transform: Callable | None = None, batch_size: int = 100
) -> torch.Tensor:
    """What `network.features` makes of the images: float, (N, ...), on the CPU; otherwise as `predict`."""
    require_networks(network=network)
    if not callable(getattr(network, "features", None)):
        raise ValueError(
            f"{type(network).__name__} has no method `features`: take a network that has one, such as "
            "helpers.models.digit_network()"
        )
    return _answers(network, network.features, images, transform, batch_size)


# --- classifiers -------------------------------------------------------------------------------


def accuracy(model: nn.Module, dataset: Dataset, transform: Callable | None = None) -> float:
    """Fraction of correct labels, 0 to 1, in evaluation mode.

    Raises
    ------
    ValueError, TypeError
        What `predict` refuses, labels that are not int64, (N,), or labels that the model has no output for.
    """
    highest = checks.require_labelled(dataset, "the data set")
    logits = predict(model, dataset.images, transform)
    checks.require_outputs(logits, highest)
    return (logits.argmax(1) == dataset.labels.cpu()).float().mean().item()


def confusion(predicted: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Counts, int64, (classes, classes): rows are true classes, columns predicted ones. Inputs: int64, (N,)."""
    require_counts(classes=classes)
    if not isinstance(predicted, torch.Tensor) or not isinstance(labels, torch.Tensor):
        raise TypeError(f"expected two tensors, got {type(predicted).__name__} and {type(labels).__name__}")
    if predicted.shape != labels.shape:
        raise ValueError(f"shapes differ: {tuple(predicted.shape)} predictions, {tuple(labels.shape)} labels")
    for name, values in (("predictions", predicted), ("labels", labels)):
        if values.ndim != 1 or values.is_floating_point():
            raise ValueError(
                f"{name} must be whole numbers (N,), got {values.dtype} {tuple(values.shape)}: use logits.argmax(1)"
            )
        if len(values) and not 0 <= int(values.min()) <= int(values.max()) < classes:
            raise ValueError(f"{name} must lie between 0 and {classes - 1}, got {values.min()} to {values.max()}")
    return torch.bincount(labels.long() * classes + predicted, minlength=classes**2).reshape(classes, classes)


def interval95(values: Sequence[float]) -> Interval:
    """Mean and half-width of the 95 % confidence interval of the mean, by Student's t.

    values : at least two independent measurements, one a seed.

    Raises
    ------
    ValueError
        Fewer than two values, or one that is not finite.
    """
    from scipy.stats import t

    try:
        x = torch.as_tensor(values, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"an interval needs a list of numbers, one a seed, got {str(values)[:80]!r}") from error
    if x.ndim != 1 or len(x) < 2:
        raise ValueError(f"an interval needs a list of at least two seeds, got shape {tuple(x.shape)}")
    if not x.isfinite().all():
        raise ValueError(f"an interval needs finite values, got {x.tolist()}: a run has failed")
    return Interval(x.mean().item(), (t.ppf(0.975, len(x) - 1) * x.std() / len(x) ** 0.5).item())


# --- generators --------------------------------------------------------------------------------


class _AsTheyAre(nn.Module):
    """In the place of torchmetrics' extractor: it is given features, already on the CPU."""

    def __init__(self, num_features: int):
        super().__init__()
        self.num_features = num_features

    def forward(self, x):
        return x


def fid_against(real: torch.Tensor, network: nn.Module, batch_size: int = 100) -> Callable[[torch.Tensor], float]:
    """A function that gives the Fréchet distance of fake images to `real`; the real ones are read once.

    Heusel et al. 2017, https://arxiv.org/abs/1706.08500: ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½) of
    the features' means and covariances. Its value depends on the network and on the number of
    images, so quote both, and beside it the distance between two sets of real images.

    real, and the fakes : uint8, (N, C, H, W), at least two. network : has `features`, (N, D); its mode is restored.

    Raises
    ------
    ValueError
        Fewer than two images, or images that the network does not take.
    """

    def read(images: torch.Tensor) -> torch.Tensor:
        require_images(images, dtype=torch.uint8, by="a distance")
        if len(images) < 2:
            raise ValueError(f"a covariance needs at least two images, got {len(images)}")
        return features(network, images, batch_size=batch_size).flatten(1)

    known = read(real)
    # Every process has all images, so none has to wait for the others' sums.
    metric = FrechetInceptionDistance(_AsTheyAre(known.shape[1]), reset_real_features=False, sync_on_compute=False)
    metric.update(known, real=True)

    def fid(fake: torch.Tensor) -> float:
        metric.reset()
        metric.update(read(fake), real=False)
        return float(metric.compute())

    return fid


def kid(
    real: torch.Tensor,
    fake: torch.Tensor,
    network: nn.Module,
    subsets: int = 50,
    subset_size: int = 500,
    seed: int = 0,
    batch_size: int = 100,
) -> tuple[float, float]:
    """Kernel Inception distance, mean and standard deviation over random subsets.

    Bińkowski et al. 2018, https://arxiv.org/abs/1801.01401: the squared maximum mean discrepancy of
    the features with a cubic kernel. Unbiased: 0 on average for two sets from one distribution,
    however few images. Images and network as for `fid_against`.
    """
    require_counts(subsets=subsets, subset_size=subset_size)
    require_seed(seed)
    for images in (real, fake):
        require_images(images, dtype=torch.uint8, by="a distance")
    if min(len(real), len(fake)) < 2:
        raise ValueError(f"a kernel distance needs two images on each side, got {len(real)} and {len(fake)}")
    if subset_size < 2:
        raise ValueError(f"subset_size must be at least 2, a kernel distance compares pairs; got {subset_size}")
    subset_size = min(subset_size, len(real), len(fake))
    sides = [features(network, images, batch_size=batch_size).flatten(1) for images in (real, fake)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it keeps all features: 64 or so numbers an image are little
        metric = KernelInceptionDistance(
            _AsTheyAre(sides[0].shape[1]), subsets=subsets, subset_size=subset_size, sync_on_compute=False
        )
    for side, is_real in zip(sides, (True, False)):
        metric.update(side, real=is_real)
    with torch.random.fork_rng(devices=[]):  # torchmetrics draws the subsets from the global generator
        torch.manual_seed(seed)
        mean, std = metric.compute()
    return float(mean), float(std)


def precision_recall(real: torch.Tensor, fake: torch.Tensor, k: int = 3) -> tuple[float, float]:
    """Precision: how many fakes lie among the real images. Recall: how much of the real images the fakes cover.

    Kynkäänniemi et al. 2019, https://arxiv.org/abs/1904.06991. A set's region is the union of the balls around its
    points that reach to their k-th neighbours in the set. Both values depend on the number of images, so give equally
    many on both sides and quote how many.

    real, fake : features, float, (N, D), from `features`. Returns two fractions, 0 to 1.
    """
    require_counts(k=k)
    _require_features(1, real, fake)
    if min(len(real), len(fake)) <= k:
        raise ValueError(f"need more than k = {k} images on each side, got {len(real)} and {len(fake)}")

    def covered(points: torch.Tensor, region: torch.Tensor) -> float:
        # k + 1: the nearest point of a set to one of its own is that point itself.
        radius = torch.cdist(region, region).kthvalue(k + 1, dim=1).values
        return (torch.cdist(points, region) <= radius).any(1).float().mean().item()

    return covered(fake, real), covered(real, fake)


def memorisation(train: torch.Tensor, fake: torch.Tensor, held_out: torch.Tensor) -> float:
    """Share of fakes that lie nearer to a training image than 95 % of new real images do: 0.05 where nothing is copied.

    A generator that copies puts its fakes on top of the training images; new images of the same kind keep their
    distance. (The idea of the data-copying test of Meehan et al. 2020, https://arxiv.org/abs/2004.05675, with one
    threshold.) A poor generator's fakes are far from everything, so read it beside a FID.

    train, fake, held_out : features, float, (N, D). Returns a fraction, 0 to 1.
    """
    _require_features(1, train, fake, held_out)
    usual = torch.cdist(held_out, train).amin(1).quantile(0.05)
    return (torch.cdist(fake, train).amin(1) < usual).float().mean().item()


def proxy_a_distance(source: torch.Tensor, target: torch.Tensor, seed: int = 0) -> float:
    """2 (1 − 2ε), ε the error of a linear classifier that tells two domains apart: 0 if it guesses, 2 if it is sure.

    Ben-David et al. 2007. Half of the rows teach the classifier, the other half gives ε: on rows that it has seen, it
    would find a distance between equal domains. source, target : features, float, (N, D); of the longer one a random
    part is used, so that guessing means ε = 0.5. Can be slightly below 0 by chance.
    """
    from sklearn.linear_model import LogisticRegression

    _require_features(4, source, target)
    require_seed(seed)
    n = min(len(source), len(target)) // 2
    generator = torch.Generator().manual_seed(seed)
    parts = [x[torch.randperm(len(x), generator=generator)[: 2 * n]].double() for x in (source, target)]
    seen, unseen = (torch.cat([x[half] for x in parts]) for half in (slice(0, n), slice(n, 2 * n)))
    centre, scale = seen.mean(0), seen.std(0).clamp(min=1e-6)
    domain = torch.arange(2).repeat_interleave(n).numpy()
    linear = LogisticRegression(max_iter=1_000).fit(((seen - centre) / scale).numpy(), domain)
    error = 1 - linear.score(((unseen - centre) / scale).numpy(), domain)
    return 2 * (1 - 2 * error)


def information(logits: torch.Tensor) -> float:
    """How much the predictions say, without a label: entropy of their mean minus the mean of their entropies.

    The mutual information of image and predicted class (Krause et al. 2010; as a way to choose a model for a domain
    without labels, Shi & Sha 2012, https://arxiv.org/abs/1206.6438). 0 where every image gets the same prediction,
    log(classes) where all are certain and the classes equally frequent. Whether they are right it does not see.

    logits : float, (N, classes).
    """
    _require_features(1, logits)
    p = logits.double().softmax(1)
    return (torch.special.entr(p.mean(0)).sum() - torch.special.entr(p).sum(1).mean()).item()


def sample(generator: nn.Module, n: int, seed: int = 0) -> torch.Tensor:
    """Generate `n` images from seeded standard normal latents: uint8, (n, C, H, W), on the CPU."""
    require_networks(generator=generator)
    require_counts(n=n)
    require_seed(seed)
    if not hasattr(generator, "latent"):
        raise ValueError(f"{type(generator).__name__} is no generator: it needs `latent`, the width of its input")
    return decode(generator, torch.randn(n, generator.latent, generator=torch.Generator().manual_seed(seed)))


@torch.no_grad()
def decode(generator: nn.Module, latents: torch.Tensor, batch_size: int = 100) -> torch.Tensor:
    """Latent vectors, float, (N, latent) → images, uint8, (N, C, H, W), on the CPU; the mode is restored."""
    require_networks(generator=generator)
    if isinstance(generator, ConditionalGenerator):
        raise ValueError("this generator takes labels, too: use data.to_uint8(generator(latents, labels))")
    require_counts(batch_size=batch_size)
    if not isinstance(latents, torch.Tensor) or len(latents) == 0:
        raise ValueError(f"expected a tensor of at least one latent vector, (N, latent), got {str(latents)[:60]}")
    device = device_of(generator, latents.device)
    with evaluating(generator):
        return torch.cat([_as_images(generator(part.to(device)).cpu()) for part in latents.split(batch_size)])


def _as_images(made: torch.Tensor) -> torch.Tensor:
    if not made.isfinite().all():  # to_uint8 would make them black
        raise FloatingPointError("the generator makes NaN or infinity: its weights are damaged, load or train it again")
    return to_uint8(made)


# --- what goes in ------------------------------------------------------------------------------


def device_of(network: nn.Module, otherwise: torch.device) -> torch.device:
    """Where the network's weights are; `otherwise` for one without weights."""
    weight = next(network.parameters(), None)
    return otherwise if weight is None else weight.device


def _require_features(least: int, *sides: torch.Tensor) -> None:
    for x in sides:
        if not isinstance(x, torch.Tensor) or not x.is_floating_point() or x.ndim != 2:
            got = f"{x.dtype} {tuple(x.shape)}" if isinstance(x, torch.Tensor) else type(x).__name__
            raise ValueError(f"expected float tensors (N, D), from metrics.features or metrics.predict, got {got}")
    if min(map(len, sides)) < least or len({x.shape[1] for x in sides}) > 1:
        got = " and ".join(str(tuple(x.shape)) for x in sides)
        raise ValueError(f"need at least {least} rows of equal width, from one network, got {got}")
    if not all(bool(x.isfinite().all()) for x in sides):
        raise FloatingPointError("the features hold NaN or infinity: look at the network and the images they come from")
