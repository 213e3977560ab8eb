"""What the pages have beyond Jupyter Book's settings; ``_config.yml`` names this as an extension of Sphinx.

A page that is shared shows its title, one sentence and a picture. The sentence is written with the page, as
``myst: html_meta: description`` in its front matter or in the notebook's metadata, and a page without one is a
warning. The picture is the page's first figure that such previews can show, else the map of the book. The search
splits Chinese.
"""

import html
import posixpath
import re
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish
from sphinx.util import logging

CARD = ("_static/figures/card.png", "The map of the book: transfer learning, GANs, and the roads between them.")
# Pages that have no source.
SENTENCES = {
    "genindex": "Every function and class of the book's package, in alphabetical order.",
    "search": "Search the book for a term, in English or in Chinese.",
}
HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # in expressions of Python and of JavaScript


class EnglishAndChinese(SearchEnglish):
    """English words; and of Chinese, which has no spaces, its pieces, their pairs and characters.

    Sphinx's script looks for words of three signs or more inside longer ones, but only where no word is the same.
    So the longer pieces end in a full stop here, and the same term is found alone and inside a sentence.
    """

    lang = "en-zh"
    language_name = "English and Chinese"
    _word_re = re.compile(rf"[{HAN}]+|[^\W{HAN}]+")
    js_splitter_code = f"""
var splitQuery = (query) => query
    .split(/[^\\p{{Letter}}\\p{{Number}}_\\p{{Emoji_Presentation}}]+/gu)
    .flatMap((word) => word.match(/[{HAN}]+|[^{HAN}]+/gu) || []);
"""

    def split(self, input: str) -> list[str]:
        words = []
        for word in super().split(input):
            if re.match(f"[{HAN}]", word):
                words += [*word, *(word[i : i + 2] for i in range(len(word) - 1))]
                words += [f"{word}。"] if len(word) > 2 else []
            else:
                words.append(word)
        return words


def address(app: Sphinx) -> str:
    """Where the pages are published: html_baseurl where it is set, else GitHub Pages of the repository; ends in /."""
    if app.config.html_baseurl:
        return app.config.html_baseurl.rstrip("/") + "/"
    owner, name = urlsplit(app.config.html_theme_options["repository_url"]).path.strip("/").split("/")
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def picture(app: Sphinx, doctree: nodes.document | None) -> tuple[str, str]:
    """The first figure of a page that is no drawing and large enough, and what it shows; else the card of the book."""
    sources = {name: source for source, name in app.builder.images.items()}
    for node in doctree.findall(nodes.image) if doctree else ():
        name = unquote(posixpath.basename(node["uri"]))  # its writer has put the address in the pages there
        if not name.endswith((".png", ".jpg")) or name not in sources or "live-still" in node["classes"]:
            continue
        with Image.open(Path(app.srcdir) / sources[name]) as image:
            width, height = image.size
        if width >= 400 and height >= 200 and width <= 3 * height:
            return posixpath.join(app.builder.imagedir, quote(name)), node.get("alt", "")
    return CARD


def tags(app: Sphinx, page: str, title: str, sentence: str, shown: tuple[str, str] = CARD) -> str:
    """The description and the Open Graph and Twitter tags of a page."""
    named = {"description": sentence, "twitter:card": "summary_large_image"}
    properties = {
        "og:type": "website" if page in ("index", app.config.root_doc) else "article",
        "og:site_name": app.config.html_title or app.config.project,
        "og:title": title,
        "og:description": sentence,
        "og:url": urljoin(address(app), "" if page == "index" else app.builder.get_target_uri(page)),
        "og:image": urljoin(address(app), shown[0]),
        "og:image:alt": shown[1] or title,
    }
    lines = [f'<meta name="{name}" content="{html.escape(text)}" />' for name, text in named.items()]
    lines += [f'<meta property="{name}" content="{html.escape(text)}" />' for name, text in properties.items()]
    return "\n".join(lines) + "\n"


def described(doctree: nodes.document | None) -> str:
    """The sentence that a page has about itself; empty where there is none."""
    found = doctree.findall(nodes.meta) if doctree else ()
    return next((meta["content"] for meta in found if meta.get("name") == "description"), "")


def describe(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Give a page its tags. What stands in the page as its description replaces Sphinx's own line of it."""
    if app.builder.format != "html" or not (doctree or pagename in SENTENCES):
        return
    sentence = described(doctree) or SENTENCES.get(pagename)
    if not sentence:
        logging.getLogger(__name__).warning("no description: give one in myst.html_meta", location=pagename)
    written = re.sub(r'<meta [^>]*name="description"[^>]*>\n?', "", context.get("metatags") or "")
    title = html.unescape(re.sub("<[^>]+>", "", context.get("title") or pagename))
    context["metatags"] = written + tags(app, pagename, title, sentence or "", picture(app, doctree))


def front_door(app: Sphinx, exception: Exception | None) -> None:
    """The bare address leads to the cover, and says what is there to whoever does not follow."""
    if exception or app.builder.name != "html" or app.config.root_doc == "index":
        return
    cover, title = app.builder.get_target_uri(app.config.root_doc), app.env.titles[app.config.root_doc].astext()
    sentence = described(app.env.get_doctree(app.config.root_doc))
    Path(app.outdir, "index.html").write_text(
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8" />\n<title>{html.escape(title)}</title>\n'
        f'<meta http-equiv="refresh" content="0; url={cover}" />\n{tags(app, "index", title, sentence)}'
        f'</head>\n<body><p><a href="{cover}">{html.escape(title)}</a></p></body>\n</html>\n',
        encoding="utf-8",
    )


def setup(app: Sphinx) -> dict:
    app.add_search_language(EnglishAndChinese)
    app.add_js_file("progress.js", loading_method="defer")
    app.connect("html-page-context", describe)
    app.connect("build-finished", front_door, priority=900)  # after the page that sphinx_external_toc writes there
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
