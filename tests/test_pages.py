"""The pages: they build without a warning, and they are the notebooks' and no others."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image

from helpers.book.address import PLACEHOLDER, current
from helpers.book.execute import ROOT, listed

pytestmark = pytest.mark.slow  # builds the whole book
API = "book/appendix/api"
KINDS = {"index", "4-6-choosing", "questions", "ledger", "search"}  # a page of each kind


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The folder of the pages, built from the committed outputs. `BOOK_PAGES` names a folder to keep them in."""
    folder = Path(os.environ.get("BOOK_PAGES") or tmp_path_factory.mktemp("pages"))
    build = [Path(sys.executable).with_name("jupyter-book"), "build", "-W", "-n", "--keep-going"]
    built = subprocess.run(
        [*build, "--path-output", folder, ROOT], capture_output=True, text=True, check=False, timeout=300
    )
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    return folder / "_build" / "html"


@pytest.mark.parametrize("path", listed(ROOT), ids=lambda path: path.stem)
def test_every_notebook_has_its_page_with_outputs_and_described_pictures(pages, path):
    page = (pages / path.relative_to(ROOT).with_suffix(".html")).read_text(encoding="utf-8")
    assert "cell_output" in page and re.search(r'<img [^>]*alt="\w', page) and "colab.research.google.com" in page


def html(pages):
    return sorted(path for path in pages.rglob("*.html") if "_static" not in path.parts)


def test_no_page_names_a_file_of_another_host(pages):
    loaded = re.compile(
        r'<(?:img|script|iframe|video|audio|source|object|embed)\b[^>]*\s(?:src|srcset|data)="(?:https?:)?//'
    )
    styled = re.compile(
        r'<link\b(?=[^>]*rel="(?:stylesheet|preload|icon|shortcut icon|preconnect)")[^>]*href="(?:https?:)?//'
    )
    for path in html(pages):
        text = path.read_text(encoding="utf-8")
        assert not loaded.search(text) and not styled.search(text), path.relative_to(pages)


