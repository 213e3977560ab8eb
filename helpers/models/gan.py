"""Generator and discriminator for 32×32 images, after DCGAN."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from helpers.data import SIGNED, UNIT, Preprocessing, preprocess, require_images, rescale
from helpers.runtime import load_weights, require_counts, require_networks

PAIRS = ("letters", "fashion")


class Generator(nn.Module):
    """Radford et al. 2016 (DCGAN), https://arxiv.org/abs/1511.06434.

    Input: latent vectors, float, (N, latent), standard normal. Output: images, float,
    (N, channels, 32, 32), values −1 to 1.
    """

    def __init__(self, latent: int = 64, width: int = 32, channels: int = 1):
        super().__init__()
        require_counts(latent=latent, width=width, channels=channels)
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
        _require_latents(z, self.latent)
        return self.net(z[:, :, None, None])


class ConditionalGenerator(nn.Module):
    """The same generator, told which class to draw: the label's one-hot vector is appended to the latent one.

    Mirza & Osindero 2014, https://arxiv.org/abs/1411.1784. Input: latent vectors, float, (N, latent), and labels,
    int64, (N,), 0 to classes − 1. Output: images, float, (N, channels, 32, 32), values −1 to 1.
    """

    def __init__(self, classes: int = 10, latent: int = 64, width: int = 32, channels: int = 1):
        super().__init__()
        require_counts(classes=classes, latent=latent)
        self.latent, self.classes = latent, classes
        self.generator = Generator(latent + classes, width, channels)

    def forward(self, z, y):
        _require_latents(z, self.latent)
        _require_labels(y, len(z), self.classes)
        return self.generator(torch.cat([z, F.one_hot(y, self.classes).to(z.dtype)], 1))


class Discriminator(nn.Module):
    """DCGAN's, with spectral normalisation in place of batch norm.

    Miyato et al. 2018, https://arxiv.org/abs/1802.05957: every layer's largest singular value is
    held at 1, so the score cannot change arbitrarily fast between a real and a fake image.

    Input: images, float, (N, channels, 32, 32), values −1 to 1. Output: scores (logits), (N,):
    positive means "looks real".
    """

    input_span = SIGNED

    def __init__(self, width: int = 32, channels: int = 1):
        super().__init__()
        require_counts(width=width, channels=channels)
        self.channels = channels
        sizes = [channels, width, 2 * width, 4 * width]
        self.body = nn.Sequential()  # 32 → 16 → 8 → 4
        for inputs, outputs in zip(sizes, sizes[1:]):
            self.body.append(spectral_norm(_normal(nn.Conv2d(inputs, outputs, 4, 2, 1))))
            self.body.append(nn.LeakyReLU(0.2))
        self.head = spectral_norm(_normal(nn.Conv2d(4 * width, 1, 4)))  # 4 → 1

    def layers(self, x):
        """(N, channels, 32, 32) → three maps after their activation: (N, width, 16, 16), (N, 2 · width, 8, 8),
        (N, 4 · width, 4, 4)."""
        require_images(x, channels=self.channels, size=32, dtype=torch.float32, by="this discriminator")
        maps = []
        for layer in self.body:
            x = layer(x)
            if isinstance(layer, nn.LeakyReLU):
                maps.append(x)
        return maps

    def features(self, x):
        """(N, channels, 32, 32) → (N, 4 · width, 4, 4), what the head sees."""
        return self.layers(x)[-1]

    def forward(self, x):
        return self.head(self.features(x)).flatten()


class Classifier(Discriminator):
    """The discriminator's body with one logit a class instead of one score.

    Input: images, float, (N, channels, 32, 32), values −1 to 1. Output: logits, (N, classes).
    """

    def __init__(self, classes: int = 10, width: int = 32, channels: int = 1):
        super().__init__(width, channels)
        require_counts(classes=classes)
        self.head = _normal(nn.Conv2d(4 * width, classes, 4))  # not normalised: a bounded logit is never sure

    def forward(self, x):
        return self.head(self.features(x)).flatten(1)


class ClassScore(nn.Module):
    """A classifier as discriminator: Salimans et al. 2016, https://arxiv.org/abs/1606.03498.

    The class "generated" has the logit 0 beside the classifier's l₁ … l_K. Then D = Z / (Z + 1) with Z = Σₖ exp(lₖ),
    which is the sigmoid of the score log Z = logsumexp(l), so the usual losses apply.

    Input: what the classifier takes. Output: scores (logits), (N,).
    """

    input_span = SIGNED

    def __init__(self, classifier: Classifier):
        super().__init__()
        require_networks(classifier=classifier)
        self.classifier = classifier

    def features(self, x):
        """What the classifier's head sees."""
        return self.classifier.features(x)

    def forward(self, x):
        logits = self.classifier(x)
        if logits.ndim != 2:
            raise ValueError(
                f"ClassScore reads logits (N, classes), this network returns {tuple(logits.shape)}: give it a "
                "Classifier"
            )
        return logits.logsumexp(1)


