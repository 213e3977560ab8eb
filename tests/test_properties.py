"""What holds for every input: augmentation, losses, metrics, saved state and descriptions.

The inputs are drawn by hypothesis, the same ones in every run. Splits, ranges and folders: test_data_properties.py.
"""

import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from helpers import augment, losses, metrics, runtime
from helpers.data import Dataset

some = settings(max_examples=25, deadline=None, derandomize=True, database=None)

seeds = st.integers(0, 2**31)
sides = st.integers(2, 9)
finite = st.floats(-1e3, 1e3, width=32)
SAME = {"atol": 1e-5, "rtol": 1e-4}


def rng(seed):
    return torch.Generator().manual_seed(seed)


def signed(n, channels, height, width, seed):
    return 2 * torch.rand(n, channels, height, width, generator=rng(seed)) - 1


def cloud(n, width, seed, shift=0.0):
    return torch.randn(n, width, generator=rng(seed)) + shift


class Pixels(nn.Module):
    """Features without weights: the image itself."""

    def features(self, x):
        return x.flatten(1)


def pictures(n, seed, low=0, high=256):
    return torch.randint(low, high, (n, 1, 2, 2), dtype=torch.uint8, generator=rng(seed))


# --- augmentation --------------------------------------------------------------------------------

batches = st.builds(signed, st.integers(1, 4), st.sampled_from([1, 3]), sides, sides, seeds)
strengths = {"shift": st.floats(0, 3), "degrees": st.floats(0, 180), "zoom": st.floats(0, 0.9), "flip": st.booleans()}


@some
@given(batches, seeds, st.fixed_dictionaries(strengths))
def test_affine_keeps_form_and_range_and_depends_on_the_seed_alone(images, seed, strength):
    before = images.clone()
    out = augment.random_affine(images, rng(seed), **strength)
    assert out.shape == images.shape and out.dtype == images.dtype and torch.equal(images, before)
    # A mean of pixels and of the border's zeros.
    assert out.max() <= max(float(images.max()), 0) + 1e-5 and out.min() >= min(float(images.min()), 0) - 1e-5
    torch.manual_seed(1)
    assert torch.equal(out, augment.random_affine(images, rng(seed), **strength))


@some
@given(batches, seeds)
def test_affine_of_no_strength_changes_nothing_and_of_flips_alone_mirrors(images, seed):
    none = {"shift": 0.0, "degrees": 0.0, "zoom": 0.0}
    torch.testing.assert_close(augment.random_affine(images, rng(seed), **none), images, **SAME)
    for old, new in zip(images, augment.random_affine(images, rng(seed), **none, flip=True)):
        assert min(float((new - old).abs().max()), float((new - old.flip(2)).abs().max())) < 1e-4


@some
@given(batches, seeds)
def test_diffaugment_keeps_form_and_bounds_and_depends_on_the_seed_alone(images, seed):
    out = augment.diff_augment(images, rng(seed))
    assert out.shape == images.shape and out.dtype == images.dtype and out.isfinite().all()
    # Half of brightness, and contrast up to 1.5 about the mean, which brightness has moved as well.
    assert out.abs().max() <= 1.5 + 2 * 0.5 * 1.5 + 1e-5
    assert torch.equal(out, augment.diff_augment(images, rng(seed)))


@some
@given(st.sampled_from([augment.random_affine, augment.diff_augment]), sides, seeds)
def test_a_gradient_flows_through_every_augmentation_to_the_same_images_only(change, side, seed):
    images = signed(3, 1, 2 * side, 2 * side, seed).requires_grad_()
    changed = change(images, rng(seed))
    (gradient,) = torch.autograd.grad(changed[1].sum(), images)
    assert gradient.isfinite().all() and not gradient[[0, 2]].any()
    # A cutout of half the side cannot hide a whole image, and a shift of two pixels not one of four.
    assert gradient[1].any()


# --- losses --------------------------------------------------------------------------------------

scores = st.lists(finite, min_size=1, max_size=8).map(torch.tensor)


@some
@given(scores, scores)
def test_player_losses_have_their_sign_and_their_closed_form(real, fake):
    both, one = losses.discriminator_loss(real, fake), losses.generator_loss(fake)
    saturating = losses.saturating_generator_loss(fake)
    assert both >= 0 and one >= 0 and saturating <= 0
    exact = [np.logaddexp(0, side.double().numpy()).mean().item() for side in (-real, fake)]
    assert both.item() == pytest.approx(sum(exact), rel=1e-4, abs=1e-6)
    assert saturating.item() == pytest.approx(-exact[1], rel=1e-4, abs=1e-6)
    # softplus(-s) = softplus(s) - s: what the generator gains by the other form is the mean score.
    assert one.item() == pytest.approx(exact[1] - fake.double().mean().item(), rel=1e-4, abs=1e-3)
    zero = torch.zeros(len(fake))
    assert losses.discriminator_loss(zero, zero).item() == pytest.approx(2 * math.log(2))
    assert losses.generator_loss(zero).item() == pytest.approx(math.log(2))


