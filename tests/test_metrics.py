"""Accuracy, confusion, intervals, FID, KID and sampling."""

import math

import numpy as np
import pytest
import torch
from scipy import linalg
from torch import nn

from helpers import metrics
from helpers.data import Dataset, to_float


class Small(nn.Module):
    """A random feature extractor: 8 numbers an image."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Conv2d(1, 8, 5, 4), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 49, 8))

    def features(self, x):
        return 20 * self.net(x)  # of the size of a trained network's


class Brightness(nn.Module):
    """Class 0 for a dark image, 1 for a bright one."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.dropout = nn.Dropout(1.0)  # in training mode the answer would always be class 0

    def forward(self, x):
        brightness = self.dropout(x.mean((1, 2, 3)) * self.weight)
        return torch.stack([torch.full_like(brightness, 0.5), brightness], 1)


class Toy(nn.Module):
    """A generator of 3-dimensional latents that shows its mode."""

    latent = 3

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear, self.norm = nn.Linear(3, 64), nn.BatchNorm1d(64)

    def forward(self, z):
        return self.norm(self.linear(z)).view(-1, 1, 8, 8)


def blobs(n, seed, spread=40.0, mean=110.0):
    """Smooth random images, uint8, (n, 1, 32, 32)."""
    generator = torch.Generator().manual_seed(seed)
    small = mean + spread * torch.randn(n, 1, 4, 4, generator=generator)
    return nn.functional.interpolate(small, size=(32, 32), mode="bilinear").clamp(0, 255).round().to(torch.uint8)


def noisy(images, amount, seed=9):
    noise = amount * torch.randn(images.shape, generator=torch.Generator().manual_seed(seed))
    return (images + noise).clamp(0, 255).round().to(torch.uint8)


@pytest.fixture(scope="module")
def network():
    return Small().eval()


# --- classifiers --------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
def test_accuracy_by_hand_in_evaluation_mode(training):
    values = torch.tensor([0, 255, 200, 10], dtype=torch.uint8)
    dataset = Dataset(values.view(4, 1, 1, 1).expand(4, 1, 8, 8), torch.tensor([0, 1, 0, 0]), ("dark", "bright"))
    model = Brightness().train(training)
    assert metrics.accuracy(model, dataset) == pytest.approx(0.75)
    assert metrics.accuracy(model, dataset, transform=lambda x: 1 - x) == pytest.approx(0.25)
    assert model.training is training


