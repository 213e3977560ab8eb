"""Losses of the two players, apart from the loops that use them.

Every score is a logit: the discriminator ends without a sigmoid, D(x) = sigmoid(score). With
softplus(s) = log(1 + exp(s)), −log D(x) = softplus(−s) and −log(1 − D(x)) = softplus(s); written
like this nothing overflows.
"""

import torch
from torch.nn import functional as F


def _require_floats(**tensors: torch.Tensor) -> None:
    """Shapes and types only: values would have to be waited for on a device."""
    for name, x in tensors.items():
        if not isinstance(x, torch.Tensor) or not x.is_floating_point() or x.numel() == 0:
            got = f"{x.dtype} {tuple(x.shape)}" if isinstance(x, torch.Tensor) else type(x).__name__
            raise ValueError(f"{name} must be floats, one row an image and at least one, got {got}")


def discriminator_loss(real_scores: torch.Tensor, fake_scores: torch.Tensor) -> torch.Tensor:
    """−E[log D(x)] − E[log(1 − D(G(z)))], the negative of the minimax objective.

    Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661. Scores: float, (N,). Returns a scalar,
    0 or more; 2 log 2 where both scores are 0.
    """
    _require_floats(real_scores=real_scores, fake_scores=fake_scores)
    return F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()


def generator_loss(fake_scores: torch.Tensor) -> torch.Tensor:
    """−E[log D(G(z))], the non-saturating loss of the same paper. Scores: float, (N,). A scalar, 0 or more."""
    _require_floats(fake_scores=fake_scores)
    return F.softplus(-fake_scores).mean()


def saturating_generator_loss(fake_scores: torch.Tensor) -> torch.Tensor:
    """E[log(1 − D(G(z)))], the minimax form: its gradient vanishes where D rejects every fake.

    Scores: float, (N,). A scalar, 0 or less.
    """
    _require_floats(fake_scores=fake_scores)
    return -F.softplus(fake_scores).mean()


def feature_matching_loss(real_features: torch.Tensor, fake_features: torch.Tensor) -> torch.Tensor:
    """‖E h(x) − E h(G(z))‖²: the generator's aim is the real images' mean features, not a high score.

    Salimans et al. 2016, https://arxiv.org/abs/1606.03498. Features of any layer of the discriminator: float, (N, ...),
    the same shape behind N. Returns a scalar, 0 or more. The real features are a target: no gradient flows into them.
    """
    _require_floats(real_features=real_features, fake_features=fake_features)
    if real_features.shape[1:] != fake_features.shape[1:]:
        raise ValueError(
            f"features differ in shape: {tuple(real_features.shape)} real, {tuple(fake_features.shape)} fake: take "
            "both from one layer"
        )
    return (real_features.detach().mean(0) - fake_features.mean(0)).square().sum()


def r1_penalty(real_images: torch.Tensor, real_scores: torch.Tensor) -> torch.Tensor:
    """½ E‖∇ₓ D(x)‖² on real images: Mescheder et al. 2018, https://arxiv.org/abs/1801.04406.

    real_images : float, (N, C, H, W), requires_grad set before the scores were computed.
    real_scores : float, (N,). Returns a scalar, 0 or more.
    """
    _require_floats(real_images=real_images, real_scores=real_scores)
    if not real_images.requires_grad or not real_scores.requires_grad:
        raise ValueError("r1_penalty needs images with requires_grad_(True), set before the discriminator sees them")
    (gradient,) = torch.autograd.grad(real_scores.sum(), real_images, create_graph=True, allow_unused=True)
    if gradient is None:
        raise ValueError("the scores do not depend on these images: give r1_penalty the tensor that was scored")
    return 0.5 * gradient.square().flatten(1).sum(1).mean()


class _Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.weight * gradient, None


def gradient_reversal(x: torch.Tensor, weight: float = 1.0) -> torch.Tensor:
    """x itself on the way forward; on the way back its gradient times −weight.

    Ganin & Lempitsky 2015, https://arxiv.org/abs/1409.7495. What stands above minimises the loss, what stands below
    maximises it, with one optimizer. x : any shape. weight : 0 or more; 0 cuts the gradient off.
    """
    if not weight >= 0:
        raise ValueError(f"weight must be 0 or more, got {weight}: the sign is reversed already")
    return _Reversed.apply(x, weight)


def coral_loss(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """‖C_s − C_t‖² / 4d²: how far apart two covariance matrices lie.

    Sun & Saenko 2016 (Deep CORAL), https://arxiv.org/abs/1607.01719. Features: float, (N, d), at least two rows each.
    Returns a scalar, 0 or more.
    """
    _require_matrices(source, target)
    with torch.autocast(source.device.type, enabled=False):  # a difference of large numbers: not in half precision
        difference = torch.cov(_in_full(source).T) - torch.cov(_in_full(target).T)
    return difference.square().sum() / (4 * source.shape[1] ** 2)


def mmd_loss(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """E k(s, s′) + E k(t, t′) − 2 E k(s, t), the squared maximum mean discrepancy of two sets of features.

    Long et al. 2015 (DAN), https://arxiv.org/abs/1502.02791. k is the mean of five Gaussian kernels exp(−‖x − y‖² / w);
    the widths w are ¼, ½, 1, 2 and 4 times the mean squared distance of all pairs, through which no gradient flows.
    Unbiased at given widths: no row is compared with itself, so equal domains give 0 on average, and a single value can
    lie below 0. Features: float, (N, d), at least two rows each. Returns a scalar.
    """
    _require_matrices(source, target)
    n, both = len(source), torch.cat([_in_full(source), _in_full(target)])
    both = both - both.mean(0)  # distances stay as they are, and lose fewer digits below
    squares = both.square().sum(1)
    with torch.autocast(both.device.type, enabled=False):
        distances = (squares[:, None] + squares - 2 * both @ both.T).clamp(min=0)
    mean = distances.detach().sum() / (len(both) * (len(both) - 1))
    kernel = torch.stack([(-distances / (x * mean).clamp(min=1e-12)).exp() for x in (0.25, 0.5, 1, 2, 4)]).mean(0)
    within = [(k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1)) for k in (kernel[:n, :n], kernel[n:, n:])]
    return sum(within) - 2 * kernel[:n, n:].mean()


def _in_full(x: torch.Tensor) -> torch.Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _require_matrices(source: torch.Tensor, target: torch.Tensor) -> None:
    _require_floats(source=source, target=target)
    if source.ndim != 2 or source.shape[1:] != target.shape[1:] or min(len(source), len(target)) < 2:
        got = f"{tuple(source.shape)} and {tuple(target.shape)}"
        raise ValueError(f"need two matrices of equal width with at least two rows each, got {got}: flatten(1) maps")
