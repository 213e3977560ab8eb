"""Would the notebook tests notice a wrong number? Replay the committed outputs, then falsify them.

The replay cells print exactly what is committed and compute nothing. The control must pass; then
one digit, one letter, one line or the order of two numbers is changed in what the replay is
compared with, and nbval must notice.
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
    if digits := [m.start() for m in re.finditer(r"\d", text)]:
        at = chance.choice(digits)
        wrong["digit"] = text[:at] + str((int(text[at]) + chance.randint(1, 9)) % 10) + text[at + 1 :]
    if letters := [m.start() for m in re.finditer(r"[A-Za-z]", text)]:
        at = chance.choice(letters)
        wrong["letter"] = text[:at] + chance.choice([c for c in "aeioknst" if c != text[at]]) + text[at + 1 :]
    lines = text.splitlines(keepends=True)
    if len(lines) > 1:
        at = chance.choice([i for i, line in enumerate(lines) if line.strip()])
        wrong["line"] = "".join(lines[:at] + lines[at + 1 :])
    numbers = list(NUMBER.finditer(text))
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
        timeout=300,
    )
    assert report.is_file(), done.stdout + done.stderr
    seen: dict[str, set[int]] = {"passed": set(), "failed": set()}
    for case in ET.parse(report).iter("testcase"):
        bad = any(case.find(what) is not None for what in ("failure", "error", "skipped"))
        seen["failed" if bad else "passed"].add(int(case.get("name").split()[-1]))
    return seen


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """What nbval says about the faithful and the falsified replay of each cell."""
    chance = random.Random(0)
    cells, labels = [], []

    def add(cell, outputs, label):
        tags = ["raises-exception"] if any(o.output_type == "error" for o in outputs) else []
        cells.append(
            nbformat.v4.new_code_cell(
                replay(cell.outputs), outputs=outputs, metadata={"tags": tags}, execution_count=len(cells) + 1
            )
        )
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
    path = tmp_path_factory.mktemp("replay") / "replay.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    seen = run_nbval(path)
    assert seen["passed"] | seen["failed"] == set(range(len(cells))), "some replay cells were not run"
    return {result: [labels[number] for number in sorted(numbers)] for result, numbers in seen.items()}


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
