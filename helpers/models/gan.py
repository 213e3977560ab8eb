"""Generator and discriminator for 32×32 images, after DCGAN."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from helpers.runtime import load_weights


class Generator(nn.Module):
    """Radford et al. 2016 (DCGAN), https://arxiv.org/abs/1511.06434.

    Input: latent vectors, float, (N, latent), standard normal. Output: images, float,
    (N, channels, 32, 32), values −1 to 1.
    """

    def __init__(self, latent: int = 64, width: int = 32, channels: int = 1):
        super().__init__()
        self.latent = latent

        def block(inputs: int, outputs: int, stride: int, padding: int) -> list[nn.Module]:
            # No bias: the batch norm that follows would subtract it.
            return [
                nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
            ]

        self.net = nn.Sequential(
            *block(latent, 4 * width, 1, 0),  # 1 → 4
            *block(4 * width, 2 * width, 2, 1),  # 4 → 8
            *block(2 * width, width, 2, 1),  # 8 → 16
            nn.ConvTranspose2d(width, channels, 4, 2, 1),  # 16 → 32
            nn.Tanh(),
        )
        self.apply(_dcgan_init)

    def forward(self, z):
        if z.ndim != 2 or z.shape[1] != self.latent:
            raise ValueError(f"expected latent vectors of shape (N, {self.latent}), got {tuple(z.shape)}")
        return self.net(z[:, :, None, None])


class Discriminator(nn.Module):
    """DCGAN's, with spectral normalisation in place of batch norm.

    Miyato et al. 2018, https://arxiv.org/abs/1802.05957: every layer's largest singular value is
    held at 1, so the score cannot change arbitrarily fast between a real and a fake image.

    Input: images, float, (N, channels, 32, 32), values −1 to 1. Output: scores (logits), (N,):
    positive means "looks real".
    """

    def __init__(self, width: int = 32, channels: int = 1):
        super().__init__()
        self.channels = channels
        sizes = [channels, width, 2 * width, 4 * width]
        self.body = nn.Sequential()  # 32 → 16 → 8 → 4
        for inputs, outputs in zip(sizes, sizes[1:]):
            self.body.append(spectral_norm(_normal(nn.Conv2d(inputs, outputs, 4, 2, 1))))
            self.body.append(nn.LeakyReLU(0.2))
        self.head = spectral_norm(_normal(nn.Conv2d(4 * width, 1, 4)))  # 4 → 1

    def features(self, x):
        """(N, channels, 32, 32) → (N, 4 · width, 4, 4), what the head sees."""
        if x.shape[1:] != (self.channels, 32, 32):
            raise ValueError(f"expected images of shape (N, {self.channels}, 32, 32), got {tuple(x.shape)}")
        return self.body(x)

    def forward(self, x):
        return self.head(self.features(x)).flatten()


def mnist_generator(device: torch.device | str = "cpu", weights: bool = True) -> Generator:
    """The committed generator, trained on the complete MNIST, in evaluation mode; or the same, untrained."""
    model = Generator(width=56)
    if weights:
        load_weights(model, "mnist-generator")
    return model.eval().to(device)


def _normal(layer: nn.Module) -> nn.Module:
    _dcgan_init(layer)
    return layer


def _dcgan_init(layer: nn.Module) -> None:
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
