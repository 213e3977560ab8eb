"""The runner of the full-scale experiments: keeps what is finished, mixes nothing, takes nothing half for a result."""

import importlib
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load as load_tensors

from helpers.experiments import run

ROOT = Path(__file__).parent.parent
# How often a command is interrupted or killed at a random moment; ten before a release.
MOMENTS = int(os.environ.get("BOOK_MOMENTS", 2))

TOY = '''
"""Two arms, two seeds; `log.txt` notes what was run, in which process."""
import os
import random
from pathlib import Path

from toys import {name}_part

NAME, DATA, SETTINGS = "toy", "none", {{"steps": 3, "rates": (1, 2)}}
FAILS: set = set()


def runs():
    return [{{"arm": arm, "seed": seed}} for seed in (0, 1) for arm in ("a", "b/b")]


def run(arm, seed):
    """Notes the call."""
    with open("log.txt", "a") as log:
        log.write(f"{{arm}} {{seed}} {{os.getpid()}}\\n")
    if (arm, seed) in FAILS:
        raise KeyboardInterrupt if Path("interrupt").exists() else FloatingPointError("the loss became nan")
    return {{"score": seed + len(arm), "draw": random.random(), "pair": {name}_part.pair()}}
'''

# A real training, tiny but long enough to be interrupted, with a checkpoint.
TRAINING = """
from functools import partial

import torch
from torch import nn

from helpers import data, train

NAME, DATA, SETTINGS = "training", "noise", {"steps": 400}


def runs():
    return [{"arm": arm, "seed": seed} for seed in (0, 1) for arm in ("wide", "narrow")]


def run(arm, seed, checkpoint):
    images = torch.randint(256, (64, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    few = data.Dataset(images, torch.arange(64) % 4, tuple("abcd"))
    width = 64 if arm == "wide" else 8
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Dropout(0.2), nn.ReLU(), nn.Linear(width, 4))
    result = train.fit_classifier(
        model,
        torch.optim.Adam(model.parameters()),
        few,
        steps=SETTINGS["steps"],
        rng=seed,
        every=20,
        checkpoint=checkpoint,
    )
    return {"loss": result.history["loss"], "weights": float(sum(p.abs().sum() for p in model.parameters()))}
"""


