"""Networks of chapter 4.5: one that reads digits of two domains, and the discriminator that tells the domains apart."""

import math

import torch
from torch import nn

from helpers import losses
from helpers.data import UNIT, require_images
from helpers.runtime import require_counts


class DomainNetwork(nn.Module):
    """Two convolutions and a head, after the MNIST network of Ganin et al. 2016, https://arxiv.org/abs/1505.07818.

    Narrower than theirs, and with batch norm. Input: images, float, (N, 1 or 3, 32, 32), values 0 to 1; grey ones are
    repeated into colour, and the outer two pixels, MNIST's padding, are cut off. `features`: (N, 512), 0 or more.
    Output: logits, (N, classes).
    """

    def __init__(self, classes: int = 10):
        super().__init__()
        require_counts(classes=classes)
        self.body = nn.Sequential(
            *(nn.Conv2d(3, 24, 5), nn.MaxPool2d(2), nn.BatchNorm2d(24), nn.ReLU()),  # 28 → 24 → 12
            *(nn.Conv2d(24, 32, 5), nn.MaxPool2d(2), nn.BatchNorm2d(32), nn.ReLU()),  # 12 → 8 → 4
            nn.Flatten(),
        )
        self.head = nn.Sequential(nn.Linear(512, 100), nn.BatchNorm1d(100), nn.ReLU(), nn.Linear(100, classes))
        self.to(memory_format=torch.channels_last)

    def features(self, images):
        require_images(images, channels=(1, 3), size=32, span=UNIT, by="this network")
        x = 2 * images[:, :, 2:-2, 2:-2].expand(-1, 3, -1, -1) - 1
        return self.body(x.contiguous(memory_format=torch.channels_last))

    def forward(self, images):
        return self.head(self.features(images))


class DomainDiscriminator(nn.Module):
    """Which domain do these features come from? Input: float, (N, features). Output: scores, (N,), positive: source.

    Batch norm inside: give it one domain at a time. Each is then brought to its own mean and scale, and the
    discriminator has to look at the shape of the cloud of features and not only at its place.
    """

    def __init__(self, features: int = 512, width: int = 100):
        super().__init__()
        require_counts(features=features, width=width)
        self.net = nn.Sequential(
            nn.Linear(features, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 1), nn.Flatten(0)
        )

    def forward(self, features):
        expected = self.net[0].in_features
        if features.ndim != 2 or features.shape[1] != expected:
            raise ValueError(
                f"this discriminator takes features (N, {expected}), got {tuple(features.shape)}: build it for the "
                "width of the network's features"
            )
        return self.net(features)


class DomainAdversary(nn.Module):
    """DANN's term: the domain discriminator's loss behind a gradient reversal, for `align` in `fit_adapted`.

    strength : λ at the end. It rises from 0 as 2 / (1 + exp(−10 p)) − 1 with the progress p, 0 to 1, as in the paper:
    early features are worth no alignment.
    """

    def __init__(self, strength: float = 1.0):
        super().__init__()
        if not 0 <= strength < math.inf:
            raise ValueError(f"strength must be 0 or more, got {strength}: the gradient is reversed already")
        self.domain_discriminator, self.strength = DomainDiscriminator(), strength

    def forward(self, source, target, progress):
        weight = self.strength * (2 / (1 + math.exp(-10 * progress)) - 1)
        scores = [
            self.domain_discriminator(losses.gradient_reversal(features, weight)) for features in (source, target)
        ]
        return losses.discriminator_loss(*scores)
