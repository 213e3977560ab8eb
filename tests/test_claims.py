"""A claim holds or raises, prints one line, and records what it printed; only a finding can decide a statement."""

import json
import math

import numpy as np
import pytest
import torch

from helpers.book.claims import demonstration, finding, marked
from helpers.metrics import Interval, interval95
from helpers.runtime import results_dir

SOME_RESULT = sorted(results_dir().glob("*.json"))[0].stem


def exact(measured, relation, bound, **more):
    finding("X-a", "a sentence", measured, relation, bound, rests_on="exact", **more)


@pytest.mark.parametrize(
    ("measured", "relation", "bound", "line"),
    [
        (0.43911, ">", 0.37, "⟨0.439⟩ > 0.37"),
        (Interval(0.43911, 0.0621), ">", 0.37, "⟨0.439 ± 0.062⟩ > 0.37"),
        (Interval(-0.0004, 0.0621), "<", 0.1, "⟨0.000 ± 0.062⟩ < 0.1"),
        (Interval(12.93, 2.41), "<", 20, "⟨12.9 ± 2.4⟩ < 20"),
        (Interval(1302, 240), "<", 2000, "⟨1302 ± 240⟩ < 2000"),
        (Interval(0.07, 0.0701), "<", 1, "⟨0.070 ± 0.070⟩ < 1"),
        (Interval(1, 0), ">=", 1, "⟨1 ± 0⟩ >= 1"),
        (Interval(0.5, 0.0996), ">", 0, "⟨0.50 ± 0.10⟩ > 0"),
        (8, ">=", 8, "⟨8⟩ >= 8"),
        (45_000, ">", 1_000, "⟨45000⟩ > 1000"),
        (999.7, "<", 1_200.5, "⟨1000⟩ < 1200.5"),
        (2.558e-21, "<", 1e-6, "⟨2.56e-21⟩ < 1e-06"),
        (6.65e9, ">", 1e9, "⟨6.65e+09⟩ > 1e+09"),
        (-0.0, "<=", 0, "⟨0⟩ <= 0"),
        (torch.tensor(0.25), "<", 1, "⟨0.25⟩ < 1"),
        (np.float32(0.25), "<", 1, "⟨0.25⟩ < 1"),
        (np.int64(3), "<", 4, "⟨3⟩ < 4"),
    ],
)
def test_one_line_is_printed(capsys, measured, relation, bound, line):
    exact(measured, relation, bound)
    demonstration("X-b", "a sentence", measured, relation, bound)
    assert capsys.readouterr().out == f"✓ X-a: a sentence {line}\n✓ X-b: a sentence {line}\n"


def test_the_margin_stands_apart_from_the_bound(capsys):
    exact(0.4, ">", 0.3, margin=0.05)
    exact(0.2, "<", 0.3, margin=0.05)
    assert capsys.readouterr().out.splitlines() == [
        "✓ X-a: a sentence ⟨0.4⟩ > 0.3, margin 0.05",
        "✓ X-a: a sentence ⟨0.2⟩ < 0.3, margin 0.05",
    ]
    for measured, relation in ((0.34, ">"), (0.26, "<"), (0.34, ">="), (0.26, "<=")):
        exact(measured, relation, 0.3)
        with pytest.raises(AssertionError, match="margin 0.05"):
            exact(measured, relation, 0.3, margin=0.05)


@pytest.mark.parametrize(("relation", "bound"), [(">", 1.5), (">=", 1.5), ("<", 2.5), ("<=", 2.5)])
def test_of_a_finding_the_whole_interval_must_meet_the_bound_and_of_a_demonstration_the_mean(relation, bound):
    narrow, wide = Interval(2.0, 0.4), Interval(2.0, 0.6)
    exact(narrow, relation, bound)
    with pytest.raises(AssertionError, match="2.00 ± 0.60"):
        exact(wide, relation, bound)
    demonstration("X-b", "a sentence", wide, relation, bound)
    beyond = 1.4 if relation[0] == ">" else 2.6
    with pytest.raises(AssertionError, match=f"{beyond:.2f} ± 0.60"):
        demonstration("X-b", "a sentence", Interval(beyond, 0.6), relation, bound)


def test_strict_and_not_strict_differ_at_the_bound():
    exact(0.3, ">=", 0.3)
    exact(0.3, "<=", 0.3)
    for relation in (">", "<"):
        with pytest.raises(AssertionError):
            exact(0.3, relation, 0.3)


