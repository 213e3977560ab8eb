"""Run a chapter's experiment at full scale: ``python -m helpers.experiments.run ch4_3 --jobs 2``.

An experiment is a module of this package, or one of your own by its dotted name, with

- ``NAME``: of the results file, ``DATA``: what it was measured on, ``SETTINGS``: what all runs share;
- ``runs()``: a list of dicts, one a run: arm, size, seed ...; each has a seed;
- ``run(**one)``: a dict of measured values. Where it takes ``checkpoint``, a path, a long run can go on from that file.

Every finished run is a file in ``runs/NAME``, written as soon as the run ends. An interrupted command loses at most the
runs in progress: start it again, and it does what is missing. The last run is followed by ``results/NAME.json``; an
unfinished grid writes none. Ctrl-C lets the step in progress finish; a second one stops at once.

--jobs 2
    that many runs at a time on this machine, one thread each.
--seeds 3
    only the first three seeds, and a results file of these; the same command with more adds what is missing. A file of
    more runs is not replaced.
--skip "fashion_25_*"
    without the runs whose file's name fits the pattern; may be given several times. The results file names them.
--scheduler tcp://host:8786
    on the workers of a Dask cluster: ``pip install "transfer-gan-book[grid]"`` and this book's package on each
    machine, then ``dask scheduler`` on one and ``dask worker tcp://host:8786 --nthreads 1`` on all. No shared disk is
    needed. A worker that dies loses the run in progress only: another one does it again. After Ctrl-C the runs in
    progress are waited for, and kept.
``accelerate launch -m helpers.experiments.run ch4_3``
    several devices for each run.

A file also holds the settings and a fingerprint of the code that made it. Files of other settings or other code are
refused: ``--fresh`` moves them aside.
"""

import argparse
import ast
import fnmatch
import hashlib
import importlib
import importlib.util
import inspect
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from tqdm.auto import tqdm

from helpers.loop import SAME_KEY_PRESS
from helpers.runtime import provenance, require_counts, results_dir, seed_everything, start, write_json

FOLDER = Path("runs")
# What may change without a run's numbers changing.
NO_METHOD = ("helpers.experiments.run", "helpers.runtime", "helpers.book")
# The runs as they end: name of the file and its content, None where the run was interrupted.
Found = Generator[tuple[str, dict | None], None, None]
CONNECT = 10  # seconds to reach a scheduler
WAIT_FOR_WORKERS = 60  # seconds


# --- an experiment -----------------------------------------------------------------------------


def load(name: str) -> ModuleType:
    """The experiment's module: of this package, or any by its dotted name.

    Raises
    ------
    ValueError
        There is no such experiment (the message lists the book's), or the module is none.
    """
    here = Path(__file__).parent.glob("*.py")
    known = sorted(path.stem for path in here if "\ndef runs(" in path.read_text(encoding="utf-8"))
    if "." not in name and name not in known:
        raise ValueError(f"unknown experiment {name!r}: choose one of {', '.join(known)}, or give a dotted module name")
    try:
        module = importlib.import_module(name if "." in name else f"helpers.experiments.{name}")
    except ModuleNotFoundError as error:
        raise ValueError(f"experiment {name!r} cannot be imported: {error}") from error
    lacking = [part for part in ("NAME", "DATA", "SETTINGS", "runs", "run") if not hasattr(module, part)]
    if lacking:
        raise ValueError(
            f"{module.__name__} is no experiment, it lacks {', '.join(lacking)}: see run.py for what it needs"
        )
    return module


