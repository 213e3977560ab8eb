"""The whole book as one PDF, from its built pages: ``python -m helpers.book.pdf PAGES FILE``.

Chromium prints each page by the rules that ``book.css`` has for paper; pypdf joins the files and turns links between
chapters into jumps. Folded code is left out and folded text unfolded. A chapter's answers stand at its end.
"""

import io
import re
import sys
from html import escape, unescape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag

import yaml
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, FloatObject, NameObject

from helpers.book import address
from helpers.book.browser import chromium
from helpers.book.execute import ROOT

# Before a page is printed: light, text unfolded, answers at the end, formulas and pictures there, and a link to each
# place that other pages link to, since Chromium writes down only the places that have one.
PREPARE = """async (places) => {
  document.documentElement.dataset.theme = "light";
  for (const fold of document.querySelectorAll("details.sd-dropdown")) fold.open = true;
  for (const fold of document.querySelectorAll(".toggle-hidden")) fold.classList.remove("toggle-hidden");
  const article = document.querySelector("article"), answers = document.querySelectorAll(".solution.dropdown");
  if (answers.length) article.insertAdjacentHTML("beforeend", "<h2>Answers</h2>");
  article.append(...answers);
  for (const place of places.filter((name) => document.getElementById(name))) {
    article.insertAdjacentHTML("afterbegin", '<a class="place">.</a>');
    article.firstChild.href = "#" + place;
  }
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
  await window.MathJax?.startup?.promise;
}"""
STYLE = "html { counter-reset: page %d } a.place { font-size: 1px; opacity: 0.01; position: absolute }"
FRONT = """<!doctype html><meta charset="utf-8"><title>Contents</title><style>
@page {{ size: A4; margin: 18mm 17mm 20mm }} body {{ font: 10.5pt/1.45 sans-serif; margin: 0 }}
.cover {{ break-after: page; padding-top: 30mm }} h1 {{ font-size: 30pt; line-height: 1.2 }} h2 {{ margin-top: 0 }}
svg {{ height: auto; margin: 15mm 0; width: 100% }} h3 {{ font-size: 10.5pt; margin: 0.8em 0 0.1em }}
a {{ color: inherit; display: flex; text-decoration: none }} a span {{ margin-left: auto }}</style>
<div class="cover"><h1>{title}</h1><p>An executable book, on paper.</p>{picture}<p>{online}Folded code, which sets up,
draws and checks, is left out; it is in the notebooks. Sliders and live pieces stand still. The answers to the exercises
are at the end of each chapter.</p><p>Text and figures: CC BY 4.0. Code: MIT.</p></div><h2>Contents</h2>{contents}"""


class Chapter(NamedTuple):
    path: Path  # of the built page
    title: str
    caption: str  # of the part that begins here, or nothing
    places: list[str]  # what other pages link to