@some
@given(scores, st.floats(0.01, 50))
def test_higher_scores_help_the_generator_and_lower_ones_the_discriminator(fake, more):
    assert losses.generator_loss(fake + more) <= losses.generator_loss(fake)
    assert losses.discriminator_loss(fake, fake + more) >= losses.discriminator_loss(fake, fake)


@some
@given(st.integers(2, 9), st.integers(2, 9), st.integers(1, 4), seeds, finite)
def test_alignment_losses_are_distances_that_a_common_shift_does_not_change(n, m, width, seed, shift):
    a, b = cloud(n, width, seed), cloud(m, width, seed + 1)
    if width > 1:  # the covariance of one feature is a scalar for torch.cov
        coral = losses.coral_loss(a, b)
        assert coral >= 0 and losses.coral_loss(a, a.flip(0)).item() == pytest.approx(0, abs=1e-8)
        torch.testing.assert_close(losses.coral_loss(b, a), coral, **SAME)
        torch.testing.assert_close(losses.coral_loss(a + shift, b), coral, atol=1e-2, rtol=1e-2)
    means = losses.feature_matching_loss(a, b)
    assert means >= 0 and losses.feature_matching_loss(a, a.flip(0)).item() == pytest.approx(0, abs=1e-8)
    torch.testing.assert_close(losses.feature_matching_loss(a + 3, b + 3), means, atol=1e-3, rtol=1e-3)
    # Moved by the same amount in every feature, means lie that far apart.
    assert losses.feature_matching_loss(a, a + 2).item() == pytest.approx(4 * width, rel=1e-3)


@some
@given(finite, st.integers(1, 4), seeds)
def test_r1_of_a_linear_score_is_half_its_squared_slope(slope, n, seed):
    x = signed(n, 1, 2, 2, seed).requires_grad_()
    found = losses.r1_penalty(x, slope * x.flatten(1).sum(1) + 7)
    assert found.item() == pytest.approx(0.5 * 4 * slope**2, rel=1e-4)


@some
@given(st.floats(0, 10), seeds)
def test_gradient_reversal_changes_the_gradient_alone(weight, seed):
    x = cloud(3, 2, seed).requires_grad_()
    out = losses.gradient_reversal(x, weight)
    assert torch.equal(out, x)
    (gradient,) = torch.autograd.grad((out**2).sum(), x)
    torch.testing.assert_close(gradient, -weight * 2 * x.detach(), **SAME)


# --- metrics -------------------------------------------------------------------------------------


@some
@given(st.integers(6, 30), st.integers(6, 30), seeds, st.integers(1, 255))
def test_the_frechet_distance_is_symmetric_not_negative_and_blind_to_order(n, m, seed, high):
    a, b = pictures(n, seed), pictures(m, seed + 1, high=high + 1)
    network = Pixels()
    there, back = metrics.fid_against(a, network)(b), metrics.fid_against(b, network)(a)
    assert there == pytest.approx(back, abs=1e-4) and there > -1e-4
    shuffled = b[torch.randperm(m, generator=rng(seed))]
    assert metrics.fid_against(a.flip(0), network, batch_size=4)(shuffled) == pytest.approx(there, abs=1e-4)
    assert metrics.fid_against(a, network)(a.flip(0)) == pytest.approx(0, abs=1e-4)


@some
@given(st.integers(6, 20), seeds, st.integers(1, 100))
def test_moved_images_have_the_squared_shift_as_their_frechet_distance(n, seed, shift):
    a = pictures(n, seed, high=256 - shift)
    assert metrics.fid_against(a, Pixels())(a + shift) == pytest.approx(4 * (shift / 255) ** 2, abs=1e-4)


