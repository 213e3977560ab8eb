"""The training loops."""

import copy
import json
import math
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers import losses, metrics, train
from helpers.data import SIGNED, Dataset, to_float
from helpers.models import Discriminator, Generator

# --- material -----------------------------------------------------------------------------------


def quadrants(n=160, seed=0):
    """Four classes, told apart by the bright quadrant: easy, but not readable from the mean."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 100, (n, 1, 8, 8), dtype=torch.uint8, generator=generator)
    labels = torch.arange(n) % 4
    for image, label in zip(images, labels.tolist()):
        y, x = 4 * (label // 2), 4 * (label % 2)
        image[0, y : y + 4, x : x + 4] += 120
    return Dataset(images, labels, tuple("abcd"))


def classifier(seed=0, outputs=4):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, outputs))


def linear():
    torch.manual_seed(3)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 4))


def fit(model, *, lr=1e-2, data=None, **options):
    options = {"steps": 12, "batch_size": 8, "every": 4} | options
    optimizer = options.pop("optimizer", None) or torch.optim.Adam(model.parameters(), lr)
    return train.fit_classifier(model, optimizer, data or quadrants(), **options).history


def shapes(n=48, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 1, 32, 32), dtype=torch.uint8, generator=generator)


class Recorder(Generator):
    """A generator that remembers the latents it was given."""

    def __init__(self):
        super().__init__(latent=4, width=4)
        self.seen = []

    def forward(self, z):
        self.seen.append(z.detach().clone())
        return super().forward(z)


def players(seed=0):
    torch.manual_seed(seed)
    return Generator(latent=4, width=4), Discriminator(width=4)


def adversarial(generator, discriminator, images=None, **options):
    options = {"steps": 6, "batch_size": 4, "every": 2} | options
    rates = {name: options.pop(name) for name in ("lr_generator", "lr_discriminator", "betas") if name in options}
    optimizers = train.gan_optimizers(generator, discriminator, **rates)
    if "decay_from" in options:
        start = options.pop("decay_from")
        options["schedulers"] = tuple(
            train.linear_decay(optimizer, options["steps"], start) for optimizer in optimizers
        )
    return train.fit_gan(generator, discriminator, optimizers, shapes() if images is None else images, **options)


def state(model):
    return {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}


def weights(model):
    return {k: v.detach().cpu().clone() for k, v in model.named_parameters()}


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def same_history(a, b):
    # As text, because NaN is not equal to itself.
    return json.dumps(a) == json.dumps(b)


class Jitter:
    """An augmentation that uses its generator; at call number `at` it raises `error`, or Ctrl-C is pressed."""

    def __init__(self, at=None, error=None):
        self.at, self.error, self.calls = at, error, 0

    def __call__(self, batch, rng):
        self.calls += 1
        if self.calls == self.at and self.error:
            raise self.error
        if self.calls == self.at:
            signal.raise_signal(signal.SIGINT)
        return batch + 0.1 * torch.rand(batch.shape, generator=rng).to(batch.device)


# --- predict and train mode ---------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
def test_predict_is_the_model_in_evaluation_mode_and_restores_the_mode(training):
    model, images = classifier(), quadrants(21).images
    model(torch.rand(8, 1, 8, 8))  # batch statistics differ from the running ones now
    model.train(training)
    before = state(model)
    out = metrics.predict(model, images, lambda x: 2 * x, batch_size=8)
    assert all(module.training is training for module in model.modules())
    assert equal(state(model), before)
    assert out.shape == (21, 4) and out.device.type == "cpu" and not out.requires_grad
    torch.testing.assert_close(out, model.eval()(2 * to_float(images)).detach())


def test_predict_restores_the_mode_of_every_part():
    model = classifier()
    model[1].weight.requires_grad_(False)
    train.set_train_mode(model)
    metrics.predict(model, quadrants().images)
    assert [module.training for module in model.modules()] == [True, True, False, True, True, True]


def test_predict_wants_uint8():
    with pytest.raises(ValueError, match="uint8"):
        metrics.predict(classifier(), torch.rand(2, 1, 8, 8))


def test_train_mode_spares_frozen_batch_norm_alone():
    model = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(2), nn.Dropout(), nn.BatchNorm2d(2, affine=False)).eval()
    model[0].requires_grad_(False)
    train.set_train_mode(model)
    assert [m.training for m in model] == [False, True, True, True]
    model[0].requires_grad_(True)
    train.set_train_mode(model)
    assert model[0].training


# --- classifier: learning -----------------------------------------------------------------------


def test_a_classifier_learns():
    model = classifier()
    history = fit(model, validation=quadrants(80, seed=1), steps=60, batch_size=16, every=10)
    test = quadrants(80, seed=2)
    assert (metrics.predict(model, test.images).argmax(1) == test.labels).float().mean() > 0.95
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    assert history["validation_accuracy"][-1] > 0.95
    assert not model.training


def test_history_covers_every_interval_and_the_end():
    history = fit(classifier(), validation=quadrants(), steps=10, every=4)
    assert history["step"] == [4, 8, 10]
    assert len(history["loss"]) == len(history["validation_accuracy"]) == 3
    without = fit(classifier(), steps=10, every=4)
    assert all(math.isnan(x) for x in without["validation_accuracy"])
    assert without["loss"] == history["loss"]  # looking does not disturb


def test_the_loss_is_the_mean_over_its_interval():
    fine, coarse = fit(classifier(), steps=7, every=1)["loss"], fit(classifier(), steps=7, every=3)["loss"]
    assert coarse == pytest.approx([sum(fine[0:3]) / 3, sum(fine[3:6]) / 3, fine[6]])


def test_one_update_is_one_step_down_the_cross_entropy():
    # A batch far larger than the data would differ from run to run: use two images alike.
    one = quadrants(4).select(torch.tensor([2, 2, 2]))
    model, reference = classifier(), classifier()
    history = fit(model, data=one, steps=1, optimizer=torch.optim.SGD(model.parameters(), 0.1), batch_size=2)
    reference.train()
    x, y = to_float(one.images[:2]), one.labels[:2]
    loss = F.cross_entropy(reference(x), y)
    loss.backward()
    with torch.no_grad():
        for p in reference.parameters():
            p -= 0.1 * p.grad
    assert history["loss"] == pytest.approx([loss.item()], rel=1e-5)
    for name, p in weights(reference).items():
        torch.testing.assert_close(weights(model)[name], p)


def test_augment_comes_before_transform_and_only_in_training():
    seen = []

    def augment(batch, rng):
        assert isinstance(rng, torch.Generator) and batch.dtype == torch.float32
        assert 0 <= batch.min() and batch.max() <= 1
        seen.append("augment")
        return batch - 5

    def transform(batch):
        seen.append("augmented" if batch.min() < -1 else "plain")
        return batch

    fit(classifier(), validation=quadrants(), steps=2, every=2, augment=augment, transform=transform)
    assert seen[:4] == ["augment", "augmented"] * 2 and set(seen[4:]) == {"plain"}


def test_the_seed_fixes_batches_and_augmentation():
    def run(seed):
        model = classifier()
        torch.manual_seed(1000 * seed + 17)  # the global generator has no say
        history = fit(model, rng=seed, augment=Jitter())
        return state(model), history

    (a, ha), (b, hb), (c, _) = run(0), run(0), run(1)
    assert equal(a, b) and same_history(ha, hb) and not equal(a, c)
    model = classifier()
    torch.manual_seed(4711)
    fit(model, rng=0, augment=Jitter())
    assert equal(state(model), a)


def test_the_scheduler_sets_the_rate_of_every_update():
    model = classifier()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.5)
    fit(model, optimizer=optimizer, scheduler=scheduler, steps=7)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * 0.5**2)


# --- classifier: what stays -----------------------------------------------------------------------


def test_a_frozen_layer_moves_neither_its_weights_nor_its_statistics():
    model = classifier()
    model[:2].requires_grad_(False)
    before = state(model)
    fit(model, validation=quadrants(), optimizer=torch.optim.AdamW(model.parameters(), 0.1, weight_decay=0.5))
    after = state(model)
    for name in before:
        assert torch.equal(before[name], after[name]) is not name.startswith("4."), name
    assert [p.requires_grad for p in model.parameters()] == [False] * 4 + [True] * 2


def test_a_layer_that_is_not_frozen_moves_both():
    model = classifier()
    before = state(model)
    fit(model)
    after = state(model)
    assert not any(torch.equal(before[name], after[name]) for name in before)


def spoil(model, validation, **options):
    """Train on good images for 20 steps, then on inverted ones: validation gets worse."""
    calls = []

    def augment(batch, rng):
        calls.append(1)
        return batch if len(calls) <= 20 else 1 - batch

    return fit(model, validation=validation, steps=60, batch_size=16, every=10, augment=augment, **options)


def test_the_best_weights_by_validation_are_kept_and_not_the_last():
    model, validation = classifier(), quadrants(80, seed=1)
    history = spoil(model, validation)
    reached = (metrics.predict(model, validation.images).argmax(1) == validation.labels).float().mean().item()
    assert reached == pytest.approx(max(history["validation_accuracy"]))
    assert history["validation_accuracy"][-1] < max(history["validation_accuracy"]) - 0.3


def test_without_validation_the_last_weights_stay():
    model, validation = classifier(), quadrants(80, seed=1)
    spoil(model, None)
    assert (metrics.predict(model, validation.images).argmax(1) == validation.labels).float().mean() < 0.7


def test_the_best_weights_survive_a_resume(tmp_path):
    model, validation, file = classifier(), quadrants(80, seed=1), tmp_path / "c.safetensors"
    first = spoil(model, validation, checkpoint=file)
    best = state(model)
    again = classifier(seed=5)
    assert same_history(spoil(again, validation, checkpoint=file), first)
    assert equal(state(again), best) and not again.training


# --- classifier: errors ---------------------------------------------------------------------------


def test_no_images_or_no_steps_is_an_error():
    empty = quadrants().select(torch.tensor([], dtype=torch.int64))
    with pytest.raises(ValueError, match="0 images"):
        fit(classifier(), data=empty)
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        fit(classifier(), steps=0)


def test_labels_beyond_the_outputs_name_the_head():
    with pytest.raises(ValueError, match="up to 3.*3 outputs.*head"):
        fit(classifier(outputs=3))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_and_leaves_the_earlier_checkpoint(tmp_path, bad):
    file, kept = tmp_path / "c.safetensors", []

    def augment(batch, rng):
        kept.append(file.read_bytes() if file.exists() else None)
        return batch * bad if len(kept) == 7 else batch

    model = classifier()
    with pytest.raises(FloatingPointError, match="step 6.*learning rate"):
        fit(model, augment=augment, checkpoint=file)
    assert kept[6] is not None and file.read_bytes() == kept[6]
    assert all(torch.isfinite(p).all() for p in model.parameters())  # nor did it get into the weights
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"]


# --- classifier: interrupting and going on --------------------------------------------------------


def scheduled(seed=0):
    model = classifier(seed)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    return model, {
        "optimizer": optimizer,
        "validation": quadrants(40, seed=1),
        "scheduler": torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 12),
    }


def interrupted_fit(file, **jitter):
    model, options = scheduled()
    try:
        fit(model, augment=Jitter(**jitter), checkpoint=file, **options)
    except (RuntimeError, KeyboardInterrupt):
        pass
    model, options = scheduled(seed=8)  # other weights: everything has to come from the file
    history = fit(model, augment=Jitter(), checkpoint=file, **options)
    return model, history


def uninterrupted_fit():
    model, options = scheduled()
    return model, fit(model, augment=Jitter(), **options)


@pytest.mark.parametrize("at", [5, 7, 12])
def test_a_classifier_killed_and_started_again_ends_bit_for_bit_the_same(tmp_path, at):
    model, history = interrupted_fit(tmp_path / "c.safetensors", at=at, error=RuntimeError)
    whole, expected = uninterrupted_fit()
    assert equal(state(model), state(whole)) and same_history(history, expected)


@pytest.mark.parametrize("at", [1, 5, 7])
def test_a_classifier_interrupted_and_started_again_ends_bit_for_bit_the_same(tmp_path, at):
    model, history = interrupted_fit(tmp_path / "c.safetensors", at=at)
    whole, expected = uninterrupted_fit()
    assert same_history(history, expected)
    assert equal(state(model), state(whole))


def test_an_interrupt_saves_and_raises_and_says_how_to_go_on(tmp_path):
    file = tmp_path / "c.safetensors"
    with pytest.raises(KeyboardInterrupt, match=f"interrupted at step 7 of 12.*{file}"):
        fit(classifier(), augment=Jitter(at=7), checkpoint=file)
    assert file.exists()
    with pytest.raises(KeyboardInterrupt, match="checkpoint="):
        fit(classifier(), augment=Jitter(at=7))


def test_a_finished_run_can_be_extended(tmp_path):
    file = tmp_path / "c.safetensors"
    fit(classifier(), steps=6, checkpoint=file)
    model, whole = classifier(seed=8), classifier()
    history, fine = fit(model, steps=12, checkpoint=file), fit(whole, steps=12, every=1)
    assert equal(state(model), state(whole))
    assert history["step"] == [4, 6, 8, 12]
    assert history["loss"] == pytest.approx(
        [sum(fine["loss"][a:b]) / (b - a) for a, b in ((0, 4), (4, 6), (6, 8), (8, 12))]
    )


def test_each_loop_refuses_the_other_ones_checkpoint(tmp_path):
    fit(classifier(), steps=2, checkpoint=tmp_path / "c.safetensors")
    adversarial(*players(), steps=1, checkpoint=tmp_path / "g.safetensors")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(
        ValueError, match="g.safetensors was made with other settings: method was fit_gan and is fit_classifier"
    ):
        fit(classifier(), checkpoint=tmp_path / "g.safetensors")
    with pytest.raises(
        ValueError, match="c.safetensors was made with other settings: method was fit_classifier and is fit_gan"
    ):
        adversarial(*players(), checkpoint=tmp_path / "c.safetensors")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


# --- GAN ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("r1_weight", [0.0, 5.0])
def test_one_step_of_both_players_against_a_plain_one(r1_weight):
    torch.manual_seed(0)
    generator, discriminator = Recorder(), Discriminator(width=4)
    g, d = (copy.deepcopy(m).to(memory_format=torch.channels_last).train() for m in (generator, discriminator))
    batches = []

    def augment(batch, rng):
        batches.append(batch.detach().clone())
        return batch

    result = adversarial(
        generator,
        discriminator,
        steps=1,
        every=1,
        lr_generator=3e-3,
        lr_discriminator=1e-3,
        betas=(0.4, 0.9),
        r1_weight=r1_weight,
        augment=augment,
    )
    real, fake, again = (batch.cpu() for batch in batches)
    z = generator.seen[0].cpu()
    assert torch.equal(fake, again) and z.shape == (4, 4)

    opt_g, opt_d = (
        torch.optim.Adam(g.parameters(), 3e-3, (0.4, 0.9)),
        torch.optim.Adam(d.parameters(), 1e-3, (0.4, 0.9)),
    )
    made = g(z)
    torch.testing.assert_close(made.detach(), fake)
    x = real.clone().requires_grad_(True)
    scores = d(torch.cat([x, fake]))
    loss_d = losses.discriminator_loss(scores[:4], scores[4:])
    (loss_d + r1_weight * losses.r1_penalty(x, scores[:4])).backward()
    opt_d.step()
    loss_g = losses.generator_loss(d(made))
    loss_g.backward()
    opt_g.step()

    assert result.history["loss_discriminator"][1] == pytest.approx(loss_d.item(), rel=1e-5)
    assert result.history["loss_generator"][1] == pytest.approx(loss_g.item(), rel=1e-4)
    for ours, theirs, rate in ((generator, g, 3e-3), (discriminator, d, 1e-3)):
        for name, p in weights(theirs).items():
            off = (weights(ours)[name] - p).abs() > 0.1 * rate
            # Adam's first step has the size of the rate whatever the gradient's: rounding turns a few tiny ones round.
            assert off.float().mean() < 0.02, name


def test_r1_changes_the_discriminator_and_lowers_its_slope():
    def slope(discriminator):
        x = (to_float(shapes(32), SIGNED)).requires_grad_(True)
        return 2 * losses.r1_penalty(x, discriminator.eval().cpu()(x)).item()

    def run(weight):
        generator, discriminator = players()
        adversarial(generator, discriminator, steps=40, every=40, r1_weight=weight, lr_discriminator=2e-3)
        return slope(discriminator)

    # Spectral normalisation holds the layers, not the slope at the data.
    assert run(1000.0) < 0.7 * run(0.0)


def test_the_average_follows_its_formula():
    generator, discriminator = players()
    seen = []

    def measure(step, ema):
        seen.append((state(generator), state(ema), ema.training))
        return {}

    result = adversarial(generator, discriminator, steps=5, every=1, ema_decay=0.7, lr_generator=1e-2, measure=measure)
    assert len(seen) == 6 and not any(training for _, _, training in seen)
    assert equal(seen[0][1], seen[0][0])  # it starts where the generator does
    average = seen[1][1]
    for now, reported, _ in seen[2:]:
        for name, value in average.items():
            if value.is_floating_point():  # batch-norm statistics included
                average[name] = 0.7 * value + 0.3 * now[name]
                torch.testing.assert_close(reported[name], average[name], rtol=1e-4, atol=1e-6)
                assert not torch.allclose(reported[name], now[name], rtol=1e-5, atol=1e-7), name
    assert equal(state(result.model), seen[-1][1]) and not result.model.training


def test_without_memory_the_average_is_the_generator():
    generator, discriminator = players()
    result = adversarial(generator, discriminator, ema_decay=0.0)
    for name, value in weights(generator).items():
        torch.testing.assert_close(weights(result.model)[name], value)
    assert result.model is not generator


@pytest.mark.parametrize("still", ["generator", "discriminator"])
def test_neither_players_step_moves_the_other(still):
    generator, discriminator = players()
    before = {"generator": weights(generator), "discriminator": weights(discriminator)}
    adversarial(generator, discriminator, **{f"lr_{still}": 0.0})
    after = {"generator": weights(generator), "discriminator": weights(discriminator)}
    for name in before:
        assert equal(before[name], after[name]) is (name == still)
        if name != still:
            assert not any(torch.equal(before[name][key], after[name][key]) for key in before[name])


def test_the_generator_step_leaves_no_gradient_in_the_discriminator():
    # The gradient left behind is that of the discriminator's own loss alone.
    torch.manual_seed(0)
    generator, discriminator = Generator(latent=4, width=4), Discriminator(width=4)
    reference = copy.deepcopy(discriminator).to(memory_format=torch.channels_last).train()
    batches = []

    def augment(batch, rng):
        batches.append(batch.detach().cpu().clone())
        return batch

    adversarial(generator, discriminator, steps=1, augment=augment)
    scores = reference(torch.cat(batches[:2]))
    losses.discriminator_loss(scores[:4], scores[4:]).backward()
    for p, q in zip(discriminator.parameters(), reference.parameters()):
        torch.testing.assert_close(p.grad.cpu(), q.grad, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("ending", ["finished", "interrupted", "failed"])
def test_frozen_parameters_stay_and_the_flags_come_back(ending):
    generator, discriminator = players()
    frozen = {"generator": "net.0.weight", "discriminator": "body.0.parametrizations.weight.original"}
    for model, name in ((generator, frozen["generator"]), (discriminator, frozen["discriminator"])):
        dict(model.named_parameters())[name].requires_grad_(False)
    before = weights(generator), weights(discriminator)
    augment = {"finished": None, "interrupted": Jitter(at=6), "failed": lambda batch, rng: batch * math.nan}[ending]
    try:
        adversarial(generator, discriminator, augment=augment)
    except FloatingPointError:
        assert ending == "failed"
    except KeyboardInterrupt:
        assert ending == "interrupted"
    for model, old, name in zip((generator, discriminator), before, frozen.values()):
        now = dict(model.named_parameters())
        assert {key for key, p in now.items() if not p.requires_grad} == {name}
        assert torch.equal(now[name].detach().cpu(), old[name])
        if ending == "finished":
            assert not any(torch.equal(now[key].detach().cpu(), old[key]) for key in old if key != name)


def test_what_measure_returns_lands_in_the_history():
    result = adversarial(
        *players(),
        steps=5,
        every=2,
        measure=lambda step, ema: {
            "ten": 10 * step,
            "pixels": ema(torch.zeros(1, 4, device=next(ema.parameters()).device)).numel(),
        },
    )
    assert result.history["step"] == [0, 2, 4, 5]
    assert result.history["ten"] == [0, 20, 40, 50] and result.history["pixels"] == [1024] * 4
    assert {len(column) for column in result.history.values()} == {4}
    for name in ("loss_discriminator", "loss_generator"):
        assert math.isnan(result.history[name][0]) and all(math.isfinite(x) for x in result.history[name][1:])


def test_gan_losses_are_means_over_their_interval():
    fine, coarse = (adversarial(*players(), steps=5, every=every).history for every in (1, 2))
    for name in ("loss_discriminator", "loss_generator"):
        a = fine[name][1:]
        assert coarse[name][1:] == pytest.approx([(a[0] + a[1]) / 2, (a[2] + a[3]) / 2, a[4]])


def test_real_and_fake_images_reach_the_discriminator_in_one_range_and_through_the_augmentation():
    seen = []

    def augment(batch, rng):
        seen.append((batch.min().item(), batch.max().item(), batch.requires_grad))
        return batch

    adversarial(*players(), steps=2, augment=augment)
    assert len(seen) == 6  # real, fake, and fake again for the generator
    assert all(-1 <= low < high <= 1 for low, high, _ in seen)
    assert seen[0][0] < -0.95 and seen[0][1] > 0.95  # noise images: 0 became −1 and 255 became 1
    assert [grad for *_, grad in seen] == [False, False, True] * 2


def test_the_generator_learns_through_the_augmentation():
    # Where augmentation lets nothing through, nothing can be learnt.
    generator, discriminator = players()
    before = weights(generator)
    adversarial(generator, discriminator, augment=lambda batch, rng: 0 * batch)
    assert equal(weights(generator), before)


def test_a_gan_learns_the_grey_of_its_images():
    generator, discriminator = players()
    images = torch.full((32, 1, 32, 32), 230, dtype=torch.uint8)
    result = adversarial(
        generator,
        discriminator,
        images,
        steps=120,
        batch_size=16,
        every=120,
        lr_generator=5e-3,
        lr_discriminator=1e-3,
        ema_decay=0.8,
    )
    with torch.no_grad():
        z = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
        grey = result.model.cpu()(z).mean().item()
    assert grey > 0.4  # 230 is 0.8; it began at 0


def test_the_gan_seed_fixes_everything_that_is_drawn():
    def run(seed, noise):
        generator, discriminator = players()
        torch.manual_seed(noise)
        result = adversarial(generator, discriminator, rng=seed, augment=Jitter())
        return state(generator) | {"ema." + k: v for k, v in state(result.model).items()}

    first = run(0, 1)
    assert equal(first, run(0, 2)) and not equal(first, run(1, 1))


@pytest.mark.parametrize(
    "images", [shapes().float(), shapes()[:, 0], shapes()[:0]], ids=["float", "three dimensions", "none"]
)
def test_gan_wants_uint8_images(images):
    with pytest.raises(ValueError, match=r"uint8 images.*got|images of shape \(N, C, H, W\), got|0 images"):
        adversarial(*players(), images)


def test_gan_wants_a_step():
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        adversarial(*players(), steps=0)


def test_a_gan_loss_that_is_not_finite_stops_and_leaves_the_earlier_checkpoint(tmp_path):
    file, kept = tmp_path / "g.safetensors", []

    def augment(batch, rng):
        kept.append(file.read_bytes() if file.exists() else None)
        return batch * math.nan if len(kept) == 10 else batch  # the first batch of step 3

    generator, discriminator = players()
    with pytest.raises(FloatingPointError, match="loss_discriminator became nan at step 3.*learning rate"):
        adversarial(generator, discriminator, augment=augment, checkpoint=file)
    assert kept[9] is not None and file.read_bytes() == kept[9]
    assert all(torch.isfinite(p).all() for model in (generator, discriminator) for p in model.parameters())


# --- GAN: interrupting and going on ---------------------------------------------------------------


def interrupted_gan(file, **jitter):
    def measure(step, ema):
        return {"weight": float(next(ema.parameters()).detach().sum())}

    try:
        adversarial(*players(), augment=Jitter(**jitter), measure=measure, checkpoint=file)
    except (RuntimeError, KeyboardInterrupt):
        pass
    generator, discriminator = players(seed=8)
    result = adversarial(generator, discriminator, augment=Jitter(), measure=measure, checkpoint=file)
    whole_g, whole_d = players()
    whole = adversarial(whole_g, whole_d, augment=Jitter(), measure=measure)
    pairs = ((generator, whole_g), (discriminator, whole_d), (result.model, whole.model))
    return result.history, whole.history, all(equal(state(a), state(b)) for a, b in pairs)


@pytest.mark.parametrize("at", [7, 11, 12, 18])
def test_a_gan_killed_and_started_again_ends_bit_for_bit_the_same(tmp_path, at):
    history, expected, same = interrupted_gan(tmp_path / "g.safetensors", at=at, error=RuntimeError)
    assert same and same_history(history, expected)


@pytest.mark.parametrize("at", [10, 11, 12])  # real, fake, and after the discriminator's update
def test_a_gan_interrupted_and_started_again_ends_bit_for_bit_the_same(tmp_path, at):
    history, expected, same = interrupted_gan(tmp_path / "g.safetensors", at=at)
    assert same and same_history(history, expected)


def test_linear_decay_leaves_the_first_steps_alone_and_takes_the_rates_to_zero(tmp_path):
    def moved(**decay):
        generator, discriminator = players()
        weights_by_step = []
        adversarial(
            generator,
            discriminator,
            steps=6,
            every=1,
            ema_decay=0.0,  # the average is the generator itself
            measure=lambda step, ema: weights_by_step.append(weights(ema)) or {},
            **decay,
        )
        return weights_by_step

    constant, decayed = moved(), moved(decay_from=0.5)
    assert all(equal(a, b) for a, b in zip(constant[:5], decayed[:5]))  # rates fall after step 3, from 1 at step 3
    assert not equal(constant[5], decayed[5])

    def length(steps, k):
        return sum((steps[k + 1][name] - value).norm() for name, value in steps[k].items())

    assert length(decayed, 5) < 0.6 * length(decayed, 3)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1.1])
def test_the_start_of_the_decay_is_a_fraction(fraction):
    with pytest.raises(ValueError, match="fraction of the steps"):
        adversarial(*players(), decay_from=fraction)


def test_a_second_interrupt_stops_at_once_and_the_checkpoint_stays(tmp_path):
    file, calls = tmp_path / "g.safetensors", []

    def augment(batch, rng):
        calls.append(file.read_bytes() if file.exists() else None)
        if len(calls) == 10:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return batch

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        adversarial(*players(), augment=augment, checkpoint=file)
    assert len(calls) == 10 and file.read_bytes() == calls[9] is not None
    assert signal.getsignal(signal.SIGINT) is before


def test_a_finished_gan_comes_back_from_its_checkpoint(tmp_path):
    file = tmp_path / "g.safetensors"
    first = adversarial(*players(), checkpoint=file)
    again = adversarial(*players(seed=8), checkpoint=file)
    assert equal(state(first.model), state(again.model)) and same_history(first.history, again.history)


# --- two processes --------------------------------------------------------------------------------

SCRIPT = """
import hashlib, json, sys
import torch
from accelerate import Accelerator
from test_train import Generator, Discriminator, classifier, players, quadrants, shapes, weights
from helpers import train