def test_interval95_is_taken_as_it_comes(capsys):
    exact(interval95([0.1, 0.2, 0.3]), ">", -0.1)
    assert "⟨0.20 ± 0.25⟩" in capsys.readouterr().out


def test_what_fails_gives_both_sides_and_records_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BOOK_CLAIMS", str(tmp_path / "claims.jsonl"))
    with pytest.raises(AssertionError, match=r"X-c does not hold: two is less than one .*⟨2⟩, needed < 1"):
        demonstration("X-c", "two is less than one", 2, "<", 1)
    assert not (tmp_path / "claims.jsonl").exists()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("error", "match", "arguments"),
    [
        (ValueError, "unknown relation", (1, "=", 1)),
        (ValueError, "not finite", (math.nan, "<", 1)),
        (ValueError, "not finite", (math.inf, ">", 1)),
        (ValueError, "not finite", (Interval(1.0, math.nan), ">", 0)),
        (TypeError, "plain assert", (True, ">=", 1)),
        (TypeError, "interval95", ([1.0, 2.0], ">", 0)),
        (TypeError, "interval95", ((1.0, 0.1), ">", 0)),
        (TypeError, "one number", (torch.ones(2), ">", 0)),
        (TypeError, "one number", (np.ones(2), ">", 0)),
        (TypeError, "one number", ("1", ">", 0)),
        (TypeError, "fixed beforehand", (1, ">", torch.tensor(0.5))),
        (TypeError, "fixed beforehand", (1, ">", np.float64(0.5))),
        (TypeError, "fixed beforehand", (1, ">", Interval(0.5, 0.1))),
        (ValueError, "finite", (1, "<", math.inf)),
    ],
)
def test_bad_arguments(error, match, arguments):
    with pytest.raises(error, match=match):
        exact(*arguments)
    with pytest.raises(error, match="X-b"):
        demonstration("X-b", "a sentence", *arguments)


def test_bad_margins_and_sentences():
    with pytest.raises(ValueError, match="margin is -1"):
        exact(1, ">", 0, margin=-1)
    with pytest.raises(TypeError, match="margin must be a plain number"):
        exact(1, ">", 0, margin=torch.tensor(0.1))
    for sentence in ("it is " + marked(0.3), "two\nlines"):
        with pytest.raises(ValueError, match="mark"):
            demonstration("X-b", sentence, 1, ">", 0)


def test_a_finding_rests_on_something_that_exists():
    finding("X-a", "a sentence", 1, ">", 0, rests_on=SOME_RESULT)
    with pytest.raises(ValueError, match=rf"no such file: give 'exact' or one of .*{SOME_RESULT}"):
        finding("X-a", "a sentence", 1, ">", 0, rests_on="9-9-nothing")
    with pytest.raises(TypeError):
        finding("X-a", "a sentence", 1, ">", 0)
    with pytest.raises(TypeError):
        demonstration("X-a", "a sentence", 1, ">", 0, decides="1.1.1-1")


def test_what_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_CLAIMS", str(tmp_path / "claims.jsonl"))
    value = Interval(0.43911, 0.0621)
    finding("X-a", "größer", value, ">", 0.3, margin=0.05, rests_on=SOME_RESULT, decides="1.1.1-1")
    demonstration("X-b", "one", 1, "<", 2, about="1.2-1")
    first, second = map(json.loads, (tmp_path / "claims.jsonl").read_text(encoding="utf-8").splitlines())
    numbers = {"measured": "0.439", "half": "0.062", "relation": ">", "bound": 0.3, "margin": 0.05}
    said = {"kind": "finding", "name": "X-a", "sentence": "größer"}
    assert first == {**said, **numbers, "rests_on": SOME_RESULT, "decides": "1.1.1-1"}
    numbers = {"measured": "1", "half": None, "relation": "<", "bound": 2, "margin": 0.0}
    assert second == {"kind": "demonstration", "name": "X-b", "sentence": "one", **numbers, "about": "1.2-1"}


def test_marked():
    assert marked(0.98123) == "⟨0.981⟩"
    assert marked(Interval(0.98123, 0.0123)) == "⟨0.981 ± 0.012⟩"
    assert marked(torch.tensor(7)) == "⟨7⟩"
    with pytest.raises(ValueError, match="not finite"):
        marked(math.nan)
    with pytest.raises(TypeError, match="one number"):
        marked("0.3")
