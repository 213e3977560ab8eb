"""The two players' losses against closed forms."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from helpers import losses

EVERY_LOSS = [
    lambda s: losses.discriminator_loss(s, s),
    losses.generator_loss,
    losses.saturating_generator_loss,
]


def gradient(loss, score):
    s = torch.tensor([float(score)], requires_grad=True)
    loss(s).backward()
    return s.grad.item()


def test_values_where_the_discriminator_cannot_tell():
    zero = torch.zeros(5)
    assert losses.discriminator_loss(zero, zero).item() == pytest.approx(2 * math.log(2))
    assert losses.generator_loss(zero).item() == pytest.approx(math.log(2))
    assert losses.saturating_generator_loss(zero).item() == pytest.approx(-math.log(2))


def test_discriminator_loss_against_the_formula():
    real, fake = torch.tensor([1.0, -0.5, 3.0]), torch.tensor([-2.0, 0.25, 1.0])
    D = torch.sigmoid
    expected = -D(real).log().mean() - (1 - D(fake)).log().mean()
    torch.testing.assert_close(losses.discriminator_loss(real, fake), expected)
    assert (
        losses.discriminator_loss(torch.tensor([9.0]), torch.tensor([-9.0]))
        < 0.001
        < 17
        < losses.discriminator_loss(torch.tensor([-9.0]), torch.tensor([9.0]))
    )


def test_generator_losses_against_the_formula():
    fake = torch.tensor([-2.0, 0.25, 1.0])
    torch.testing.assert_close(losses.generator_loss(fake), -torch.sigmoid(fake).log().mean())
    torch.testing.assert_close(losses.saturating_generator_loss(fake), (1 - torch.sigmoid(fake)).log().mean())


def test_they_equal_binary_cross_entropy_with_logits():
    generator = torch.Generator().manual_seed(0)
    real, fake = (5 * torch.randn(64, generator=generator) for _ in range(2))
    ones, zeros, bce = torch.ones(64), torch.zeros(64), F.binary_cross_entropy_with_logits
    torch.testing.assert_close(losses.discriminator_loss(real, fake), bce(real, ones) + bce(fake, zeros))
    torch.testing.assert_close(losses.generator_loss(fake), bce(fake, ones))
    torch.testing.assert_close(losses.saturating_generator_loss(fake), -bce(fake, zeros))


def test_batches_of_different_size_weigh_the_same():
    real, fake = torch.tensor([0.3]), torch.tensor([0.1, -0.4, 2.0])
    expected = F.softplus(-real).sum() + F.softplus(fake).sum() / 3
    torch.testing.assert_close(losses.discriminator_loss(real, fake), expected)


def test_only_the_saturating_gradient_vanishes_where_every_fake_is_rejected():
    assert abs(gradient(losses.saturating_generator_loss, -20)) < 1e-8
    assert gradient(losses.generator_loss, -20) == pytest.approx(-1, abs=1e-6)
    # Both push the score up, and at score 0 equally hard.
    assert gradient(losses.generator_loss, 0) == pytest.approx(-0.5)
    assert gradient(losses.saturating_generator_loss, 0) == pytest.approx(-0.5)


@pytest.mark.parametrize("loss", EVERY_LOSS, ids=["discriminator", "generator", "saturating"])
@pytest.mark.parametrize("score", [-1e4, 1e4])
def test_nothing_overflows(loss, score):
    s = torch.tensor([score], requires_grad=True)
    value = loss(s)
    value.backward()
    assert math.isfinite(value.item()) and abs(value.item()) <= 1e4 + 1
    assert torch.isfinite(s.grad).all()


@pytest.mark.parametrize("loss", EVERY_LOSS, ids=["discriminator", "generator", "saturating"])
def test_every_loss_is_a_scalar(loss):
    assert loss(torch.randn(7)).shape == ()


# --- R1 -----------------------------------------------------------------------------------------


def test_r1_of_a_linear_discriminator_is_half_the_squared_norm_of_its_weights():
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(2, 4, 4, generator=generator)
    x = torch.randn(6, 2, 4, 4, generator=generator).requires_grad_(True)
    penalty = losses.r1_penalty(x, (x * w).sum((1, 2, 3)) + 3)
    torch.testing.assert_close(penalty, 0.5 * w.square().sum())


def test_r1_averages_over_the_batch_and_not_over_pixels():
    # Score ½‖x‖², gradient x: the penalty is ½ mean‖x‖².
    x = torch.stack([torch.full((1, 3, 3), 1.0), torch.full((1, 3, 3), 2.0)]).requires_grad_(True)
    assert losses.r1_penalty(x, 0.5 * x.square().sum((1, 2, 3))).item() == pytest.approx(0.5 * (9 * 1 + 9 * 4) / 2)


def test_r1_can_be_differentiated_to_the_weights():
    w = torch.tensor([3.0, -1.0], requires_grad=True)
    x = torch.zeros(5, 2, 1, 1, requires_grad=True)
    losses.r1_penalty(x, (x.flatten(1) * w).sum(1)).backward()
    torch.testing.assert_close(w.grad, w.detach())  # d ½‖w‖² / dw


def test_r1_says_what_is_missing():
    x = torch.zeros(2, 1, 4, 4)
    with pytest.raises(ValueError, match="requires_grad_"):
        losses.r1_penalty(x, x.sum((1, 2, 3)))


def test_feature_matching_compares_means_and_moves_only_the_fakes():
    real = torch.tensor([[0.0, 2.0], [2.0, 4.0]], requires_grad=True)
    fake = torch.tensor([[3.0, 3.0], [1.0, 7.0], [2.0, 5.0]], requires_grad=True)
    loss = losses.feature_matching_loss(real, fake)  # means (1, 3) and (2, 5)
    assert loss.item() == pytest.approx(5.0)
    loss.backward()
    assert real.grad is None
    torch.testing.assert_close(fake.grad, torch.tensor([[2 / 3, 4 / 3]]).expand(3, 2))
    assert losses.feature_matching_loss(real, real.flip(0)).item() == pytest.approx(0, abs=1e-6)
    maps = torch.ones(2, 3, 4, 4)
    assert losses.feature_matching_loss(maps, 0 * maps).item() == pytest.approx(48)
    with pytest.raises(ValueError, match="differ in shape"):
        losses.feature_matching_loss(torch.zeros(2, 3), torch.zeros(2, 4))


# --- domain adaptation ----------------------------------------------------------------------------


def test_reversal_is_the_identity_forward_and_minus_the_weight_backward():
    x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    y = losses.gradient_reversal(x, 0.25)
    assert torch.equal(y, x)
    (y * torch.tensor([4.0, 8.0, -4.0])).sum().backward()
    assert x.grad.tolist() == [-1.0, -2.0, 1.0]


def test_a_reversal_of_weight_zero_lets_nothing_through():
    x = torch.ones(3, requires_grad=True)
    losses.gradient_reversal(x, 0.0).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]


def test_above_the_reversal_the_gradient_is_the_usual_one():
    x, w = torch.ones(1, requires_grad=True), torch.tensor([2.0], requires_grad=True)
    (losses.gradient_reversal(x, 3.0) * w).sum().backward()
    assert w.grad.item() == 1.0 and x.grad.item() == -6.0


def test_coral_against_the_formula():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(7, 3, generator=generator), torch.randn(9, 3, generator=generator)
    expected = np.square(np.cov(a.T.numpy()) - np.cov(b.T.numpy())).sum() / (4 * 3**2)
    assert losses.coral_loss(a, b).item() == pytest.approx(expected, rel=1e-5)


def test_coral_ignores_the_place_and_sees_the_scale():
    x = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    assert losses.coral_loss(x, x + 5).item() == pytest.approx(0, abs=1e-6)
    assert losses.coral_loss(x, 2 * x).item() > 0.1


def test_mmd_against_the_formula_and_without_bias():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(7, 3, generator=generator), torch.randn(9, 3, generator=generator) + 1

    def kernels(x, y):  # one pair after the other
        return [np.exp(-np.square(x - y).sum() / (factor * width)) for factor in (0.25, 0.5, 1, 2, 4)]

    rows = [*torch.cat([a, b]).double().numpy()]
    width = np.mean([np.square(x - y).sum() for x, y in itertools.permutations(rows, 2)])
    first, second = rows[:7], rows[7:]
    within = [np.mean([kernels(x, y) for x, y in itertools.permutations(part, 2)]) for part in (first, second)]
    between = np.mean([kernels(x, y) for x, y in itertools.product(first, second)])
    assert losses.mmd_loss(a, b).item() == pytest.approx(sum(within) - 2 * between, abs=1e-5)
    # Of one distribution: 0 on average, in small batches too, and so now and then below 0.
    same = torch.tensor([losses.mmd_loss(*torch.randn(2, 4, 3, generator=generator)) for _ in range(500)])
    assert abs(same.mean()) < 4 * same.std() / 500**0.5 and same.min() < 0
    assert losses.mmd_loss(torch.ones(4, 3), torch.ones(4, 3)).item() == pytest.approx(0, abs=1e-6)


def test_mmd_draws_the_target_towards_the_source():
    source, target = torch.zeros(4, 2) + torch.eye(4, 2), (torch.eye(4, 2) + 3).requires_grad_()
    losses.mmd_loss(source, target).backward()
    assert (target.grad.mean(0) > 0).all()


@pytest.mark.parametrize("loss", [losses.coral_loss, losses.mmd_loss])
def test_mixed_precision_rounds_no_distance_of_domains(loss):
    # In bfloat16 the squares of distances between points near each other are lost.
    generator = torch.Generator().manual_seed(0)
    source, target = (torch.randn(32, 8, generator=generator).bfloat16().requires_grad_() for _ in range(2))
    expected = loss(source.double(), target.double())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(source, target)
    assert value.item() == pytest.approx(expected.item(), rel=1e-3, abs=1e-5)
    value.backward()
    assert source.grad.dtype == torch.bfloat16 and source.grad.abs().sum() > 0


@pytest.mark.parametrize("shapes", [((4, 3), (4, 2)), ((1, 3), (4, 3))])
def test_coral_names_the_shapes(shapes):
    with pytest.raises(ValueError, match=r"equal width"):
        losses.coral_loss(*(torch.zeros(s) for s in shapes))