rank, out = Accelerator().process_index, sys.argv[1]
torch.set_num_threads(1)

def digest(tensor):
    return hashlib.sha1(tensor.detach().cpu().contiguous().numpy().tobytes()).hexdigest()

def sums(model):
    return {name: digest(value) for name, value in weights(model).items()}

class Watch:
    def __init__(self):
        self.seen = []
    def __call__(self, batch, rng):
        self.seen.append(digest(batch))
        return batch

report = {"processes": Accelerator().num_processes}
for steps in (4, 8):           # the second time, from the checkpoint
    model, watch = classifier(seed=0), Watch()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    train.fit_classifier(model, optimizer, quadrants(), steps=steps, batch_size=8, every=2,
                         augment=watch, checkpoint=out + "/c.safetensors")
    (generator, discriminator), watch_gan = players(), Watch()
    result = train.fit_gan(generator, discriminator, train.gan_optimizers(generator, discriminator), shapes(),
                           steps=steps, batch_size=4, every=2, augment=watch_gan, r1_weight=1.0,
                           extra_loss=lambda d, rng: 0.01 * d.features(torch.zeros(1, 1, 32, 32)).sum(),
                           measure=lambda step, model: {"rank": rank}, checkpoint=out + "/g.safetensors")
    report[str(steps)] = {"classifier": sums(model), "generator": sums(generator), "discriminator": sums(discriminator),
                          "ema": sums(result.model), "batches": watch.seen, "gan_batches": watch_gan.seen,
                          "history": result.history}
