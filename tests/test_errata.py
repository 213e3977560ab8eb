"""The errata laboratory: every point has a cell that ran and shows what happens."""

import copy
import re

import nbformat
import pytest

from helpers.book.execute import ROOT

PATH = ROOT / "book" / "appendix" / "errata.ipynb"
OF_THE_SOURCE = 23  # points known from reading; those found while running follow
HEADING = re.compile(r"^(#{2,})\s+(?:(\d+)\. )?\S.*$", re.M)
TAG = re.compile(r"erratum-(\d+)")


def problems(notebook) -> list[str]:
    """What keeps a point from being shown; empty when all are."""
    headings, shown, found, current = [], set(), [], None
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for _, number in HEADING.findall(cell.source):
                current = int(number) if number else None
                headings += [current] if number else []
            continue
        tags = cell.metadata.get("tags", [])
        raised = any(output.output_type == "error" for output in cell.outputs)
        where = f"cell {cell.id}"
        if raised != ("raises-exception" in tags):
            found.append(f"{where}: " + ("failed, which nobody expects" if raised else "should have failed"))
        for number in [int(match[1]) for tag in tags if (match := TAG.fullmatch(tag))]:
            where = f"point {number}, cell {cell.id}"
            if current != number:
                found.append(f"{where}: stands below the heading of {current}")
            if cell.execution_count is None or not cell.outputs:
                found.append(f"{where}: was not executed or shows nothing")
            else:
                shown.add(number)
    last = max(headings, default=0)
    if headings != list(range(1, last + 1)) or last < OF_THE_SOURCE:
        found.append(f"headings are numbered {headings}")
    if missing := sorted(set(range(1, max(last, OF_THE_SOURCE) + 1)) - shown):
        found.append(f"no cell shows {missing}")
    return found


@pytest.fixture
def notebook():
    return nbformat.read(PATH, as_version=4)


def tagged(notebook, number: int) -> list:
    return [cell for cell in notebook.cells if f"erratum-{number}" in cell.metadata.get("tags", [])]


def numbers(notebook) -> list[int]:
    return sorted({int(m[1]) for c in notebook.cells for t in c.metadata.get("tags", []) if (m := TAG.fullmatch(t))})


@pytest.mark.parametrize("number", numbers(nbformat.read(PATH, as_version=4)))
def test_erratum(notebook, number):
    assert any(cell.execution_count and cell.outputs for cell in tagged(notebook, number))


def test_every_point_is_shown(notebook):
    assert problems(notebook) == []


def test_it_shows_at_least_the_points_of_the_source(notebook):
    assert set(range(1, OF_THE_SOURCE + 1)) <= set(numbers(notebook))


@pytest.mark.parametrize("loss", ["tag", "output", "execution", "cell", "heading"])
def test_no_point_can_be_lost_unnoticed(notebook, loss):
    for number in numbers(notebook):
        broken = copy.deepcopy(notebook)
        for cell in tagged(broken, number):
            if loss == "tag":
                cell.metadata.tags.remove(f"erratum-{number}")
            elif loss == "output":
                cell.outputs = []
            elif loss == "execution":
                cell.execution_count = None
            elif loss == "cell":
                broken.cells.remove(cell)
        if loss == "heading":
            for cell in broken.cells:
                if cell.cell_type == "markdown":
                    cell.source = re.sub(rf"^#+ {number}\. .*$", "", cell.source, flags=re.M)
        assert any(str(number) in problem for problem in problems(broken)), f"point {number} lost, not noticed"


def test_a_cell_in_the_wrong_section_is_noticed(notebook):
    cell = tagged(notebook, 7)[0]
    notebook.cells.remove(cell)
    notebook.cells.append(cell)
    assert any("point 7" in problem for problem in problems(notebook))


def test_a_cell_that_should_have_failed_is_noticed(notebook):
    failing = [cell for cell in notebook.cells if "raises-exception" in cell.metadata.get("tags", [])]
    assert failing
    for cell in failing:
        before, cell.outputs = cell.outputs, [nbformat.v4.new_output("stream", text="fine\n")]
        assert any("should have failed" in problem for problem in problems(notebook))
        cell.outputs = before


def test_a_failure_that_nobody_expects_is_noticed(notebook):
    cell = tagged(notebook, 5)[0]
    cell.outputs = [nbformat.v4.new_output("error", ename="ValueError", evalue="", traceback=[])]
    assert any("nobody expects" in problem for problem in problems(notebook))
