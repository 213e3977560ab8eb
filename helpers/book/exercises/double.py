"""Double precision for the checks of the mathematics: the notebooks calculate in it, the tests in single."""

import torch

REAL = torch.float64


def reals(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=REAL)


def as_real(got) -> torch.Tensor:
    return torch.as_tensor(got).detach().to(REAL)


def close(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-6)
