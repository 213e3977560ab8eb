"""The live pieces of chapters 1.2 and 2.2 compute what the chapters compute, and work in a page without a network."""

import ast
import itertools
import json
import math
import os
import re
import shutil
import subprocess
from contextlib import ExitStack
from functools import cache
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from helpers import losses, runtime
from helpers.book.browser import chromium
from helpers.book.execute import ROOT
from helpers.experiments import ch1_2_ring

LIVE = ROOT / "book" / "_static" / "live"
RING_CHAPTER, DENSITY_CHAPTER = "1-background/1-2-gans", "2-concepts/2-2-gans"
PIECES = {"ring": RING_CHAPTER, "dirac": RING_CHAPTER, "densities": DENSITY_CHAPTER}
MODULES = {"ring": "RingGan", "dirac": "DiracGan", "densities": "Densities"}


@cache
def cells(chapter: str) -> list:
    return nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4).cells


def definitions(chapter: str, *names: str, **given) -> SimpleNamespace:
    """Functions as the chapter's cells first define them, with `given` as their global names."""
    found, space = set(), {"torch": torch, "math": math, "F": F, "nn": torch.nn, **given}
    for cell in cells(chapter):
        if cell.cell_type == "code":
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.FunctionDef) and node.name in {*names} - found:
                    found.add(node.name)
                    exec(compile(ast.Module([node], []), chapter, "exec"), space)
    return SimpleNamespace(**{name: space[name] for name in names})


# --- a machine for JavaScript: node, else Chromium ---------------------------------------------------------------


def compute(name: str, function: str, *arguments):
    """What a function of JavaScript, which gets a module of the pages and the arguments, returns (through JSON)."""
    given = json.dumps(arguments)
    node = shutil.which("node") or shutil.which("nodejs")
    if node:
        program = (
            f"const module_ = require({json.dumps(str(LIVE / f'{name}.js'))}), "
            f"given = JSON.parse(require('fs').readFileSync(0));"
            f"process.stdout.write(JSON.stringify(({function})(module_, ...given)))"
        )
        ran = subprocess.run([node, "-e", program], input=given, capture_output=True, text=True, timeout=300)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)
    if os.environ.get("CI"):
        pytest.skip("no node, and in CI no browser is started")
    with ExitStack() as stack:
        try:
            page = stack.enter_context(chromium()).new_page()
        except RuntimeError as error:
            pytest.skip(f"no node, and {error}")
        for file in ("kit", name):
            page.add_script_tag(path=LIVE / f"{file}.js")
        return json.loads(
            page.evaluate(f"given => JSON.stringify(({function})({MODULES[name]}, ...given))", json.loads(given))
        )


# --- the ring ------------------------------------------------------------------------------------------------------

NEW_PAIR = """
const list = (array) => Array.from(array);
const pair = new RingGan.Pair(seed), batches = [1, 2, 3].map(() => [
  RingGan.ring(RingGan.BATCH, pair.random), Float64Array.from({length: 64 * 8}, pair.random.normal)]);
"""


def network(values: list[float], sizes: tuple[int, ...]) -> torch.nn.Sequential:
    """The chapter's network in double precision, with the numbers of the page's."""
    net = definitions(RING_CHAPTER, "mlp", WIDTH=48).mlp(sizes[0], sizes[-1]).double()
    torch.nn.utils.vector_to_parameters(torch.tensor(values, dtype=torch.float64), net.parameters())
    return net


def slopes(net: torch.nn.Module) -> torch.Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in net.parameters()])


def apart(a, b) -> float:
    """The largest difference, relative to the largest value."""
    a, b = (torch.as_tensor(x, dtype=torch.float64) for x in (a, b))
    return ((a - b).abs().max() / b.abs().max()).item()


@pytest.mark.parametrize("r1", [0, 0.1, 10])
def test_gradients_of_the_discriminator_and_of_r1_are_pytorchs(r1):
    function = f"""(RingGan, seed, r1) => {{ {NEW_PAIR}
      const [[real, z]] = batches, fake = pair.generator.forward(z, pair.rooms[0]);
      const out = {{real: list(real), fake: list(fake), values: list(pair.discriminator.values)}};
      out.loss = pair.discriminatorSlopes(real, fake, r1);
      return {{...out, slopes: list(pair.discriminator.slopes)}}; }}"""
    page = compute("ring", function, 3, r1)
    discriminator = network(page["values"], (2, 1))
    real, fake = (torch.tensor(page[name], dtype=torch.float64).view(-1, 2) for name in ("real", "fake"))
    loss, penalty = definitions(RING_CHAPTER, "discriminator_loss").discriminator_loss(discriminator, real, fake, r1)
    (loss + penalty).backward()
    assert page["loss"] == pytest.approx(loss.item(), rel=1e-9)
    assert apart(page["slopes"], slopes(discriminator)) < 1e-9


