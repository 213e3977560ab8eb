"""What a reader has read and solved is kept in the browser, shown, taken elsewhere and forgotten, and never sent.

In Chromium, over file://, on two small pages of the theme's form; `tests/test_pages.py` tries the built ones.
"""

import json
import shutil

import pytest

from helpers.book.execute import ROOT
from helpers.book.widgets import quiz

pytestmark = pytest.mark.slow
KEY = "transfer-gan-book.progress"
CHAPTER, COVER = "book/4-code/chapter", "book/index"
EXERCISE = "I have solved this exercise"
QUIZ = [
    {"ask": "Is 1 < 2?", "choices": [("no", "Count again."), ("yes", "Right: it is.")]},
    {"ask": "2 + 2?", "numbers": [(4, 4, "Right."), (3, 5, "Nearly.")], "otherwise": "Count on your fingers."},
]
PAGE = """<!doctype html><html lang="en" data-content_root="{up}"><meta charset="utf-8"><title>A page</title>
<script defer src="{up}_static/progress.js"></script>
<nav class="bd-links"><a class="reference internal" href="{to_cover}">The book</a>
<a class="reference internal" href="{to_chapter}">4.2 A chapter</a></nav><main>{body}</main></html>"""
BODIES = {
    COVER: """<section id="chapters"><div class="progress-panel"></div>
        <table><tr><td><a class="reference internal" href="4-code/chapter.html">4.2</a></td></tr></table></section>
        <footer class="prev-next-footer"></footer>""",
    CHAPTER: """<div class="exercise admonition" id="ex-1"><p>Do it.</p></div>
        <details class="sd-dropdown"><summary>Quick question: why?</summary><p>Because.</p></details>
        <details class="sd-dropdown"><summary>How this was found</summary><p>So.</p></details>"""
    + quiz(QUIZ).data
    + '<footer class="prev-next-footer"></footer>',
}
REFUSED = (
    "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('refused', 'SecurityError'); } });"
)


@pytest.fixture
def reader(browser, tmp_path):
    """Opens a page by its name in one reader's browser, and at the end asks for silence: of console and of network."""
    (tmp_path / "book" / "4-code").mkdir(parents=True)
    (tmp_path / "_static").mkdir()
    shutil.copy(ROOT / "book" / "_static" / "progress.js", tmp_path / "_static")
    for name, body in BODIES.items():
        up = "../" * name.count("/")
        text = PAGE.format(up=up, to_cover=f"{up}{COVER}.html", to_chapter=f"{up}{CHAPTER}.html", body=body)
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
    trouble, asked = [], []
    context = browser.new_context(accept_downloads=True)
    context.on("console", lambda said: trouble.append(said.text) if said.type in ("error", "warning") else None)
    context.on("weberror", lambda error: trouble.append(str(error.error)))
    context.on("request", lambda request: asked.append(request.url))

    def open_(name, before=""):
        page = context.new_page()
        if before:
            page.add_init_script(before)
        page.goto((tmp_path / f"{name}.html").as_uri())
        return page

    yield open_
    context.close()
    assert not trouble and all(url.startswith(("file:", "blob:")) for url in asked)


def kept(page) -> dict:
    return json.loads(page.evaluate(f"localStorage.getItem('{KEY}')") or "{}")


def marks(page) -> list[str]:
    return [mark.text_content() for mark in page.locator("a .progress-mark").all()]


def status(page) -> str:
    return page.get_by_role("status").inner_text()


def test_the_keyboard_ticks_and_the_tick_stays(reader):
    page = reader(CHAPTER)
    assert marks(page) == [] and kept(page) == {}
    page.get_by_label(EXERCISE).focus()
    page.keyboard.press("Space")
    page.get_by_label("I have read this page").focus()
    page.keyboard.press("Space")
    assert kept(page) == {CHAPTER: {"read": True, "solved": ["ex-1"], "of": 4}}
    page.reload()
    assert page.get_by_label(EXERCISE).is_checked() and page.get_by_label("I have read this page").is_checked()
    cover = reader(COVER)
    assert marks(cover) == [" ✓ 1/4 (read, 1 of 4 solved)"] * 2, "in the side bar and in the table"
    assert status(cover) == "Pages read: 1. Exercises and questions solved: 1."
    page.get_by_label(EXERCISE).uncheck()
    cover.wait_for_function("document.querySelector('[role=status]').textContent.includes('solved: 0')")
    assert cover.get_by_label("I have read this page").count() == 0, "the cover is no chapter"


def test_a_right_answer_ticks_itself_and_a_wrong_or_shown_one_does_not(reader):
    page = reader(CHAPTER)
    boxes = page.locator(".quiz .progress-tick input")
    page.get_by_text("no", exact=True).click()
    page.locator("summary", has_text="Show the answer").click()
    for number, right in (("7", False), ("4.5", False), ("4", True)):
        page.get_by_label("Your number:").fill(number)
        page.get_by_role("button", name="Check").click()
        page.wait_for_timeout(100)
        assert [box.is_checked() for box in boxes.all()] == [False, right]
    page.get_by_text("yes", exact=True).click()
    page.wait_for_function("document.querySelector('.quiz .progress-tick input').checked")
    page.locator("summary", has_text="Quick question").click()
    page.get_by_label("I had this right").check()
    assert page.get_by_label("I had this right").count() == 1
    assert kept(page)[CHAPTER]["solved"] == ["2 + 2?", "Is 1 < 2?", "Quick question: why?"]


def test_progress_goes_out_comes_in_and_is_forgotten(reader, tmp_path):
    page = reader(CHAPTER)
    page.get_by_label(EXERCISE).check()
    page = reader(COVER)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    download.value.save_as(file := tmp_path / "progress.json")
    assert json.loads(file.read_text()) == kept(page) != {}
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Reset").click()
    assert kept(page) != {}, "asked, the reader said no"
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Reset").click()
    assert kept(page) == {} and marks(page) == []
    other = {CHAPTER: {"read": True, "solved": ["Is 1 < 2?"], "of": 4}}
    (second := tmp_path / "other.json").write_text(json.dumps(other))
    for path in (file, second):
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Import").click()
        chooser.value.set_files(path)
        page.wait_for_timeout(200)
    assert kept(page) == {CHAPTER: {"read": True, "solved": ["ex-1", "Is 1 < 2?"], "of": 4}}, "both together"
    assert marks(page) == [" ✓ 2/4 (read, 2 of 4 solved)"] * 2


@pytest.mark.parametrize(
    "content", ["no JSON", "[]", "3", '{"book/index": {"read": 1, "solved": [], "of": 0}}', "null"]
)
def test_a_wrong_file_changes_nothing_and_damaged_storage_is_an_empty_one(reader, tmp_path, content):
    page = reader(COVER, before=f"localStorage.setItem('{KEY}', {json.dumps(content)})")
    assert marks(page) == [] and status(page).startswith("Pages read: 0")
    (file := tmp_path / "wrong.json").write_text(content)
    page.locator("input[type=file]").set_input_files(file)
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('This file holds no')")
    assert page.evaluate(f"localStorage.getItem('{KEY}')") == content


def test_where_nothing_may_be_stored_the_page_says_so_and_works(reader):
    page = reader(CHAPTER, before=REFUSED)
    page.get_by_label(EXERCISE).check()
    assert marks(page) == [" 1/4 (1 of 4 solved)"]
    assert "refuses to keep it" in status(reader(COVER, before=REFUSED))
