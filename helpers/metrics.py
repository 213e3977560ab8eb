"""How good is it? Accuracy and confusion for classifiers; FID, KID, precision, recall, memorisation for generators."""

from collections.abc import Callable

import torch
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from helpers.data import Dataset, to_float
from helpers.train import evaluating, predict


def accuracy(model: nn.Module, dataset: Dataset, transform: Callable | None = None) -> float:
    """Fraction of correct labels, 0 to 1, in evaluation mode."""
    return (predict(model, dataset.images, transform).argmax(1) == dataset.labels).float().mean().item()


def confusion(predicted: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Counts, int64, (classes, classes): rows are true classes, columns predicted ones. Inputs: int64, (N,)."""
    if predicted.shape != labels.shape:
        raise ValueError(f"shapes differ: {tuple(predicted.shape)} predictions, {tuple(labels.shape)} labels")
    return torch.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def interval95(values: list[float]) -> tuple[float, float]:
    """Mean and half-width of the 95 % confidence interval of the mean, by Student's t.

    values : at least two independent measurements, one a seed.
    """
    from scipy.stats import t

    x = torch.tensor(values, dtype=torch.float64)
    if len(x) < 2:
        raise ValueError("an interval needs at least two seeds")
    return x.mean().item(), (t.ppf(0.975, len(x) - 1) * x.std() / len(x) ** 0.5).item()


class _Features(nn.Module):
    """Adapter: torchmetrics calls the extractor like a function, with uint8 images."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network.features(to_float(x))


def fid_against(real: torch.Tensor, network: nn.Module, batch_size: int = 500) -> Callable[[torch.Tensor], float]:
    """A function that gives the Fréchet distance of fake images to `real`; the real ones are read once.

    Heusel et al. 2017, https://arxiv.org/abs/1706.08500: ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½) of
    the features' means and covariances. Its value depends on the network and on the number of
    images, so quote both, and beside it the distance between two sets of real images.

    real, and the fakes : uint8, (N, 1, 32, 32). network : has `features`, 64 numbers an image here.
    """
    with torch.random.fork_rng():  # torchmetrics tries the network on an image from the global generator
        metric = FrechetInceptionDistance(
            _Features(network), reset_real_features=False, input_img_size=tuple(real.shape[1:])
        )
    metric.to(next(network.parameters()).device)
    _update(metric, real, True, batch_size)

    def fid(fake: torch.Tensor) -> float:
        metric.reset()
        _update(metric, fake, False, batch_size)
        return float(metric.compute())

    return fid


def kid(
    real: torch.Tensor,
    fake: torch.Tensor,
    network: nn.Module,
    subsets: int = 50,
    subset_size: int = 500,
    seed: int = 0,
    batch_size: int = 500,
) -> tuple[float, float]:
    """Kernel Inception distance, mean and standard deviation over random subsets.

    Bińkowski et al. 2018, https://arxiv.org/abs/1801.01401: the squared maximum mean discrepancy of
    the features with a cubic kernel. Unbiased: 0 on average for two sets from one distribution,
    however few images.
    """
    subset_size = min(subset_size, len(real), len(fake))
    metric = KernelInceptionDistance(_Features(network), subsets=subsets, subset_size=subset_size)
    metric.to(next(network.parameters()).device)
    _update(metric, real, True, batch_size)
    _update(metric, fake, False, batch_size)
    with torch.random.fork_rng():  # torchmetrics draws the subsets from the global generator
        torch.manual_seed(seed)
        mean, std = metric.compute()
    return float(mean), float(std)


def features(network: nn.Module, images: torch.Tensor, batch_size: int = 500) -> torch.Tensor:
    """What `network.features` sees in uint8 images: float, (N, D), on the CPU; the network's mode is restored."""
    device = next(network.parameters()).device
    with evaluating(network), torch.no_grad():
        return torch.cat([network.features(to_float(x.to(device))).float().cpu() for x in images.split(batch_size)])


def precision_recall(real: torch.Tensor, fake: torch.Tensor, k: int = 3) -> tuple[float, float]:
    """Precision: how many fakes lie among the real images. Recall: how much of the real images the fakes cover.

    Kynkäänniemi et al. 2019, https://arxiv.org/abs/1904.06991. A set's region is the union of the balls around its
    points that reach to their k-th neighbours in the set. Both values depend on the number of images, so give equally
    many on both sides and quote how many.

    real, fake : features, float, (N, D), from `features`. Returns two fractions, 0 to 1.
    """
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
    usual = torch.cdist(held_out, train).amin(1).quantile(0.05)
    return (torch.cdist(fake, train).amin(1) < usual).float().mean().item()


def proxy_a_distance(source: torch.Tensor, target: torch.Tensor, seed: int = 0) -> float:
    """2 (1 − 2ε), ε the error of a linear classifier that tells two domains apart: 0 if it guesses, 2 if it is sure.

    Ben-David et al. 2007. Half of the rows teach the classifier, the other half gives ε: on rows that it has seen, it
    would find a distance between equal domains. source, target : features, float, (N, D); of the longer one a random
    part is used, so that guessing means ε = 0.5. Can be slightly below 0 by chance.
    """
    from sklearn.linear_model import LogisticRegression

    n = min(len(source), len(target)) // 2
    if n < 2 or source.shape[1:] != target.shape[1:]:
        raise ValueError(f"need at least 4 rows of equal width, got {tuple(source.shape)} and {tuple(target.shape)}")
    generator = torch.Generator().manual_seed(seed)
    parts = [x[torch.randperm(len(x), generator=generator)[: 2 * n]].double() for x in (source, target)]
    seen, unseen = (torch.cat([x[half] for x in parts]) for half in (slice(0, n), slice(n, 2 * n)))
    centre, scale = seen.mean(0), seen.std(0).clamp(min=1e-6)
    domain = torch.arange(2).repeat_interleave(n).numpy()
    judge = LogisticRegression(max_iter=1_000).fit(((seen - centre) / scale).numpy(), domain)
    error = 1 - judge.score(((unseen - centre) / scale).numpy(), domain)
    return 2 * (1 - 2 * error)


def information(logits: torch.Tensor) -> float:
    """How much the predictions say, without a label: entropy of their mean minus the mean of their entropies.

    The mutual information of image and predicted class (Krause et al. 2010; as a way to choose a model for a domain
    without labels, Shi & Sha 2012, https://arxiv.org/abs/1206.6438). 0 where every image gets the same prediction,
    log(classes) where all are certain and the classes equally frequent. Whether they are right it does not see.

    logits : float, (N, classes).
    """
    p = logits.double().softmax(1)
    return (torch.special.entr(p.mean(0)).sum() - torch.special.entr(p).sum(1).mean()).item()


def _update(metric, images: torch.Tensor, real: bool, batch_size: int) -> None:
    if images.dtype != torch.uint8:
        raise ValueError(f"expected uint8 images, got {images.dtype}: `helpers.metrics.sample` returns them")
    with torch.no_grad():
        for batch in images.split(batch_size):
            metric.update(batch.to(metric.device), real=real)


def sample(generator: nn.Module, n: int, seed: int = 0) -> torch.Tensor:
    """Generate `n` images from seeded standard normal latents: uint8, (n, C, H, W), on the CPU."""
    return decode(generator, torch.randn(n, generator.latent, generator=torch.Generator().manual_seed(seed)))


@torch.no_grad()
def decode(generator: nn.Module, latents: torch.Tensor, batch_size: int = 500) -> torch.Tensor:
    """Latent vectors, float, (N, latent) → images, uint8, (N, C, H, W), on the CPU; the mode is restored."""
    device = next(generator.parameters()).device
    with evaluating(generator):
        images = torch.cat([generator(part.to(device)).cpu() for part in latents.split(batch_size)])
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
