"""Networks: backbones with heads, generators and discriminators, the digit network."""

from helpers.models.digit_network import DigitNetwork, digit_network
from helpers.models.domain import DomainAdversary, DomainDiscriminator, DomainNetwork
from helpers.models.gan import (
    Classifier,
    ClassScore,
    ConditionalGenerator,
    Discriminator,
    Generator,
    ProjectedDiscriminator,
    ProjectionDiscriminator,
    freeze_lower,
    mnist_discriminator,
    mnist_generator,
    pooled_layers,
    pretrained_pair,
)
from helpers.models.resnet import ResNet18, features, pretrained_resnet18

__all__ = [
    "ClassScore",
    "Classifier",
    "ConditionalGenerator",
    "DigitNetwork",
    "Discriminator",
    "DomainAdversary",
    "DomainDiscriminator",
    "DomainNetwork",
    "Generator",
    "ProjectedDiscriminator",
    "ProjectionDiscriminator",
    "ResNet18",
    "digit_network",
    "features",
    "freeze_lower",
    "mnist_discriminator",
    "mnist_generator",
    "pooled_layers",
    "pretrained_pair",
    "pretrained_resnet18",
]