# Validation accuracies that mean nothing, so that the best one is a matter of chance.
rng = torch.Generator().manual_seed(0)
validation = quadrants(400)._replace(images=torch.randint(0, 256, (400, 1, 8, 8), dtype=torch.uint8, generator=rng),
                                     labels=torch.randint(4, (400,), generator=rng))
model = classifier(seed=0)
optimizer = torch.optim.SGD(model.parameters(), 0.05)
train.fit_classifier(model, optimizer, quadrants(), validation, steps=24, batch_size=4, every=1, label=f"rank {rank}")
report["validated"] = sums(model)
from test_train import TwoParts, adapt, adda, linear
model = TwoParts()
adapt(model, optimizer=torch.optim.SGD(model.parameters(), 0.1), steps=4)
report["adapted"] = sums(model)
report["adda"] = sums(adda(model, quadrants().images, quadrants(40, seed=5).images, steps=4, rates=(1e-2, 1e-3)).model)
model = linear()
history = train.fit_classifier(model, torch.optim.SGD(model.parameters(), 0.1), quadrants(), steps=6, every=2).history
report["linear"] = [history["loss"], [p.tolist() for p in model.parameters()]]
# Validation fails in the first process: the second must hear of it.
try:
    model = linear()
    train.fit_classifier(model, torch.optim.SGD(model.parameters(), 0.1), quadrants(), steps=2, every=1,
                         measure=lambda step, model: {"x": 1 / 0})