@pytest.mark.parametrize(
    "kind, loss_of", [("non-saturating", losses.generator_loss), ("minimax", losses.saturating_generator_loss)]
)
def test_gradients_of_the_generator_are_pytorchs(kind, loss_of):
    function = f"""(RingGan, seed, kind) => {{ {NEW_PAIR}
      const [[, z]] = batches, fake = pair.generator.forward(z, pair.rooms[0]), loss = pair.generatorSlopes(fake, kind);
      return {{z: list(z), loss, slopes: list(pair.generator.slopes), untouched: list(pair.discriminator.slopes),
        G: list(pair.generator.values), D: list(pair.discriminator.values)}}; }}"""
    page = compute("ring", function, 5, kind)
    generator, discriminator = network(page["G"], (8, 2)), network(page["D"], (2, 1))
    loss = loss_of(discriminator(generator(torch.tensor(page["z"], dtype=torch.float64).view(-1, 8))))
    loss.backward()
    assert page["loss"] == pytest.approx(loss.item(), rel=1e-9)
    assert apart(page["slopes"], slopes(generator)) < 1e-9
    assert not any(page["untouched"])


@pytest.mark.parametrize("momentum, r1", [(0.0, 0.1), (0.5, 0.0), (0.9, 1.0)])
def test_three_steps_are_those_of_the_chapter(momentum, r1):
    settings = {"rateG": 5e-4, "rateD": 5e-3, "beta1": momentum, "r1": r1, "loss": "non-saturating"}
    function = f"""(RingGan, seed, settings) => {{ {NEW_PAIR}
      const before = [list(pair.generator.values), list(pair.discriminator.values)];
      const losses = batches.map(([real, z]) => pair.step(settings, real, z));
      return {{before, losses, batches: batches.map((b) => b.map(list)),
        after: [list(pair.generator.values), list(pair.discriminator.values)]}}; }}"""
    page = compute("ring", function, 7, settings)
    pair = [network(values, sizes) for values, sizes in zip(page["before"], ((8, 2), (2, 1)), strict=True)]
    optimizers = [
        torch.optim.Adam(net.parameters(), lr=settings[rate], betas=(momentum, 0.99))
        for net, rate in zip(pair, ("rateG", "rateD"), strict=True)
    ]
    batches = [[torch.tensor(x, dtype=torch.float64).view(64, -1) for x in (real, z)] for real, z in page["batches"]]
    real_points, drawn_z = (iter(drawn) for drawn in zip(*batches, strict=True))
    chapter = definitions(
        RING_CHAPTER,
        *("discriminator_loss", "gan_step"),
        BATCH=64,
        LATENT=8,
        ring=lambda n: next(real_points),
        torch=SimpleNamespace(autograd=torch.autograd, randn=lambda *shape: next(drawn_z)),
    )
    steps = [chapter.gan_step(*pair, *optimizers, r1) for _ in batches]
    assert apart(page["losses"], steps) < 1e-6
    for values, net in zip(page["after"], pair, strict=True):
        assert apart(values, torch.nn.utils.parameters_to_vector(net.parameters()).detach()) < 1e-6


def test_modes_are_counted_as_in_the_experiment():
    random = np.random.default_rng(0)
    clouds = [
        ch1_2_ring.CENTRES.numpy()[random.integers(0, modes, 500)] + spread * random.standard_normal((500, 2))
        for modes, spread in ((8, 0.05), (3, 0.3), (8, 0.3), (8, 1.0))
    ]
    given = [cloud.flatten().tolist() for cloud in clouds]
    pages = compute("ring", "(RingGan, clouds) => clouds.map(RingGan.coverage)", given)
    for cloud, page in zip(clouds, pages, strict=True):
        modes, quality = ch1_2_ring.coverage(torch.tensor(cloud, dtype=torch.float32))
        assert page["modes"] == modes and page["quality"] == pytest.approx(quality.item(), abs=1e-6)


def test_the_presets_are_arms_that_were_measured():
    presets = compute("ring", "(RingGan) => RingGan.PRESETS")
    measured = runtime.read_results("1-2-ring")
    rates = measured["settings"]["rates_generator_discriminator"]["fast discriminator"]
    arms = {(r["momentum"], r["r1"]): r for r in measured["rows"] if r["arm"] == "fast discriminator"}
    for name, wanted in presets.items():
        assert [wanted["rateG"], wanted["rateD"]] == rates and wanted["loss"] == "non-saturating"
        modes = arms[wanted["beta1"], wanted["r1"]]["late"]["modes"]
        assert max(modes) <= 2 if name == "collapse" else min(modes) == 8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["collapse", "cured"])
