"""The claims ledger: every statement of the source, the claims that test it, and the verdict.

``python -m helpers.book.ledger [FOLDER]`` writes ``book/appendix/ledger.md`` of the checkout, or of a copy of
the book, from ``statements.yml`` and from what the notebooks recorded when they were executed. Nobody
edits the page by hand.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat
import yaml
from myst_parser.mdit_to_docutils.base import default_slugify  # the anchors of the pages

from helpers.book.claims import VERDICTS
from helpers.book.execute import ROOT, listed

STATEMENTS, PAGE = Path("book/appendix/statements.yml"), Path("book/appendix/ledger.md")
OPEN, UNTESTABLE = "not tested yet", "not testable here"
INTRODUCTION = """# Claims ledger

Every checkable statement of the source, in our words, with the experiments that test it. This page is generated from
what the notebooks recorded. A claim that no longer holds stops its notebook, and with it the tests.

A verdict is about the source's statement and about what was measured here, on small networks and small images.
In brackets stands what was measured, with half the width of its 95 % interval where there are several seeds, and the
bound that it had to meet. Where two claims about one statement differ, the statement holds under a condition.
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
        notebook = nbformat.read(path, as_version=4)
        if "claims" not in notebook.metadata:
            raise ValueError(f"{path.name} has no record of its claims: run `make refresh`")
        where, heading = {}, ""
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                heading = ([heading] + re.findall(r"^#{1,3} (.+)$", cell.source, re.M))[-1]
            for name in re.findall(r'claim\(\s*"([^"]+)"', cell.source):
                where[name] = heading
        for record in notebook.metadata["claims"]:
            if record["name"] not in where:
                raise ValueError(f"{path.name} records the claim {record['name']}, but no cell makes it")
            found.append(Claim(dict(record), path.relative_to(root), where[record["name"]]))
    return found


def statements(root: Path) -> dict[str, dict]:
    """The source's statements by number.

    Raises
    ------
    ValueError
        A number occurs twice, or a row has an unknown key.
    """
    rows = yaml.safe_load((root / STATEMENTS).read_text(encoding="utf-8"))
    table = {str(row["id"]): row for row in rows}
    if len(table) < len(rows) or any(row.keys() - {"id", "text", "untestable"} for row in rows):
        raise ValueError(f"{STATEMENTS} gives a number twice, or a text with a comma stands there without quotes")
    return table


def verdict(statement: dict, tests: list[Claim]) -> str:
    """One verdict for a statement: what its claims agree on, or "holds under a condition"."""
    if not tests:
        return UNTESTABLE if "untestable" in statement else OPEN
    verdicts = {test.record["verdict"] for test in tests}
    return verdicts.pop() if len(verdicts) == 1 else "holds under a condition"


def verdicts(table: dict[str, dict], tests: list[Claim]) -> dict[str, str]:
    """The verdict for each of the `statements`, by their `claims`.

    Raises
    ------
    ValueError
        A claim names a statement that does not exist.
    """
    if unknown := sorted({t.record["source"] for t in tests} - {"", *table}):
        raise ValueError(f"claims name statements that {STATEMENTS} does not have: {', '.join(unknown)}")
    return {n: verdict(row, [t for t in tests if t.record["source"] == n]) for n, row in table.items()}


def page(root: Path) -> str:
    """The text of the ledger."""
    table, tests = statements(root), claims(root)
    result = verdicts(table, tests)
    order = [*VERDICTS, UNTESTABLE, OPEN]
    counts = ", ".join(f"{n} {v}" for v in order if (n := list(result.values()).count(v)))
    lines = [INTRODUCTION, f"**{len(table)} statements: {counts}.** {len(tests)} claims in all.\n"]
    part = ""
    for number, row in table.items():
        if number[0] != part:
            part = number[0]
            lines.append("## Questions\n" if part == "Q" else f"## Section {part}\n")
        lines.append(f"**{number}** {row['text']} *Verdict:* **{result[number]}**\n")
        if "untestable" in row:
            lines.append(f"- {row['untestable']}")
        for test in tests:
            r, link = test.record, (Path("..") / test.page.relative_to("book")).as_posix()
            if r["source"] == number:
                spread = f" ± {r['spread']}" if r["spread"] else ""
                lines.append(
                    f"- [{r['name']}]({link}#{default_slugify(test.heading)}): {r['sentence']} "
                    f"({r['measured']}{spread}; needed {r['needed']})"
                )
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def write(root: Path) -> None:
    """Write the page."""
    (root / PAGE).write_text(page(root), encoding="utf-8")


if __name__ == "__main__":
    try:
        write(Path(sys.argv[1]) if sys.argv[1:] else ROOT)
    except (OSError, ValueError) as error:
        sys.exit(f"FAILED {error}")
