"""Would the notebook tests notice a wrong number? Replay the committed outputs, then falsify them.

The replay cells print exactly what is committed and compute nothing. The control must pass; then
one digit, one letter, one line or the order of two numbers is changed in what the replay is
compared with, and nbval must notice. Digits of a measurement between its marks ⟨⟩ are the one exception:
two machines may differ there, so a change to them must pass, and a change to anything else must not.
"""

import copy
import json
import os
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import pytest

from helpers.book.execute import ROOT, listed

IGNORED_TAGS = {"nbval-ignore-output", "nbval-skip"}
IGNORED_COMMENTS = ("NBVAL_IGNORE_OUTPUT", "NBVAL_SKIP", "PYTEST_VALIDATE_IGNORE_OUTPUT")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
MARKED = re.compile(r"⟨[^⟨⟩\n]*⟩")
NOTEBOOKS = listed(ROOT)


def compared(cell) -> bool:
    """Does nbval compare this cell?"""
    comments = {line.strip().lstrip("# ") for line in cell.source.splitlines() if line.strip().startswith("#")}
    tags = set(cell.metadata.get("tags", []))
    return (
        cell.cell_type == "code"
        and bool(cell.outputs)
        and not tags & IGNORED_TAGS
        and not comments & set(IGNORED_COMMENTS)
    )


def replay(outputs) -> str:
    """Source code that emits `outputs` again."""
    lines = ["import sys", "from IPython.display import display"]
    for output in outputs:
        if output.output_type == "stream":
            lines.append(f"sys.{output.name}.write({str(output.text)!r}); sys.{output.name}.flush()")
        elif output.output_type == "error":
            lines.append(f"raise type({output.ename!r}, (Exception,), {{}})({output.evalue!r})")
        else:
            lines.append(f"display({json.loads(json.dumps(output.data))!r}, raw=True)")
    return "\n".join(lines)


def text_of(output) -> str | None:
    """The text of an output, or None where nbval or the reader looks at a picture instead."""
    if output.output_type == "stream":
        return output.text
    data = output.get("data", {})
    if (
        "text/plain" not in data
        or any(kind.startswith("image/") for kind in data)
        or "base64" in str(data.get("text/html", ""))
    ):
        return None
    return data["text/plain"]


def falsifications(text: str, chance: random.Random) -> dict[str, str]:
    """Wrong versions of a text, by what was done to it."""
    wrong = {}
    inside = {at for mark in MARKED.finditer(text) for at in range(*mark.span())}
    if digits := [m.start() for m in re.finditer(r"\d", text) if m.start() not in inside]:
        at = chance.choice(digits)
        wrong["digit"] = text[:at] + str((int(text[at]) + chance.randint(1, 9)) % 10) + text[at + 1 :]
    if letters := [m.start() for m in re.finditer(r"[A-Za-z]", text)]:
        at = chance.choice(letters)
        wrong["letter"] = text[:at] + chance.choice([c for c in "aeioknst" if c != text[at]]) + text[at + 1 :]
    lines = text.splitlines(keepends=True)
    if len(lines) > 1:
        at = chance.choice([i for i, line in enumerate(lines) if line.strip()])
        wrong["line"] = "".join(lines[:at] + lines[at + 1 :])
    numbers = [number for number in NUMBER.finditer(text) if number.start() not in inside]
    pairs = [(a, b) for a, b in zip(numbers, numbers[1:]) if a.group() != b.group()]
    if pairs:
        a, b = chance.choice(pairs)
        wrong["order"] = text[: a.start()] + b.group() + text[a.end() : b.start()] + a.group() + text[b.end() :]
    return wrong


def run_nbval(path: Path) -> dict[str, set[int]]:
    """Run nbval with the project's own options; numbers of the passed and of the failed cells."""
    report = path.with_suffix(".xml")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    options = [
        "-c",
        "pyproject.toml",
        "--rootdir",
        str(ROOT),
        "-p",
        "conftest",
        "-p",
        "no:cacheprovider",
        "-n",
        "0",
        "--tb=no",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", str(path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,  # against a hang; a loaded machine is slow
    )
    assert report.is_file(), done.stdout + done.stderr
    seen: dict[str, set[int]] = {"passed": set(), "failed": set()}
    for case in ET.parse(report).iter("testcase"):
        bad = any(case.find(what) is not None for what in ("failure", "error", "skipped"))
        seen["failed" if bad else "passed"].add(int(case.get("name").split()[-1]))
    return seen


def replay_cell(outputs, expected, number: int):
    """A cell that emits `outputs` and is compared with `expected`."""
    tags = ["raises-exception"] if any(o.output_type == "error" for o in outputs) else []
    metadata = {"tags": tags}
    return nbformat.v4.new_code_cell(replay(outputs), outputs=expected, metadata=metadata, execution_count=number)


