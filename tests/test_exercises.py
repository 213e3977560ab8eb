"""Every exercise: its stub waits, its printed solution passes, common mistakes get the right hint."""

import importlib
import re
import runpy
from pathlib import Path

import nbformat
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers.book.execute import ROOT, listed

EXERCISE = re.compile(r":::\{exercise\}.*?\n:label: (\S+)\n(.*?)\n:::", re.S)
SOLUTION = re.compile(r":::\{solution\} (\S+)\n:class: dropdown\n```python\n(.*?)\n```\n:::", re.S)
STUB = re.compile(r"def (\w+)\([^)]*\): \.\.\.  # your code here")

WRONG = {
    label: answers
    for path in sorted((Path(__file__).parent / "wrong_answers").glob("ch*.py"))
    for label, answers in runpy.run_path(str(path))["WRONG"].items()
}


def found() -> dict[str, tuple[str, str]]:
    """Label → (stub cell, solution), from the notebooks."""
    stubs, solutions = {}, {}
    for path in listed(ROOT):
        waiting = None
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                solutions |= dict(SOLUTION.findall(cell.source))
                for label, _ in EXERCISE.findall(cell.source):
                    waiting = label
            elif waiting and STUB.search(cell.source):
                stubs[waiting], waiting = cell.source, None
    assert stubs and stubs.keys() == solutions.keys()
    return {label: (stubs[label], solutions[label]) for label in stubs}


WITHOUT_SECTIONS = {"0-start": "0", "6-questions": "6-1"}  # folder: how its exercises are numbered

EXERCISES = found()
each = pytest.mark.parametrize("label", EXERCISES)


def answer(label: str, code: str, capsys) -> str:
    """Put `code` in place of the stub, run the cell, and return the line that the check prints."""
    cell = EXERCISES[label][0]
    capsys.readouterr()
    checks = importlib.import_module(f"helpers.book.exercises.ch{'_'.join(label.split('-')[1:-1])}")
    exec(STUB.sub(lambda _: code.strip(), cell), {"exercises": checks, "torch": torch, "nn": nn, "F": F})
    line = capsys.readouterr().out.strip()
    assert "\n" not in line
    return line


@each
def test_untouched_it_waits(label, capsys):
    assert answer(label, STUB.search(EXERCISES[label][0])[0], capsys).startswith("…")


@each
def test_the_solution_passes(label, capsys):
    assert answer(label, EXERCISES[label][1], capsys).startswith("✓")


@pytest.mark.parametrize(
    ("label", "code"),
    [pytest.param(label, code, id=f"{label}-{i}") for label in WRONG for i, code in enumerate(WRONG[label])],
)
def test_a_mistake_gets_its_hint(label, code, capsys):
    line = answer(label, code, capsys)
    assert line.startswith("✗") and WRONG[label][code] in line


@each
def test_two_mistakes_at_least_are_known(label):
    assert len(WRONG[label]) >= 2


@each
def test_the_title_has_the_number_that_the_check_prints(label, capsys):
    *chapter, last = label.split("-")[1:]
    number = f"{'.'.join(chapter)}-{last}"
    pages = [path.read_text(encoding="utf-8") for path in listed(ROOT)]
    title = f":::{{exercise}} {number} "
    assert sum(title in page and f":label: {label}\\n" in page for page in pages) == 1
    assert answer(label, STUB.search(EXERCISES[label][0])[0], capsys) == f"… Exercise {number} waits for your answer."


def test_no_mistakes_are_kept_for_an_exercise_that_is_gone():
    assert WRONG.keys() == EXERCISES.keys()


def test_every_objective_with_an_exercise_names_one_that_exists():
    assessed = set()
    for path in map(Path, listed(ROOT)):
        text = nbformat.read(path, as_version=4)
        objectives = next((c.source for c in text.cells if "**Objectives**" in c.source), "")
        chapter = WITHOUT_SECTIONS.get(path.parent.name) or "-".join(path.name.split("-")[:2])
        numbers = {f"ex-{n.replace('.', '-')}" for n in re.findall(rf"\b{chapter.replace('-', '.')}-\d+\b", objectives)}
        assert numbers == {label for label in EXERCISES if label.startswith(f"ex-{chapter}-")}
        assessed |= numbers
    assert assessed == EXERCISES.keys(), "an exercise of a page that this test does not know"
