"""The bibliography: what is listed is cited, what is cited is listed, and a conference has one name."""

import re

import pytest

from helpers.book.execute import ROOT

BIB = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
KEYS = re.findall(r"^@\w+\{(\w+),", BIB, re.M)
CITATION = re.compile(r"\{cite:[pt]\}`([^`]+)`")
ACRONYM = re.compile(r"\b[A-Z][A-Za-z]*[A-Z]\b")  # ICML, NeurIPS


def cited() -> set[str]:
    pages = [path for kind in ("ipynb", "md") for path in (ROOT / "book").rglob(f"*.{kind}")]
    texts = [path.read_text(encoding="utf-8") for path in pages if ".ipynb_checkpoints" not in path.parts]
    return {key.strip() for text in texts for keys in CITATION.findall(text) for key in keys.split(",")}


def test_every_entry_is_cited_and_every_citation_has_its_entry():
    assert len(KEYS) == len(set(KEYS))
    assert set(KEYS) == cited()


def names(text: str) -> dict[str, set[str]]:
    """Acronym of a conference → its names in the bibliography; a volume's number and a workshop are no part of them."""
    found: dict[str, set[str]] = {}
    for title in re.findall(r"booktitle = \{(.+)\},?$", text, re.M):
        name = re.sub(r" \d+$|, Workshops?$", "", title).replace("IEEE/CVF", "IEEE")
        key = name if name.startswith("Advances") else (ACRONYM.findall(name) or [name])[-1]
        found.setdefault("NeurIPS" if "Advances in Neural" in name else key, set()).add(name)
    return found


def test_a_conference_has_one_name():
    assert {key: said for key, said in names(BIB).items() if len(said) > 1 or key in said and key.isupper()} == {}


@pytest.mark.parametrize("short", ["NeurIPS", "ICML"])
def test_a_short_name_beside_the_long_one_is_noticed(short):
    assert len(names(BIB + f"\n  booktitle = {{{short}}},\n")[short]) > 1