def run_replay(cells, labels, folder: Path) -> dict[str, list[str]]:
    """The labels of the passed and of the failed cells."""
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "replay.ipynb")
    seen = run_nbval(folder / "replay.ipynb")
    assert seen["passed"] | seen["failed"] == set(range(len(cells))), "some replay cells were not run"
    return {result: [labels[number] for number in sorted(numbers)] for result, numbers in seen.items()}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """What nbval says about the faithful and the falsified replay of each cell."""
    chance = random.Random(0)
    cells, labels = [], []

    def add(cell, outputs, label):
        cells.append(replay_cell(cell.outputs, outputs, len(cells) + 1))
        labels.append(label)

    for path in NOTEBOOKS:
        for cell in filter(compared, nbformat.read(path, as_version=4).cells):
            where = f"{path.name}: {cell.source.strip().splitlines()[0]}"
            add(cell, cell.outputs, f"control {where}")
            for i, output in enumerate(cell.outputs):
                for kind, wrong in falsifications(text_of(output) or "", chance).items():
                    outputs = copy.deepcopy(cell.outputs)
                    if output.output_type == "stream":
                        outputs[i].text = wrong
                    else:
                        outputs[i].data["text/plain"] = wrong
                    add(cell, outputs, f"falsified {kind} {where}: {wrong[:200]!r}")
    return run_replay(cells, labels, tmp_path_factory.mktemp("replay"))


def test_faithful_replay_passes(outcome):
    failed = [label for label in outcome["failed"] if label.startswith("control")]
    assert not failed, "\n".join(failed)
    assert any(label.startswith("control") for label in outcome["passed"])


def test_falsified_outputs_fail(outcome):
    caught = [label for label in outcome["failed"] if label.startswith("falsified")]
    missed = [label for label in outcome["passed"] if label.startswith("falsified")]
    print(f"falsified {len(caught) + len(missed)}, caught {len(caught)}")
    assert len(caught) + len(missed) >= 10, "hardly any output is compared: are all cells on the ignore list?"
    assert len(caught) >= 0.95 * (len(caught) + len(missed)), "not noticed:\n" + "\n".join(missed)


PRINTED = """a table of 3 rows
✓ 4.5-h: DANN gains over 25 points ⟨0.439 ± 0.062⟩ > 0.37, margin 0.05
✓ 4.5-i: and over 2 in 3 ⟨-1.5e-05⟩ < 1e-06
accuracy ⟨0.98⟩ of ⟨1,200⟩ images, 12 of them new
"""
HARMLESS = {
    "another digit": ("0.439", "0.417"),
    "another half-width": ("0.062", "0.1"),
    "another sign": ("⟨-1.5e-05⟩", "⟨2⟩"),
    "another exponent": ("-1.5e-05", "-3e-07"),
    "another size": ("⟨1,200⟩", "⟨98⟩"),
    "a whole number": ("⟨0.98⟩", "⟨1⟩"),
    "a Unicode minus": ("⟨0.439", "⟨−0.439"),
}
CAUGHT = {
    "another word": ("gains", "loses"),
    "a bound's digit": ("> 0.37", "> 0.36"),
    "a bound's exponent": ("1e-06", "1e-07"),
    "the other relation": ("⟩ > 0.37", "⟩ < 0.37"),
    "another relation": ("⟩ > 0.37", "⟩ >= 0.37"),
    "another margin": ("margin 0.05", "margin 0.06"),
    "no margin": (", margin 0.05", ""),
    "no tick": ("✓ 4.5-i", "✗ 4.5-i"),
    "another name": ("4.5-h", "4.5-g"),
    "a digit of the sentence": ("25 points", "24 points"),
    "a digit before the marks": ("of 3 rows", "of 4 rows"),
    "a digit between the marks of two numbers": ("2 in 3", "1 in 3"),
    "a digit after the marks": ("12 of them", "13 of them"),
    "no interval": ("⟨0.439 ± 0.062⟩", "⟨0.439⟩"),
    "no marks": ("⟨0.439 ± 0.062⟩", "0.439 ± 0.062"),
    "an opening mark is gone": ("⟨0.98⟩", "0.98⟩"),
    "a closing mark is gone": ("⟨0.98⟩", "⟨0.98"),
    "not a number": ("⟨0.98⟩", "⟨nan⟩"),
    "nothing between the marks": ("⟨0.98⟩", "⟨⟩"),
    "a unit between the marks": ("⟨0.98⟩", "⟨0.98 %⟩"),
    "a missing line": ("✓ 4.5-i: and over 2 in 3 ⟨-1.5e-05⟩ < 1e-06\n", ""),
    "an added line": ("accuracy", "✓ 4.5-j: more ⟨1⟩ > 0\naccuracy"),
}


@pytest.fixture(scope="module")
def of_marks(tmp_path_factory):
    """What nbval says about the changes above."""

    def stream(text):
        return [nbformat.v4.new_output("stream", name="stdout", text=text)]

    first, second, third, last = PRINTED.splitlines(keepends=True)
    changed = {"nothing": PRINTED, "the order of two lines": first + third + second + last}
    for label, (old, new) in {**HARMLESS, **CAUGHT}.items():
        assert PRINTED.count(old) == 1, label
        changed[label] = PRINTED.replace(old, new)
    cells = [replay_cell(stream(PRINTED), stream(text), i) for i, text in enumerate(changed.values(), 1)]
    return run_replay(cells, list(changed), tmp_path_factory.mktemp("marks"))


def test_only_digits_between_marks_may_differ(of_marks):
    assert of_marks["passed"] == ["nothing", *HARMLESS]
    assert of_marks["failed"] == ["the order of two lines", *CAUGHT]