except ZeroDivisionError:
    report["failed"] = True
# Ctrl-C in one process only.
import signal
def press(batch, rng):
    press.calls += 1
    if rank == 1 and press.calls == 3:
        signal.raise_signal(signal.SIGINT)
    return batch
press.calls = 0
model = linear()
try:
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    train.fit_classifier(model, optimizer, quadrants(), steps=400, every=100, augment=press)
except KeyboardInterrupt as stop:
    report["stopped"] = str(stop)
# A Fréchet distance within the loop.
from helpers import metrics
from helpers.models import DigitNetwork
torch.manual_seed(0)
network = DigitNetwork()
distance = metrics.fid_against(shapes(64, seed=9), network)
generator, discriminator = players()
result = train.fit_gan(generator, discriminator, train.gan_optimizers(generator, discriminator), shapes(), steps=4,
                       batch_size=4, every=2, measure=lambda step, model: {"fid": distance(metrics.sample(model, 64))})
report["fid"] = result.history["fid"]
report["alone"] = distance(metrics.sample(result.model, 64))
with open(f"{out}/{rank}.json", "w") as file:
    json.dump(report, file)
"""


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError as error:
        pytest.skip(f"no loopback network for two processes: {error}")
    folder = tmp_path_factory.mktemp("two")
    (folder / "script.py").write_text(SCRIPT)
    here = Path(__file__).parent
    environment = os.environ | {
        "ACCELERATE_USE_CPU": "true",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(here.parent), str(here), os.environ.get("PYTHONPATH", "")]),
    }
    environment.pop("TQDM_DISABLE", None)
    if sys.platform == "linux":
        environment["GLOO_SOCKET_IFNAME"] = "lo"  # where the host's own name does not resolve
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc_per_node",
        "2",
        "--master_addr",
        "127.0.0.1",
        "--master_port",
        str(port),
        str(folder / "script.py"),
        str(folder),
    ]
    with open(folder / "log", "w") as log:
        launcher = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            code = launcher.wait(timeout=300)
        finally:
            launcher.terminate()  # passed on to the two processes
            launcher.wait()
    assert code == 0, (folder / "log").read_text()[-3000:]
    reports = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]
    reports[0]["log"] = (folder / "log").read_text()
    assert [report["processes"] for report in reports] == [2, 2]
    return reports


@pytest.mark.parametrize("part", ["classifier", "generator", "discriminator", "ema"])
def test_two_processes_end_with_the_same_weights(two_processes, part):
    a, b = two_processes
    assert a["4"][part] == b["4"][part]
    assert a["8"][part] == b["8"][part] != a["4"][part]


@pytest.mark.parametrize("part", ["batches", "gan_batches"])
def test_two_processes_draw_different_batches(two_processes, part):
    a, b = (set(report["4"][part]) for report in two_processes)
    assert a and b and not a & b


@pytest.mark.parametrize("part", ["batches", "gan_batches"])
def test_two_processes_draw_different_batches_after_a_resume(two_processes, part):
    a, b = (set(report["8"][part]) for report in two_processes)
    assert a and b and not a & b


def test_two_processes_do_what_one_does_with_the_same_batches(two_processes):
    model = linear()  # no batch norm: its statistics are those of each process's share
    history = train.fit_classifier(
        model, torch.optim.SGD(model.parameters(), 0.1), quadrants(), steps=6, every=2
    ).history
    for report in two_processes:
        losses_of_both, parameters = report["linear"]
        assert losses_of_both == pytest.approx(history["loss"], rel=1e-5)
        for ours, theirs in zip(model.parameters(), parameters):
            torch.testing.assert_close(ours.detach().cpu(), torch.tensor(theirs), rtol=1e-4, atol=1e-6)


def test_only_the_first_process_measures_and_all_know_what(two_processes):
    a, b = (report["8"]["history"] for report in two_processes)
    assert a["rank"] == [0] * 5 and json.dumps(a) == json.dumps(b)


def test_a_distance_in_the_loop_is_the_same_in_both_and_waits_for_nobody(two_processes):
    a, b = two_processes
    assert a["fid"] == b["fid"] and a["alone"] == b["alone"] == pytest.approx(a["fid"][-1], rel=1e-4)


def test_what_fails_in_the_first_process_stops_both(two_processes):
    assert all(report["failed"] for report in two_processes)


def test_one_ctrl_c_stops_both_at_the_same_step(two_processes):
    a, b = (report["stopped"] for report in two_processes)
    assert a == b and "of 400" in a


def test_two_processes_agree_on_the_best_weights(two_processes):
    a, b = two_processes
    assert a["validated"] == b["validated"]


def test_two_processes_adapt_to_the_same_weights(two_processes):
    a, b = two_processes
    assert a["adapted"] == b["adapted"] and a["adda"] == b["adda"] != a["adapted"]


def test_only_the_first_process_shows_progress(two_processes):
    assert "rank 0:" in two_processes[0]["log"]
    assert "rank 1:" not in two_processes[0]["log"]


# --- one loop for all arms ----------------------------------------------------------------------


class WithLabels(nn.Module):
    """A player that takes labels and remembers them; the score or the grey of an image is a number for each label."""

    def __init__(self, makes_images):
        super().__init__()
        self.latent, self.makes_images, self.seen = 4, makes_images, []
        self.table = nn.Parameter(torch.zeros(3))

    def forward(self, x, y):
        self.seen.append(y.clone())
        value = self.table[y]
        return value.view(-1, 1, 1, 1).expand(-1, 1, 32, 32).tanh() if self.makes_images else value * x.mean((1, 2, 3))


def test_labels_reach_both_players_and_belong_to_the_images():
    labels = torch.arange(48) % 3
    images = (labels * 100).to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 32, 32).contiguous()
    generator, discriminator = WithLabels(True), WithLabels(False)
    seen = []

    def augment(batch, rng):
        seen.append(batch.detach().clone())
        return batch

    adversarial(generator, discriminator, images, steps=1, labels=labels, augment=augment)
    (made,) = generator.seen
    both, alone = discriminator.seen
    assert torch.equal(both, torch.cat([made, made])) and torch.equal(alone, made)
    assert torch.equal(((seen[0][:, 0, 0, 0] + 1) * 127.5).round().long() // 100, made)  # of the real images


def test_labels_must_be_as_many_as_images():
    with pytest.raises(ValueError, match=r"one label an image.*\(3,\).*48"):
        adversarial(*players(), labels=torch.zeros(3, dtype=torch.long))


def test_an_extra_loss_teaches_the_discriminator_and_not_the_generator():
    def trained(**options):
        pair = players()
        adversarial(*pair, steps=1, lr_discriminator=1e-2, **options)
        return [state(model) for model in pair]

    def push(discriminator, rng):
        assert isinstance(rng, torch.Generator)
        return 100 * discriminator.head.bias.sum()

    plain, pushed = trained(), trained(extra_loss=push)
    # Adam's first step goes against the larger gradient.
    assert pushed[1]["head.bias"] < 0 and plain[1]["head.bias"].abs() <= 0.0101
    unmoved = trained(extra_loss=lambda discriminator, rng: torch.zeros(()))
    assert all(torch.equal(a, b) for a, b in zip(plain[1].values(), unmoved[1].values()))


def test_another_generator_loss_replaces_the_usual_one():
    seen = []

    def loss(discriminator, real, fake):
        seen.append((real.detach().clone(), fake.detach().clone()))
        return (fake - 1).square().mean()  # white images, whatever the discriminator thinks

    generator, discriminator = players()
    result = adversarial(
        generator, discriminator, steps=60, lr_generator=3e-2, loss_generator=loss, ema_decay=0.0, every=60
    )
    assert seen[-1][1].mean() > 0.9 > seen[0][1].mean()
    assert result.history["loss_generator"][-1] < 1 and seen[0][0].shape == (4, 1, 32, 32)


# --- domain adaptation ----------------------------------------------------------------------------


class TwoParts(nn.Module):
    """A classifier in two parts, with batch norm in the body."""

    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 6))
        self.head = nn.Linear(6, 4)

    def features(self, x):
        return self.body(x)

    def forward(self, x):
        return self.head(self.features(x))


def means_apart(source, target, progress):
    return (source.mean(0) - target.mean(0)).square().sum()


def adapt(model, align=means_apart, target=None, **options):
    options = {"steps": 6, "batch_size": 8, "every": 2} | options
    optimizer = options.pop("optimizer", None) or torch.optim.Adam(model.parameters(), 1e-2)
    if align and target is None:
        target = quadrants(40, seed=5).images
    return train.fit_adapted(model, optimizer, options.pop("source", quadrants()), target, align, **options).history


def test_source_only_learns_and_ends_in_evaluation_mode():
    model = TwoParts()
    history = adapt(model, None, steps=60, every=20)
    assert history["step"] == [20, 40, 60] and history["alignment"] == [0, 0, 0]
    assert history["loss"][-1] < history["loss"][0] / 2 and not model.training


def test_the_alignment_pulls_the_domains_together():
    target = 255 - quadrants(80, seed=5).images
    gaps = []
    for align in (None, lambda *x: 5 * means_apart(*x)):
        model = TwoParts()
        adapt(model, align, target if align else None, steps=60)
        with torch.no_grad():
            gaps.append(means_apart(*(model.features(to_float(x)) for x in (quadrants().images, target)), 1).item())
    assert gaps[1] < gaps[0] / 2


def test_one_adapted_update_is_one_step_down_the_sum_of_both_losses():
    model = TwoParts()
    plain = copy.deepcopy(model).train()
    source, target = quadrants(), quadrants(40, seed=5).images
    adapt(model, means_apart, target, steps=1, optimizer=torch.optim.SGD(model.parameters(), 0.1), rng=3)
    generator = torch.Generator().manual_seed(3)
    index, other = (torch.randint(n, (8,), generator=generator) for n in (len(source.labels), len(target)))
    features = plain.features(to_float(source.images[index]))
    loss = F.cross_entropy(plain.head(features), source.labels[index])
    (loss + means_apart(features, plain.features(to_float(target[other])), 0)).backward()
    for after, before in zip(model.parameters(), plain.parameters()):
        torch.testing.assert_close(after.cpu(), before.detach() - 0.1 * before.grad)


def test_align_sees_the_progress_and_its_weights_learn():
    class Align(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.seen = nn.Parameter(torch.ones(1)), []

        def forward(self, source, target, progress):
            self.seen.append(progress)
            return (self.scale * source).square().mean()

    model, align = TwoParts(), Align()
    adapt(model, align, optimizer=torch.optim.SGD([*model.parameters(), *align.parameters()], 0.1), steps=4)
    assert align.seen == [0, 0.25, 0.5, 0.75] and align.scale.item() < 1


def test_measure_joins_the_adapted_history():
    history = adapt(TwoParts(), steps=5, measure=lambda step, model: {"twice": 2 * step})
    assert history["step"] == [2, 4, 5] and history["twice"] == [4, 8, 10]


@pytest.mark.parametrize("options", [{"steps": 0}, {"source": quadrants(0)}])
def test_adapting_wants_images_and_steps(options):
    with pytest.raises(ValueError, match="steps must be at least 1|0 images"):
        adapt(TwoParts(), **options)


def test_target_and_align_belong_together():
    with pytest.raises(ValueError, match="both or neither"):
        adapt(TwoParts(), None, quadrants().images)


def test_an_alignment_that_is_not_finite_stops():
    with pytest.raises(FloatingPointError, match="alignment became nan at step 0"):
        adapt(TwoParts(), lambda s, t, p: s.mean() * math.nan)


class Pressing:
    """`means_apart`; in the step number `at` Ctrl-C is pressed."""

    def __init__(self, at=None):
        self.at = at

    def __call__(self, source, target, progress):
        if self.at is not None and round(6 * progress) == self.at:
            signal.raise_signal(signal.SIGINT)
        return means_apart(source, target, progress)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_interrupted_adaptation_goes_on_bit_for_bit(tmp_path, at):
    def options(model):
        optimizer = torch.optim.Adam(model.parameters(), 1e-2)
        return {"optimizer": optimizer, "scheduler": torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 6)}

    file, first, second, whole = tmp_path / "a.safetensors", TwoParts(), TwoParts(seed=8), TwoParts()
    with pytest.raises(KeyboardInterrupt):
        adapt(first, Pressing(at), checkpoint=file, **options(first))
    history = adapt(second, Pressing(), checkpoint=file, **options(second))
    assert same_history(history, adapt(whole, **options(whole))) and equal(state(second), state(whole))


def test_each_domain_is_evaluated_with_its_own_statistics():
    source, target = quadrants(80), 255 - quadrants(80, seed=5).images
    model = TwoParts()
    adapt(model, target=target, source=source, steps=30)

    def means_before_the_norm(images):
        with torch.no_grad():
            return model.body[0](to_float(images)).mean((0, 2, 3))

    # The last one is dropped of 100, so 80 images are one batch: the statistics are exact.
    torch.testing.assert_close(model.body[1].running_mean, means_before_the_norm(target), rtol=1e-4, atol=1e-5)
    ours = train.adapt_statistics(model, source.images)
    torch.testing.assert_close(ours.body[1].running_mean, means_before_the_norm(source.images), rtol=1e-4, atol=1e-5)
    assert equal(weights(ours), weights(model)) and not ours.training
    torch.testing.assert_close(model.body[1].running_mean, means_before_the_norm(target), rtol=1e-4, atol=1e-5)


def test_adapted_statistics_do_not_depend_on_the_order_of_the_images():
    images, order = quadrants(200).images, torch.arange(200) % 4
    by_class = images[order.argsort()]
    batches = [train.adapt_statistics(classifier(), x, batch_size=20)[1].running_var for x in (images, by_class)]
    whole = train.adapt_statistics(classifier(), images, batch_size=200)[1].running_var
    for got in batches:
        torch.testing.assert_close(got, whole, rtol=0.05, atol=1e-4)


def test_adapted_statistics_leave_the_model_and_the_random_state_alone():
    model = nn.Sequential(nn.Dropout(0.5), nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    model[1].requires_grad_(False)
    model.train()
    before, drawn = state(model), torch.get_rng_state()
    adapted = train.adapt_statistics(model, quadrants(40).images)
    assert equal(state(model), before) and model.training and torch.equal(torch.get_rng_state(), drawn)
    assert [p.requires_grad for p in adapted.parameters()] == [p.requires_grad for p in model.parameters()]
    assert not torch.equal(adapted[2].running_mean, model[2].running_mean)


def test_measure_sees_the_network_of_the_target():
    target, seen = 255 - quadrants(80, seed=5).images, []

    def measure(step, model):
        seen.append((model.training, model.body[1].running_mean.clone()))
        return {}

    model = TwoParts()
    adapt(model, target=target, steps=4, measure=measure)
    torch.testing.assert_close(seen[-1][1], model.body[1].running_mean)
    assert [training for training, _ in seen] == [False, False]


# --- ADDA -----------------------------------------------------------------------------------------


def domain_discriminator(seed=1):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1), nn.Flatten(0))


def adda(model, source, target, discriminator=None, copied=None, rates=(1e-4, 1e-3), **options):
    copied, discriminator = copied or copy.deepcopy(model), discriminator or domain_discriminator()
    optimizers = tuple(
        torch.optim.Adam(part.parameters(), rate, (0.5, 0.99))
        for part, rate in zip((copied.body, discriminator), rates)
    )
    options = {"steps": 5, "batch_size": 8, "every": 2} | options
    return train.fit_adda(model, copied, discriminator, optimizers, source, target, **options)


def test_adda_moves_the_copys_body_and_nothing_else():
    model, source, target = TwoParts(), quadrants().images, 255 - quadrants(seed=5).images
    before = state(model)
    adapted, history = adda(model, source, target)
    assert equal(state(model), before) and not adapted.training
    assert equal(state(adapted.head), state(model.head)) and not equal(weights(adapted.body), weights(model.body))
    assert history["step"] == [2, 4, 5]
    assert len(history["loss_domain_discriminator"]) == len(history["loss_model"]) == 3


def test_adda_first_steps_the_discriminator_and_then_the_body_against_the_new_one():
    model, source, target = TwoParts(), quadrants().images, 255 - quadrants(seed=5).images
    ours, fixed, copied = domain_discriminator(), copy.deepcopy(model).eval(), copy.deepcopy(model).train()
    twin = copy.deepcopy(ours)
    adapted, _ = adda(model, source, target, ours, steps=1, rates=(1e-3, 1e-2), rng=3)
    generator = torch.Generator().manual_seed(3)
    x, y = (to_float(z[torch.randint(len(z), (8,), generator=generator)]) for z in (source, target))
    optimizer, fake = torch.optim.Adam(twin.parameters(), 1e-2, (0.5, 0.99)), copied.features(y)
    losses.discriminator_loss(twin(fixed.features(x)), twin(fake.detach())).backward()
    optimizer.step()
    for a, b in zip(ours.parameters(), twin.parameters()):
        torch.testing.assert_close(a.detach().cpu(), b.detach())
    losses.generator_loss(twin(fake)).backward()
    # The first step of Adam has the length of the rate, against the sign of the gradient.
    for after, p in zip(adapted.body.parameters(), copied.body.parameters()):
        clear = p.grad.abs() > 1e-4
        torch.testing.assert_close(
            (after.detach().cpu() - p.detach())[clear], -1e-3 * p.grad[clear].sign(), rtol=0.01, atol=1e-6
        )


def test_adda_leaves_the_targets_statistics():
    model, source, target = TwoParts(), quadrants(80).images, 255 - quadrants(80, seed=5).images
    adapted = adda(model, source, target).model
    with torch.no_grad():
        means = adapted.body[0](to_float(target)).mean((0, 2, 3))
    torch.testing.assert_close(adapted.body[1].running_mean, means, rtol=1e-4, atol=1e-5)


class InterruptingScores(nn.Linear):
    """A domain discriminator; in the forward pass number `at` Ctrl-C is pressed."""

    def __init__(self, at=None):
        torch.manual_seed(4)
        super().__init__(6, 1)
        self.at, self.calls = at, 0

    def forward(self, x):
        self.calls += 1
        if self.calls == self.at:
            signal.raise_signal(signal.SIGINT)
        return super().forward(x).flatten()


@pytest.mark.parametrize("at", [1, 8, 14])
def test_an_interrupted_adda_goes_on_bit_for_bit(tmp_path, at):
    source, target, file = quadrants().images, 255 - quadrants(seed=5).images, tmp_path / "a.safetensors"
    model = TwoParts()
    with pytest.raises(KeyboardInterrupt, match=str(file)):
        adda(model, source, target, InterruptingScores(at), checkpoint=file)
    again = adda(model, source, target, InterruptingScores(), TwoParts(seed=8), checkpoint=file)
    whole = adda(model, source, target, InterruptingScores())
    assert same_history(again.history, whole.history) and equal(state(again.model), state(whole.model))


@pytest.mark.parametrize("options", [{"steps": 0}, {"source": quadrants(0).images}, {"target": quadrants(0).images}])
def test_adda_wants_images_and_steps(options):
    options = {"source": quadrants().images, "target": quadrants().images} | options
    with pytest.raises(ValueError, match="steps must be at least 1|0 images"):
        adda(TwoParts(), options.pop("source"), options.pop("target"), **options)


def test_adda_wants_two_networks():
    model = TwoParts()
    with pytest.raises(ValueError, match="deepcopy"):
        adda(model, quadrants().images, quadrants().images, copied=model)
