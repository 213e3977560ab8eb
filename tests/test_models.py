"""Networks: shapes, ranges, sizes, errors, and the committed weights."""

import functools
import math
import urllib.error

import pytest
import torch
from torch import nn

from helpers import data, losses, metrics, models, runtime, train
from helpers.models import DigitNetwork, Discriminator, DomainAdversary, DomainNetwork, Generator, ResNet18
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


def test_discriminator_shows_the_map_of_every_layer():
    torch.manual_seed(0)
    model, x = Discriminator(width=4).eval(), 2 * torch.rand(3, 1, 32, 32) - 1
    maps = model.layers(x)
    assert [tuple(h.shape) for h in maps] == [(3, 4, 16, 16), (3, 8, 8, 8), (3, 16, 4, 4)]
    torch.testing.assert_close(maps[-1], model.features(x))
    torch.testing.assert_close(maps[0], model.body[:2](x))  # after the activation
    torch.testing.assert_close(model.head(maps[-1]).flatten(), model(x))
    with pytest.raises(ValueError, match="28×28 pixels.*32×32"):
        model.layers(torch.zeros(3, 1, 28, 28))


def test_pooled_layers_keep_the_largest_value_of_each_of_sixteen_squares():
    torch.manual_seed(0)
    model, x = Discriminator(width=4).eval(), 2 * torch.rand(3, 1, 32, 32) - 1
    first, second, last = models.pooled_layers(model, x)
    assert first.shape == (3, 64) and second.shape == (3, 128) and last.shape == (3, 256)
    maps = model.layers(x)
    assert first[0, 0] == maps[0][0, 0, :4, :4].max()
    torch.testing.assert_close(last, maps[2].flatten(1))


def test_a_class_score_is_the_logit_of_real_against_generated():
    torch.manual_seed(0)
    classifier = models.Classifier(classes=7, width=4).eval()
    score, x = models.ClassScore(classifier).eval(), 2 * torch.rand(5, 1, 32, 32) - 1
    logits = classifier(x)
    assert logits.shape == (5, 7)
    z = logits.exp().sum(1)
    torch.testing.assert_close(torch.sigmoid(score(x)), z / (z + 1))
    # The same as a softmax over eight classes of which "generated" has the logit 0.
    eight = torch.cat([logits, torch.zeros(5, 1)], 1).softmax(1)
    torch.testing.assert_close(torch.sigmoid(score(x)), 1 - eight[:, -1])
    torch.testing.assert_close(score.features(x), classifier.features(x))
    assert models.ClassScore(classifier).classifier is classifier  # one network with two readings


def test_conditional_generator_draws_what_the_label_says():
    torch.manual_seed(0)
    model = models.ConditionalGenerator(classes=3, latent=8, width=4).eval()
    z = torch.randn(3, 8)
    images = model(z, torch.tensor([0, 1, 2]))
    assert images.shape == (3, 1, 32, 32) and images.abs().max() <= 1 and model.latent == 8
    assert not torch.allclose(images[0], model(z, torch.tensor([1, 1, 2]))[0])
    torch.testing.assert_close(images[2], model(z, torch.tensor([0, 0, 2]))[2])
    with pytest.raises(ValueError, match="latent vectors of shape"):
        model(torch.randn(3, 11), torch.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match="labels must lie between 0 and 2, got 0 to 3"):
        model(z, torch.tensor([0, 1, 3]))


def test_projection_discriminator_adds_an_inner_product():
    torch.manual_seed(0)
    model, x = models.ProjectionDiscriminator(classes=3, width=4).eval(), 2 * torch.rand(4, 1, 32, 32) - 1
    y = torch.tensor([0, 1, 2, 2])
    h = model.features(x)
    with torch.no_grad():
        expected = model.head(h).flatten() + (model.table.weight[y] * h.sum((2, 3))).sum(1)
        torch.testing.assert_close(model(x, y), expected)
        other = model(x, torch.tensor([1, 1, 2, 2]))
    assert other[0] != model(x, y)[0]
    torch.testing.assert_close(other[1:], model(x, y)[1:])


@pytest.mark.parametrize("loss", ["feature matching", "non-saturating"])
def test_one_loop_trains_a_semi_supervised_game(loss):
    from helpers.experiments import ch4_4_semi

    torch.manual_seed(0)
    few = data.few_shot(data.load("mnist-5k", "train"), 2)
    classifier, _ = ch4_4_semi.train_semi(few, few.images, 0, loss=loss, steps=2)
    assert metrics.predict(classifier, few.images[:3]).shape == (3, 10)
    assert not classifier.training


def test_one_loop_trains_a_conditional_game_and_its_images_join_the_real_ones():
    from helpers.experiments import ch4_4_generated

    torch.manual_seed(0)
    few = data.few_shot(data.load("mnist-5k", "train"), 3)
    images, labels = ch4_4_generated.draw(ch4_4_generated.train_pair(few, 0, steps=2), 50, seed=1)
    assert images.shape == (50, 1, 32, 32) and images.dtype == torch.uint8
    assert torch.bincount(labels).tolist() == [5] * 10
    both = ch4_4_generated.with_generated(few, images, labels)
    assert len(both.labels) == 110  # thirty real ones twice, then fifty generated
    assert torch.equal(both.images[:30], both.images[30:60]) and torch.equal(both.images[60:], images)