def files_of(experiment: ModuleType, seeds: int | None = None, skip: Sequence[str] = ()) -> dict[str, dict]:
    """The runs by the name of their file, in the experiment's order.

    seeds : those of seed 0 to `seeds` − 1 only. skip : without the files that fit one of these patterns.
    Raises ValueError where there are none, one is no dict of JSON values or lacks a seed, two have the same values, or
    a pattern fits none.
    """
    files: dict[str, dict] = {}
    for one in experiment.runs():
        if not isinstance(one, dict):
            raise ValueError(f"{experiment.__name__}: a run is a dict such as {{'arm': 'a', 'seed': 0}}, got {one!r}")
        if type(one.get("seed")) is not int or one["seed"] < 0:
            raise ValueError(f"{experiment.__name__}: a run needs a seed, an integer from 0 on, got {one}")
        if seeds is not None and one["seed"] >= seeds:
            continue
        file = "_".join(str(value) for value in one.values()).replace("/", "-")
        if file in files:
            raise ValueError(f"{experiment.__name__}: two runs are the same, {files[file]} and {one}")
        try:
            files[file] = _as_json(one)
        except TypeError as error:
            raise ValueError(
                f"{experiment.__name__}: the run {one} holds something else than numbers and text ({error}): use "
                ".item() or .tolist() on tensors and arrays"
            ) from error
    for pattern in skip:
        if not fnmatch.filter(files, pattern):
            some = ", ".join(list(files)[:3])
            raise ValueError(f"--skip {pattern!r} fits no run: their names are such as {some} (see --list)")
    skipped = {file for pattern in skip for file in fnmatch.filter(files, pattern)}
    files = {file: one for file, one in files.items() if file not in skipped}
    if not files:
        raise ValueError(
            f"{experiment.__name__} has no runs"
            + (f" of seeds below {seeds}" if seeds else "")
            + (" that are not skipped" if skip else "")
        )
    return files


@cache  # what this process has imported: an edit while it runs changes nothing for it
def fingerprint(experiment: ModuleType) -> dict[str, str]:
    """The modules that make the numbers, and a hash of the code of each; comments, docstrings and layout do not count.

    These are the experiment's own module and what it imports of this book or of its own package, directly or not.
    """
    packages = ("helpers.", experiment.__name__.partition(".")[0] + ".")
    waiting, code = [experiment.__name__], {}
    while waiting:
        name = waiting.pop()
        source = _source(name)
        if name in code or source is None or name.startswith(NO_METHOD):
            continue
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                base = importlib.util.resolve_name("." * node.level + (node.module or ""), name.rpartition(".")[0])
                waiting += [
                    found for a in node.names for found in (base, f"{base}.{a.name}") if found.startswith(packages)
                ]
            elif isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names if alias.name.startswith(packages)]
            elif isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
        code[name] = hashlib.sha256(repr(_content(tree)).encode()).hexdigest()[:16]
    return dict(sorted(code.items()))


def _content(node: Any) -> Any:
    """A syntax tree as nested lists, alike in all versions of Python: neither `ast.dump` nor `ast.unparse` is."""
    if isinstance(node, ast.AST):
        fields = [(name, _content(value)) for name, value in ast.iter_fields(node) if value is not None and value != []]
        return [type(node).__name__, fields]
    return [_content(value) for value in node] if isinstance(node, list) else node


def _source(module: str) -> str | None:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # `from helpers.data import load`: helpers.data.load is no module
        return None
    return Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else None


# --- the files of the finished runs ------------------------------------------------------------


def read_run(path: Path, one: dict) -> dict | None:
    """What a finished run left, or None where there is no file.

    Raises ValueError where the file is damaged or belongs to another run.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        row = found["row"]
        if {"settings", "seconds"} <= found.keys() and row | one == row:
            return found
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ValueError(f"{path} is damaged, or not the file of this run")


def differences(found: dict, settings: dict, code: dict[str, str]) -> list[str]:
    """In what a finished run differs from the settings and the code of today, in words."""
    old, new = found["settings"], _as_json(settings)
    words = [
        f"setting {key}: {_shown(old, key)} in the files, {_shown(new, key)} now"
        for key in [*old, *(new.keys() - old.keys())]
        if key not in old or key not in new or old[key] != new[key]
    ]
    return words + _other_code(found.get("code"), code)


def _other_code(old: dict[str, str] | None, new: dict[str, str]) -> list[str]:
    if old is None:
        return ["code: the files do not say which code made them"]
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return [f"code: changed in {', '.join(changed)}"] if changed else []


def _shown(settings: dict, key: str) -> str:
    return json.dumps(settings[key], ensure_ascii=False) if key in settings else "none"


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def finished(experiment: ModuleType, name: str, files: dict[str, dict]) -> dict[str, dict]:
    """Those of `files` that are finished, by their names. Damaged files are moved aside, and count as missing.

    Raises ValueError where a file was made with other settings or other code.
    """
    code, done = fingerprint(experiment), {}
    other: dict[str, None] = {}  # in order, each once
    for file, one in files.items():
        path = FOLDER / experiment.NAME / f"{file}.json"
        try:
            found = read_run(path, one)
        except ValueError as error:
            aside = path.replace(path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"))
            print(f"{error}: moved to {aside.name}, and the run is done again", file=sys.stderr)
            continue
        if found:
            done[file] = found
            other |= dict.fromkeys(differences(found, experiment.SETTINGS, code))
    if other:
        raise ValueError(
            f"{FOLDER / experiment.NAME} holds {len(done)} finished runs, and not all were made like those that are "
            "missing:\n  " + "\n  ".join(other) + "\nRuns of different settings or code are not mixed. Go back to the "
            "settings and the code that made them, or move them aside and start afresh: "
            f"python -m helpers.experiments.run {name} --fresh"
        )
    return done


def move_aside(folder: Path) -> None:
    """Rename a folder of finished runs to NAME.old-<time>."""
    if folder.exists():
        print("moved to", folder.rename(folder.with_name(f"{folder.name}.old-{time.strftime('%Y%m%d-%H%M%S')}")))


def require_writable(*folders: Path) -> None:
    """Raise OSError now and not after hours of training, where a folder cannot be written to."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise OSError(
                f"cannot write to {folder} ({error.strerror}): start in a folder that you may write to"
            ) from error


