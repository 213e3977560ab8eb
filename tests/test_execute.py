"""Executing notebooks: several at a time, one failure reported by name, and the others still written."""

import nbformat
import pytest

from helpers.book import execute


def notebook(folder, name, source):
    path = folder / f"{name}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)
    return path


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failure_is_named_and_the_others_are_written(tmp_path, monkeypatch, jobs):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # restored afterwards
    bad = notebook(tmp_path, "bad", "raise ValueError('broken on purpose')")
    good = [notebook(tmp_path, name, f"print({name!r})") for name in ("one", "two")]
    before = bad.read_bytes()
    with pytest.raises(RuntimeError, match="bad.ipynb, code cell 1 of 1: ValueError: broken on purpose"):
        execute.execute_all([bad, *good], jobs)
    assert bad.read_bytes() == before
    for path in good:
        assert nbformat.read(path, as_version=4).cells[0].outputs[0].text == f"{path.stem}\n"


def test_no_jobs_is_an_error(capsys, monkeypatch):
    monkeypatch.setattr(execute, "execute_all", lambda *a: pytest.fail("nothing may run"))
    assert execute.main(["--in-place", "--jobs", "0"]) == 1
    assert "--jobs must be at least 1, got 0" in capsys.readouterr().err