def write_toy(folder: Path, name: str, text: str = TOY) -> None:
    (folder / "toys").mkdir(exist_ok=True)
    (folder / "toys" / "__init__.py").touch()
    (folder / "toys" / f"{name}.py").write_text(text.format(name=name) if text is TOY else text)
    (folder / "toys" / f"{name}_part.py").write_text("def pair():\n    return 2\n")


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The name of an experiment in a package of its own; the test runs in its folder."""
    write_toy(tmp_path, "toy")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    monkeypatch.setattr(run, "results_dir", lambda: tmp_path / "results")
    yield "toys.toy"
    for name in [name for name in sys.modules if name.partition(".")[0] == "toys"]:
        del sys.modules[name]


def calls() -> list[str]:
    return [line.rpartition(" ")[0] for line in Path("log.txt").read_text().splitlines()]


def results(name: str = "toy") -> dict:
    return json.loads(Path("results", f"{name}.json").read_text())


# --- what comes out ----------------------------------------------------------------------------


def test_all_runs_make_one_file_with_its_origin(toy):
    path = run.execute(toy)
    assert path == Path.cwd() / "results" / "toy.json"
    found = results()
    assert [row["score"] for row in found["rows"]] == [1, 3, 2, 4]
    assert [(row["arm"], row["seed"]) for row in found["rows"]] == [("a", 0), ("b/b", 0), ("a", 1), ("b/b", 1)]
    assert found["settings"] == {"steps": 3, "rates": [1, 2]}
    about = found["provenance"]
    assert about["command"] == "python -m helpers.experiments.run toys.toy"
    assert about["seeds"] == [0, 1] and about["data"] == "none" and about["device"] and about["versions"]["torch"]
    assert set(about["code"]) == {"toys.toy", "toys.toy_part"}


def test_every_run_starts_from_its_own_seed(toy):
    run.execute(toy)
    rows = results()["rows"]
    assert rows[0]["draw"] == rows[1]["draw"] != rows[2]["draw"] == rows[3]["draw"]


def test_several_jobs_give_the_rows_of_one(toy):
    run.execute(toy)
    alone = results()["rows"]
    run.move_aside(Path("runs/toy"))
    Path("log.txt").unlink()
    run.execute(toy, jobs=2)
    assert results()["rows"] == alone
    assert sorted(calls()) == ["a 0", "a 1", "b/b 0", "b/b 1"]
    assert str(os.getpid()) not in Path("log.txt").read_text()
    assert results()["provenance"]["device"] == "cpu, 1 threads"


def test_the_first_seeds_alone_and_the_others_later(toy):
    assert run.main(["toys.toy", "--seeds", "1"]) == 0
    first = json.loads(Path("results/toy.json").read_text())
    assert [row["seed"] for row in first["rows"]] == [0, 0] and first["provenance"]["seeds"] == [0]
    assert run.main(["toys.toy"]) == 0
    both = json.loads(Path("results/toy.json").read_text())
    assert both["rows"][:2] == first["rows"] and [row["seed"] for row in both["rows"]] == [0, 0, 1, 1]
    assert len(Path("log.txt").read_text().splitlines()) == 4  # nothing was done twice
    assert run.main(["toys.toy", "--seeds", "1"]) == 1  # all seeds are not replaced by one
    assert json.loads(Path("results/toy.json").read_text()) == both


def test_some_runs_are_skipped_and_can_be_added_later(toy):
    assert run.main(["toys.toy", "--skip", "a_1", "--skip", "b*_0"]) == 0
    found = results()
    assert [(row["arm"], row["seed"]) for row in found["rows"]] == [("a", 0), ("b/b", 1)]
    assert found["provenance"]["skipped"] == ["a_1", "b*_0"]
    assert run.main(["toys.toy", "--skip", "a_1"]) == 0
    assert len(results()["rows"]) == 3
    assert run.main(["toys.toy", "--skip", "b*_0"]) == 1  # what is there is not replaced by a part
    assert run.main(["toys.toy"]) == 0
    assert len(results()["rows"]) == 4 and "skipped" not in results()["provenance"]
    assert sorted(calls()) == ["a 0", "a 1", "b/b 0", "b/b 1"]  # nothing was done twice


def test_rows_become_a_table():
    rows = [{"arm": arm, "n": n, "seed": s, "x": 10 * n + s} for s in (0, 1) for n in (1, 5) for arm in "ab"]
    assert run.table(rows, "arm", "n", value="x") == {"a": {1: [10, 11], 5: [50, 51]}, "b": {1: [10, 11], 5: [50, 51]}}


def test_the_books_experiments_have_distinct_runs_and_know_their_code():
    names = ["ch4_1_grid", "ch4_1_imagenet", "ch4_3", "ch4_4_features", "ch4_4_generated", "ch4_4_semi", "ch4_5"]
    names += [
        f"{name}_trials" for name in ("ch4_1_photographs", "ch4_3_few_images", "ch4_3_photographs", "ch4_5_domains")
    ]
    sizes = [len(run.files_of(run.load(name))) for name in names]
    assert sizes == [120, 27, 140, 25, 25, 30, 95, 28, 72, 20, 91]
    code = run.fingerprint(run.load("ch4_4_features"))
    assert {"helpers.train", "helpers.loop", "helpers.models.gan", "helpers.experiments.ch4_4_semi"} <= set(code)
    assert not {"helpers.runtime", "helpers.experiments.run", "helpers.experiments.ch4_5"} & set(code)


# --- nothing is done twice, nothing is lost ----------------------------------------------------


def test_an_interrupted_grid_goes_on_where_it_stopped(toy):
    module = run.load(toy)
    module.FAILS.add(("a", 1))
    Path("interrupt").touch()
    with pytest.raises(KeyboardInterrupt):
        run.execute(toy)
    assert not Path("results/toy.json").exists()
    module.FAILS.clear()
    run.execute(toy)
    assert calls() == ["a 0", "b/b 0", "a 1", "a 1", "b/b 1"]
    before = Path("results/toy.json").read_bytes()
    run.execute(toy)
    assert len(calls()) == 5 and Path("results/toy.json").read_bytes() == before


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failed_run_is_named_and_the_others_are_kept(toy, jobs):
    text = Path("toys/toy.py").read_text()
    Path("toys/toy.py").write_text(text.replace("FAILS: set = set()", 'FAILS = {("b/b", 1)}'))
    with pytest.raises(RuntimeError, match="'arm': 'b/b', 'seed': 1.*failed: FloatingPointError: the loss became nan"):
        run.execute(toy, jobs=jobs)
    assert not Path("results/toy.json").exists()
    assert {path.stem for path in Path("runs/toy").glob("*.json")} >= {"a_0", "b-b_0"}


@pytest.mark.parametrize("damage", ["", '{"settings": ', "[1]", '{"row": 1}', "\x00\xff", "of another run"])
def test_a_damaged_file_is_named_moved_aside_and_done_again(toy, damage, capsys):
    run.execute(toy)
    before, path = results(), Path("runs/toy/a_0.json")
    path.write_text(Path("runs/toy/a_1.json").read_text() if damage == "of another run" else damage)
    assert run.main([toy, "--list"]) == 0
    assert "damaged {'arm': 'a', 'seed': 0}" in capsys.readouterr().out
    run.execute(toy)
    assert "a_0.json is damaged" in capsys.readouterr().err
    assert len(list(Path("runs/toy").glob("a_0.json.damaged-*"))) == 1
    assert calls()[4:] == ["a 0"] and results()["rows"] == before["rows"]


# --- nothing is mixed --------------------------------------------------------------------------


def change(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))
    for name in [name for name in sys.modules if name.startswith("toys")]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.mark.parametrize(
    "path, old, new, words",
    [
        ("toys/toy.py", '"steps": 3', '"steps": 4', "setting steps: 3 in the files, 4 now"),
        ("toys/toy.py", '"rates": (1, 2)', '"rates": (1, 3)', r"setting rates: \[1, 2\] in the files, \[1, 3\] now"),
        ("toys/toy.py", ', "rates": (1, 2)', "", r"setting rates: \[1, 2\] in the files, none now"),
        ("toys/toy.py", '"steps": 3', '"steps": 3, "new": 1', "setting new: none in the files, 1 now"),
        ("toys/toy.py", "seed + len(arm)", "seed - len(arm)", r"code: changed in toys.toy$"),
        ("toys/toy_part.py", "return 2", "return 3", r"code: changed in toys.toy_part$"),
    ],
)
def test_other_settings_or_other_code_are_refused_in_words(toy, path, old, new, words):
    run.execute(toy)
    Path("runs/toy/a_0.json").unlink()
    before = Path("results/toy.json").read_bytes()
    change(path, old, new)
    with pytest.raises(ValueError, match=f"(?ms){words}.*not mixed.*run toys.toy --fresh"):
        run.execute(toy)
    assert len(calls()) == 4 and Path("results/toy.json").read_bytes() == before
    run.execute(toy, fresh=True)
    assert len(calls()) == 8
    assert len(list(next(Path("runs").glob("toy.old-*")).glob("*.json"))) == 3  # moved, not deleted


@pytest.mark.parametrize(
    "old, new",
    [
        ('"""Notes the call."""', '"""Another docstring."""'),
        ('"""Notes the call."""', "# only a comment"),
        ("FAILS: set = set()", "FAILS: set  =  set()  # spaces\n\n"),
    ],
)
def test_comments_docstrings_and_layout_are_no_other_code(toy, old, new):
    run.execute(toy)
    change("toys/toy.py", old, new)
    run.execute(toy)
    assert len(calls()) == 4


def test_the_code_s_fingerprint_is_the_same_in_all_versions_of_python(toy, tmp_path, monkeypatch):
    """Python 3.12 unparses the f-strings otherwise than 3.11, and adds fields to functions; runs move between them."""
    code = """