def test_a_probe_chooses_its_strength_on_validation():
    from helpers.experiments import ch4_4_features

    random = torch.Generator().manual_seed(0)

    def some(n):
        y = torch.arange(n) % 2
        return torch.randn(n, 5, generator=random) + 3 * y[:, None], y

    accuracy, strength = ch4_4_features.probe(some(20), some(100), some(100))
    assert accuracy > 0.95 and strength in ch4_4_features.STRENGTHS
    parts = [torch.randn(50, 4, generator=random) * 9 + 2, torch.randn(50, 12, generator=random) * 0.1]
    joined = ch4_4_features.scaled(parts, parts)
    assert joined.shape == (50, 16)
    assert joined.square().sum(1).mean().item() == pytest.approx(1, abs=0.05)
    assert joined.mean(0).abs().max() < 1e-6


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
    with pytest.raises(ValueError, match="3 channels"):
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
def evaluation_network():
    committed("digit-network")
    return models.digit_network()


def test_the_committed_digit_network_reads_digits(evaluation_network):
    assert not evaluation_network.training
    assert metrics.accuracy(evaluation_network, data.load("mnist-5k", "test")) >= 0.97


def test_the_committed_digit_network_tells_digits_from_what_is_none(evaluation_network):
    # Its confidence does not (it is sure about noise, too); the distance of its features has to.
    fid = metrics.fid_against(data.load("mnist-5k", "train").images, evaluation_network)
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


def test_the_committed_generator_writes_all_ten_digits(evaluation_network):
    committed("mnist-generator")
    model = models.mnist_generator()
    probabilities = metrics.predict(evaluation_network, metrics.sample(model, 2000)).softmax(1)
    assert (probabilities.amax(1) > 0.9).float().mean() >= 0.88  # measured: 0.897 of 30,000
    counts = torch.bincount(probabilities.argmax(1), minlength=10)
    assert counts.min() >= 60  # of 200 expected: present, and not by a few freaks
    # Not the same ten images over and over, and far nearer to written digits than printed ones are.
    images = metrics.sample(model, 1000)
    assert len(images.unique(dim=0)) == 1000
    fid = metrics.fid_against(data.load("mnist-5k", "train").images, evaluation_network)
    assert 5 * fid(images) < fid(data.load("typeset-digits", "test").images)


def test_the_committed_discriminator_sees_more_than_a_random_one():
    from helpers.experiments import ch4_4_features

    pool, validation, test = (data.load("mnist-5k", split) for split in data.SPLITS)
    small = test.select(torch.arange(0, len(test.labels), 2))
    torch.manual_seed(0)
    accuracy = {}
    for name, network in (
        ("random", models.mnist_discriminator(weights=False)),
        ("trained", models.mnist_discriminator()),
    ):
        reader = ch4_4_features.readers("discriminator", network)["all"]
        measured = ch4_4_features.measure(reader, pool, validation, small, seed=0, labels=(100,))
        accuracy[name] = measured["accuracy"]["100"]
    assert accuracy["trained"] > accuracy["random"] + 0.02


def test_committed_weights_say_where_they_come_from():
    from helpers.experiments import photograph_pair

    files = sorted(runtime.WEIGHTS.glob("*.safetensors"))
    assert files
    networks = {
        "digit-network": DigitNetwork,
        "resnet18-letters": lambda: ResNet18(26),
        "mnist-generator": lambda: Generator(width=56),
        "mnist-discriminator": Discriminator,
        "pair-letters": lambda: nn.ModuleList([Generator(), Discriminator(width=16)]),
        "pair-fashion": lambda: nn.ModuleList([Generator(), Discriminator(width=16)]),
        "pair-photographs": lambda: nn.ModuleList(photograph_pair.new_pair()),
    }
    for file in files:
        card = runtime.load_weights(networks[file.stem](), file.stem)
        assert {"data", "command", "seed", "torch"} <= card.keys()
    assert sum(file.stat().st_size for file in files) < 8_000_000


# --- transfer for GANs --------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["letters", "fashion"])
def test_a_pretrained_pair_makes_varied_images_and_its_discriminator_fits(source):
    generator, discriminator = models.pretrained_pair(source)
    assert generator.training and discriminator.training
    images = metrics.sample(generator, 200)
    assert images.float().std(0).mean() > 20  # they differ from one another
    assert discriminator(2 * data.to_float(images) - 1).shape == (200,)
    parts = [parameters(generator), parameters(discriminator)]
    assert parts == [parameters(Generator()), parameters(Discriminator(width=16))]


def test_the_letters_pair_draws_letters():
    backbone, spec = models.pretrained_resnet18("letters")
    fakes = metrics.sample(models.pretrained_pair("letters")[0], 500)
    others = metrics.sample(models.pretrained_pair("fashion")[0], 500)

    def sure(images):
        return metrics.predict(backbone, images, lambda x: data.preprocess(x, spec)).softmax(1).amax(1).mean().item()

    assert sure(fakes) > 0.7
    ink = [(images > 60).float().mean().item() for images in (fakes, others)]
    assert ink[0] < 0.3 < ink[1]  # strokes, and clothes that fill the frame


