"""Networks: backbones with heads, generators and discriminators, the digit network."""

from helpers.models.digit_network import DigitNetwork, digit_network
from helpers.models.gan import Discriminator, Generator, mnist_generator
from helpers.models.resnet import ResNet18, features, pretrained_resnet18

__all__ = [
    "DigitNetwork",
    "Discriminator",
    "Generator",
    "ResNet18",
    "digit_network",
    "features",
    "mnist_generator",
    "pretrained_resnet18",
]