# --- how long it takes -------------------------------------------------------------------------


def seconds_left(files: dict[str, dict], done: dict[str, dict], jobs: int = 1) -> float | None:
    """An estimate for the missing runs; None while no run is finished.

    A missing run takes as long as the finished ones that differ from it by the seed alone, else as the average one.
    """

    def kind(one: dict) -> str:
        return json.dumps({key: value for key, value in one.items() if key != "seed"}, sort_keys=True)

    if not done:
        return None
    known: dict[str, list[float]] = {}
    for file, found in done.items():
        known.setdefault(kind(files[file]), []).append(found["seconds"])
    usual = [found["seconds"] for found in done.values()]
    each = [known.get(kind(one), usual) for file, one in files.items() if file not in done]
    means = [sum(values) / len(values) for values in each]
    return max(sum(means) / jobs, max(means, default=0.0))


def in_words(seconds: float | None, jobs: int) -> str:
    """ "about 3 h 20 min left at 2 jobs"."""
    if seconds is None:
        return "no run has finished yet, so nothing is known about the time"
    minutes = round(seconds / 60)
    about = f"about {minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"about {minutes} min"
    return f"{about if minutes else 'less than a minute'} left at {jobs} job{'s' if jobs > 1 else ''}"


# --- doing the runs ----------------------------------------------------------------------------

_ONE_AT_A_TIME = threading.Lock()  # a Dask worker may have several threads, PyTorch's random numbers are one for all


def one_run(name: str, file: str, one: dict, code: dict[str, str], stop: str | None = None) -> tuple[str, dict | None]:
    """Do one run, here or on a worker; its file's name and content, or None where it was interrupted.

    Raises
    ------
    RuntimeError
        The run failed (the cause is attached), or this machine has other code than the one that asks.
    """
    with _ONE_AT_A_TIME:
        if stop and _told_to_stop(stop):
            return file, None
        experiment = load(name)
        if changed := _other_code(code, fingerprint(experiment)):
            raise RuntimeError(
                f"this worker has other code ({'; '.join(changed)}): install the same version everywhere"
            )
        extra = {}
        if "checkpoint" in inspect.signature(experiment.run).parameters:
            # Of these settings and this code: another one must not go on from it.
            made_by = hashlib.sha256(json.dumps([_as_json(experiment.SETTINGS), code]).encode()).hexdigest()[:8]
            extra = {"checkpoint": FOLDER / experiment.NAME / f"{file}.{made_by}.checkpoint.safetensors"}
        began = time.time()
        try:
            seed_everything(one["seed"])
            row = one | _as_json(experiment.run(**one, **extra))
        except Exception as error:
            raise RuntimeError(f"the run {one} failed: {type(error).__name__}: {error}") from error
        seconds = time.time() - began
        about = provenance(f"python -m helpers.experiments.run {name}", seconds, experiment.DATA, [one["seed"]])
        for path in extra.values():
            if Accelerator().is_main_process:
                for left in (path, *path.parent.glob(f".{path.name}.*")):  # what was killed while it was written
                    left.unlink(missing_ok=True)
        settings = _as_json(experiment.SETTINGS)
        return file, {"settings": settings, "code": code, "seconds": seconds, "row": row, "provenance": about}


