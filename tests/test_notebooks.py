"""The committed notebooks: complete, in order, small, and readable without pictures."""

from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml

from helpers.book.address import PLACEHOLDER, current
from helpers.book.execute import ROOT, listed

# Cells whose outputs nbval may ignore, by notebook and id. Each needs a reason in the pull request:
# an output belongs here only if it differs between correct runs, such as measured seconds.
MAY_IGNORE: dict[str, list[str]] = {
    "4-1-fine-tuning-a-resnet.ipynb": [],
    "4-2-a-gan-that-makes-digits.ipynb": ["latent-explorer"],  # a live widget
}
IGNORING = {"nbval-ignore-output", "nbval-skip"}
IGNORING_COMMENTS = {"NBVAL_IGNORE_OUTPUT", "NBVAL_SKIP", "PYTEST_VALIDATE_IGNORE_OUTPUT"}
LARGEST = 1_500_000

NOTEBOOKS = listed(ROOT)
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


def cells(path: Path, kind: str = "code") -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def name(path: Path, cell) -> str:
    return f"{path.name}, cell {cell.id}: {(cell.source.strip().splitlines() or [''])[0]}"


@each
def test_executed_once_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in cells(path) if cell.source.strip()]
    assert counts == list(range(1, len(counts) + 1)), "run `make refresh`"
    assert counts, "no code cell"


@each
def test_no_errors(path):
    wrong = [
        name(path, cell)
        for cell in cells(path)
        if "raises-exception" not in cell.metadata.get("tags", [])
        and any(output.output_type == "error" for output in cell.outputs)
    ]
    assert not wrong, wrong


@each
def test_small(path):
    assert path.stat().st_size <= LARGEST, f"{path.stat().st_size:,} bytes: make its figures smaller"


@each
def test_pictures_have_words(path):
    wrong = []
    for cell in cells(path):
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if (
            any(kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {}))
            and not alt.strip()
        ):
            wrong.append(name(path, cell))
    assert not wrong, f"no alt text in the cell metadata (mystnb.image.alt): {wrong}"


@each
def test_only_listed_cells_are_ignored(path):
    ignored = []
    for cell in cells(path):
        comments = {line.strip().lstrip("# ") for line in cell.source.splitlines() if line.strip().startswith("#")}
        if IGNORING & set(cell.metadata.get("tags", [])) or IGNORING_COMMENTS & comments:
            ignored.append(cell.id)
    assert sorted(ignored) == sorted(MAY_IGNORE.get(path.name, []))


@each
def test_no_widget_state(path):
    notebook = nbformat.read(path, as_version=4)
    assert "widgets" not in notebook.metadata
    wrong = [
        name(path, cell)
        for cell in cells(path)
        for output in cell.outputs
        if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    ]
    assert not wrong, f"a widget stays blank on the page, run `make refresh`: {wrong}"


@each
def test_starts_in_colab(path):
    address = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    link = address.replace("https://github.com/", "https://colab.research.google.com/github/")
    assert f"{link}/blob/main/{path.relative_to(ROOT).as_posix()}" in cells(path, "markdown")[0].source


@each
def test_set_up_installs_helpers_only_where_missing(path, monkeypatch):
    first, own = cells(path)[0].source, current(ROOT)
    ran = []
    names = {"get_ipython": lambda: SimpleNamespace(run_line_magic=lambda *words: ran.append(words))}
    exec(first, dict(names))
    assert ran == []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert f"git+https://github.com/{own}" in first
    exec(first.replace(own, "some-body/a-book"), dict(names))
    assert ran == [("pip", "install -q git+https://github.com/some-body/a-book")]
    with pytest.raises(ModuleNotFoundError, match="make wheel") as told:
        exec(first.replace(own, PLACEHOLDER), dict(names))
    assert len(ran) == 1 and str(told.value).count(". ") == 0, "one sentence"


def test_every_notebook_is_in_the_table_of_contents():
    present = {path for path in (ROOT / "book").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts}
    assert present == set(NOTEBOOKS)
