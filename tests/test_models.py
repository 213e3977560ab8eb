"""Networks: shapes, ranges, sizes, errors, and the committed weights."""

import functools
import urllib.error

import pytest
import torch
from torch import nn

from helpers import data, metrics, models, runtime, train
from helpers.models import DigitNetwork, Discriminator, Generator, ResNet18
from helpers.models.resnet import TYPESET


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def committed(name):
    """Skip where the file of weights is missing: remove this when all three are committed."""
    if not (runtime.WEIGHTS / f"{name}.safetensors").is_file():
        pytest.skip(f"helpers/weights/{name}.safetensors is not there yet")
    return name


# --- generator and discriminator ----------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_generator_makes_images_between_minus_one_and_one(channels):
    torch.manual_seed(0)
    model = Generator(latent=8, width=4, channels=channels)
    images = model(20 * torch.randn(5, 8))
    assert images.shape == (5, channels, 32, 32)
    assert images.abs().max() <= 1 and images.std() > 0
    assert model.latent == 8


def test_generator_depends_on_its_latents():
    model = Generator(8, 4).eval()
    a, b = model(torch.eye(8)[:2])
    assert not torch.allclose(a, b)


@pytest.mark.parametrize("shape", [(4, 63), (4, 64, 1, 1), (64,)])
def test_generator_names_the_latent_shape(shape):
    with pytest.raises(ValueError) as caught:
        Generator()(torch.zeros(shape))
    assert "(N, 64)" in str(caught.value) and str(tuple(shape)) in str(caught.value)


@pytest.mark.parametrize("channels", [1, 3])
def test_discriminator_gives_one_unbounded_score_an_image(channels):
    torch.manual_seed(0)
    model = Discriminator(width=4, channels=channels)
    x = torch.randn(6, channels, 32, 32)
    assert model(x).shape == (6,) and model(x[:1]).shape == (1,)
    assert model.features(x).shape == (6, 16, 4, 4)
    # No sigmoid at the end: scores have both signs, and grow with the input.
    assert model(1000 * x).min() < 0 or model(1000 * x).max() > 1


@pytest.mark.parametrize("shape", [(2, 3, 32, 32), (2, 1, 28, 28), (1, 32, 32)])
def test_discriminator_names_the_image_shape(shape):
    with pytest.raises(ValueError) as caught:
        Discriminator()(torch.zeros(shape))
    assert "(N, 1, 32, 32)" in str(caught.value) and str(tuple(shape)) in str(caught.value)


def test_sizes_that_the_book_quotes():
    assert parameters(Generator()) == 295_873
    assert parameters(Discriminator()) == 166_625
    assert 690_000 <= parameters(ResNet18()) <= 709_999
    assert parameters(DigitNetwork()) < 130_000


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_every_discriminator_layer_has_largest_singular_value_one(scale):
    torch.manual_seed(0)
    model = Discriminator(width=8)
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert len(layers) == 4
    with torch.no_grad():
        for layer in layers:
            layer.parametrizations.weight.original.mul_(scale)
    x = torch.randn(2, 1, 32, 32)
    for _ in range(60):
        model(x)
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item() == pytest.approx(1, abs=0.02)


def test_dcgan_initialisation():
    torch.manual_seed(0)
    for layer in Generator().modules():
        if isinstance(layer, nn.ConvTranspose2d):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
            assert layer.bias is None or not layer.bias.any()
    for layer in Discriminator().modules():
        if isinstance(layer, nn.Conv2d):
            assert layer.parametrizations.weight.original.std().item() == pytest.approx(0.02, rel=0.1)
            assert not layer.bias.any()


# --- backbones ----------------------------------------------------------------------------------


