"""The ledger says what the notebooks recorded, and neither a wrong record nor a wrong verdict passes."""

import re
import shutil

import nbformat
import pytest
import yaml

from helpers.book import ledger
from helpers.book.execute import ROOT, listed, read


@pytest.fixture
def copy(tmp_path):
    """A copy of the book's source that a test may damage."""
    for name in ("_toc.yml", "book"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, tmp_path / name)
    return tmp_path


def change(root, edit, kind="finding") -> None:
    """Apply `edit` to the record of the first claim of this kind that bears on a statement."""
    for path in listed(root):
        notebook = nbformat.read(path, as_version=4)
        for record in notebook.metadata["claims"]:
            if record["kind"] == kind and record.get("decides", record.get("about")):
                edit(record)
                nbformat.write(notebook, path)
                return


def test_the_committed_page_is_what_the_notebooks_recorded():
    assert (ROOT / ledger.PAGE).read_text(encoding="utf-8") == ledger.page(ROOT), "run `make refresh`"


@pytest.mark.parametrize("kind", ["finding", "demonstration"])
def test_a_changed_figure_changes_the_page(copy, kind):
    change(copy, lambda record: record.update(measured="0.123456"), kind)
    assert "0.123456" in ledger.page(copy)


@pytest.mark.parametrize(("kind", "key"), [("finding", "decides"), ("demonstration", "about")])
def test_a_claim_about_an_unknown_statement_is_refused(copy, kind, key):
    change(copy, lambda record: record.update({key: "9.9.9-9"}), kind)
    with pytest.raises(ValueError, match="9.9.9-9"):
        ledger.page(copy)


def test_a_record_without_its_cell_is_refused(copy):
    change(copy, lambda record: record.update(name="no such claim"))
    with pytest.raises(ValueError, match="no cell makes it"):
        ledger.page(copy)


@pytest.mark.parametrize("old", [None, [{"name": "1.1-a", "source": "1.1.1-1", "verdict": "holds"}]])
def test_a_notebook_without_a_record_or_with_an_old_one_is_refused(copy, old):
    path = listed(copy)[0]
    notebook = nbformat.read(path, as_version=4)
    del notebook.metadata["claims"]
    if old:
        notebook.metadata["claims"] = old
    nbformat.write(notebook, path)
    with pytest.raises(ValueError, match="make refresh"):
        ledger.claims(copy)


def test_every_claim_has_its_own_name():
    names = [test.record["name"] for test in ledger.claims(ROOT)]
    assert names and len(names) == len(set(names))


def test_every_claim_that_a_page_names_is_made():
    made = {claim.record["name"] for claim in ledger.claims(ROOT)}
    named = {}
    for path in listed(ROOT):
        for cell in read(path).cells:
            if cell.cell_type == "markdown":
                for name in re.findall(r"(?<![\w./-])((?:\d\.\d|E|6)-[a-z]{1,2}|E-\d+)(?![\w-])", cell.source):
                    named[name] = path.name
    assert {name: page for name, page in named.items() if name not in made} == {}


ROW = {"id": "1-1", "text": "it works", "verdict": "holds"}


@pytest.mark.parametrize(
    ("match", "rows"),
    [
        ("twice", [ROW, ROW]),
        ("key 'moreover'", [ROW | {"moreover": None}]),
        ("needs either", [{"id": "1-1", "text": "it works"}]),
        ("needs either", [ROW | {"untestable": "why"}]),
        ("verdict 'perhaps': choose one of holds, holds if, false, open", [ROW | {"verdict": "perhaps"}]),
        ("condition", [ROW | {"verdict": "holds if"}]),
        ("condition", [ROW | {"verdict": "holds if", "condition": ""}]),
        ("condition", [ROW | {"condition": "the sun shines"}]),
        ("comment", [ROW | {"verdict": "holds if", "condition": "the sun shines", "comment": "often"}]),
    ],
)
def test_a_wrong_row_is_refused(tmp_path, match, rows):
    file = tmp_path / ledger.STATEMENTS
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump(rows), encoding="utf-8")
    with pytest.raises(ValueError, match=match):
        ledger.statements(tmp_path)