def test_a_preset_ends_as_its_arm_was_measured(name):
    """2,500 steps instead of 5,000, and one pair instead of eight; so the bounds are looser than the intervals."""
    function = """(RingGan, name) => {
      const pair = new RingGan.Pair(1);
      for (let i = 0; i < 2500; i++) pair.step(RingGan.PRESETS[name]);
      return pair.look(); }"""
    seen = compute("ring", function, name)
    assert seen["modes"] <= 4 if name == "collapse" else seen["modes"] >= 7
    assert seen["quality"] > 0.5


# --- the Dirac-GAN -------------------------------------------------------------------------------------------------


def test_paths_of_the_dirac_gan_are_the_chapters():
    sigmoid = definitions(RING_CHAPTER, "sigmoid").sigmoid
    chapter = definitions(RING_CHAPTER, "dirac", sigmoid=sigmoid)
    keys = ("momentum", "r1", "rate", "simultaneous", "minimax")
    values = [(0, 0, 0.2), (0.9, 0, 0.2), (0, 1, 0.2), (0.9, 1, 0.1), (0.5, 0.3, 0.5)]
    plays = [
        dict(zip(keys, (*value, *order), strict=True))
        for value in values
        for order in itertools.product((False, True), repeat=2)
    ]
    paths = compute("dirac", "(Dirac, plays) => plays.map((p) => Dirac.path([1, 0], {...p, steps: 200}))", plays)
    for play, path in zip(plays, paths, strict=True):
        own = dict(play)
        expected = chapter.dirac(saturating=own.pop("minimax"), steps=200, **own)
        assert np.allclose(path, expected, rtol=1e-9, atol=1e-12), play


