"""The book's own evaluation network: it reads digits, and its features serve FID and KID."""

import torch
from torch import nn

from helpers.data import require_images
from helpers.runtime import load_weights


class DigitNetwork(nn.Module):
    """A small convolutional classifier of handwritten digits.

    Input: float, (N, 1, 32, 32), values 0 to 1. Output: logits, (N, 10); `features` gives the 64
    numbers before the last layer.
    """

    def __init__(self):
        super().__init__()

        def block(inputs: int, outputs: int) -> list[nn.Module]:
            return [
                nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]

        self.body = nn.Sequential(
            *block(1, 32), *block(32, 64), *block(64, 64), nn.Flatten(), nn.Linear(64 * 4 * 4, 64), nn.ReLU()
        )
        self.head = nn.Linear(64, 10)

    def features(self, x):
        """(N, 1, 32, 32), values 0 to 1 → (N, 64)."""
        require_images(x, channels=1, size=32, dtype=torch.float32, by="the digit network")
        return self.body(x)

    def forward(self, x):
        return self.head(self.features(x))


def digit_network(device: torch.device | str = "cpu") -> DigitNetwork:
    """The committed digit network, trained on the complete MNIST, in evaluation mode."""
    model = DigitNetwork()
    load_weights(model, "digit-network")
    return model.eval().to(device, memory_format=torch.channels_last)  # on a CPU nearly twice as fast
