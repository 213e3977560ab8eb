"""ResNet-18, narrow for small grey images, and the two pretrained backbones of the book."""

import torch
from torch import nn
from torch.nn import functional as F

from helpers.data import IMAGENET, LETTERS, Preprocessing, require_images
from helpers.runtime import load_weights, require_counts, require_networks

# Mean and standard deviation of 20,000 typeset letters, seed 0.
TYPESET = Preprocessing(32, (0.121,), (0.297,))


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, in, H, W) → (N, out, H / stride, W / stride)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + self.downsample(x))


class ResNet18(nn.Module):
    """He et al. 2016, https://arxiv.org/abs/1512.03385, at a quarter of the width (0.7 M parameters).

    The stem is one 3×3 convolution with stride 2, because a 32×32 image has no pixels to spare for
    the original's 7×7 stem and max-pooling. Layer names are torchvision's, so the same chapter
    code works on both.

    Input: float, (N, 1, 32, 32), preprocessed. Output: logits, (N, classes).
    """

    def __init__(self, classes: int = 10, channels: int = 1, width: int = 16):
        super().__init__()
        require_counts(classes=classes, channels=channels, width=width)
        self.conv1 = nn.Conv2d(channels, width, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = nn.Sequential(BasicBlock(width, width), BasicBlock(width, width))
        self.layer2 = nn.Sequential(BasicBlock(width, 2 * width, 2), BasicBlock(2 * width, 2 * width))
        self.layer3 = nn.Sequential(BasicBlock(2 * width, 4 * width, 2), BasicBlock(4 * width, 4 * width))
        self.layer4 = nn.Sequential(BasicBlock(4 * width, 8 * width, 2), BasicBlock(8 * width, 8 * width))
        self.fc = nn.Linear(8 * width, classes)

    def forward(self, x):
        require_images(x, channels=self.conv1.in_channels, dtype=torch.float32, by="this ResNet-18")
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def pretrained_resnet18(source: str = "letters") -> tuple[nn.Module, Preprocessing]:
    """A pretrained ResNet-18 with its original head, and the preprocessing that it was trained with.

    source
        "letters": the narrow one, pretrained on typeset letters (26 classes), committed with the book.
        "imagenet": torchvision's, pretrained on ImageNet (1,000 classes), downloaded on first use.

    Raises
    ------
    ValueError
        Unknown source.
    ConnectionError
        The ImageNet weights are not there and cannot be downloaded.
    """
    if source == "letters":
        model = ResNet18(classes=len(LETTERS))
        load_weights(model, "resnet18-letters")
        return model, TYPESET
    if source != "imagenet":
        raise ValueError(f"unknown source {source!r}: choose letters or imagenet")
    from torchvision.models import ResNet18_Weights, resnet18

    try:
        # weights_only: a pickle from the network must not run code.
        state = ResNet18_Weights.IMAGENET1K_V1.get_state_dict(check_hash=True, weights_only=True)
    except OSError as error:
        raise ConnectionError(
            f"cannot download the ImageNet weights ({error}). Connect to a network, "
            "or use the bundled weights: BOOK_PROFILE=quick"
        ) from error
    model = resnet18()
    model.load_state_dict(state)
    return model, IMAGENET


def features(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """What the head `model.fc` receives: float, (N, model.fc.in_features)."""
    require_networks(model=model)
    if not hasattr(model, "fc"):
        raise ValueError(f"{type(model).__name__} has no head `fc`: use metrics.features, or model.features(images)")
    head, model.fc = model.fc, nn.Identity()
    try:
        return model(images)
    finally:
        model.fc = head
