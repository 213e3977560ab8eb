"""The grid runner on a Dask cluster, and on several processes for each run."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from test_run import ROOT, command, ended, output, start

from helpers.experiments import run

# Runs take a moment, so that a worker can be killed in one. `log.txt` lies in each worker's own folder.
TOY = """
import os
import time

import torch

NAME, DATA, SETTINGS = "toy", "none", {}


def runs():
    return [{"arm": arm, "seed": seed} for seed in range(6) for arm in ("a", "b")]


def run(arm, seed):
    for line in ("begun", "done"):
        with open("log.txt", "a") as log:
            log.write(f"{line} {arm} {seed}\\n")
        time.sleep(0.5)
    return {"score": seed + len(arm), "draw": torch.rand(1).item()}
"""

# One training for all processes: with a measure, a checkpoint, and a global batch that they share.
TRAINING = """
import torch
from accelerate import Accelerator
from torch import nn

from helpers import data, train

NAME, DATA, SETTINGS = "training", "noise", {}


def runs():
    return [{"arm": "only", "seed": seed} for seed in (0, 1)]


def run(arm, seed, checkpoint):
    images = torch.randint(256, (64, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    few = data.Dataset(images, torch.arange(64) % 4, tuple("abcd"))
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    result = train.fit_classifier(
        model, torch.optim.SGD(model.parameters(), 0.1), few, few, steps=12, rng=seed, every=4, checkpoint=checkpoint
    )
    found = {"loss": result.history["loss"], "accuracy": result.history["validation_accuracy"]}
    return found | {"processes": Accelerator().num_processes}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("toys").mkdir()
    Path("toys/__init__.py").touch()
    Path("toys/toy.py").write_text(TOY)
    Path("toys/training.py").write_text(TRAINING)
    return tmp_path


def dask(name: str, *arguments: str) -> None:
    """The program `dask scheduler` or `dask worker`, in a folder of its own."""
    from dask.__main__ import main

    Path(name).mkdir()
    os.chdir(name)
    out = os.open("output.txt", os.O_WRONLY | os.O_CREAT)
    os.dup2(out, 1), os.dup2(out, 2)
    sys.argv = ["dask", *arguments]
    main()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, *processes: BaseProcess, seconds: float = 120) -> None:
    """Wait until the condition holds; fail with what was printed where a process ends, or nothing happens, before."""
    began = time.monotonic()
    while not condition():
        codes = [process.exitcode for process in processes]
        if set(codes) != {None} or time.monotonic() - began > seconds:
            printed = "\n".join(f"--- {path}\n{path.read_text()[-2000:]}" for path in Path().rglob("output.txt"))
            pytest.fail(f"waited in vain; exit codes {codes}\n{printed}")
        time.sleep(0.02)


def says(name: str, words: str) -> bool:
    path = Path(name, "output.txt")
    return path.exists() and words in path.read_text()


@pytest.fixture
def scheduler(folder):
    pytest.importorskip("distributed", reason="Dask is not installed: pip install 'transfer-gan-book[grid]'")
    address = f"tcp://127.0.0.1:{free_port()}"
    port = address.rpartition(":")[2]
    process = start(dask, "scheduler", "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    until(lambda: says("scheduler", "Scheduler at"), process)
    yield address
    process.kill()
    process.join()


@pytest.fixture
def workers(scheduler):
    """Two workers: processes of one thread, each with a folder of its own."""
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
    both = {name: start(dask, name, "worker", scheduler, "--name", name, *options) for name in ("one", "two")}
    for name, worker in both.items():
        until(lambda name=name: says(name, "Registered to"), worker)
    yield both
    for worker in both.values():
        worker.kill()
        worker.join()


def log_of(*workers: str) -> list[str]:
    paths = [Path(worker, "log.txt") for worker in workers]
    return [line for path in paths if path.exists() for line in path.read_text().splitlines()]


def rows() -> list[dict]:
    return json.loads(Path("results/toy.json").read_text())["rows"]


@pytest.mark.slow
def test_a_killed_worker_loses_nothing_and_nothing_is_done_twice(scheduler, workers):
    process = start(command, "toys.toy", "--scheduler", scheduler)

    def between() -> bool:  # a run is in progress on two, and the rows of all that it ended have arrived
        ended_there = [line.split()[1:] for line in log_of("two")[:-1] if line.startswith("begun")]
        arrived = all(Path(f"runs/toy/{arm}_{seed}.json").exists() for arm, seed in ended_there)
        return len(ended_there) > 0 and arrived and log_of("two")[-1].startswith("begun")

    until(between, process, *workers.values())
    os.kill(workers["two"].pid, signal.SIGKILL)
    assert ended(process) == 0, output()

    found = rows()
    assert [(row["arm"], row["seed"]) for row in found] == [(arm, seed) for seed in range(6) for arm in "ab"]
    assert len(list(Path("runs/toy").iterdir())) == 12 and not Path("log.txt").exists()
    begun = Counter(line for line in log_of("one", "two") if line.startswith("begun"))
    lost = log_of("two")[-1]
    assert lost.startswith("begun") and begun.pop(lost) == 2  # the run in progress, once more on the other
    assert len(begun) == 11 and set(begun.values()) == {1}

    # One worker is left, and does all of it: not the command. The numbers are those of the seed, wherever a run is.
    before = len(log_of("one"))
    assert ended(start(command, "toys.toy", "--fresh", "--scheduler", scheduler)) == 0, output()
    assert rows() == found and not Path("log.txt").exists() and len(log_of("one")) == before + 24


@pytest.mark.slow
def test_an_interrupted_command_keeps_what_the_workers_finish(scheduler, workers):
    process = start(command, "toys.toy", "--scheduler", scheduler)
    until(lambda: log_of("one") and log_of("two"), process, *workers.values())
    os.kill(process.pid, signal.SIGINT)
    assert ended(process) == 130, output()
    assert not Path("results/toy.json").exists()
    kept = {path.name: path.read_bytes() for path in Path("runs/toy").iterdir()}
    assert 1 <= len(kept) == sum(line.startswith("begun") for line in log_of("one", "two")) < 12

    process = start(command, "toys.toy", "--scheduler", scheduler)
    until(lambda: len(list(Path("runs/toy").iterdir())) > len(kept), process)
    os.kill(process.pid, signal.SIGKILL)  # the workers' runs come to nothing, the files stay
    ended(process)
    kept |= {path.name: path.read_bytes() for path in Path("runs/toy").glob("*.json")}
    assert not Path("results/toy.json").exists()

    assert ended(start(command, "toys.toy", "--scheduler", scheduler)) == 0, output()
    assert len(rows()) == 12 and all(Path("runs/toy", name).read_bytes() == content for name, content in kept.items())


@pytest.mark.slow
def test_a_scheduler_without_workers_is_named(scheduler, monkeypatch):
    monkeypatch.setattr(run, "WAIT_FOR_WORKERS", 1)
    with pytest.raises(ConnectionError, match="has no worker: start some with `dask worker"), run.cluster(scheduler):
        pass


@pytest.mark.parametrize(
    "address, words",
    [
        (
            "tcp://127.0.0.1:{port}",
            "no Dask scheduler answers at tcp://127.0.0.1:{port}: start one with `dask scheduler`",
        ),
        ("127.0.0.1:{port}", "no Dask scheduler answers"),
        ("nonsense", "'nonsense' is no address of a scheduler, such as tcp://host:8786"),
        ("http://127.0.0.1:{port}", "is no address of a scheduler"),
    ],
)
def test_an_address_without_a_scheduler_is_named(monkeypatch, address, words):
    pytest.importorskip("distributed", reason="Dask is not installed: pip install 'transfer-gan-book[grid]'")
    port = free_port()
    monkeypatch.setattr(run, "CONNECT", 1)
    with pytest.raises((ConnectionError, ValueError)) as caught, run.cluster(address.format(port=port)):
        pass
    assert words.format(port=port) in str(caught.value)


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"pip install .*\[grid\]"), run.cluster("tcp://127.0.0.1:1"):
        pass


@pytest.mark.slow
def test_two_processes_do_one_training_together_and_write_once(folder):
    assert ended(start(command, "toys.training")) == 0, output()
    alone = json.loads(Path("results/training.json").read_text())["rows"]

    Path("go.py").write_text("from test_run import command\n\ncommand('toys.training', '--fresh')\n")
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(ROOT / "tests"), str(ROOT)])
    if sys.platform == "linux":
        environment["GLOO_SOCKET_IFNAME"] = "lo"  # where the host's own name does not resolve
    # On CPUs `accelerate launch` wants MPI; PyTorch's launcher sets the same variables.
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_addr", "127.0.0.1"]
    both = subprocess.run(
        [*launch, "--master_port", str(free_port()), "go.py"], env=environment, capture_output=True, text=True
    )
    assert both.returncode == 0, both.stderr[-3000:]
    together = json.loads(Path("results/training.json").read_text())["rows"]
    assert [(row["seed"], row["processes"]) for row in together] == [(0, 2), (1, 2)]
    for one, two in zip(alone, together):
        assert two["loss"] == pytest.approx(one["loss"], rel=1e-4) and two["accuracy"] == one["accuracy"]
    assert len(list(Path("runs/training").iterdir())) == 2  # no checkpoint left
    assert both.stdout.count("profile quick") == 2 and both.stdout.count("wrote results") == 1