def run(arm: str, *rest, seed=0) -> dict:
    name = f"{arm!r:>8} {seed:.{2}f}" f' and "{rest}"'
    return {"a": [x for x in rest if x], **{name: 1e-3, "é": ...}}
"""
    write_toy(tmp_path, "fixed", code)
    monkeypatch.setattr(run, "fingerprint", run.fingerprint.__wrapped__)
    assert run.fingerprint(SimpleNamespace(__name__="toys.fixed")) == {"toys.fixed": "3b8fd3d8cc0dc843"}


def test_files_that_do_not_say_which_code_made_them_are_refused(toy):
    run.execute(toy)
    for path in Path("runs/toy").glob("*.json"):
        path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "code"}))
    with pytest.raises(ValueError, match="do not say which code made them"):
        run.execute(toy)


def test_a_worker_with_other_code_refuses(toy):
    experiment = run.load(toy)
    code = run.fingerprint(experiment) | {"toys.toy": "0" * 16}
    with pytest.raises(RuntimeError, match="other code .*toys.toy.* install the same version"):
        run.one_run(toy, "a_0", {"arm": "a", "seed": 0}, code)
    assert not Path("log.txt").exists()


def test_a_checkpoint_of_other_settings_is_not_continued(tmp_path, monkeypatch):
    write_toy(tmp_path, "training", TRAINING.replace("result = train", "print(checkpoint)\n    result = train"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    experiment, seen = run.load("toys.training"), []
    monkeypatch.setattr(experiment, "run", lambda arm, seed, checkpoint: seen.append(checkpoint) or {})
    one = {"arm": "wide", "seed": 0}
    for steps in (400, 401, 400):
        experiment.SETTINGS["steps"] = steps
        run.one_run("toys.training", "wide_0", one, run.fingerprint(experiment))
    assert seen[0] == seen[2] != seen[1] and seen[0].parent == Path("runs/training")
    for name in ("toys", "toys.training"):
        del sys.modules[name]


# --- how long it takes -------------------------------------------------------------------------


def test_what_is_left_is_estimated_from_runs_of_the_same_kind():
    files = {f"{arm}_{s}": {"arm": arm, "seed": s} for s in (0, 1, 2) for arm in ("slow", "fast")}
    done = {"slow_0": {"seconds": 100.0}, "fast_0": {"seconds": 10.0}}
    assert run.seconds_left(files, done) == pytest.approx(220)
    assert run.seconds_left(files, done, jobs=2) == pytest.approx(110)
    assert run.seconds_left(files, {"slow_0": {"seconds": 100.0}}) == pytest.approx(500)
    assert run.seconds_left(files, done, jobs=100) == pytest.approx(100)  # one run is not shared
    assert run.seconds_left(files, {}) is None
    assert run.in_words(12_000, 2) == "about 3 h 20 min left at 2 jobs"
    assert run.in_words(600, 1) == "about 10 min left at 1 job"
    assert run.in_words(3, 1) == "less than a minute left at 1 job"


def test_the_list_says_what_is_finished_what_is_other_and_how_long_it_takes(toy, capsys):
    run.execute(toy)
    Path("runs/toy/a_0.json").unlink()
    assert run.main([toy, "--list", "--jobs", "2"]) == 0
    out = capsys.readouterr().out
    assert "missing {'arm': 'a', 'seed': 0}" in out and out.count("\ndone ") == 3
    assert "3 of 4 runs are finished; less than a minute left at 2 jobs" in out
    change("toys/toy.py", '"steps": 3', '"steps": 4')
    assert run.main([toy, "--list"]) == 0
    out = capsys.readouterr().out
    assert out.count("\nother ") == 3 and "setting steps: 3 in the files, 4 now" in out and len(calls()) == 4


# --- bad input ---------------------------------------------------------------------------------


def without(part: str):
    def spoil():
        Path("toys/toy.py").write_text(Path("toys/toy.py").read_text().replace(part, part[:-1] + "_"))

    return spoil


def replaced(old: str, new: str):
    def spoil():
        Path("toys/toy.py").write_text(Path("toys/toy.py").read_text().replace(old, new))

    return spoil


def as_file(name: str):
    return lambda: Path(name).write_text("a file, no folder")


BAD = [
    (["ch9_9"], None, 1, "unknown experiment 'ch9_9': choose one of ch1_1_linear, "),
    (["digit_network"], None, 1, "unknown experiment 'digit_network'"),
    (["run"], None, 1, "unknown experiment 'run'"),
    (["nowhere.toy"], None, 1, "'nowhere.toy' cannot be imported: No module named 'nowhere'"),
    (["json.decoder"], None, 1, "json.decoder is no experiment, it lacks NAME, DATA, SETTINGS, runs, run"),
    (["toys.toy"], without("DATA"), 1, "toys.toy is no experiment, it lacks DATA"),
    (["toys.toy"], replaced("return [{", "return [] and [{"), 1, "toys.toy has no runs"),
    (["toys.toy"], replaced('("a", "b/b")', '("a", "a")'), 1, "two runs are the same"),
    (["toys.toy"], replaced('"seed": seed}', '"of": seed}'), 1, "a run needs a seed, an integer from 0 on, got {"),
    (["toys.toy"], replaced("in (0, 1)", "in (0, -1)"), 1, "a run needs a seed"),
    (["toys.toy"], replaced("in (0, 1)", 'in (0, "1")'), 1, "a run needs a seed"),
    (["toys.toy", "--jobs", "0"], None, 2, "an integer from 1 on is needed, got '0'"),
    (["toys.toy", "--jobs", "-1"], None, 2, "expected one argument|got '-1'"),
    (["toys.toy", "--jobs", "1.5"], None, 2, "got '1.5'"),
    (["toys.toy", "--jobs", "two"], None, 2, "got 'two'"),
    (["toys.toy", "--jobs"], None, 2, "expected one argument"),
    (["toys.toy", "--jobs", "2", "--scheduler", "tcp://127.0.0.1:1"], None, 2, "not allowed with"),
    (["toys.toy", "--seeds", "0"], None, 2, "--seeds: an integer from 1 on is needed, got '0'"),
    (["toys.toy", "--seeds", "1"], replaced("in (0, 1)", "in (1, 2)"), 1, "toys.toy has no runs of seeds below 1"),
    (["toys.toy", "--skip", "c*"], None, 1, "--skip 'c\\*' fits no run: their names are such as a_0"),
    (["toys.toy", "--skip", "*"], None, 1, "toys.toy has no runs that are not skipped"),
    (["toys.toy", "--fresh", "--list"], None, 2, "not allowed with"),
    (["toys.toy", "--part", "1/2"], None, 2, "unrecognized arguments: --part 1/2"),
    ([], None, 2, "the following arguments are required: experiment"),
    (["toys.toy"], as_file("runs"), 1, "cannot write to runs .*start in a folder that you may write to"),
    (["toys.toy"], as_file("results"), 1, "cannot write to .*results"),
]


@pytest.mark.parametrize("arguments, spoil, code, words", BAD)
def test_bad_input_is_named_before_anything_is_trained(toy, arguments, spoil, code, words, capsys):
    if spoil:
        spoil()
    try:
        assert run.main(arguments) == code
    except SystemExit as stopped:  # argparse
        assert stopped.code == code
    assert re.search(words, capsys.readouterr().err, re.S)
    assert not Path("log.txt").exists() and not Path("results/toy.json").exists()


@pytest.mark.parametrize("answer", ["None", "[1]", '{"score": object()}', "{1, 2}"])
def test_a_run_that_measures_nothing_that_can_be_kept_fails_by_name(toy, answer):
    replaced("return {", f"return {answer}\n    return {{")()
    with pytest.raises(RuntimeError, match="'arm': 'a', 'seed': 0.*failed: TypeError"):
        run.execute(toy)
    assert not list(Path("runs").rglob("*.json"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named(toy):
    Path("runs").mkdir(mode=0o500)
    with pytest.raises(OSError, match="cannot write to runs"):
        run.execute(toy)


def test_several_devices_for_each_run_and_several_runs_at_a_time_exclude_each_other(toy, monkeypatch):
    monkeypatch.setattr(run, "Accelerator", lambda: SimpleNamespace(num_processes=2, is_main_process=True))
    for options in ({"jobs": 2}, {"scheduler": "tcp://127.0.0.1:1"}):
        with pytest.raises(ValueError, match="leave out --jobs and --scheduler"):
            run.execute(toy, **options)


# --- interrupted and killed, at random moments -------------------------------------------------


def start(target: Callable, *arguments: Any) -> BaseProcess:
    """Run a function of this module in a new process of the working folder; its output goes to output.txt there."""
    # PyTorch and the book are imported once, and every process is a fork of that one.
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["helpers.experiments.run", "helpers.experiments.ch4_4_features", "scipy.stats"])
    process = server.Process(target=in_folder, args=(os.getcwd(), target, *arguments))
    process.start()
    return process


def in_folder(folder: str, target: Callable, *arguments: Any) -> None:
    os.chdir(folder)
    sys.path.insert(0, folder)
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, str(ROOT)])  # for its own children
    os.environ["TQDM_DISABLE"] = "1"
    out = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1), os.dup2(out, 2)
    os.setsid()  # a terminal of its own, to send a signal to all of it, as a key press does
    Path("begun").touch()
    target(*arguments)


def command(*arguments: str) -> None:
    """What `python -m helpers.experiments.run` does, with the results in the working folder."""
    run.results_dir = lambda: Path("results")
    sys.exit(run.main(list(arguments)))


def ended(process: BaseProcess, seconds: float = 300) -> int | None:
    process.join(seconds)
    return process.exitcode


def output() -> str:
    return Path("output.txt").read_text()[-3000:]


def wait_for(pattern: str, process: BaseProcess) -> None:
    while not list(Path().glob(pattern)) and process.exitcode is None:
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind, jobs", [("SIGINT", "1"), ("SIGTERM", "1"), ("SIGKILL", "1"), ("SIGINT", "2"), ("SIGKILL", "2")]
)
def test_a_grid_survives_being_stopped_at_random_moments(tmp_path, monkeypatch, kind, jobs):
    write_toy(tmp_path, "training", TRAINING)
    monkeypatch.chdir(tmp_path)
    Path("results").mkdir()
    committed = Path("results/training.json")
    began = time.monotonic()
    assert ended(start(command, "toys.training")) == 0, output()
    took = time.monotonic() - began
    whole = json.loads(committed.read_text())
    run.move_aside(Path("runs/training"))
    committed.write_text("committed")

    draw, number, codes = random.Random(kind + jobs), getattr(signal, kind), []
    for _ in range(MOMENTS):
        Path("begun").unlink()
        process = start(command, "toys.training", "--jobs", jobs)
        wait_for("begun" if codes else "runs/training/*.checkpoint.*", process)
        time.sleep(draw.uniform(0, took / 2))
        known = {path: path.read_bytes() for path in Path("runs/training").glob("*.json")}
        with suppress(ProcessLookupError):  # it was quicker
            # Ctrl-C goes to the whole group, kill to the command alone.
            os.killpg(process.pid, number) if kind == "SIGINT" else os.kill(process.pid, number)
        codes.append(ended(process))
        if codes[-1] == 0:  # once more from the start
            assert json.loads(committed.read_text())["rows"] == whole["rows"]
            shutil.rmtree("runs")
            committed.write_text("committed")
            continue
        assert committed.read_text() == "committed"
        assert all(path.read_bytes() == content for path, content in known.items())
        for path in Path("runs/training").glob("*.json"):
            assert json.loads(path.read_text())["row"]["loss"]
    # 130 is the command's own; a signal's number, or Python's 1, where it had not yet come to listen.
    assert set(codes) <= {0, 1, 130, -number} and (kind == "SIGKILL" or codes[0] in (0, 130)), (codes, output())

    assert ended(start(command, "toys.training", "--jobs", jobs)) == 0, output()
    found = json.loads(committed.read_text())
    assert found["rows"] == whole["rows"] and found["provenance"]["code"] == whole["provenance"]["code"]
    assert not list(Path("runs/training").glob("*.checkpoint.*"))


STUBBORN = """
import time