@some
@given(st.integers(4, 12), st.integers(4, 12), seeds)
def test_the_kernel_distance_depends_on_the_seed_alone_and_is_symmetric(n, m, seed):
    a, b = pictures(n, seed), pictures(m, seed + 1)
    size = min(n, m)
    found = metrics.kid(a, b, Pixels(), subsets=3, subset_size=size, seed=seed)
    torch.manual_seed(1)
    assert metrics.kid(a, b, Pixels(), subsets=3, subset_size=size, seed=seed) == found
    assert found[1] >= 0 and all(map(math.isfinite, found))
    # The whole sets: no subset is left to chance, so neither order nor sides matter.
    whole = [metrics.kid(x[:size], y[:size], Pixels(), 1, size)[0] for x, y in ((a, b), (b, a), (a.flip(0), b))]
    assert whole[0] == pytest.approx(whole[1], abs=1e-5)
    if n == size:
        assert whole[0] == pytest.approx(whole[2], abs=1e-5)


@some
@given(st.integers(4, 20), st.integers(4, 20), st.integers(1, 3), seeds, st.floats(-5, 5))
def test_precision_and_recall_are_fractions_that_change_places_with_the_sides(n, m, k, seed, shift):
    real, fake = cloud(n, 2, seed), cloud(m, 2, seed + 1, shift)
    found = metrics.precision_recall(real, fake, k)
    assert all(0 <= value <= 1 for value in found)
    assert metrics.precision_recall(fake, real, k) == found[::-1]
    assert metrics.precision_recall(real.flip(0), fake.flip(0), k) == pytest.approx(found)
    assert metrics.precision_recall(real, real, k) == (1, 1)
    assert metrics.precision_recall(real, fake + 1e4, k) == (0, 0)


@some
@given(st.integers(2, 12), st.integers(2, 12), st.integers(4, 30), seeds)
def test_memorisation_is_a_fraction_which_is_one_for_copies_and_none_far_away(n, m, held, seed):
    train, fake, new = cloud(n, 3, seed), cloud(m, 3, seed + 1), cloud(held, 3, seed + 2)
    assert 0 <= metrics.memorisation(train, fake, new) <= 1
    assert metrics.memorisation(train, train.flip(0), new) == 1
    assert metrics.memorisation(train, fake + 1e4, new) == 0


@some
@given(st.integers(4, 20), st.integers(4, 20), seeds, st.floats(0, 1e3))
def test_the_proxy_a_distance_lies_between_minus_two_and_two(n, m, seed, shift):
    source, target = cloud(n, 2, seed), cloud(m, 2, seed + 1, shift)
    found = metrics.proxy_a_distance(source, target, seed)
    assert -2 <= found <= 2
    assert metrics.proxy_a_distance(source, target, seed) == found
    assert metrics.proxy_a_distance(source, source + 1e4, seed) == 2


@some
@given(st.integers(1, 12), st.integers(1, 5), seeds, st.floats(0, 50))
def test_information_lies_between_nothing_and_the_number_of_classes(n, classes, seed, scale):
    logits = scale * cloud(n, classes, seed)
    found = metrics.information(logits)
    assert -1e-9 <= found <= math.log(classes) + 1e-9
    assert metrics.information(logits.flip(0)) == pytest.approx(found, abs=1e-9)
    shifted = logits.double() + cloud(n, 1, seed + 1).double()  # a number for each image is no evidence
    assert metrics.information(shifted) == pytest.approx(found, abs=1e-6)
    assert metrics.information(logits[:1].expand(5, -1)) == pytest.approx(0, abs=1e-9)


@some
@given(st.lists(finite, min_size=2, max_size=9), finite, st.floats(-100, 100))
def test_an_interval_moves_and_scales_with_its_values(values, shift, factor):
    mean, half = found = metrics.interval95(values)
    assert half >= 0 and found.low <= mean <= found.high
    assert min(values) - 1e-6 <= mean <= max(values) + 1e-6
    moved = metrics.interval95([x + shift for x in values])
    assert moved.mean == pytest.approx(mean + shift, abs=1e-6) and moved.half == pytest.approx(half, abs=1e-6)
    scaled = metrics.interval95([factor * x for x in values])
    assert scaled.mean == pytest.approx(factor * mean, abs=1e-6, rel=1e-9)
    assert scaled.half == pytest.approx(abs(factor) * half, abs=1e-6, rel=1e-9)
    assert metrics.interval95(values[::-1]) == pytest.approx(found)


labels = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@some
@given(labels, st.sampled_from([torch.int64, torch.int32, torch.uint8]))
def test_confusion_counts_each_image_once(pairs, dtype):
    predicted, true = (torch.tensor(side, dtype=dtype) for side in zip(*pairs))
    counts = metrics.confusion(predicted, true, 4)
    assert counts.shape == (4, 4) and counts.sum() == len(pairs)
    assert counts.sum(1).tolist() == [int((true == c).sum()) for c in range(4)]
    assert counts.sum(0).tolist() == [int((predicted == c).sum()) for c in range(4)]
    assert counts.diagonal().sum() == (predicted == true).sum()
    assert torch.equal(metrics.confusion(true, predicted, 4), counts.T)


