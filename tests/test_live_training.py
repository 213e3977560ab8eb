"""What the live pieces of chapters 1.2 and 2.2 compute is what the chapters compute. `test_live` tries the pages."""

import ast
import itertools
import math
from functools import cache
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch
from test_live import in_node, needs_node
from torch.nn import functional as F

from helpers import losses, runtime
from helpers.book.execute import ROOT
from helpers.experiments import ch1_2_ring

RING_CHAPTER, DENSITY_CHAPTER = "1-background/1-2-gans", "2-concepts/2-2-gans"
pytestmark = needs_node


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


def compute(name: str, function: str, *arguments):
    """What a function of JavaScript, which gets the computing part of a piece and the arguments, returns."""
    return in_node(f"math {name}", f"return ({function})(Live.{name}, ...given);", arguments)


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
