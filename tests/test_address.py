"""The repository address: the same everywhere, and replaceable in one command."""

import re
import shutil
from pathlib import Path

import pytest

from helpers.book import address
from helpers.book.execute import ROOT, listed

# Places that must hold the book's own address, not some other project's.
OWN = re.compile(
    r"google\.com/github/([\w.-]+/[\w.-]+)/blob"
    r"|git\+https://github\.com/([\w.-]+/[\w-]+)"
    r"|repository-code: \"?https://github\.com/([\w.-]+/[\w-]+)"
    r"|Repository = \"https://github\.com/([\w.-]+/[\w-]+)"
)


@pytest.fixture
def copy(tmp_path):
    for path in address.files():
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return tmp_path


def own(root):
    return {
        path.relative_to(root): {next(filter(None, found)) for found in OWN.findall(path.read_text(encoding="utf-8"))}
        for path in address.files(root)
    }


def test_all_places_agree():
    found = {path: slugs for path, slugs in own(ROOT).items() if slugs}
    notebooks = {path.relative_to(ROOT) for path in listed(ROOT)}
    assert set(found) >= {Path("pyproject.toml"), Path("CITATION.cff"), *notebooks}
    assert set().union(*found.values()) == {address.current()}, found


def test_rewriting_leaves_no_old_address(copy):
    old = address.current(copy)
    before = {path: path.read_text(encoding="utf-8") for path in address.files(copy)}
    held = {path for path, text in before.items() if f"github.com/{old}" in text or f"google.com/github/{old}" in text}
    changed = address.rewrite("https://github.com/some-body/a.book_2", copy)
    assert set(changed) == held and copy / "_config.yml" in held
    for path in address.files(copy):
        text = path.read_text(encoding="utf-8")
        assert old not in text, path
        assert text == before[path].replace(old, "some-body/a.book_2")
    assert address.current(copy) == "some-body/a.book_2"
    address.rewrite(f"https://github.com/{old}.git", copy)
    assert {path: path.read_text(encoding="utf-8") for path in address.files(copy)} == before


@pytest.mark.parametrize(
    "url",
    [
        "",
        "github.com/a/b",
        "https://github.com/a",
        "https://github.com/a/b/c",
        "https://gitlab.com/a/b",
        "http://github.com/a/b",
        "https://github.com/a/b c",
        "https://github.com/-a/b",
        "https://github.com/a/..",
    ],
)
def test_a_bad_address_is_refused(copy, url, capsys):
    before = {path: path.read_bytes() for path in address.files(copy)}
    assert address.main([url], copy) == 1
    assert "https://github.com/OWNER/REPOSITORY" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in address.files(copy)} == before


def test_without_a_book_the_error_says_so(tmp_path, capsys):
    assert address.main(["https://github.com/a/b"], tmp_path) == 1
    assert "checkout" in capsys.readouterr().err
