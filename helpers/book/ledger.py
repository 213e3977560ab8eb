"""The claims ledger: every statement of the source, the verdict, and the claims that test it.

``python -m helpers.book.ledger [FOLDER]`` writes ``book/appendix/ledger.md`` of the checkout, or of a copy of
the book, from ``statements.yml`` and from what the notebooks recorded when they were executed. Nobody
edits the page by hand.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

import yaml
from myst_parser.mdit_to_docutils.base import default_slugify  # the anchors of the pages

from helpers.book.execute import ROOT, listed, read

STATEMENTS, PAGE = Path("book/appendix/statements.yml"), Path("book/appendix/ledger.md")
CONDITIONAL, OPEN, UNTESTABLE = "holds if", "open", "not testable here"
VERDICTS = ("holds", CONDITIONAL, "false", OPEN)
REMARKS = ("condition", "comment", "untestable")  # what stands beside a verdict; a statement has at most one
INTRODUCTION = """---
myst:
  html_meta:
    description: Every checkable statement of the source, with the verdict, its condition and the measurement behind it.
---

# Claims ledger

Every checkable statement of the source, in our words, with our verdict. This page is generated from `statements.yml`
and from what the notebooks recorded. A claim that no longer holds stops its notebook, and with it the tests.

**holds** and **false** are said of the sentence as it stands; where it depends, **holds if** is followed by the
condition under which it was found to hold. **open** means that nothing has decided it yet, and the last column names
what the pages show about it. **not testable here** is followed by the reason.