class ProjectionDiscriminator(Discriminator):
    """Miyato & Koyama 2018, https://arxiv.org/abs/1802.05637: the class enters as an inner product with the features.

    score(x, y) = head(h) + ⟨v(y), Σ h⟩, where Σ h adds the last map h over its places and v is a learned table.

    Input: images, float, (N, channels, 32, 32), values −1 to 1, and labels, int64, (N,). Output: scores, (N,).
    """

    def __init__(self, classes: int = 10, width: int = 32, channels: int = 1):
        super().__init__(width, channels)
        require_counts(classes=classes)
        self.table = spectral_norm(nn.Embedding(classes, 4 * width))

    def forward(self, x, y):  # type: ignore[override]  # the class is part of the question
        h = self.features(x)
        _require_labels(y, len(x), self.table.num_embeddings)
        return self.head(h).flatten() + (self.table(y) * h.sum((2, 3))).sum(1)


class ProjectedDiscriminator(nn.Module):
    """A discriminator that looks through a pretrained network, which stays as it is.

    Sauer et al. 2021, https://arxiv.org/abs/2111.01007, in small: one spectrally normalised head on the features of
    each of the first three stages of the letters ResNet-18; the score is the sum of the heads' means. (The paper also
    mixes the stages with fixed random convolutions.)

    Input: images, float, (N, 1, 32, 32), values −1 to 1. Output: scores (logits), (N,).
    """

    input_span = SIGNED

    def __init__(self, backbone: nn.Module, spec: Preprocessing, width: int = 32):
        super().__init__()
        require_networks(backbone=backbone)
        require_counts(width=width)
        if lacking := [name for name in ("conv1", "layer1", "layer2", "layer3") if not hasattr(backbone, name)]:
            raise ValueError(
                f"the backbone must be a ResNet, {type(backbone).__name__} has no {', '.join(lacking)}: see "
                "pretrained_resnet18"
            )
        self.backbone, self.spec = backbone.requires_grad_(False), spec
        self.heads = nn.ModuleList()
        for stage in (backbone.layer1, backbone.layer2, backbone.layer3):
            channels = stage[-1].conv2.out_channels
            self.heads.append(
                nn.Sequential(
                    spectral_norm(_normal(nn.Conv2d(channels, width, 3, 1, 1))),
                    nn.LeakyReLU(0.2),
                    spectral_norm(_normal(nn.Conv2d(width, 1, 3, 1, 1))),
                )
            )

    def train(self, mode: bool = True):
        super().train(mode)
        self.backbone.eval()  # its batch norm must keep the statistics that it was pretrained with
        return self

    def forward(self, x):
        # span=None: an augmentation may have moved values beyond 0 to 1.
        x = preprocess(rescale(x, SIGNED, UNIT), self.spec, span=None)
        net = self.backbone
        x = F.relu(net.bn1(net.conv1(x)))
        score = 0
        for stage, head in zip((net.layer1, net.layer2, net.layer3), self.heads):
            x = stage(x)
            score = score + head(x).mean((1, 2, 3))
        return score