def test_false_needs_no_quotes(tmp_path):
    file = tmp_path / ledger.STATEMENTS
    file.parent.mkdir(parents=True)
    file.write_text("- {id: 1-1, text: it works, verdict: false}", encoding="utf-8")
    assert ledger.statements(tmp_path)["1-1"]["verdict"] == "false"


def claim(kind, key, name="X-a", number="1-1"):
    return ledger.Claim({"kind": kind, "name": name, key: number}, ROOT, "")


FINDING, DEMONSTRATION = claim("finding", "decides"), claim("demonstration", "about")


@pytest.mark.parametrize("said", ["holds", "holds if", "false"])
def test_only_a_finding_gives_a_verdict(said):
    table = {"1-1": {"verdict": said}}
    assert ledger.verdicts(table, [FINDING, DEMONSTRATION]) == {"1-1": said}
    for tests in ([], [DEMONSTRATION]):
        with pytest.raises(ValueError, match="no finding decides it"):
            ledger.verdicts(table, tests)


@pytest.mark.parametrize(("row", "said"), [({"verdict": "open"}, "open"), ({"untestable": "why"}, ledger.UNTESTABLE)])
def test_a_statement_with_a_finding_is_neither_open_nor_untestable(row, said):
    assert ledger.verdicts({"1-1": row}, []) == {"1-1": said}
    assert ledger.verdicts({"1-1": row}, [DEMONSTRATION]) == {"1-1": said}
    with pytest.raises(ValueError, match="X-a"):
        ledger.verdicts({"1-1": row}, [FINDING])


def test_a_statement_may_name_the_finding_that_is_shown():
    findings = [FINDING, claim("finding", "decides", name="X-c")]
    assert ledger.decisive({}, findings) == findings[0]
    assert ledger.decisive({"by": "X-c"}, findings) == findings[1]
    assert ledger.verdicts({"1-1": {"verdict": "holds", "by": "X-c"}}, findings) == {"1-1": "holds"}
    with pytest.raises(ValueError, match="what decides it is X-a, X-c"):
        ledger.verdicts({"1-1": {"verdict": "holds", "by": "X-d"}}, findings)


def small_book(root, records):
    """A book of one notebook that has recorded these claims."""
    cells = [nbformat.v4.new_markdown_cell("# Title\n\n## A heading")]
    cells += [nbformat.v4.new_code_cell(f'{record["kind"]}(\n    "{record["name"]}",\n)') for record in records]
    (root / "book/appendix").mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"claims": records}), root / "book/only.ipynb")
    (root / "_toc.yml").write_text("root: book/only\n", encoding="utf-8")


def test_the_page_tells_findings_from_demonstrations(tmp_path):
    base = {"sentence": "a | b", "relation": ">", "bound": 0.3, "margin": 0.05}
    finding = base | {"kind": "finding", "name": "X-a", "measured": "0.439", "half": "0.062"}
    finding |= {"rests_on": "4-3-pretrained-generator", "decides": "1-1"}
    shown = base | {"kind": "demonstration", "name": "X-b", "measured": "1", "half": None, "about": "1-1"}
    small_book(tmp_path, [finding, shown])
    rows = [ROW | {"verdict": "holds if", "condition": "the sun shines"}, ROW | {"id": "2-1", "verdict": "open"}]
    (tmp_path / ledger.STATEMENTS).write_text(yaml.safe_dump(rows), encoding="utf-8")
    ledger.write(tmp_path)
    page = (tmp_path / ledger.PAGE).read_text(encoding="utf-8")
    assert "**2 statements: 1 holds if, 1 open.** Findings: 1, demonstrations: 1." in page
    link = "[X-a](../only.ipynb#a-heading)"
    row = next(line for line in page.splitlines() if line.startswith("| **1-1**"))
    assert row.startswith(f"| **1-1** it works | **holds if** the sun shines | {link}: a \\| b (**0.439 ± 0.062**;")
    assert "X-b" not in row, "a demonstration decides nothing"
    folded = page[page.index(":::{dropdown} 1-1 · holds if") : page.index(":::{dropdown} 2-1 · open")]
    assert folded.index("Findings:") < folded.index("X-a") < folded.index("Demonstrations:") < folded.index("X-b")
    assert "needed > 0.3, margin 0.05; `4-3-pretrained-generator.json`" in folded