def chapters(pages: Path, root: Path = ROOT) -> list[Chapter]:
    """The built pages in the order of ``_toc.yml``."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    captions = {toc["root"]: ""}
    for part in toc["parts"]:
        captions |= {entry["file"]: "" if i else part["caption"] for i, entry in enumerate(part["chapters"])}
    paths = [pages.resolve() / f"{file}.html" for file in captions]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    places: dict[Path, set[str]] = {path: set() for path in paths}
    for path, text in zip(paths, texts):
        for link in re.findall(r'href="([^"#:]+\.html#[^"]+)"', text):
            page, place = urldefrag(unescape(link))
            places.get((path.parent / page).resolve(), set()).add(unquote(place))
    titles = [unescape(re.split(" &#8212; |</title>", text.split("<title>")[1])[0]) for text in texts]
    titles[0] = "About this book"  # else the title of the whole
    return [Chapter(*of) for of in zip(paths, titles, captions.values(), map(sorted, places.values()))]


def link_inside(writer: PdfWriter, parts: list[tuple[str, PdfReader, int]]) -> None:
    """Turn links to pages of the book into jumps, and take away links to other local files."""
    jumps: dict[tuple[str, str], list] = {}
    for uri, reader, start in parts:
        jumps[uri, ""] = [writer.pages[start].indirect_reference, NameObject("/Fit")]
        for name, spot in reader.named_destinations.items():
            leaf = writer.pages[start + (reader.get_destination_page_number(spot) or 0)].indirect_reference
            jumps[uri, unquote(name[1:])] = [leaf, NameObject("/FitH"), FloatObject(spot.top or 0)]
    for uri, reader, start in parts:
        for page in writer.pages[start : start + len(reader.pages)]:
            kept = ArrayObject()
            for reference in page.get("/Annots", ()):
                link = reference.get_object()
                target = f"{uri}#{link['/Dest'][1:]}" if "/Dest" in link else link.get("/A", {}).get("/URI", "")
                if target.startswith("file:"):
                    where, place = urldefrag(target)
                    jump = jumps.get((where, unquote(place))) or jumps.get((where, ""))
                    if not jump or link["/Rect"][3] - link["/Rect"][1] < 4:  # a picture's file, or a mark of PREPARE
                        continue
                    link.pop("/A", None)
                    link[NameObject("/Dest")] = ArrayObject(jump)
                kept.append(reference)
            page[NameObject("/Annots")] = kept


def write(pages: Path, file: Path, root: Path = ROOT) -> int:
    """Print the built pages into one file, and return the number of its pages."""
    listed, own = chapters(pages, root), address.current(root)
    settings = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    cover = {
        "title": escape(settings["title"]),
        "picture": (root / "book" / "_static" / "figures" / "map-of-the-book.svg").read_text(encoding="utf-8"),
        "online": "" if own == address.PLACEHOLDER else f"Online, and to run: https://github.com/{own}. ",
    }
    with chromium() as browser:
        page = browser.new_context(color_scheme="light", reduced_motion="reduce").new_page()
        page.set_default_timeout(300_000)  # a busy machine
        page.route("**/_static/live/*.js", lambda route: route.abort())  # live pieces keep their still pictures
        page.emulate_media(media="print")

        def printed() -> PdfReader:
            paper = page.pdf(prefer_css_page_size=True, print_background=True, outline=True, tagged=True)
            return PdfReader(io.BytesIO(paper))

        def front(starts: list[int]) -> PdfReader:
            contents = ""
            for chapter, start in zip(listed, starts):
                contents += f"<h3>{escape(chapter.caption)}</h3>" if chapter.caption else ""
                contents += f'<a href="{chapter.path.as_uri()}">{escape(chapter.title)}<span>{start + 1}</span></a>'
            page.set_content(FRONT.format(**cover, contents=contents))
            return printed()

        parts: list[tuple[str, PdfReader, int]] = []
        start = len(front([999] * len(listed)).pages)
        for chapter in listed:
            page.goto(chapter.path.as_uri())
            page.add_style_tag(content=STYLE % start)
            page.evaluate(PREPARE, chapter.places)
            parts.append((chapter.path.as_uri(), printed(), start))
            start += len(parts[-1][1].pages)
            print(f"to page {start}: {chapter.title}", flush=True)
        parts.insert(0, ("", front([start for *_, start in parts]), 0))
    writer = PdfWriter()
    for uri, reader, _ in parts:
        writer.append(reader, import_outline=bool(uri))
    link_inside(writer, parts)
    writer.add_metadata({"/Title": settings["title"], "/Author": settings["author"]})
    writer.compress_identical_objects()
    file.parent.mkdir(parents=True, exist_ok=True)
    writer.write(file)
    return len(writer.pages)


if __name__ == "__main__":
    try:
        print(f"{write(*map(Path, sys.argv[1:3]))} pages: {sys.argv[2]}")
    except (OSError, RuntimeError) as error:
        sys.exit(str(error))
