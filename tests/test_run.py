"""The runner of the full-scale experiments: resumes, shares work, and never takes a half-finished run for a result."""

import json
from types import SimpleNamespace

import pytest

from helpers.experiments import run


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    """Two arms, two seeds; `calls` notes what was run."""
    monkeypatch.setattr(run, "results_dir", lambda: tmp_path / "results")
    calls = []

    def once(arm, seed):
        calls.append((arm, seed))
        return {"score": seed + len(arm)}

    return SimpleNamespace(
        NAME="toy",
        DATA="none",
        SETTINGS={"steps": 3, "rates": (1, 2)},
        runs=lambda: [{"arm": arm, "seed": seed} for seed in (0, 1) for arm in ("a", "bb")],
        run=once,
        calls=calls,
        __name__="helpers.experiments.toy",
    )


def test_all_runs_make_one_file_with_its_origin(experiment, tmp_path):
    path = run.execute(experiment, tmp_path / "runs")
    found = json.loads(path.read_text())
    assert [row["score"] for row in found["rows"]] == [1, 2, 2, 3]
    assert found["provenance"]["command"] == "python -m helpers.experiments.run toy"
    assert found["provenance"]["seeds"] == [0, 1] and found["settings"]["steps"] == 3


def test_an_interrupted_grid_goes_on_where_it_stopped(experiment, tmp_path):
    whole, once = experiment.calls, experiment.run

    def stops(arm, seed):
        if (arm, seed) == ("a", 1):
            raise KeyboardInterrupt
        return once(arm, seed)

    experiment.run = stops
    with pytest.raises(KeyboardInterrupt):
        run.execute(experiment, tmp_path / "runs")
    assert not (tmp_path / "results").exists()
    experiment.run = once
    assert run.execute(experiment, tmp_path / "runs").is_file()
    assert whole == [("a", 0), ("bb", 0), ("a", 1), ("bb", 1)]  # each once


def test_two_parts_share_the_work(experiment, tmp_path):
    assert run.execute(experiment, tmp_path / "runs", (1, 2)) is None
    assert experiment.calls == [("a", 0), ("a", 1)]
    path = run.execute(experiment, tmp_path / "runs", (2, 2))
    assert len(json.loads(path.read_text())["rows"]) == 4 and len(experiment.calls) == 4


def test_other_settings_or_a_damaged_file_are_run_again(experiment, tmp_path):
    run.execute(experiment, tmp_path / "runs")
    (tmp_path / "runs" / "toy" / "a_0.json").write_text('{"settings": ')
    run.execute(experiment, tmp_path / "runs")
    assert experiment.calls[4:] == [("a", 0)]
    experiment.SETTINGS["steps"] = 4
    run.execute(experiment, tmp_path / "runs")
    assert len(experiment.calls) == 9


def test_a_loop_that_was_stopped_is_no_result():
    run.require_finished({"step": [0, 5]}, 5)
    for history in ({"step": [0, 4]}, {"step": []}):
        with pytest.raises(KeyboardInterrupt):
            run.require_finished(history, 5)


def test_the_command_lists_runs_and_refuses_what_it_does_not_know(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(run, "FOLDER", tmp_path)
    assert run.main(["ch4_3", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 140 and all(line.startswith("missing") for line in lines)
    assert run.main(["ch9_9"]) == 1
    assert "ch4_3" in capsys.readouterr().err
    for part in ("0/2", "3/2", "half"):
        with pytest.raises(SystemExit):
            run.main(["ch4_3", "--part", part])
    assert "a part is written like 1/2" in capsys.readouterr().err