A verdict is about the source's statement and about what was measured here, on small networks and small images. Only a
**finding** decides one: it rests on a results file or on an exact computation. A **demonstration** is what a page shows
in a minute; it decides nothing. A measured value has half the width of its 95 % interval beside it where there are
several seeds. Behind it stands the bound that it had to meet: of a finding the whole interval, of a demonstration the
mean. A name says in which chapter a claim was first made; those that begin with 3.3 are also on the pages 3.4 and 3.5,
into which that chapter was split.
"""


class Claim(NamedTuple):
    """A recorded claim and where it stands: the page, and the nearest heading above its cell."""

    record: dict
    page: Path
    heading: str


def claims(root: Path) -> list[Claim]:
    """The claims of all listed notebooks, in the order of the book.

    Raises
    ------
    ValueError
        A notebook was not executed with this version, or a recorded claim stands in no cell.
    """
    found = []
    for path in listed(root):
        notebook = read(path)
        records = notebook.metadata.get("claims")
        if records is None or any("kind" not in record for record in records):
            raise ValueError(f"{path.name} has no record of its claims, or an old one: run `make refresh`")
        where, heading = {}, ""
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                heading = ([heading] + re.findall(r"^#{1,3} (.+)$", cell.source, re.M))[-1]
            for name in re.findall(r'\b(?:finding|demonstration)\(\s*"([^"]+)"', cell.source):
                where[name] = heading
        for record in records:
            if record["name"] not in where:
                raise ValueError(f"{path.name} records the claim {record['name']}, but no cell makes it")
            found.append(Claim(dict(record), path.relative_to(root), where[record["name"]]))
    return found


def statements(root: Path) -> dict[str, dict]:
    """The source's statements by number, each with its verdict or the reason why it cannot be tested.

    Raises
    ------
    ValueError
        A number occurs twice, or a row has an unknown key or verdict, no verdict, or no condition where one is due.
    FileNotFoundError
        There is no ``statements.yml``.
    """
    if not (root / STATEMENTS).is_file():
        raise FileNotFoundError(f"no {root / STATEMENTS}: run this in a checkout of the book")
    rows = yaml.safe_load((root / STATEMENTS).read_text(encoding="utf-8"))
    table: dict[str, dict] = {}
    for row in rows:
        number = str(row["id"])
        if row.get("verdict") is False:
            row["verdict"] = "false"  # without quotes YAML reads a truth value
        where = f"{STATEMENTS}, statement {number}"
        if number in table:
            raise ValueError(f"{where} stands there twice: give each its own number")
        if unknown := row.keys() - {"id", "text", "verdict", "condition", "comment", "by", "untestable"}:
            raise ValueError(f"{where} has the key {unknown.pop()!r}: put a text with a comma or a colon in quotes")
        if ("verdict" in row) == ("untestable" in row):
            raise ValueError(f"{where} needs either `verdict:` or, with the reason, `untestable:`")
        if "verdict" in row and row["verdict"] not in VERDICTS:
            raise ValueError(f"{where} has the verdict {row['verdict']!r}: choose one of {', '.join(VERDICTS)}")
        if (row.get("verdict") == CONDITIONAL) != bool(row.get("condition")):
            raise ValueError(f"{where}: `condition:` belongs to the verdict `{CONDITIONAL}`, and only to that")
        if "comment" in row and row.get("verdict") in (None, CONDITIONAL):
            raise ValueError(f"{where}: `comment:` belongs to a verdict without a condition")
        table[number] = row
    return table


def deciding(number: str, tests: list[Claim]) -> list[Claim]:
    """The findings that decide a statement."""
    return [test for test in tests if test.record["kind"] == "finding" and test.record["decides"] == number]


def decisive(row: dict, findings: list[Claim]) -> Claim:
    """The finding that stands in the table: the one that the row names with `by:`, or the first."""
    return next((finding for finding in findings if finding.record["name"] == row.get("by")), findings[0])


def verdicts(table: dict[str, dict], tests: list[Claim]) -> dict[str, str]:
    """The verdict of each of the `statements`, if the `claims` allow it.

    Raises
    ------
    ValueError
        A claim names a statement that does not exist; a verdict has no finding; an open or untestable one has some;
        the finding that a statement names does not decide it.
    """
    for test in tests:
        if (named := test.record.get("decides") or test.record.get("about") or "") not in {"", *table}:
            raise ValueError(f"{test.record['name']} names the statement {named}, which {STATEMENTS} does not have")
    result = {number: row.get("verdict", UNTESTABLE) for number, row in table.items()}
    for number, said in result.items():
        names = ", ".join(test.record["name"] for test in deciding(number, tests))
        if said in (OPEN, UNTESTABLE) and names:
            raise ValueError(f"{STATEMENTS} calls {number} {said}, but findings decide it ({names}): give a verdict")
        if said not in (OPEN, UNTESTABLE) and not names:
            raise ValueError(
                f"{STATEMENTS} says {said!r} of {number}, but no finding decides it: a demonstration cannot, "
                f"so call it {OPEN!r}, or let a finding name it with decides="
            )
        if (by := table[number].get("by")) and by not in names.split(", "):
            raise ValueError(f"{STATEMENTS} names {by} for {number}, but what decides it is {names or 'nothing'}")
    return result


def page(root: Path) -> str:
    """The text of the ledger: a table of the verdicts, then each statement with its claims, folded."""
    table, tests = statements(root), claims(root)
    result = verdicts(table, tests)
    counts = ", ".join(f"{n} {v}" for v in (*VERDICTS, UNTESTABLE) if (n := list(result.values()).count(v)))
    findings = [test for test in tests if test.record["kind"] == "finding"]
    lines = [
        INTRODUCTION,
        f"**{len(table)} statements: {counts}.** Findings: {len(findings)}, demonstrations: "
        f"{len(tests) - len(findings)}. Those that bear on no statement stand on their pages only.\n",
        "| statement | verdict | decisive finding |",
        "|---|---|---|",
    ]
    for number, row in table.items():
        found = deciding(number, tests)
        remark = next((row[key] for key in REMARKS if key in row), "")
        verdict = f"**{result[number]}**"
        if remark:
            verdict += (" " if "condition" in row else ": ") + remark
        shown = ", ".join(_link(test) for test in tests if test.record.get("about") == number)
        seen = f"none; demonstrations: {shown}" if shown and result[number] == OPEN else ""
        cells = (f"**{number}** {row['text']}", verdict, _line(decisive(row, found), brief=True) if found else seen)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    part = ""
    for number, row in table.items():
        if number[0] != part:
            part = number[0]
            lines.append("\n## Questions" if part == "Q" else f"\n## Section {part}")
        about = [test for test in tests if test.record.get("about") == number]
        lines += [f"\n:::{{dropdown}} {number} · {result[number]}", row["text"]]
        lines += [f"\n*{text}*" for key in REMARKS if (text := row.get(key))]
        for title, group in (("Findings", deciding(number, tests)), ("Demonstrations", about)):
            lines += [f"\n{title}:\n", *(f"- {_line(test)}" for test in group)] if group else []
        lines.append(":::")
    return "\n".join(lines) + "\n"


def _link(test: Claim) -> str:
    """The claim's name, linked to where it is made."""
    page = (Path("..") / test.page.relative_to("book")).as_posix()
    return f"[{test.record['name']}]({page}#{default_slugify(test.heading)})"


def _line(test: Claim, brief: bool = False) -> str:
    """A claim in one line: link, sentence, value, bound, and, where not `brief`, what it rests on."""
    r = test.record
    value = r["measured"] + (f" ± {r['half']}" if r["half"] else "")
    needed = f"needed {r['relation']} {r['bound']:g}" + (f", margin {r['margin']:g}" if r["margin"] else "")
    rests = r.get("rests_on", "")
    rests = f"; `{rests}.json`" if rests not in ("", "exact") else f"; {rests}" if rests else ""
    return f"{_link(test)}: {r['sentence']} (**{value}**; {needed}{'' if brief else rests})"


def write(root: Path) -> None:
    """Write the page."""
    (root / PAGE).write_text(page(root), encoding="utf-8")


if __name__ == "__main__":
    try:
        write(Path(sys.argv[1]) if sys.argv[1:] else ROOT)
    except (OSError, ValueError) as error:
        sys.exit(f"FAILED {error}")