def _interruptible(*arguments: Any) -> tuple[str, dict | RuntimeError | None]:
    """`one_run` in a worker of joblib, which ignores Ctrl-C where it has no run. A failure is returned."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return one_run(*arguments)
    except KeyboardInterrupt:
        return arguments[1], None
    except RuntimeError as error:  # as a value: raised here, it would drop what the other jobs are about to finish
        error.add_note(traceback.format_exc())
        return arguments[1], error
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _as_worker(parent: int) -> None:
    """Called once in each worker of joblib."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setpgrp()  # Ctrl-C reaches the command alone, which hands it on once
    os.environ["TQDM_DISABLE"] = "1"

    def follow() -> None:  # a run must not outlive a command that was killed: the next command starts it anew
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _told_to_stop(stop: str) -> bool:
    from distributed import Event

    os.environ["TQDM_DISABLE"] = "1"
    return Event(stop).is_set()


@contextmanager
def _interrupts(tell: Callable[[], None]) -> Iterator[list]:
    """The first Ctrl-C joins the list and calls `tell`; a second one stops at once."""
    seen: list[float] = []

    def note(number, frame):
        if seen:
            if time.monotonic() - seen[0] > SAME_KEY_PRESS:
                raise KeyboardInterrupt
            return
        seen.append(time.monotonic())
        print("\ninterrupted: finishing what is in progress; Ctrl-C again stops at once", file=sys.stderr)
        tell()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)


def _finish(parallel: Parallel, tasks: Iterator, seen: list, failed: list[RuntimeError]) -> Found:
    try:
        for file, found in parallel(tasks):
            if isinstance(found, RuntimeError):
                failed.append(found)
            else:
                yield file, found
    except BrokenProcessPool as error:
        if not seen:
            raise RuntimeError(
                "a worker process died, often for want of memory. Finished runs are kept: try fewer --jobs"
            ) from error
    if failed:
        raise failed[0]
    if seen:
        raise KeyboardInterrupt


def on_this_machine(name: str, todo: dict[str, dict], code: dict[str, str], jobs: int) -> Found:
    """Do the runs in `jobs` processes, one thread each, and yield each as it ends."""

    def tell() -> None:
        for worker in multiprocessing.active_children():
            if worker.pid:
                os.kill(worker.pid, signal.SIGINT)

    workers = {"inner_max_num_threads": 1, "initializer": _as_worker, "initargs": (os.getpid(),)}
    with _interrupts(tell) as seen, parallel_config("loky", n_jobs=jobs, **workers):
        failed: list[RuntimeError] = []
        # After a failure nothing new begins, and what is in progress is kept.
        tasks = (delayed(_interruptible)(name, file, one, code) for file, one in todo.items() if not seen + failed)
        # Nothing waits in a queue, so that nothing new begins after Ctrl-C.
        parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
        try:
            yield from _finish(parallel, tasks, seen, failed)
        finally:  # joblib keeps its workers for the next call, with the modules that they have imported
            get_reusable_executor(reuse=True).shutdown(kill_workers=True)