@pytest.mark.parametrize("classes, channels, size", [(10, 1, 32), (3, 3, 64)])
def test_resnet_gives_logits(classes, channels, size):
    model = ResNet18(classes, channels)
    assert model(torch.rand(2, channels, size, size)).shape == (2, classes)
    # Each of the four stages after the stem halves the image, the first one keeps it.
    x = model.conv1(torch.rand(1, channels, size, size))
    assert x.shape == (1, 16, size // 2, size // 2)
    for layer, width, factor in (
        (model.layer1, 16, 2),
        (model.layer2, 32, 4),
        (model.layer3, 64, 8),
        (model.layer4, 128, 16),
    ):
        x = layer(x)
        assert x.shape == (1, width, size // factor, size // factor)


def test_resnet_has_torchvisions_layer_names():
    from torchvision.models import resnet18

    theirs = resnet18()
    assert [name for name, _ in ResNet18().named_children()] == [
        name for name, _ in theirs.named_children() if name not in ("relu", "maxpool", "avgpool")
    ]
    assert set(ResNet18().state_dict()) == set(theirs.state_dict())


def test_every_resnet_parameter_takes_part():
    model = ResNet18()
    model(torch.rand(4, 1, 32, 32)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_resnet_refuses_the_wrong_number_of_channels():
    with pytest.raises((ValueError, RuntimeError), match="channels"):
        ResNet18()(torch.zeros(2, 3, 32, 32))


def test_features_are_what_the_head_receives():
    torch.manual_seed(0)
    model = ResNet18().eval()
    head, x = model.fc, torch.rand(3, 1, 32, 32)
    with torch.no_grad():
        out = models.features(model, x)
        assert out.shape == (3, model.fc.in_features) == (3, 128)
        torch.testing.assert_close(head(out), model(x))
    assert model.fc is head


def test_features_work_on_torchvisions_networks():
    from torchvision.models import resnet18

    model = resnet18(num_classes=7).eval()
    with torch.no_grad():
        assert models.features(model, torch.rand(2, 3, 64, 64)).shape == (2, 512)
        assert model(torch.rand(2, 3, 64, 64)).shape == (2, 7)


def test_features_put_the_head_back_after_an_error():
    model = ResNet18()
    head = model.fc
    with pytest.raises(RuntimeError):
        models.features(model, torch.zeros(2, 3, 32, 32))
    assert model.fc is head


def test_an_unknown_backbone_lists_the_choices():
    with pytest.raises(ValueError, match="'cifar'.*letters.*imagenet"):
        models.pretrained_resnet18("cifar")


def test_imagenet_weights_without_a_network_name_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    tried = []

    def urlopen(*args, **kwargs):
        tried.append(args)
        raise urllib.error.URLError("Temporary failure in name resolution")

    monkeypatch.setattr(torch.hub, "urlopen", urlopen)
    with pytest.raises(ConnectionError, match="ImageNet.*network.*BOOK_PROFILE=quick"):
        models.pretrained_resnet18("imagenet")
    assert tried


def test_imagenet_weights_are_put_into_torchvisions_network(monkeypatch):
    from torchvision.models import ResNet18_Weights, resnet18

    torch.manual_seed(3)
    source = resnet18()
    asked = {}
    monkeypatch.setattr(
        ResNet18_Weights, "get_state_dict", lambda self, *args, **kw: asked.update(kw) or source.state_dict()
    )
    model, spec = models.pretrained_resnet18("imagenet")
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), source.state_dict().values()))
    assert spec == data.IMAGENET and model.fc.out_features == 1000
    assert asked["weights_only"] and asked["check_hash"]  # neither code nor a changed file


# --- the digit network --------------------------------------------------------------------------


def test_digit_network_shapes():
    model = DigitNetwork().eval()
    x = torch.rand(3, 1, 32, 32)
    assert model(x).shape == (3, 10) and model.features(x).shape == (3, 64)
    torch.testing.assert_close(model.head(model.features(x)), model(x))


@pytest.mark.parametrize("shape", [(2, 3, 32, 32), (2, 1, 28, 28), (1, 32, 32)])
def test_digit_network_names_the_image_shape(shape):
    with pytest.raises(ValueError) as caught:
        DigitNetwork()(torch.zeros(shape))
    assert "(N, 1, 32, 32)" in str(caught.value) and str(tuple(shape)) in str(caught.value)


# --- committed weights --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judge():
    committed("digit-network")
    return models.digit_network()


def test_the_committed_digit_network_reads_digits(judge):
    assert not judge.training
    assert metrics.accuracy(judge, data.load("mnist-5k", "test")) >= 0.97


def test_the_committed_digit_network_tells_digits_from_what_is_none(judge):
    # Its confidence does not (it is sure about noise, too); the distance of its features has to.
    fid = metrics.fid_against(data.load("mnist-5k", "train").images, judge)
    real = fid(data.load("mnist-5k", "test").images)
    noise = torch.randint(0, 256, (1000, 1, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    others = [
        fid(images)
        for images in (noise, data.load("letters", "test").images, data.load("typeset-digits", "test").images)
    ]
    assert 20 * real < min(others)


def test_the_committed_backbone_reads_letters():
    committed("resnet18-letters")
    model, spec = models.pretrained_resnet18("letters")
    assert spec == TYPESET and model.fc.out_features == 26
    transform = functools.partial(data.preprocess, spec=spec)
    assert metrics.accuracy(model, data.load("letters", "test"), transform) >= 0.95


def test_the_committed_generator_writes_all_ten_digits(judge):
    committed("mnist-generator")
    model = models.mnist_generator()
    probabilities = train.predict(judge, metrics.sample(model, 2000)).softmax(1)
    assert (probabilities.amax(1) > 0.9).float().mean() >= 0.88  # measured: 0.897 of 30,000
    counts = torch.bincount(probabilities.argmax(1), minlength=10)
    assert counts.min() >= 60  # of 200 expected: present, and not by a few freaks
    # Not the same ten images over and over, and far nearer to written digits than printed ones are.
    images = metrics.sample(model, 1000)
    assert len(images.unique(dim=0)) == 1000
    fid = metrics.fid_against(data.load("mnist-5k", "train").images, judge)
    assert 5 * fid(images) < fid(data.load("typeset-digits", "test").images)


def test_committed_weights_say_where_they_come_from():
    files = sorted(runtime.WEIGHTS.glob("*.safetensors"))
    assert files
    networks = {
        "digit-network": DigitNetwork,
        "resnet18-letters": lambda: ResNet18(26),
        "mnist-generator": lambda: Generator(width=56),
    }
    for file in files:
        card = runtime.load_weights(networks[file.stem](), file.stem)
        assert {"data", "command", "seed", "torch"} <= card.keys()
    assert sum(file.stat().st_size for file in files) < 6_000_000