NAME, DATA, SETTINGS = "stubborn", "none", {}


def runs():
    return [{"seed": seed} for seed in (0, 1)]


def run(seed):
    open(f"begun_{seed}", "w")
    while True:  # a step that takes long
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            open(f"told_{seed}", "w")
"""


@pytest.mark.slow
def test_a_second_interrupt_stops_at_once(tmp_path, monkeypatch):
    write_toy(tmp_path, "stubborn", STUBBORN)
    monkeypatch.chdir(tmp_path)
    process = start(command, "toys.stubborn", "--jobs", "2")
    for mark in ("begun_0", "begun_1"):
        wait_for(mark, process)
    os.kill(process.pid, signal.SIGINT)
    for mark in ("told_0", "told_1"):  # the command hands it on, once
        wait_for(mark, process)
    time.sleep(1)
    assert process.exitcode is None, output()
    os.kill(process.pid, signal.SIGINT)
    assert ended(process) == 130 and "Ctrl-C again stops at once" in output()
    assert not list(Path("runs").rglob("*.json")) and not Path("results/stubborn.json").exists()


# --- the commands that make weights ------------------------------------------------------------

MAKERS = {
    "digit_network": ({"STEPS": 60, "BATCH": 16}, ["digit-network"]),
    "pretrain_letters": ({"STEPS": 60, "BATCH": 8}, ["resnet18-letters"]),
    "gan_pairs": ({"STEPS": 20}, ["pair-letters", "pair-fashion"]),
    "mnist_discriminator": ({"STEPS": 40}, ["mnist-discriminator"]),
    "mnist_generator": ({"STEPS": 15, "SAMPLES": 50}, ["mnist-generator"]),
}


def make_weights(name: str) -> None:
    """A weight-making command with few steps and images, in the working folder."""
    from helpers import data, models

    load, typeset = data.load, data.typeset

    def small(name: str, split: str = "train") -> data.Dataset:
        few = load("letters" if name == "letters" else "mnist-5k", split)
        return few.select(torch.arange(0, len(few.labels), 8))

    data.load, data.typeset = small, lambda n, seed=0: typeset(n=200, seed=seed)
    module = importlib.import_module(f"helpers.experiments.{name}")
    for constant, value in MAKERS[name][0].items():
        setattr(module, constant, value)
    module.WEIGHTS = Path("weights")
    if name == "mnist_generator":
        module.digit_network = lambda device: models.DigitNetwork().to(device)
    module.main()


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_no_committed_weights_are_replaced_by_an_unfinished_run(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    files = [Path("weights", f"{file}.safetensors") for file in MAKERS[name][1]]
    sums = Path("weights/checksums.json")
    began = time.monotonic()
    assert ended(start(make_weights, name)) == 0, output()
    took = time.monotonic() - began
    whole = [load_tensors(path.read_bytes()) for path in files]  # not mapped: the files change below

    def commit() -> None:
        for path in files:
            path.write_bytes(b"committed")
        sums.write_text('{"other": "sum"}')

    def require_same() -> None:
        for path, tensors in zip(files, whole):
            found = load_tensors(path.read_bytes())
            assert found.keys() == tensors.keys() and all(found[key].equal(tensors[key]) for key in tensors)
        assert json.loads(sums.read_text()).keys() == {"other", *(path.name for path in files)}
        assert not list(Path().glob("*.checkpoint.*"))

    commit()

    draw, stopped = random.Random(name), []
    for number in (signal.SIGINT, signal.SIGKILL) * max(1, MOMENTS // 2):
        Path("begun").unlink()
        process = start(make_weights, name)
        wait_for("begun", process)
        time.sleep(draw.uniform(0, took / 3))
        os.kill(process.pid, number)
        stopped.append(ended(process))
        if stopped[-1] == 0:  # once more from the start
            require_same()
            commit()
            continue
        if len(files) == 1:
            assert sums.read_text() == '{"other": "sum"}'
        else:  # the first of two is complete when the second is made
            assert files[0].read_bytes() == b"committed" or load_tensors(files[0].read_bytes())
        assert files[-1].read_bytes() == b"committed", output()
    assert stopped[0] != 0, "nothing was interrupted: give it more steps"
    assert ended(start(make_weights, name)) == 0, output()
    require_same()