@contextmanager
def cluster(address: str) -> Iterator[Any]:
    """A client of the Dask scheduler at `address`.

    Raises
    ------
    ConnectionError
        There is no scheduler, or it has no workers.
    ValueError
        Dask is not installed, or the address is none.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError('--scheduler needs Dask: pip install "transfer-gan-book[grid]"') from error
    try:
        client = Client(address, timeout=CONNECT)
    except (OSError, TimeoutError) as error:
        raise ConnectionError(
            f"no Dask scheduler answers at {address}: start one with `dask scheduler` ({error})"
        ) from error
    except ValueError as error:
        raise ValueError(f"{address!r} is no address of a scheduler, such as tcp://host:8786 ({error})") from error
    try:
        client.wait_for_workers(1, timeout=WAIT_FOR_WORKERS)
    except TimeoutError as error:
        client.close()
        raise ConnectionError(
            f"the scheduler at {address} has no worker: start some with `dask worker {address} --nthreads 1`"
        ) from error
    with client:
        yield client


def on_a_cluster(name: str, todo: dict[str, dict], code: dict[str, str], client: Any) -> Found:
    """Do the runs on the workers of a Dask cluster, and yield each as it ends."""
    from distributed import Event
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):
        def effective_n_jobs(self, n_jobs):  # where this is 1, joblib does the work here and not on the only worker
            return max(2, super().effective_n_jobs(n_jobs))

    stop = Event(f"stop-{uuid.uuid4().hex}", client=client)
    with _interrupts(stop.set) as seen, parallel_config(Backend(client=client), n_jobs=-1):
        tasks = (delayed(one_run)(name, file, one, code, stop.name) for file, one in todo.items())
        # All are handed over, so that workers which join later find something to do.
        parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="all")
        yield from _finish(parallel, tasks, seen, [])


def execute(
    name: str,
    jobs: int = 1,
    scheduler: str | None = None,
    fresh: bool = False,
    seeds: int | None = None,
    skip: Sequence[str] = (),
) -> Path | None:
    """Do the missing runs of an experiment and write its results file.

    Parameters
    ----------
    name
        Of a module of this package, or the dotted name of another one.
    jobs, scheduler
        Runs at a time on this machine, or the address of a Dask scheduler.
    fresh
        Move what is finished aside, and start from nothing.
    seeds
        Only the runs of seed 0 to `seeds` − 1; the others can be added later.
    skip
        Patterns of the names of runs to leave out, such as ``fashion_25_*``; they too can be added later.

    Returns
    -------
    Path | None
        The results file's path; None in all processes but the first of ``accelerate launch``.

    Raises
    ------
    ValueError
        Unknown experiment, finished runs of other settings or code, `jobs` below 1, or results of more runs already.
    TypeError
        `jobs` is no whole number.
    OSError, ConnectionError
        A folder cannot be written to; the cluster cannot be reached.
    RuntimeError
        A run failed. The others are kept.
    KeyboardInterrupt
        Interrupted. The finished runs are kept.
    """
    require_counts(jobs=jobs)
    experiment = load(name)
    files, code, folder = files_of(experiment, seeds, skip), fingerprint(experiment), FOLDER / experiment.NAME
    left_out = [one for file, one in files_of(experiment).items() if file not in files]
    accelerator = Accelerator()
    if accelerator.num_processes > 1 and (jobs > 1 or scheduler):
        raise ValueError("several devices for each run, or several runs at a time: leave out --jobs and --scheduler")
    shared: list = [None]
    if accelerator.is_main_process:
        require_writable(FOLDER, results_dir())
        _require_no_more_runs(experiment, left_out)
        if fresh:
            move_aside(folder)
        shared = [finished(experiment, name, files)]
    if accelerator.num_processes > 1:  # the others may have another disk
        broadcast_object_list(shared)
    done: dict[str, dict] = shared[0]
    todo = {file: one for file, one in files.items() if file not in done}

    with ExitStack() as stack:
        found: Found = (one_run(name, file, one, code) for file, one in todo.items())
        workers = jobs
        if todo and scheduler:
            client = stack.enter_context(cluster(scheduler))
            found, workers = on_a_cluster(name, todo, code, client), max(1, len(client.ncores()))
        elif todo and jobs > 1:
            found = on_this_machine(name, todo, code, jobs)
        silent = not accelerator.is_main_process or bool(os.environ.get("TQDM_DISABLE"))
        bar = stack.enter_context(
            tqdm(total=len(files), initial=len(done), desc=experiment.NAME, unit="run", disable=silent)
        )
        bar.set_postfix_str(in_words(seconds_left(files, done, workers), workers))
        for file, content in stack.enter_context(closing(found)):
            if content is None:  # interrupted
                continue
            done[file] = content
            if accelerator.is_main_process:
                write_json(folder / f"{file}.json", content)
            bar.update()
            bar.set_postfix_str(in_words(seconds_left(files, done, workers), workers))
    if not accelerator.is_main_process:
        return None
    return _write_results(experiment, code, [done[file] for file in files], list(skip))


def _require_no_more_runs(experiment: ModuleType, left_out: list[dict]) -> None:
    """Raise ValueError where the results file has runs that this grid leaves out."""
    path = results_dir() / f"{experiment.NAME}.json"
    if left_out and path.exists():
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        lost = [one for one in left_out if any(row | one == row for row in rows)]
        if lost:
            raise ValueError(
                f"{path} has {len(lost)} runs that this command leaves out, such as {lost[0]}, and would be "
                "replaced by a part: leave out --seeds and --skip, or move the file"
            )


def _write_results(experiment: ModuleType, code: dict[str, str], found: list[dict], skip: list[str]) -> Path:
    abouts = [run["provenance"] for run in found]
    versions = {key: ", ".join(sorted({a["versions"][key] for a in abouts})) for key in abouts[0]["versions"]}
    about = abouts[0] | {
        "seeds": sorted({run["row"]["seed"] for run in found}),
        "device": "; ".join(sorted({a["device"] for a in abouts})),
        "seconds": round(sum(run["seconds"] for run in found)),
        "versions": versions,
        "code": code,
        **({"skipped": skip} if skip else {}),
    }
    value = {"rows": [run["row"] for run in found], "settings": experiment.SETTINGS, "provenance": about}
    return write_json(results_dir() / f"{experiment.NAME}.json", value)


# --- reading results ---------------------------------------------------------------------------


def table(rows: list[dict], *keys: str, value: str) -> Any:
    """Rows of a results file as nested dicts: ``table(rows, "arm", "images", value="kid")["scratch"][25]`` is a list.

    The list has one value a row that is left, in the file's order: one a seed.
    """
    if not keys:
        return [row[value] for row in rows]
    groups: dict = {}
    for row in rows:
        groups.setdefault(row[keys[0]], []).append(row)
    return {key: table(group, *keys[1:], value=value) for key, group in groups.items()}


# --- the command -------------------------------------------------------------------------------


def show(name: str, jobs: int, seeds: int | None = None, skip: Sequence[str] = ()) -> None:
    """Print each run, whether it is finished, and how long the rest will take; change nothing."""
    require_counts(jobs=jobs)
    experiment = load(name)
    files, code, done = files_of(experiment, seeds, skip), fingerprint(experiment), {}
    other: dict[str, None] = {}
    for file, one in files.items():
        state = "missing"
        try:
            if found := read_run(FOLDER / experiment.NAME / f"{file}.json", one):
                words = differences(found, experiment.SETTINGS, code)
                state = "other  " if words else "done   "
                other |= dict.fromkeys(words)
                if not words:
                    done[file] = found
        except ValueError:
            state = "damaged"
        print(state, one)
    if other:
        print("other: made with other settings or other code, so not to be mixed with new runs (see --fresh):")
        print("  " + "\n  ".join(other))
    print(f"{len(done)} of {len(files)} runs are finished", end="")
    print("" if len(done) == len(files) else f"; {in_words(seconds_left(files, done, jobs), jobs)}")


def _count(text: str) -> int:
    if not (text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"an integer from 1 on is needed, got {text!r}")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.experiments.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("experiment", help="a module of helpers.experiments, such as ch4_3")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=_count, default=1, metavar="N", help="runs at a time on this machine")
    where.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that does the runs")
    parser.add_argument("--seeds", type=_count, metavar="N", help="only the runs of the first N seeds, from 0 on")
    parser.add_argument(
        "--skip", action="append", default=[], metavar="PATTERN", help="without the runs of such names; repeatable"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--fresh", action="store_true", help="move finished runs aside, and start from nothing")
    what.add_argument("--list", action="store_true", help="list the runs, and which are finished; train nothing")
    options = parser.parse_args(arguments)
    try:
        if options.list:
            show(options.experiment, options.jobs, options.seeds, options.skip)
            return 0
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
        start(0)
        path = execute(options.experiment, options.jobs, options.scheduler, options.fresh, options.seeds, options.skip)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        again = "finished runs are kept: start the same command again to go on"
        print("interrupted;", again + (" (without --fresh)" if options.fresh else ""), file=sys.stderr)
        return 130
    if path:
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    # By its own name, so that workers find its functions.
    from helpers.experiments import run

    sys.exit(run.main())
