"""What the book's experiments choose and measure by; no training."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from helpers import data, metrics
from helpers.experiments import ch1_1_linear as linear
from helpers.experiments import ch3_1_cleaning as cleaning
from helpers.experiments import ch3_1_recurrent as recurrent
from helpers.experiments import ch4_3_few_images as few_images
from helpers.experiments import ch4_3_photographs as photographs
from helpers.experiments import ch4_5_domains as domains
from helpers.experiments import ch4_5_domains_trials as domain_trials
from helpers.experiments import ch5_2_sources as sources


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("module, key", [(few_images, "validation_fid"), (photographs, "validation_kid")])
def test_the_lowest_validation_distance_chooses_the_rates_and_an_edge_is_told(module, key):
    choose = module.best_rates if module is few_images else module.chosen
    first, *inner, last = module.CANDIDATES
    values = {first: 3.0, inner[1]: 1.0, last: None}  # None: its losses became infinite
    rows = [{"arm": "a", "lr_generator": g, "lr_discriminator": d, key: values.get((g, d), 2.0)}
            for g, d in module.CANDIDATES]  # fmt: skip
    assert choose(rows) == {"a": {"rates": list(inner[1]), "on the edge": False}}
    for row in rows:
        if (row["lr_generator"], row["lr_discriminator"]) == first:
            row[key] = 0.5
    assert choose(rows)["a"] == {"rates": list(first), "on the edge": True}


def domain_rows(best):
    """Trials whose score is 0.5, and 0.9 for the candidate `best` of each arm."""
    rows = domain_trials.runs()
    for row in rows:
        numbers = {key: row[key] for key in row.keys() - {"arm", "pair", "seed"}}
        row["score"] = 0.9 if best.get(row["arm"]) == numbers else 0.5
    return rows


def test_the_mean_over_the_pairs_chooses_an_arms_candidate():
    best = {arm: candidates[1] for arm, candidates in domains.CANDIDATES.items()}
    found = domains.chosen(domain_rows(best))
    assert {arm: one["candidate"] for arm, one in found.items()} == best
    assert not any(one["tied"] for one in found.values())
    assert not found["DANN"]["on the edge"]
    rows = domain_rows(best)
    for row in rows:  # better on one pair, worse on the other
        if row["arm"] == "DANN" and row["rate"] == 1e-2:
            row["score"] = 1.0 if row["pair"] == domain_trials.PAIRS[0] else 0.1
    assert domains.chosen(rows)["DANN"]["candidate"] == best["DANN"]
    equal = domains.chosen([row | {"score": 0.5} for row in rows])
    assert all(one["tied"] and one["candidate"] == domains.CANDIDATES[arm][0] for arm, one in equal.items())


def test_a_number_that_was_not_varied_is_no_edge():
    best = {"CORAL": {"rate": 3e-3, "weight": 1e2}}
    assert not domains.chosen(domain_rows(best))["CORAL"]["on the edge"]
    assert domains.chosen(domain_rows({"CORAL": {"rate": 3e-2, "weight": 1e3}}))["CORAL"]["on the edge"]


def test_arms_without_anything_to_adapt_are_scored_by_what_they_learn():
    measured = {"validation_accuracy": 0.8, "information": math.log(10) / 2}
    assert domains.score("source only", measured) == domains.score("target", measured) == 0.8
    assert domains.score("AdaBN", measured) == pytest.approx(0.4) == domains.score("ADDA", measured)


def test_every_aligning_arm_is_tried_on_two_pairs_with_equally_many_candidates():
    runs = domain_trials.runs()
    assert len({len(candidates) for candidates in domains.CANDIDATES.values()}) == 1
    for arm in domains.ARMS:
        assert len({run["pair"] for run in runs if run["arm"] == arm}) == (1 if arm == "source only" else 2)
    assert {run["seed"] for run in runs}.isdisjoint(domains.SEEDS)


def test_dense_neighbourhoods_have_more_neighbours():
    # Two tight groups of sure answers, against answers that all differ.
    sure = nn.functional.one_hot(torch.arange(100) % 2, 10) * 20.0
    spread = normal(100, 10) * 5
    assert domains.neighbourhood_density(sure) == pytest.approx(math.log(49), abs=0.01)
    assert domains.neighbourhood_density(spread) < domains.neighbourhood_density(sure)


def test_distances_of_features_are_those_of_the_metrics():
    class Given(nn.Module):
        """The features are the pixels."""

        def features(self, x):
            return 3 * x.flatten(1)[:, :6]

    images = [torch.randint(0, 256, (60, 1, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(s))
              for s in (0, 1)]  # fmt: skip
    images[1] //= 2
    real, fake = (metrics.features(Given(), x) for x in images)
    found = photographs.distances(real, fake)
    assert found["fid"] == pytest.approx(metrics.fid_against(images[0], Given())(images[1]), abs=2e-3)
    assert found["kid"] == pytest.approx(metrics.kid(*images, Given(), subsets=1, subset_size=60)[0], abs=2e-3)
    assert abs(photographs.distances(real, real)["fid"]) < 1e-3


def test_copies_are_told_from_good_and_from_poor_fakes():
    drawn = normal((1 + few_images.NULLS) * 50, 4)  # the first 50 are those that the generator saw
    real = normal(400, 4, seed=1)
    good = few_images.copy_test(normal(400, 4, seed=2), real, drawn)
    assert good["copies"] == pytest.approx(0.05, abs=0.04) and good["nearer_seen"] == pytest.approx(0.5, abs=0.07)
    some = torch.cat([drawn[:50].repeat(2, 1), normal(300, 4, seed=2)])  # a quarter are copies
    found = few_images.copy_test(some, real, drawn)
    assert found["copies"] > max(found["copies_null"]) + 0.15 and found["nearer_seen"] > 0.58
    assert few_images.copy_test(normal(400, 4, seed=2) + 50, real, drawn)["copies"] == 0


def test_statistics_of_untrained_weights_leave_no_grey():
    from helpers.models import Generator

    torch.manual_seed(0)
    generator = Generator()
    grey = metrics.sample(generator, 20).float().std()
    few_images.measure_statistics(generator)
    assert metrics.sample(generator, 20).float().std() > 5 * grey


def test_the_same_weights_have_the_same_name():
    torch.manual_seed(0)
    one, other = nn.Linear(2, 2), nn.Linear(2, 2)
    assert few_images.weights_of(one) != few_images.weights_of(other)
    other.load_state_dict(one.state_dict())
    assert few_images.weights_of(one) == few_images.weights_of(other)


@pytest.mark.parametrize("channels", [1, 3])
def test_samples_are_saved_in_their_order(tmp_path, channels):
    images = torch.arange(16, dtype=torch.uint8).view(16, 1, 1, 1).expand(16, channels, 2, 2)
    few_images.save_tiles(images.repeat(4, 1, 1, 1), tmp_path / "new" / "a.png")
    with Image.open(tmp_path / "new" / "a.png") as picture:
        drawn = torch.from_numpy(np.array(picture.convert("RGB")))
    assert drawn.shape == (16, 16, 3) and (drawn[:4:2, ::2, 0].flatten() == torch.arange(16)).all()


# --- sources of chapter 5.2 --------------------------------------------------------------------


def test_random_labels_stand_on_the_images_of_their_control():
    control, random = (sources.images_of(name, seed=3) for name in ("1,000 letters", "random labels"))
    assert control.images.equal(random.images) and len(control.labels) == 1_000
    assert (control.labels == random.labels).float().mean() < 0.1 and random.labels.unique().numel() == 26


def test_the_mean_over_the_seeds_chooses_a_sources_rates():
    rows = [{"source": "a", "validation": [0.5, 0.9, 0.6, 0.1]}, {"source": "a", "validation": [0.9, 0.4, 0.9, 0.1]}]
    rows += [{"source": "b", "validation": [0.5, 0.5, 0.5, 0.5]}]
    assert sources.chosen(rows) == {"a": 2, "b": 0}


def test_scrambling_moves_pixels_alike_in_all_images():
    images = torch.arange(2 * 1024, dtype=torch.int64).view(2, 1, 32, 32)
    moved = sources.scramble(images)
    assert not moved.equal(images) and (moved[1] - moved[0] == 1024).all()
    assert moved[0].flatten().sort().values.equal(images[0].flatten())


# --- wrong labels, and a linear model's weights ------------------------------------------------


def test_a_share_of_the_labels_becomes_wrong_and_nothing_else():
    clean = data.Dataset(torch.zeros(50, 1, 32, 32, dtype=torch.uint8), torch.arange(50) % 10, tuple("0123456789"))
    dirty, wrong = cleaning.spoiled(clean, 0.2, seed=3)
    assert wrong.sum() == 10 and torch.equal(dirty.labels != clean.labels, wrong)
    assert dirty.labels.min() >= 0 and dirty.labels.max() <= 9
    assert torch.equal(cleaning.spoiled(clean, 0.2, seed=3)[0].labels, dirty.labels)
    same, none = cleaning.spoiled(clean, 0.0, seed=3)
    assert torch.equal(same.labels, clean.labels) and not none.any()


def test_suspect_is_an_image_of_which_another_class_is_sure():
    labels = np.array([0, 0, 0, 1, 1, 1])
    of_one = np.array([0.1, 0.2, 0.9, 0.8, 0.9, 0.7])  # thresholds: 0.6 for class 0, 0.8 for class 1
    assert cleaning.suspects(np.stack([1 - of_one, of_one], 1), labels).tolist() == [False, False, True] + 3 * [False]


def test_the_out_of_fold_classifier_doubts_planted_errors():
    labels = np.arange(100) % 2
    features = normal(100, 5).numpy() + 3 * labels[:, None]
    given = labels.copy()
    given[:6] = 1 - given[:6]
    found = cleaning.suspects(cleaning.probabilities(features, given), given)
    assert found[:6].mean() >= 0.5 and found[6:].mean() < 0.1


def test_a_strong_penalty_leaves_a_linear_model_where_it_pulls_to_and_a_weak_one_fits():
    few = data.Dataset((normal(20, 1, 32, 32) > 0).to(torch.uint8) * 255, torch.arange(20) % 10, tuple("0123456789"))
    towards = 0.1 * normal(1025, 10, seed=1)
    assert torch.allclose(linear.fit(few, 1e4, towards), towards, atol=1e-3)
    assert linear.accuracy(linear.fit(few, 1e-4, towards), few) == 1.0


def test_a_network_reads_rows_in_their_order():
    torch.manual_seed(0)
    reader, x = recurrent.RowReader(10), normal(3, 1, 32, 32)
    assert reader(x).shape == (3, 10) and not torch.allclose(reader(x), reader(x.flip(2)))