def test_confusion_by_hand():
    labels = torch.tensor([0, 0, 0, 1, 1, 3])
    predicted = torch.tensor([0, 1, 1, 1, 0, 2])
    table = metrics.confusion(predicted, labels, 4)
    assert table.tolist() == [[1, 2, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]
    assert table.dtype == torch.int64
    assert metrics.confusion(labels, labels, 4).diag().tolist() == [3, 2, 0, 1]


def test_confusion_refuses_lists_of_different_length():
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        metrics.confusion(torch.zeros(3, dtype=torch.int64), torch.zeros(2, dtype=torch.int64), 2)


def test_interval_of_three_values_is_students():
    mean, half = metrics.interval95([1.0, 2.0, 3.0])
    assert mean == pytest.approx(2) and half == pytest.approx(
        4.302652730 / math.sqrt(3)
    )  # table of t, 2 degrees of freedom
    assert metrics.interval95([0.7, 0.7]) == pytest.approx((0.7, 0))
    assert metrics.interval95([1, 2])[1] == pytest.approx(12.7062047364 * math.sqrt(0.5) / math.sqrt(2))


@pytest.mark.parametrize("values", [[], [0.9]])
def test_one_seed_has_no_interval(values):
    with pytest.raises(ValueError, match="two seeds"):
        metrics.interval95(values)


# --- FID ----------------------------------------------------------------------------------------


def test_fid_of_a_set_with_itself_is_zero_and_grows_with_noise(network):
    real = blobs(400, 0)
    fid = metrics.fid_against(real, network)
    distances = [fid(noisy(real, amount)) for amount in (0, 30, 60, 120)]
    assert abs(distances[0]) < 1e-6
    assert distances[1] > 1e-4
    assert distances == sorted(distances)


def test_fid_against_the_formula(network):
    real, fake = blobs(300, 0), blobs(350, 1, spread=60, mean=140)
    with torch.no_grad():
        a, b = (network.features(to_float(x)).double().numpy() for x in (real, fake))
    sa, sb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(sa + sb - 2 * linalg.sqrtm(sa @ sb).real)
    assert metrics.fid_against(real, network)(fake) == pytest.approx(expected, rel=1e-3)


def test_fid_forgets_earlier_fakes_and_does_not_depend_on_the_batch_size(network):
    real, good, bad = blobs(200, 0), blobs(200, 1), blobs(200, 2, mean=200)
    fid = metrics.fid_against(real, network)
    first = fid(good)
    assert fid(bad) > 10 * first
    assert fid(good) == pytest.approx(first, rel=1e-6)
    assert metrics.fid_against(real, network, batch_size=64)(good) == pytest.approx(first, rel=1e-3, abs=1e-6)


def test_two_samples_of_one_distribution_are_nearer_than_two_distributions(network):
    fid = metrics.fid_against(blobs(400, 0), network)
    assert fid(blobs(400, 1)) < fid(blobs(400, 1, spread=55)) < fid(blobs(400, 1, mean=180))


# --- KID ----------------------------------------------------------------------------------------


def test_kid_of_one_distribution_is_zero_on_average_and_grows(network):
    real = blobs(400, 0)
    same, std = metrics.kid(real, blobs(400, 1), network, subsets=20, subset_size=100)
    assert std > 0
    moderate, _ = metrics.kid(real, blobs(400, 1, spread=90), network, subsets=20, subset_size=100)
    far, _ = metrics.kid(real, blobs(400, 1, mean=190), network, subsets=20, subset_size=100)
    assert abs(same) < 0.1 * moderate < 0.1 * far


def test_kid_is_unbiased_however_few_images(network):
    # A biased estimate of a squared distance would be positive every time.
    values = [metrics.kid(blobs(20, 2 * s), blobs(20, 2 * s + 1), network, subsets=1)[0] for s in range(20)]
    assert min(values) < 0 < max(values)
    assert abs(np.mean(values)) < 3 * np.std(values) / math.sqrt(20)


def test_kid_against_the_formula(network):
    real, fake = blobs(40, 0), blobs(40, 1, mean=150)
    with torch.no_grad():
        x, y = (network.features(to_float(images)).double() for images in (real, fake))
    kernel = lambda a, b: (a @ b.T / 8 + 1) ** 3  # noqa: E731
    n = 40
    expected = (
        sum((k.sum() - k.diag().sum()) / (n * (n - 1)) for k in (kernel(x, x), kernel(y, y))) - 2 * kernel(x, y).mean()
    )
    # One subset as large as the sets is the whole: more than there are is cut to that.
    mean, _ = metrics.kid(real, fake, network, subsets=1, subset_size=1000)
    assert mean == pytest.approx(expected.item(), rel=1e-3, abs=1e-6)


def test_kid_leaves_the_global_generator_alone_and_follows_its_seed(network):
    real, fake = blobs(100, 0), blobs(100, 1)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = metrics.kid(real, fake, network, subsets=3, subset_size=30, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert metrics.kid(real, fake, network, subsets=3, subset_size=30, seed=1) == first
    assert metrics.kid(real, fake, network, subsets=3, subset_size=30, seed=2) != first


def test_fid_leaves_the_global_generator_alone(network):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    metrics.fid_against(blobs(50, 0), network)(blobs(50, 1))
    assert torch.equal(torch.get_rng_state(), before)


def test_distances_want_uint8(network):
    images = blobs(20, 0)
    with pytest.raises(ValueError, match="uint8.*float32.*to_uint8"):
        metrics.fid_against(images.float(), network)
    with pytest.raises(ValueError, match="uint8.*float32.*to_uint8"):
        metrics.fid_against(images, network)(images.float())
    with pytest.raises(ValueError, match="uint8.*float32.*to_uint8"):
        metrics.kid(images, images.float(), network)


# --- sampling -----------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
def test_sample_is_seeded_in_evaluation_mode_and_restores_the_mode(training):
    model = Toy().train(training)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    torch.manual_seed(1)
    first = metrics.sample(model, 7, seed=2)
    torch.manual_seed(2)
    assert first.shape == (7, 1, 8, 8) and first.dtype == torch.uint8 and first.device.type == "cpu"
    assert torch.equal(first, metrics.sample(model, 7, seed=2))
    assert not torch.equal(first, metrics.sample(model, 7, seed=3))
    assert model.training is training and model.norm.training is training
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())  # no batch statistics either


def test_decode_maps_minus_one_to_one_onto_0_to_255():
    class Ramp(nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = nn.Parameter(torch.zeros(()))

        def forward(self, z):
            return z.view(-1, 1, 1, 5)

    out = metrics.decode(Ramp(), torch.tensor([[-1.0, 0.0, 1.0, 1.5, -3.0]]))
    assert out.flatten().tolist() == [0, 128, 255, 255, 0]


def test_decode_does_not_depend_on_the_batch_size():
    model, latents = Toy().eval(), torch.randn(11, 3, generator=torch.Generator().manual_seed(0))
    whole, parts = metrics.decode(model, latents), metrics.decode(model, latents, batch_size=4)
    assert (whole.int() - parts.int()).abs().max() <= 1 and len(parts) == 11
    assert not whole.requires_grad


# --- coverage and copying -----------------------------------------------------------------------


def cloud(n, seed, centre=0.0):
    return centre + torch.randn(n, 5, generator=torch.Generator().manual_seed(seed))


def test_precision_and_recall_of_the_same_and_of_distant_clouds():
    same = metrics.precision_recall(cloud(300, 0), cloud(300, 1))
    assert min(same) > 0.85
    assert metrics.precision_recall(cloud(300, 0), cloud(300, 1, centre=50)) == (0, 0)


def test_precision_is_about_the_fakes_and_recall_about_the_real_ones():
    real = torch.cat([cloud(150, 0), cloud(150, 1, centre=40)])
    precision, recall = metrics.precision_recall(real, cloud(300, 2))  # good images, but one of two kinds
    assert precision > 0.85 and 0.4 < recall < 0.55
    precision, recall = metrics.precision_recall(cloud(300, 2), real)  # all kinds, but half of them wrong
    assert 0.4 < precision < 0.55 and recall > 0.85


def test_precision_and_recall_want_more_points_than_neighbours():
    with pytest.raises(ValueError, match="more than k = 3.*3 and 300"):
        metrics.precision_recall(cloud(3, 0), cloud(300, 1))


def test_memorisation_tells_copies_from_new_images():
    train, held_out = cloud(100, 0), cloud(1000, 1)
    assert metrics.memorisation(train, cloud(1000, 2), held_out) == pytest.approx(0.05, abs=0.03)
    copies = train.repeat(5, 1) + 0.01 * cloud(500, 3)
    assert metrics.memorisation(train, copies, held_out) == 1
    assert metrics.memorisation(train, torch.cat([copies, cloud(500, 4, centre=50)]), held_out) == 0.5


def test_features_are_the_networks_in_batches_and_its_mode_comes_back(network):
    images = blobs(30, 0)
    network.train()
    found = metrics.features(network, images, batch_size=7)
    assert network.training and found.device.type == "cpu" and not found.requires_grad
    torch.testing.assert_close(found, network.eval().features(to_float(images)).detach())


# --- domains ---------------------------------------------------------------------------------------


def domain(n, seed, shift=0.0, width=3):
    x = torch.randn(n, width, generator=torch.Generator().manual_seed(seed))
    x[:, 0] += shift
    return x


def test_proxy_a_distance_of_equal_domains_is_near_zero_and_of_distant_ones_two():
    assert abs(metrics.proxy_a_distance(domain(1000, 0), domain(1000, 1))) < 0.2
    assert metrics.proxy_a_distance(domain(400, 0), domain(400, 1, shift=20.0)) == 2


def test_proxy_a_distance_between_two_normal_clouds_is_the_exact_one():
    # The best classifier errs with Φ(−1) = 0.1587 at distance 2.
    assert metrics.proxy_a_distance(domain(4000, 0), domain(4000, 1, shift=2.0)) == pytest.approx(1.365, abs=0.1)


def test_proxy_a_distance_is_measured_on_rows_that_the_judge_has_not_seen():
    # 200 features and 20 rows a side to learn from: on those the judge would be perfect.
    assert metrics.proxy_a_distance(domain(40, 0, width=200), domain(40, 1, width=200)) < 1


def test_proxy_a_distance_weighs_the_domains_equally_and_bears_a_constant_feature():
    few, many = domain(200, 0), domain(4000, 1)
    few[:, 1] = many[:, 1] = 7.0
    assert abs(metrics.proxy_a_distance(few, many)) < 0.5  # "always the larger one" would give 1.8


@pytest.mark.parametrize("shapes", [((2, 3), (9, 3)), ((9, 3), (9, 4))])
def test_proxy_a_distance_names_the_shapes(shapes):
    with pytest.raises(ValueError, match="at least 4 rows of equal width"):
        metrics.proxy_a_distance(*(torch.zeros(s) for s in shapes))


def test_information_is_zero_for_one_answer_or_for_none_and_log_classes_for_sure_and_varied_ones():
    assert metrics.information(torch.tensor([[9.0, 0.0]] * 4)) == pytest.approx(0, abs=1e-9)
    assert metrics.information(torch.zeros(4, 2)) == pytest.approx(0, abs=1e-9)
    assert metrics.information(100 * torch.eye(4)) == pytest.approx(math.log(4))
