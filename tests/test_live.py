"""The live pieces compute what PyTorch computes, stand on their pages as a picture with words, and answer their reader.

Scripts run in node where there is one. What a reader does is done in Chromium by Playwright, over file://; both are
optional, and nothing is downloaded here.
"""

import json
import re
import shutil
import subprocess
from functools import cache

import numpy as np
import pytest
import torch

from helpers import models
from helpers.book import live
from helpers.book.execute import ROOT

PAGES = [
    ("book/index.md", "generator"),
    ("book/1-background/1-2-gans.ipynb", "dirac"),
    ("book/1-background/1-2-gans.ipynb", "ring"),
    ("book/2-concepts/2-2-gans.ipynb", "densities"),
    ("book/4-code/4-1-fine-tuning-a-resnet.ipynb", "draw"),
    ("book/4-code/4-2-a-gan-that-makes-digits.ipynb", "generator"),
    ("book/4-code/4-3-a-pretrained-generator.ipynb", "interpolate"),
]
PIECES = sorted({piece for _, piece in PAGES})
LARGEST = 2_000_000  # bytes that one page may load
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(not NODE, reason="no node, which runs the scripts without a browser")


def markup(path: str) -> str:
    """The text of a page, as its author wrote it."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".md"):
        return text
    return "\n\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")


def block(path: str, piece: str) -> str:
    """A piece with its picture, its caption and the script that wakes it."""
    end = r'</div>\n<script defer src="[^"]+"></script>'
    (found,) = re.findall(rf'<div class="live-piece" data-live="{piece}" (?:(?!<div).)*?{end}', markup(path), re.S)
    return found


def in_node(scripts: str, code: str, value=None):
    """What this code of JavaScript returns, with these scripts loaded and a JSON value as `given`."""
    paths = [str(live.FOLDER / f"{name}.js") for name in scripts.split()]
    program = f"""
        const fs = require("fs"), [paths, given] = JSON.parse(fs.readFileSync(0, "utf8"));
        for (const path of paths) (0, eval)(fs.readFileSync(path, "utf8"));
        const plain = (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
        (async () => {{ {code} }})().then((value) => console.log(JSON.stringify(value, plain)));
    """
    said = subprocess.run(
        [NODE, "-e", program],
        input=json.dumps([paths, value]),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert said.returncode == 0, said.stderr[-2000:]
    return json.loads(said.stdout)


def latents(n: int) -> torch.Tensor:
    return torch.randn(n, 64, generator=torch.Generator().manual_seed(11))


# --- the same numbers ------------------------------------------------------------------------------


@needs_node
@torch.no_grad()
def test_the_generator_draws_what_pytorch_draws():
    z = latents(8)
    drawn = in_node(
        "nets digits",
        "const {layers, ...packed} = Live.data.digits; const net = {kernels: await Live.nets.unpack(packed), layers};"
        "return given.map((z) => Live.nets.generate(net, z));",
        z.tolist(),
    )
    expected = models.mnist_generator()(z).flatten(1)
    assert (torch.tensor(drawn) - expected).abs().max() < 1e-2


@needs_node
@torch.no_grad()
@pytest.mark.parametrize("t", [0, 0.3, 1])
def test_mixed_weights_are_mixed_as_in_pytorch(t):
    z = latents(4)
    drawn = in_node(
        "nets pair",
        "const {letters, digits} = Live.data.pair; const kernels = await Live.nets.unpack(letters);"
        "const a = {kernels, layers: letters.layers};"
        "const b = {kernels: await Live.nets.unpack(digits, kernels), layers: digits.layers};"
        "const net = Live.nets.mixGenerators(a, b, given.t); return given.z.map((z) => Live.nets.generate(net, z));",
        {"t": t, "z": z.tolist()},
    )
    letters, digits = models.pretrained_pair("letters")[0].eval(), live.digits_from_letters()
    assert (torch.tensor(drawn) - live.between(letters, digits, t)(z).flatten(1)).abs().max() < 1e-2


@cache
def readings() -> dict:
    return in_node(
        "nets readers scratch probe tuned",
        "const {mean, std, digits, labels, reference} = Live.data.readers, {scratch, probe, tuned} = Live.data;"
        "const letters = await Live.nets.unpack(probe), bytes = Live.nets.bytesOf(digits), read = {};"
        "const image = (i) => Float32Array.from(bytes.subarray(1024 * i, 1024 * i + 1024), (grey) => grey / 255);"
        "for (const [arm, {biases}, kernels] of [['scratch', scratch, await Live.nets.unpack(scratch)],"
        "    ['probe', probe, letters], ['fine-tune', tuned, await Live.nets.unpack(tuned, letters)]]) {"
        "  const net = {kernels, biases, mean, std};"
        "  const probabilities = labels.map((_, i) => Live.nets.classify(net, image(i)));"
        "  read[arm] = {reference: reference[arm], kernels, biases, probabilities};"
        "} return {...read, digits: bytes, labels, mean, std};",
    )


@needs_node
@pytest.mark.parametrize("arm", live.ARMS)
def test_a_reader_says_what_pytorch_says(arm):
    """With the weights that the script has, to rounding; and on the mean within 0.01 of the trained network."""
    read = readings()
    probabilities = torch.tensor(read[arm]["probabilities"])
    model = models.ResNet18()
    for name, layer in dict(model.named_modules()).items():
        if isinstance(layer, torch.nn.Conv2d):
            short = name.replace("downsample.0", "shortcut")
            norm = model.get_submodule(name.replace("downsample.0", "downsample.1").replace("conv", "bn"))
            kernel = read[arm]["kernels"][short]
            layer.weight.data = torch.tensor(kernel["data"]).view(kernel["shape"]).permute(3, 2, 0, 1).contiguous()
            norm.eps, norm.bias.data = 0.0, torch.tensor(read[arm]["biases"][short])
    head = read[arm]["kernels"]["fc"]
    model.fc.weight.data = torch.tensor(head["data"]).view(head["shape"]).T.contiguous()
    model.fc.bias.data = torch.tensor(read[arm]["biases"]["fc"])
    images = torch.tensor(read["digits"]).view(-1, 1, 32, 32) / 255
    with torch.no_grad():
        expected = model.eval()((images - read["mean"]) / read["std"]).softmax(1)
    assert (probabilities - expected).abs().max() < 1e-4
    off = (probabilities - torch.tensor(read[arm]["reference"])).abs().amax(1)
    assert off.mean() < 1e-2 and off.max() < 5e-2
    assert (probabilities.argmax(1) == torch.tensor(read["labels"])).float().mean() > 0.8


@needs_node
def test_a_drawing_becomes_a_digit_of_mnists_form():
    seven = [[[40, 30], [200, 30], [90, 240]], [[60, 130], [170, 130]]]
    small = [[[x / 4 + 7, y / 4 + 90] for x, y in line] for line in seven]
    images = in_node("draw", "return given.map((lines) => Live.strokes.image(lines));", [seven, small, [[[9, 9]]], []])
    big, little, dot, none = (np.array(image).reshape(32, 32) for image in images)
    assert np.abs(big - little).max() < 1e-4, "neither the size nor the place of a drawing matters"
    rows, columns = np.nonzero(big > 0.5)
    assert 18 <= np.ptp(rows) + 1 <= 21 and np.ptp(columns) < 20
    for axis in np.indices(big.shape):
        assert abs((big * axis).sum() / big.sum() - 15.5) < 0.1, "the centre of mass is in the middle"
    assert 0 < dot.sum() < 20 and none.sum() == 0


def test_packing_is_undone_up_to_half_a_step():
    weights = {"a.b": torch.randn(3, 3, 4, 5), "c": torch.randn(7, 2)}
    moved = {name: value + 0.01 * torch.randn_like(value) for name, value in weights.items()}
    packed, read = live.pack(weights, {"a": 0.1, "": 0.01})
    difference, again = live.pack(moved, {"": 0.01}, base=read)
    for entry, (name, value) in zip(packed["tensors"], weights.items()):
        assert (read[name] - value).abs().max() <= entry["step"] / 2 + 1e-6
        assert (again[name] - moved[name]).abs().max() < 0.01
    assert len(difference["bytes"]) < len(packed["bytes"])
    with pytest.raises(ValueError, match="16 bits"):
        live.pack(weights, {"": 1e-6})


# --- the markup ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path, piece", PAGES, ids=[f"{piece} of {path.rsplit('/', 1)[-1]}" for path, piece in PAGES])
def test_a_page_has_a_still_picture_words_and_all_scripts(path, piece):
    text = block(path, piece)
    source, alt = re.search(r'<img src="(\S+)" class="[^"]*live-still" .*alt="([^"]{60,})"', text).groups()
    assert ((ROOT / path).parent / source).resolve().stat().st_size < 150_000 and alt
    assert re.search(r'<p class="live-caption"[^>]*><span class="live-still">[^<]{40,}</span>[^<]{40,}', text)
    # The page lies as deep below the folder of pages as its source below the root.
    script = re.search(r'src="([^"]+live\.js)"', text)[1]
    assert script == "../" * path.count("/") + "_static/live/live.js"
    names = re.search(r'data-scripts="([^"]+)"', text)[1].split()
    files = [live.FOLDER / f"{name}.js" for name in [*names, "live"]]
    assert names[-1] == piece and all(file.is_file() for file in files)
    assert sum(file.stat().st_size for file in files) < LARGEST


def test_every_script_is_used_and_every_picture_shown():
    texts = [block(path, piece) for path, piece in PAGES]
    used = {f"{name}.js" for text in texts for name in re.search(r'data-scripts="([^"]+)"', text)[1].split()}
    used |= {name for text in texts for name in re.findall(r'/live/([^"]+)"', text)} | {"live.css"}
    assert {path.name for path in live.FOLDER.iterdir()} == used


def test_no_function_is_written_twice():
    scripts = [path for path in live.FOLDER.glob("*.js") if "Live.data" not in path.read_text(encoding="utf-8")[:200]]
    text = "\n".join(path.read_text(encoding="utf-8") for path in scripts)
    for shared in (
        "createElement",
        "prefers-reduced-motion",
        "IntersectionObserver(([entry])",
        '"range"',
        "aria-valuetext",
    ):
        assert text.count(shared) == 1, shared


def test_no_piece_asks_another_host():
    for path in [*live.FOLDER.glob("*.js"), *live.FOLDER.glob("*.css")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?:|\bfetch\(|XMLHttpRequest|^\s*(import|export) |@import|url\(", text, re.M), (
            path.name
        )


def test_an_unknown_export_is_refused(capsys):
    assert live.main(["letters"]) == 2 and "digits, pair, readers" in capsys.readouterr().err


# --- in a browser ----------------------------------------------------------------------------------

HARNESS = """<!doctype html><html data-theme="{theme}" lang="en"><meta charset="utf-8"><title>a page</title><style>
html {{ --pst-color-border: #ccc; --pst-color-background: #fff; --pst-color-surface: #eee; --pst-color-text-base: #222;
  --pst-color-text-muted: #666; background: white; color: #222 }}
html[data-theme="dark"] {{ --pst-color-border: #444; --pst-color-background: #111; --pst-color-surface: #222;
  --pst-color-text-base: #eee; --pst-color-text-muted: #aaa; background: #111; color: #eee }}
* {{ box-sizing: border-box }} img {{ max-width: 100% }}</style>
<meta name="viewport" content="width=device-width"><body class="bd-content">{above}{blocks}</body></html>"""


@pytest.fixture
def open_piece(browser, tmp_path):
    """Opens pieces over file://, waits until they are awake, and at the end asks for silence of the console.

    The paths are those of the built book, where scripts are in one folder and pictures are taken from the sources.
    """
    contexts, trouble, asked = [], [], []
    for folder in ("_static/live", "book/_static/live"):
        shutil.copytree(live.FOLDER, tmp_path / folder)

    def open_(*pieces, theme="light", width=1280, motion="reduce", scripts=True, above="", without=()):
        blocks = "\n".join(block(*next(pair for pair in reversed(PAGES) if pair[1] == piece)) for piece in pieces)
        page_file = tmp_path / "book" / "chapter" / "page.html"
        page_file.parent.mkdir(exist_ok=True)
        page_file.write_text(HARNESS.format(theme=theme, blocks=blocks, above=above), encoding="utf-8")
        for name in without:
            (tmp_path / "_static" / "live" / name).unlink()
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion=motion, java_script_enabled=scripts
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)  # a busy machine
        page.on("console", lambda said: trouble.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        if scripts and not above and not without:
            for piece in pieces:
                page.wait_for_selector(f".live-awake[data-live={piece}]")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not [text for text in trouble if "ERR_FILE_NOT_FOUND" not in text]  # a test has taken a file away
    assert all(url.startswith("file:") for url in asked)


def picture(page, index: int = 0) -> str:
    return page.locator("canvas").nth(index).evaluate("canvas => canvas.toDataURL()")


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["generator", "interpolate"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_slider_and_the_keyboard_change_the_picture(open_piece, piece, theme):
    page = open_piece(piece, theme=theme)
    first, said = picture(page), page.locator("canvas").get_attribute("aria-label")
    slider = page.locator("input[type=range]").first
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "10 %"
    assert picture(page) != first and page.locator("canvas").get_attribute("aria-label") != said
    page.locator("input[type=range]").last.fill("1")  # the second of its values
    page.locator("button", has_text="Other").click()
    assert picture(page) != first


@pytest.mark.slow
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_it_plays_by_itself_only_where_motion_is_welcome(open_piece, motion):
    page = open_piece("generator", motion=motion)
    button = page.locator("button").first
    if motion == "reduce":
        first = picture(page)
        page.wait_for_timeout(500)
        assert button.inner_text() == "Play" and picture(page) == first
        button.click()
    assert button.inner_text() == "Pause"
    value = page.locator("input[type=range]").first.input_value()
    page.wait_for_function(f"document.querySelector('input[type=range]').value !== '{value}'")
    button.click()
    page.wait_for_timeout(200)
    first = picture(page)
    page.wait_for_timeout(500)
    assert button.inner_text() == "Play" and picture(page) == first


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_three_readers_read_what_is_drawn(open_piece, theme):
    page = open_piece("draw", theme=theme)
    status, guesses = page.locator("[role=status]"), page.locator(".live-guess")
    assert guesses.all_inner_texts() == ["–"] * 3 and "Nothing" in status.inner_text()
    box = page.locator("canvas").first.bounding_box()
    page.mouse.move(box["x"] + 130, box["y"] + 40)
    page.mouse.down()
    for y in range(40, 220, 10):
        page.mouse.move(box["x"] + 130, box["y"] + y)
    page.mouse.up()
    assert re.fullmatch(
        r"Your drawing\. From scratch: \d, \d+ %; Linear probe: .*; Fine-tuned: .*\.", status.inner_text()
    )
    assert all(re.fullmatch(r"\d, \d+ %", text) for text in guesses.all_inner_texts())
    sums = page.evaluate(
        "[0, 1, 2].map(r => [...document.querySelectorAll('tbody tr')].reduce((sum, row) =>"
        " sum + +row.querySelectorAll('.live-bar')[r].style.getPropertyValue('--share'), 0))"
    )
    assert np.allclose(sums, 1, atol=1e-5)
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Clear").click()
    assert guesses.all_inner_texts() == ["–"] * 3
    page.get_by_role("button", name="Show a test digit").click()
    assert re.match(r"Test digit, labelled \d\. From scratch: \d", status.inner_text())


@pytest.mark.slow
def test_the_keyboard_draws(open_piece):
    page = open_piece("draw")
    page.locator("canvas").first.focus()
    page.keyboard.press("Space")
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    status = page.locator("[role=status]")
    assert status.inner_text().startswith("Your drawing.")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Delete")
    assert status.inner_text() == "Nothing is drawn yet."


def numbers(page, piece: str) -> dict:
    return dict(
        page.evaluate(
            """(piece) => [...document.querySelectorAll(`[data-live=${piece}] .live-numbers > span`)]
            .map((row) => [row.children[0].textContent, row.children[1].textContent])""",
            piece,
        )
    )


@pytest.mark.slow
def test_the_ring_trains_in_the_page(open_piece):
    page = open_piece("dirac", "ring")
    piece = page.locator('[data-live="ring"]')
    assert numbers(page, "ring")["step"] == "0"
    piece.get_by_role("button", name="One step").click()
    assert numbers(page, "ring")["step"] == "1"
    piece.get_by_role("button", name="Preset: cured").click()
    assert piece.get_by_role("slider", name="Weight of R1").get_attribute("aria-valuetext") == "0.1"
    page.wait_for_function("+document.querySelector('[data-live=ring] .live-numbers strong').textContent > 50")
    piece.get_by_role("button", name="Pause").press("Enter")
    step = numbers(page, "ring")["step"]
    assert step in piece.get_by_role("status").text_content()
    page.wait_for_timeout(300)
    assert numbers(page, "ring")["step"] == step
    piece.get_by_role("slider", name="Weight of R1").press("ArrowRight")
    assert piece.get_by_role("slider", name="Weight of R1").get_attribute("aria-valuetext") == "0.2"
    assert f"Step {step}" in piece.get_by_role("img").first.get_attribute("aria-label")
    piece.get_by_role("button", name="Reset", exact=True).click()
    assert numbers(page, "ring")["step"] == "0"


@pytest.mark.slow
def test_the_start_of_the_dirac_gan_moves_by_pointer_and_by_keys(open_piece):
    page = open_piece("dirac")
    piece = page.locator('[data-live="dirac"]')
    assert numbers(page, "dirac")["at the end"] == "0.27"  # what chapter 1.2 says of alternating steps
    piece.get_by_role("button", name="simultaneous").click()
    assert float(numbers(page, "dirac")["at the end"]) > 0.6
    piece.get_by_role("button", name="R1", exact=True).click()
    assert "10^−" in numbers(page, "dirac")["at the end"]
    plane = piece.locator("canvas").first
    plane.press("ArrowUp")
    assert piece.get_by_role("slider", name="Start: ψ").get_attribute("aria-valuetext") == "0.1"
    box = plane.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3, steps=3)
    page.mouse.up()
    assert piece.get_by_role("slider", name="Start: θ").get_attribute("aria-valuetext").startswith("−")
    assert float(piece.get_by_role("slider", name="Start: ψ").get_attribute("aria-valuetext")) > 0
    keys = page.locator("#" + plane.get_attribute("aria-describedby"))
    assert keys.is_visible() and "arrow keys" in keys.text_content()


@pytest.mark.slow
def test_fakes_like_the_data_have_no_distance(open_piece):
    page = open_piece("densities")
    assert numbers(page, "densities")["Jensen–Shannon"] == "0.474"  # 0.47 in chapter 2.2
    for label, value in (("Mean of the fakes", "2.0"), ("Standard deviation", "0.50")):
        slider = page.get_by_role("slider", name=label)
        for _ in range(60):
            now = float(slider.get_attribute("aria-valuetext").replace("−", "-"))
            if abs(now - float(value)) < 1e-6:
                break
            slider.press("ArrowRight" if now < float(value) else "ArrowLeft")
    shown = numbers(page, "densities")
    assert shown["Jensen–Shannon"] == "0.000" and shown["V(D*, G)"] == "−1.386" and shown["Wasserstein-1"] == "0.00"


# --- what all pieces share -------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("piece", PIECES)
def test_an_awake_piece_fits_a_narrow_page_hides_its_picture_and_follows_the_theme(open_piece, piece):
    page = open_piece(piece, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert all(still.is_hidden() for still in page.locator(".live-still").all())
    assert page.locator(".live-caption").is_visible()
    for canvas in page.locator("canvas").all():
        assert canvas.get_attribute("aria-label")
    for control in page.locator(":is(input, select)").all():
        assert control.evaluate("control => control.labels.length") == 1
        assert control.get_attribute("aria-valuetext") or control.evaluate("control => control.matches('select')")
    light = picture(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    paper = page.locator("button, select").first.evaluate("element => getComputedStyle(element).backgroundColor")
    assert paper == "rgb(34, 34, 34)"
    if page.locator("canvas.live-plot").count():
        page.wait_for_function("light => document.querySelector('canvas').toDataURL() !== light", arg=light)


@pytest.mark.slow
def test_without_scripts_the_pictures_stay(open_piece):
    page = open_piece(*PIECES, scripts=False)
    assert page.locator("img.live-still").count() == len(PIECES) and not page.locator("canvas").count()
    for still in page.locator("img.live-still").all():
        assert still.is_visible() and still.evaluate("image => image.naturalWidth") > 300
    assert all(caption.is_visible() for caption in page.locator(".live-caption, span.live-still").all())


@pytest.mark.slow
def test_a_piece_that_cannot_be_loaded_keeps_its_picture_and_the_next_one_wakes(open_piece):
    page = open_piece("ring", "dirac", without=["ring.js"])
    page.wait_for_selector(".live-awake[data-live=dirac]")
    ring = page.locator("[data-live=ring]")
    assert ring.locator("img.live-still").is_visible() and not ring.locator("canvas, button").count()


@pytest.mark.slow
def test_a_piece_wakes_when_it_comes_near(open_piece):
    page = open_piece("dirac", above='<div style="height: 5000px"></div>')
    page.wait_for_timeout(300)
    assert not page.locator("canvas").count() and page.evaluate("document.scripts.length") == 1
    page.evaluate("scrollTo(0, 4000)")
    page.wait_for_selector(".live-awake")