def pooled_layers(discriminator: Discriminator, x: torch.Tensor) -> list[torch.Tensor]:
    """The features of DCGAN's section 5: every layer's map, max-pooled to 4×4 and flattened.

    Radford et al. 2016, https://arxiv.org/abs/1511.06434. x : float, (N, channels, 32, 32), values −1 to 1. Returns
    three tensors, float, (N, 16 · width), (N, 32 · width), (N, 64 · width); the last one is the last layer itself.
    """
    if not hasattr(discriminator, "layers"):
        raise ValueError(f"{type(discriminator).__name__} has no method `layers`: give a helpers.models.Discriminator")
    return [F.adaptive_max_pool2d(h, 4).flatten(1) for h in discriminator.layers(x)]


def freeze_lower(discriminator: Discriminator, layers: int = 2) -> Discriminator:
    """FreezeD: the first `layers` convolutions, 0 to 3, keep their pretrained weights; the same object is returned.

    Mo et al. 2020, https://arxiv.org/abs/2002.10964. The lower layers know edges and strokes already; only what
    combines them adapts to the new images.
    """
    require_networks(discriminator=discriminator)
    convolutions = [layer for layer in discriminator.body if isinstance(layer, nn.Conv2d)]
    if isinstance(layers, bool) or not isinstance(layers, int) or not 0 <= layers <= len(convolutions):
        raise ValueError(f"the discriminator has {len(convolutions)} lower layers, got {layers}")
    for layer in convolutions[:layers]:
        layer.requires_grad_(False)
    return discriminator


def pretrained_pair(source: str = "letters") -> tuple[Generator, Discriminator]:
    """A generator and the discriminator that it was trained against, both in training mode, on the CPU.

    source : "letters" (typeset, near to digits) or "fashion" (Fashion-MNIST, far from them).

    Raises
    ------
    ValueError
        Unknown source.
    """
    if source not in PAIRS:
        raise ValueError(f"unknown source {source!r}: choose one of {', '.join(PAIRS)}")
    pair = nn.ModuleList([Generator(), Discriminator(width=16)])
    load_weights(pair, f"pair-{source}")
    return pair[0], pair[1]


def mnist_generator(device: torch.device | str = "cpu", weights: bool = True) -> Generator:
    """The committed generator, trained on the complete MNIST, in evaluation mode; or the same, untrained."""
    model = Generator(width=56)
    if weights:
        load_weights(model, "mnist-generator")
    return model.eval().to(device)


def mnist_discriminator(device: torch.device | str = "cpu", weights: bool = True) -> Discriminator:
    """The committed discriminator, trained on the complete MNIST without labels, in evaluation mode; or untrained."""
    model = Discriminator()
    if weights:
        load_weights(model, "mnist-discriminator")
    return model.eval().to(device)


def _require_latents(z: torch.Tensor, latent: int) -> None:
    if not isinstance(z, torch.Tensor) or not z.is_floating_point() or z.ndim != 2 or z.shape[1] != latent:
        got = f"{tuple(z.shape)}, {z.dtype}" if isinstance(z, torch.Tensor) else type(z).__name__
        raise ValueError(f"expected latent vectors of shape (N, {latent}), float, got {got}: torch.randn makes them")


def _require_labels(y: torch.Tensor, n: int, classes: int) -> None:
    if not isinstance(y, torch.Tensor) or y.dtype != torch.int64 or y.shape != (n,):
        got = f"{tuple(y.shape)}, {y.dtype}" if isinstance(y, torch.Tensor) else type(y).__name__
        raise ValueError(f"expected labels of shape ({n},), int64, one for each image, got {got}: use labels.long()")
    # Values are read on the CPU only: a GPU would have to finish all its work before they can be read.
    if y.device.type == "cpu" and n and not 0 <= int(y.min()) <= int(y.max()) < classes:
        raise ValueError(f"labels must lie between 0 and {classes - 1}, got {int(y.min())} to {int(y.max())}")


def _normal(layer: nn.Module) -> nn.Module:
    _dcgan_init(layer)
    return layer


def _dcgan_init(layer: nn.Module) -> None:
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