def test_the_arrows_are_the_directions_of_the_chapter():
    field = definitions(RING_CHAPTER, "field").field
    points = torch.randn(5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights = (0.0, 0.3, 1.0)
    function = """(Dirac, points, weights) =>
      weights.map((r1) => points.map((p) => Dirac.field(p, {r1, minimax: false})))"""
    arrows = compute("dirac", function, points.tolist(), weights)
    assert np.allclose(arrows, [[field(point, r1).tolist() for point in points] for r1 in weights])


# --- densities -----------------------------------------------------------------------------------------------------

DISTANCES = """(D, pairs) => pairs.map(([real, fakes]) => ({
  ...D.distances(D.logs(real), D.logs(fakes)),
  best: Array.from({length: D.COUNT}, (_, i) => D.best(real, fakes, D.at(i)))}))"""
REAL = [[[1, 2, 0.5]], [[0.5, -1.5, 0.4], [0.5, 1.5, 0.4]]]
FAKES = [(0.0, 1.0), (2.0, 0.5), (-1.5, 0.3), (1.2, 0.15)]


def test_distances_are_those_of_the_chapter():
    grid = torch.linspace(-8, 8, 1601, dtype=torch.float64)
    names = ("normal", "value", "jensen_shannon")
    chapter = definitions(DENSITY_CHAPTER, *names, width=(grid[1] - grid[0]).item())
    pairs = list(itertools.product(REAL, FAKES))
    pages = compute("densities", DISTANCES, [[real, [[1, *fakes]]] for real, fakes in pairs])
    for (real, fakes), page in zip(pairs, pages, strict=True):
        p = sum(share * chapter.normal(grid, mean, spread) for share, mean, spread in real)
        q = chapter.normal(grid, *fakes)
        some = p + q > 1e-12  # elsewhere the plain densities underflow
        assert page["js"] == pytest.approx(chapter.jensen_shannon(p[some], q[some]).item(), abs=1e-9)
        score = (p.clamp(min=1e-300).log() - q.clamp(min=1e-300).log())[some]
        assert page["value"] == pytest.approx(chapter.value(score, p[some], q[some]).item(), abs=1e-9)
        assert page["value"] == pytest.approx(-math.log(4) + 2 * page["js"], abs=1e-6)
        assert np.allclose(np.array(page["best"])[some], (p / (p + q))[some], atol=1e-9)
        assert page["tv"] == pytest.approx(0.5 * (p - q).abs().sum().item() * 0.01, abs=1e-9)


def test_distances_are_those_of_the_textbook_for_two_normal_densities():
    m, s, n, t = 2, 0.5, 0.5, 0.8
    same, other = compute("densities", DISTANCES, [[[[1, m, s]], [[1, n, s]]], [[[1, m, s]], [[1, n, t]]]])
    assert same["w1"] == pytest.approx(m - n, abs=1e-4)
    assert same["tv"] == pytest.approx(math.erf((m - n) / (2 * s) / math.sqrt(2)), abs=1e-4)

    def divergence(m, s, n, t):
        return math.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - 0.5

    assert other["klPQ"] == pytest.approx(divergence(m, s, n, t), abs=1e-4)
    assert other["klQP"] == pytest.approx(divergence(n, t, m, s), abs=1e-4)


def test_what_the_page_says_of_fakes_on_one_of_two_hills_and_of_fakes_far_away():
    page = compute("densities", "(D) => D.distances(D.logs(D.REAL['two hills']), D.logs([[1, 1.5, 0.4]]))")
    assert page["klQP"] == pytest.approx(math.log(2), abs=0.001) and 19 < page["klPQ"] / page["klQP"] < 20
    far, farther = compute(
        "densities", "(D) => [-3, -4].map((m) => D.distances(D.logs(D.REAL['one hill']), D.logs([[1, m, 1]])))"
    )
    assert 0.69 < far["js"] < farther["js"] <= math.log(2) and 0.99 < far["tv"] < 1
    assert farther["w1"] - far["w1"] == pytest.approx(1, abs=0.01)


# --- markup and the browser ----------------------------------------------------------------------------------------


def markup(name: str) -> str:
    (source,) = [c.source for c in cells(PIECES[name]) if f'data-live="{name}"' in c.source]
    return source


@pytest.mark.parametrize("name", PIECES)
def test_a_piece_has_a_still_picture_with_words_and_only_local_files(name):
    source = markup(name)
    (still,) = re.findall(r'<img src="\.\./_static/live/(\S+\.svg)"', source)
    assert (LIVE / still).stat().st_size < 150_000
    assert len(re.search(r'alt="([^"]+)"', source)[1].split()) > 15
    loaded = re.findall(r'(?:href|script src)="([^"]+)"', source)
    assert {f"../../_static/live/{file}" for file in ("kit.js", f"{name}.js", "live2.css")} == set(loaded)
    for file in loaded:
        text = (LIVE / file.rsplit("/", 1)[1]).read_text(encoding="utf-8")
        assert not re.search(r"https?:|\bimport\b|\bfetch\(|@import|url\(", text)


@pytest.fixture
def open_page(browser, tmp_path):
    """A chapter's pieces in a page of their own, opened from a file: the paths are those of the built book."""
    for folder in ("_static", "book/_static"):  # where scripts are in the built book, and pictures in the sources
        shutil.copytree(LIVE, tmp_path / folder / "live")
    wrong, contexts = [], []

    def opened(chapter, **options):
        pieces = "\n".join(markup(name) for name, where in PIECES.items() if where == chapter)
        file = tmp_path / "book" / f"{chapter}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        file.write_text(f'<!doctype html><html data-theme="light">{head}<body>{pieces}</body></html>', encoding="utf-8")
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(120_000)  # a busy machine
        page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: request.url.startswith("file:") or wrong.append(request.url))
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


def numbers(page, piece: str) -> dict:
    return dict(
        page.evaluate(
            """(piece) => [...document.querySelectorAll(`[data-live=${piece}] .live-numbers > span`)]
            .map((row) => [row.children[0].textContent, row.children[1].textContent])""",
            piece,
        )
    )


@pytest.mark.slow
def test_the_ring_trains_in_the_page(open_page):
    page = open_page(RING_CHAPTER)
    piece = page.locator('[data-live="ring"]')
    assert numbers(page, "ring")["step"] == "0" and not piece.locator("img").is_visible()
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
def test_the_start_of_the_dirac_gan_moves_by_pointer_and_by_keys(open_page):
    page = open_page(RING_CHAPTER, reduced_motion="reduce")
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
    assert "arrow keys" in piece.text_content()


@pytest.mark.slow
def test_fakes_like_the_data_have_no_distance(open_page):
    page = open_page(DENSITY_CHAPTER)
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


@pytest.mark.slow
@pytest.mark.parametrize("chapter", sorted(set(PIECES.values())))
def test_pages_are_narrow_and_dark_too_and_keep_the_still_picture_without_scripts(open_page, chapter):
    page = open_page(chapter, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    ink = "document.querySelector('canvas').getContext('2d').fillStyle"
    pixels = "document.querySelector('canvas').toDataURL()"
    light = page.evaluate(pixels)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"(light) => {pixels} !== light", arg=light)
    assert page.evaluate(ink)
    bare = open_page(chapter, java_script_enabled=False)
    assert all(still.is_visible() for still in bare.locator("img").all()) and bare.locator("canvas").count() == 0