def test_an_unknown_pair_lists_the_choices():
    with pytest.raises(ValueError, match="'faces'.*letters, fashion"):
        models.pretrained_pair("faces")


def test_frozen_lower_layers_stay_and_the_upper_ones_learn():
    torch.manual_seed(0)
    generator, discriminator = Generator(4, 4), Discriminator(width=4)
    assert models.freeze_lower(discriminator, 2) is discriminator
    flags = {name.split(".")[1]: p.requires_grad for name, p in discriminator.body.named_parameters()}
    before = {k: v.detach().clone() for k, v in discriminator.named_parameters()}
    images = torch.randint(0, 256, (16, 1, 32, 32), dtype=torch.uint8)
    train.fit_gan(
        generator, discriminator, train.gan_optimizers(generator, discriminator), images, steps=2, batch_size=4
    )
    moved = {name for name, p in discriminator.named_parameters() if not torch.equal(p, before[name])}
    assert moved and all(not name.startswith(("body.0.", "body.2.")) for name in moved)
    assert any(name.startswith("body.4.") for name in moved) and any(name.startswith("head.") for name in moved)
    assert flags and not all(p.requires_grad for p in discriminator.parameters())


@pytest.mark.parametrize("layers", [-1, 4])
def test_only_layers_that_exist_can_be_frozen(layers):
    with pytest.raises(ValueError, match=f"3 lower layers, got {layers}"):
        models.freeze_lower(Discriminator(width=4), layers)


def test_a_projected_discriminator_learns_with_its_backbone_untouched():
    torch.manual_seed(0)
    backbone, spec = models.pretrained_resnet18("letters")
    before = {k: v.clone() for k, v in backbone.state_dict().items()}
    discriminator = models.ProjectedDiscriminator(backbone, spec, width=4)
    images = data.load("letters", "validation").images[:64]
    generator = Generator(8, 4)
    optimizers = train.gan_optimizers(generator, discriminator, lr_generator=0.0)
    train.fit_gan(generator, discriminator, optimizers, images, steps=60, batch_size=16)
    assert all(torch.equal(v, before[k]) for k, v in backbone.state_dict().items())  # batch norm's statistics too
    with torch.no_grad():
        letters = discriminator(data.to_float(images, data.SIGNED))
        torch.manual_seed(0)
        noise = discriminator(Generator(8, 4)(torch.randn(64, 8)))
    assert letters.shape == (64,) and (letters > noise).float().mean() > 0.9
    x = torch.randn(2, 1, 32, 32, requires_grad=True)
    discriminator(x).sum().backward()
    assert x.grad.abs().sum() > 0  # the generator learns through the backbone


# --- domain adaptation ----------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_domain_network_reads_grey_and_colour(channels):
    torch.manual_seed(0)
    model = DomainNetwork().eval()
    x = torch.rand(4, channels, 32, 32)
    assert model.features(x).shape == (4, 512) and model(x).shape == (4, 10)
    torch.testing.assert_close(model(x), model.head(model.features(x)))
    torch.testing.assert_close(model(x[:, :1]), model(x[:, :1].expand(-1, 3, -1, -1)))


def test_domain_network_does_not_look_at_the_border():
    torch.manual_seed(0)
    model, x = DomainNetwork().eval(), torch.rand(2, 1, 32, 32)
    changed = x.clone()
    changed[:, :, :2] = changed[:, :, :, -2:] = 0
    torch.testing.assert_close(model(x), model(changed))


@pytest.mark.parametrize("shape", [(2, 2, 32, 32), (2, 1, 28, 28), (32, 32)])
def test_domain_network_names_the_image_shape(shape):
    with pytest.raises(ValueError, match=r"\(N, 1 or 3, 32, 32\)"):
        DomainNetwork()(torch.zeros(shape))


def test_the_adversary_teaches_its_discriminator_to_tell_and_the_body_to_confuse():
    torch.manual_seed(0)
    adversary = DomainAdversary(strength=0.5)
    source, target = (torch.randn(16, 512, requires_grad=True) for _ in range(2))
    adversary(source, target, 1.0).backward()
    reversed_, taught = source.grad.clone(), [p.grad.clone() for p in adversary.parameters()]
    plain = [x.detach().requires_grad_(True) for x in (source, target)]
    adversary.zero_grad()
    losses.discriminator_loss(*(adversary.domain_discriminator(x) for x in plain)).backward()
    weight = 0.5 * (2 / (1 + math.exp(-10)) - 1)
    torch.testing.assert_close(reversed_, -weight * plain[0].grad)
    for a, b in zip(taught, (p.grad for p in adversary.parameters())):
        torch.testing.assert_close(a, b)


def test_the_adversary_is_silent_at_first():
    torch.manual_seed(0)
    source, target = (torch.randn(16, 512, requires_grad=True) for _ in range(2))
    DomainAdversary()(source, target, 0.0).backward()
    assert not source.grad.any() and not target.grad.any()
