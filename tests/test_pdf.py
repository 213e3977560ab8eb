"""The PDF of the book, on a small one: order, numbers, jumps, what is left out. Needs a browser, like test_pages.py."""

import os
import re

import pytest
from pypdf import PdfReader

from helpers.book import pdf
from helpers.book.execute import ROOT

PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>{title} &#8212; A book</title>
<link rel="stylesheet" href="../book.css"></head><body><div class="bd-main"><div class="bd-content">
<article class="bd-article"><h1>{title}</h1>{text}</article></div></div></body></html>"""
ONE = """<p><a href="two.html#here">to the place</a>, <a href="two.html">to the page</a>,
<a href="picture.png">a file</a>, <a href="https://example.org/">elsewhere</a></p>
<div class="solution dropdown admonition toggle-hidden"><p>the solution</p></div>
<details class="hide above-input"><summary>Show code</summary><pre>plotting()</pre></details>
<details class="sd-dropdown"><summary>What to expect</summary><p>a folded sentence</p></details><h2>After it</h2>"""
TWO = """<p>first</p><h2 style="break-before: page" id="here">A place</h2><p><a href="one.html">back</a></p>"""


@pytest.fixture
def small(tmp_path):
    """A book of a cover and two chapters, as it lies built."""
    (tmp_path / "_toc.yml").write_text(
        "root: book/index\nparts: [{caption: A part, chapters: [{file: book/one}, {file: book/two}]}]\n"
    )
    (tmp_path / "_config.yml").write_text(
        "{title: A book, author: Its authors, repository: {url: https://github.com/a/b}}"
    )
    figures = tmp_path / "book" / "_static" / "figures"
    figures.mkdir(parents=True)
    (figures / "map-of-the-book.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 4"/>')
    built = tmp_path / "built" / "book"
    built.mkdir(parents=True)
    style = (ROOT / "book" / "_static" / "book.css").read_text(encoding="utf-8")
    (built.parent / "book.css").write_text(style, encoding="utf-8")
    for name, title, text in [("index", "A book", "<p>why</p>"), ("one", "1 One", ONE), ("two", "2 Two", TWO)]:
        (built / f"{name}.html").write_text(PAGE.format(title=title, text=text), encoding="utf-8")
    return tmp_path


def test_chapters_stand_in_order_with_what_others_link_to(small):
    found = pdf.chapters(small / "built", small)
    assert [(chapter.title, chapter.caption) for chapter in found] == [
        ("About this book", ""),
        ("1 One", "A part"),
        ("2 Two", ""),
    ]
    assert [chapter.places for chapter in found] == [[], [], ["here"]]


@pytest.mark.slow
@pytest.mark.skipif("CI" in os.environ, reason="in CI no browser is started: run the tests on a machine of your own")
def test_the_book_is_printed(small):
    file = small / "out" / "book.pdf"
    try:
        count = pdf.write(small / "built", file, small)
    except RuntimeError as error:  # no browser
        pytest.skip(str(error))
    assert count == 6
    read = PdfReader(file)
    texts = [page.extract_text() for page in read.pages]
    assert "https://github.com/a/b" in texts[0] and read.metadata.title == "A book"
    assert re.search(r"About this book\s*3.*A part.*1 One\s*4.*2 Two\s*5", texts[1], re.S)
    assert all(str(number) in texts[number - 1].split() for number in (3, 4, 5, 6))
    assert "plotting" not in texts[3] and "a folded sentence" in texts[3]
    assert texts[3].index("After it") < texts[3].index("Answers") < texts[3].index("the solution")
    links = [[link.get_object() for link in page.get("/Annots", ())] for page in read.pages]
    assert b"file:" not in file.read_bytes() and [len(found) for found in links] == [0, 3, 0, 3, 0, 1]
    jumps = [
        [read.get_page_number(link["/Dest"][0].get_object()) for link in found if "/Dest" in link] for found in links
    ]
    assert jumps == [[], [2, 3, 4], [], [5, 4], [], [3]]
    assert [entry["/Title"] for entry in read.outline if not isinstance(entry, list)] == ["A book", "1 One", "2 Two"]
