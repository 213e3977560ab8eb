"""Losses of the two players, apart from the loops that use them.

Every score is a logit: the discriminator ends without a sigmoid, D(x) = sigmoid(score). With
softplus(s) = log(1 + exp(s)), −log D(x) = softplus(−s) and −log(1 − D(x)) = softplus(s); written
like this nothing overflows.
"""

import torch
from torch.nn import functional as F


def discriminator_loss(real_scores: torch.Tensor, fake_scores: torch.Tensor) -> torch.Tensor:
    """−E[log D(x)] − E[log(1 − D(G(z)))], the negative of the minimax objective.

    Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661. Scores: float, (N,). Returns a scalar,
    0 or more; 2 log 2 where both scores are 0.
    """
    return F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()


def generator_loss(fake_scores: torch.Tensor) -> torch.Tensor:
    """−E[log D(G(z))], the non-saturating loss of the same paper. Scores: float, (N,). A scalar, 0 or more."""
    return F.softplus(-fake_scores).mean()


def saturating_generator_loss(fake_scores: torch.Tensor) -> torch.Tensor:
    """E[log(1 − D(G(z)))], the minimax form: its gradient vanishes where D rejects every fake.

    Scores: float, (N,). A scalar, 0 or less.
    """
    return -F.softplus(fake_scores).mean()


def r1_penalty(real_images: torch.Tensor, real_scores: torch.Tensor) -> torch.Tensor:
    """½ E‖∇ₓ D(x)‖² on real images: Mescheder et al. 2018, https://arxiv.org/abs/1801.04406.

    real_images : float, (N, C, H, W), requires_grad set before the scores were computed.
    real_scores : float, (N,). Returns a scalar, 0 or more.
    """
    if not real_images.requires_grad:
        raise ValueError("r1_penalty needs images with requires_grad_(True), set before the discriminator sees them")
    (gradient,) = torch.autograd.grad(real_scores.sum(), real_images, create_graph=True)
    return 0.5 * gradient.square().flatten(1).sum(1).mean()
