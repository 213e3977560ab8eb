"""How good is it? Accuracy and confusion for classifiers, FID and KID for generators."""

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