def test_no_page_asks_another_host(pages, browser):
    page, asked, foreign = browser.new_page(reduced_motion="reduce"), [], {}
    page.set_default_timeout(120_000)  # a busy machine
    page.on("request", lambda request: asked.append(request.url))
    for path in set(html(pages)) - {pages / "index.html"}:  # which leads to the cover at once
        page.goto(path.as_uri())
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")  # what waits until it is seen
        page.wait_for_timeout(300)
        assert path.as_uri() in asked
        foreign[path.stem] = [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
        asked.clear()
    page.close()
    assert {name: urls for name, urls in foreign.items() if urls} == {}


@pytest.mark.parametrize("own", [PLACEHOLDER, "some-body/a-book"], ids=["placeholder", "real"])
def test_only_a_real_address_is_offered(pages, browser, tmp_path, own):
    """Nothing on a page leads to the placeholder; with a real address, badge and buttons are there."""
    path = pages / "book" / "appendix" / "speed.html"
    copy = path.with_name(f"{tmp_path.name}-{path.name}")  # beside its style sheets
    copy.write_text(path.read_text(encoding="utf-8").replace(current(ROOT), own), encoding="utf-8")
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(copy.as_uri(), timeout=120_000)
        wanted = own != PLACEHOLDER
        for place in (".bd-content a > img[src$='colab-badge.svg']", ".dropdown-launch-buttons > button"):
            assert page.locator(place).first.is_visible() == wanted, place
        assert page.locator(".dropdown-source-buttons > button").is_visible() == wanted
        assert page.locator(".dropdown-download-buttons > button").is_visible()
        page.close()
    finally:
        copy.unlink()


def test_a_dark_page_is_printed_light(pages, browser):
    page = browser.new_page(color_scheme="dark")
    page.goto((pages / "book" / "appendix" / "speed.html").as_uri(), timeout=120_000)
    themes = [page.evaluate("document.documentElement.dataset.theme")]
    for event in ("beforeprint", "afterprint"):
        page.evaluate("event => window.dispatchEvent(new Event(event))", event)
        themes.append(page.evaluate("document.documentElement.dataset.theme"))
    assert themes == ["dark", "light", "dark"]
    page.emulate_media(media="print")
    for place in ("details.hide", ".bd-sidebar-primary", ".bd-header-article", ".bd-content button"):
        assert not any(found.is_visible() for found in page.locator(place).all()), place
    assert page.locator("h1").last.is_visible()
    page.close()


def test_the_placeholder_is_that_of_the_style_sheet():
    assert PLACEHOLDER in (ROOT / "book" / "_static" / "book.css").read_text(encoding="utf-8")


def test_nothing_else_became_a_page(pages):
    found = {path.relative_to(pages).with_suffix("") for path in html(pages)}
    sources = [*(ROOT / "book").rglob("*.ipynb"), *(ROOT / "book").rglob("*.md")]
    chapters = {path.relative_to(ROOT).with_suffix("") for path in sources}
    assert found - chapters == {Path("index"), Path("genindex"), Path("search")}
    assert {path.relative_to(ROOT).with_suffix("") for path in listed(ROOT)} < found


def test_the_page_of_the_package_has_every_module_and_its_docstrings(pages):
    named = re.findall(r"automodule:: (\S+)", (ROOT / f"{API}.md").read_text(encoding="utf-8"))
    top = [path for path in (ROOT / "helpers").glob("[!_]*") if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert {f"helpers.{path.stem}" for path in top} - {"helpers.book", "helpers.experiments"} <= set(named)
    page = (pages / f"{API}.html").read_text(encoding="utf-8")
    for name in named:
        assert re.search(rf'<dt class="sig [^>]*id="{re.escape(name)}\.', page), f"nothing of {name} is described"
    assert "Alias for field number" not in page, "exclude the fields of the new NamedTuple: its docstring says more"


def head(path):
    """The title of a page, and its tags by name or property."""
    text = path.read_text(encoding="utf-8").partition("<body")[0]
    tags = re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', text)
    assert len(re.findall("<title>", text)) == 1 and len([tag for tag, _ in tags if tag == "description"]) == 1, path
    return re.search(r"<title>\s*(\S.*?)\s*</title>", text, re.S)[1], dict(tags)


def test_every_page_says_what_it_is(pages):
    heads = {path.relative_to(pages).as_posix(): head(path) for path in html(pages)}
    for name, (title, tags) in heads.items():
        assert "Transfer Learning, GANs, and the Combination of Both" in title
        assert 40 <= len(tags["description"]) <= 165 and tags["description"].endswith("."), name
        assert tags["og:description"] == tags["description"] and tags["twitter:card"] == "summary_large_image"
        assert tags["og:title"] and tags["og:image:alt"] and tags["og:url"].startswith("https://")
        site = tags["og:url"].removesuffix("" if name == "index.html" else name)
        assert site.endswith("/") and tags["og:image"].startswith(site)
        with Image.open(pages / tags["og:image"].removeprefix(site)) as image:  # no preview shows a drawing
            assert image.width >= 400 and image.height >= 200, name
    del heads["index.html"]  # it leads to the cover, and has the cover's head
    for part in ("title", "description"):
        values = [title if part == "title" else tags[part] for title, tags in heads.values()]
        assert len(set(values)) == len(values), part
    assert len({tags["og:image"] for _, tags in heads.values()}) > 15, "chapters show their own first figure"


@pytest.mark.parametrize(
    "term, page",
    {
        "mode collapse": "1.2 Generative adversarial networks",
        "fine-tuning": "3.1 Fine-tuning, step by step",
        "FID": "4.2 A GAN that makes digits",
        "迁移学习": "1.1 Transfer learning",
        "生成对抗网络": "1.2 Generative adversarial networks",
        "对抗网络": "1.2 Generative adversarial networks",  # inside a longer term
        "微调": "2.1 Pretrained model, target task, fine-tuning",
        "域适应": "Glossary",
        "GAN 判别器": "Glossary",
    }.items(),
)
def test_the_search_finds_english_and_chinese(pages, browser, term, page):
    search = browser.new_page()
    search.goto(f"{(pages / 'search.html').as_uri()}?q={quote(term)}", timeout=120_000)
    search.wait_for_function("document.querySelector('.search-summary')?.textContent.includes('finished')")
    found = search.locator("ul.search > li > a").all_inner_texts()
    search.close()
    assert any(title.startswith(page) for title in found) and (term.isascii() or "Glossary" in found)
    assert len(found) < len(html(pages)) - 4, "not everything"


def test_a_built_chapter_keeps_what_is_read_and_the_cover_shows_it(pages, browser):
    name, context = "book/4-code/4-2-a-gan-that-makes-digits.html", browser.new_context()
    chapter = context.new_page()
    chapter.goto((pages / name).as_uri(), timeout=120_000)
    assert chapter.get_by_label("I have solved this exercise").count() == chapter.locator(".exercise").count() > 0
    chapter.get_by_label("I have solved this exercise").first.check()
    chapter.get_by_label("I have read this page").check()
    cover = context.new_page()
    cover.goto((pages / "book" / "index.html").as_uri(), timeout=120_000)
    assert cover.locator("nav.bd-links .progress-mark").count() == 1
    assert cover.locator("table .progress-mark").all_text_contents() == [" ✓ 1/3 (read, 1 of 3 solved)"]
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_barrier(pages, browser, theme):
    """On one page of each kind; on every page where BOOK_AXE is set, which takes minutes."""
    axe = pytest.importorskip("axe_playwright_python.base", reason="no axe: pip install axe-playwright-python")
    script = Path(axe.AXE_FILE_PATH).read_text(encoding="utf-8")
    context, found = browser.new_context(color_scheme=theme, reduced_motion="reduce"), []
    for path in html(pages):
        if path == pages / "index.html" or not (os.environ.get("BOOK_AXE") or path.stem in KINDS):
            continue  # the first leads to the cover
        page = context.new_page()
        page.goto(path.as_uri(), timeout=120_000)
        page.evaluate(script)
        broken = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
        found += [(path.stem, rule["id"], *node["target"]) for rule in broken for node in rule["nodes"]]
        page.close()
    context.close()
    assert found == []