@some
@given(st.integers(1, 30), seeds)
def test_accuracy_is_the_diagonal_and_blind_to_order(n, seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    part = Dataset(pictures(n, seed), torch.randint(3, (n,), generator=rng(seed)), tuple("abc"))
    found = metrics.accuracy(model, part)
    predicted = metrics.predict(model, part.images).argmax(1)
    assert found == pytest.approx(metrics.confusion(predicted, part.labels, 3).diagonal().sum().item() / n)
    assert metrics.accuracy(model, part.select(torch.randperm(n, generator=rng(seed)))) == pytest.approx(found)
    sure = Dataset(part.images, predicted, part.classes)
    assert metrics.accuracy(model, sure) == 1


# --- state and descriptions ----------------------------------------------------------------------

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool, torch.int8)
tensors = st.builds(
    lambda shape, dtype, seed: (5 * torch.randn(shape, generator=rng(seed))).to(dtype),
    st.lists(st.integers(0, 3), max_size=3),
    st.sampled_from(DTYPES),
    seeds,
)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
states = st.recursive(
    plain | tensors,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers() | st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(equal, a, b))
    return type(a) is type(b) and a == b


@some
@given(states)
def test_a_state_comes_back_as_it_was_saved(state):
    with tempfile.TemporaryDirectory() as folder:
        file = runtime.save_state(Path(folder, "s.safetensors"), state)
        assert equal(state, runtime.load_state(file))
        assert [path.name for path in Path(folder).iterdir()] == ["s.safetensors"]


@some
@given(st.integers(1, 5), st.sampled_from([torch.float32, torch.float16, torch.float64]), seeds)
def test_weights_come_back_as_they_were_saved(width, dtype, seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Linear(width, 2))
    model(torch.rand(2, 1, 3 + 1, width + 2))  # the norm has its own statistics now
    other = nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Linear(width, 2))
    with tempfile.TemporaryDirectory() as folder:
        file = runtime.save_weights(model, Path(folder, "w"), dtype, seed=seed)
        assert runtime.load_weights(other, file) == {"seed": str(seed)}
    for (name, value), found in zip(model.state_dict().items(), other.state_dict().values()):
        wanted = value.to(dtype).to(value.dtype) if value.is_floating_point() else value
        assert torch.equal(found, wanted), name


@some
@given(states, states)
def test_equal_values_describe_equally_and_a_changed_one_is_named(state, other):
    settings = {"steps": 5, "thing": state}
    described = runtime.describe(settings)
    assert runtime.differences(described, runtime.describe({"steps": 5, "thing": state})) == []
    assert runtime.differences(described, runtime.describe({"steps": 6, "thing": state})) == ["steps was 5 and is 6"]
    with tempfile.TemporaryDirectory() as folder:  # what a checkpoint compares with
        file = runtime.save_state(Path(folder, "s.safetensors"), described)
        assert runtime.differences(runtime.load_state(file), described) == []
    changed = runtime.differences(described, runtime.describe(settings | {"thing": [other, "more"]}))
    assert changed or equal(state, [other, "more"])
    assert all(words.startswith("thing") for words in changed)


@some
@given(tensors.filter(lambda x: x.numel()), st.data())
def test_one_changed_number_in_a_tensor_changes_its_description(x, draw):
    place = draw.draw(st.integers(0, x.numel() - 1))
    other = x.clone()
    other.view(-1)[place] = ~other.view(-1)[place] if x.dtype == torch.bool else other.view(-1)[place] + 3
    before, now = ({"data": [1, {"x": value}]} for value in (x, other))
    assert runtime.describe(x.clone()) == runtime.describe(x)
    (words,) = runtime.differences(runtime.describe(before), runtime.describe(now))
    assert words.startswith("data[1].x was ")


@some
@given(st.lists(st.integers(0, 200), min_size=1, max_size=6), st.sampled_from(["int64", "float32", "uint8"]))
def test_arrays_are_described_by_what_they_hold(values, dtype):
    array = np.array(values, dtype)
    assert runtime.describe(array) == runtime.describe(array.copy())
    assert runtime.describe(array) != runtime.describe(array + array.dtype.type(1))
    assert runtime.describe(array[0]) == runtime.describe(array[0].item())
