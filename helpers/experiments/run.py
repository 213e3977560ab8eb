"""Run a chapter's experiment at full scale: ``python -m helpers.experiments.run ch4_3``.

An experiment is a module of this package with

- ``NAME``: of the results file, ``DATA``: what it was measured on, ``SETTINGS``: what all runs share;
- ``runs()``: a list of dicts, one a run: arm, size, seed ...;
- ``run(**one)``: a dict of measured values. The loops of `helpers.train` end early on Ctrl-C without an error, so it
  passes their history to `require_finished`.

Every finished run is a file in ``runs/NAME``, so a run that was interrupted is the only thing lost: start the
command again. ``--part 1/2`` and ``--part 2/2`` share the work between two processes. The last one to finish
writes ``results/NAME.json``. Training goes through Accelerate: ``accelerate launch -m helpers.experiments.run
ch4_3`` uses several devices for each run.
"""

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from types import ModuleType

from tqdm.auto import tqdm

from helpers.runtime import provenance, results_dir, seed_everything, start, write_json

FOLDER = Path("runs")


def load(name: str) -> ModuleType:
    """The experiment's module.

    Raises
    ------
    ValueError
        There is no such experiment; the message lists them.
    """
    known = sorted(
        path.stem for path in Path(__file__).parent.glob("*.py") if "\ndef runs(" in path.read_text(encoding="utf-8")
    )
    if name not in known:
        raise ValueError(f"unknown experiment {name!r}: choose one of {', '.join(known)}")
    return importlib.import_module(f"helpers.experiments.{name}")


def require_finished(history: dict[str, list], steps: int) -> None:
    """Raise KeyboardInterrupt where a training loop was stopped before its last step."""
    if not history["step"] or history["step"][-1] < steps:
        raise KeyboardInterrupt


def done(path: Path, settings: dict) -> dict | None:
    """A finished run's file, or None where it is missing, damaged or was made with other settings."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if found.get("settings") == json.loads(json.dumps(settings)) else None


def execute(experiment: ModuleType, folder: Path = FOLDER, part: tuple[int, int] = (1, 1)) -> Path | None:
    """Do the missing runs of one part; write the results file when no run is missing, and return its path."""
    files = {}
    for one in experiment.runs():
        files["_".join(str(value) for value in one.values())] = one
    mine = list(files.items())[part[0] - 1 :: part[1]]
    for name, one in tqdm(mine, desc=f"{experiment.NAME}, part {part[0]} of {part[1]}"):
        path = folder / experiment.NAME / f"{name}.json"
        if done(path, experiment.SETTINGS):
            continue
        seed_everything(one["seed"])
        began = time.time()
        measured = experiment.run(**one)
        write_json(path, {"settings": experiment.SETTINGS, "seconds": time.time() - began, "row": one | measured})
    found = [done(folder / experiment.NAME / f"{name}.json", experiment.SETTINGS) for name in files]
    if None in found:
        print(f"{sum(run is None for run in found)} of {len(found)} runs are still missing")
        return None
    about = provenance(
        f"python -m helpers.experiments.run {experiment.__name__.rpartition('.')[2]}",
        sum(run["seconds"] for run in found),
        experiment.DATA,
        sorted({run["row"]["seed"] for run in found}),
    )
    rows = [run["row"] for run in found]
    return write_json(
        results_dir() / f"{experiment.NAME}.json", {"rows": rows, "settings": experiment.SETTINGS, "provenance": about}
    )


def part_of(text: str) -> tuple[int, int]:
    """ "1/2" → (1, 2)."""
    number, _, total = text.partition("/")
    if not (number.isdigit() and total.isdigit() and 1 <= int(number) <= int(total)):
        raise argparse.ArgumentTypeError(f"a part is written like 1/2, got {text!r}")
    return int(number), int(total)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.experiments.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("experiment", help="a module of helpers.experiments, such as ch4_3")
    parser.add_argument("--part", type=part_of, default=(1, 1), metavar="1/2", help="do this share of the runs only")
    parser.add_argument("--list", action="store_true", help="list the runs, and which are finished; train nothing")
    options = parser.parse_args(arguments)
    try:
        experiment = load(options.experiment)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if options.list:
        for one in experiment.runs():
            path = FOLDER / experiment.NAME / f"{'_'.join(str(value) for value in one.values())}.json"
            print("done   " if done(path, experiment.SETTINGS) else "missing", one)
        return 0
    start(0)
    try:
        path = execute(experiment, part=options.part)
    except KeyboardInterrupt:
        print("interrupted; finished runs are kept: start the same command again to go on", file=sys.stderr)
        return 130
    if path:
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
