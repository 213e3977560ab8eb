"""The ledger says what the notebooks recorded, and a wrong record does not pass."""

import json
import shutil

import nbformat
import pytest

from helpers.book import ledger
from helpers.book.claims import claim
from helpers.book.execute import ROOT, listed


@pytest.fixture
def copy(tmp_path):
    """A copy of the book's source that a test may damage."""
    for name in ("_toc.yml", "book"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, tmp_path / name)
    return tmp_path


def change(root, edit) -> None:
    """Apply `edit` to the record of the first claim."""
    for path in listed(root):
        notebook = nbformat.read(path, as_version=4)
        if notebook.metadata["claims"]:
            edit(notebook.metadata["claims"][0])
            nbformat.write(notebook, path)
            return


def test_the_committed_page_is_what_the_notebooks_recorded():
    assert (ROOT / ledger.PAGE).read_text(encoding="utf-8") == ledger.page(ROOT), "run `make refresh`"


def test_a_changed_figure_changes_the_page(copy):
    change(copy, lambda record: record.update(measured="0.123456"))
    assert ledger.page(copy) != ledger.page(ROOT)


def test_a_claim_about_an_unknown_statement_is_refused(copy):
    change(copy, lambda record: record.update(source="9.9.9-9"))
    with pytest.raises(ValueError, match="9.9.9-9"):
        ledger.page(copy)


def test_a_record_without_its_cell_is_refused(copy):
    change(copy, lambda record: record.update(name="no such claim"))
    with pytest.raises(ValueError, match="no cell makes it"):
        ledger.page(copy)


def test_a_notebook_without_a_record_is_refused(copy):
    path = listed(copy)[0]
    notebook = nbformat.read(path, as_version=4)
    del notebook.metadata["claims"]
    nbformat.write(notebook, path)
    with pytest.raises(ValueError, match="make refresh"):
        ledger.claims(copy)


def test_every_claim_has_its_own_name():
    names = [test.record["name"] for test in ledger.claims(ROOT)]
    assert names and len(names) == len(set(names))


def test_verdicts_that_differ_make_a_condition():
    def said(verdict):
        return ledger.Claim({"verdict": verdict}, ROOT, "")

    assert ledger.verdict({}, [said("holds"), said("holds")]) == "holds"
    assert ledger.verdict({}, [said("holds"), said("false")]) == "holds under a condition"
    assert ledger.verdict({}, []) == ledger.OPEN
    assert ledger.verdict({"untestable": "why"}, []) == ledger.UNTESTABLE


def test_a_claim_records_its_numbers_and_prints_none(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BOOK_CLAIMS", str(tmp_path / "claims.jsonl"))
    claim("X-a", "one is less than two", 1.23456, "<", 2, source="1.1.1-1", spread=0.123)
    assert capsys.readouterr().out == "✓ X-a: one is less than two\n"
    record = json.loads((tmp_path / "claims.jsonl").read_text(encoding="utf-8"))
    assert record["measured"] == "1.23" and record["spread"] == "0.12" and record["verdict"] == "holds"


def test_a_claim_that_fails_records_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_CLAIMS", str(tmp_path / "claims.jsonl"))
    with pytest.raises(AssertionError, match="does not hold"):
        claim("X-b", "two is less than one", 2, "<", 1)
    with pytest.raises(ValueError, match="unknown verdict"):
        claim("X-c", "one is less than two", 1, "<", 2, verdict="perhaps")
    assert not (tmp_path / "claims.jsonl").exists()
