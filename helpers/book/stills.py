"""The still pictures of the live pieces, for pages without scripts, for Jupyter and for Colab.

``python -m helpers.book.stills`` writes ``book/_static/live/*.svg``: line art, which the dark page turns over. The ring
is that of ``results/1-2-ring.json``; the others are computed here.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from helpers import runtime
from helpers.book import plots
from helpers.experiments import ch1_2_ring

FOLDER = Path(__file__).parents[2] / "book" / "_static" / "live"
BLUE, ORANGE, GREEN, GREY = (plots.COLOURS[name] for name in ("blue", "orange", "green", "grey"))


def ring() -> plt.Figure:
    """The last samples of one measured pair, without R1 and with it."""
    rows = runtime.read_results("1-2-ring")["rows"]
    fig, axes = plt.subplots(1, 2, figsize=(8, 4.3))
    for ax, r1, name in zip(axes, (0.0, 0.1), ("collapse: no penalty", "cured: R1 of weight 0.1"), strict=True):
        wanted = {"arm": "fast discriminator", "momentum": 0.0, "r1": r1}
        (row,) = [row for row in rows if row.items() >= wanted.items()]
        ax.plot(*zip(*row["samples"][0], strict=True), ".", color=BLUE, markersize=4)
        for centre in ch1_2_ring.CENTRES.tolist():
            ax.add_patch(plt.Circle(centre, 3 * ch1_2_ring.SIGMA, fill=False, color=ORANGE))
        ax.set(title=name, xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal")
        ax.axis("off")
    return fig


def direction(theta, psi, r1=0.0):
    """Where gradient descent on the non-saturating loss moves the Dirac-GAN."""
    d = (1 + np.tanh(psi * theta / 2)) / 2
    return psi * (1 - d), -theta * d - r1 * psi


def dirac() -> plt.Figure:
    """The directions of descent, and 150 alternating steps from (1, 0)."""
    fig, axes = plt.subplots(1, 2, figsize=(8, 4.3), sharey=True)
    ticks = np.linspace(-1.4, 1.4, 11)
    theta_at, psi_at = np.meshgrid(ticks, ticks)
    for ax, r1, name in zip(axes, (0.0, 0.3), ("no penalty", "R1 of weight 0.3"), strict=True):
        arrows = direction(theta_at, psi_at, r1)
        ax.quiver(theta_at, psi_at, *arrows, angles="xy", color=GREY, width=0.004)
        path = [(1.0, 0.0)]
        for _ in range(150):
            theta, psi = path[-1]
            psi += 0.2 * direction(theta, psi, r1)[1]
            path.append((theta + 0.2 * direction(theta, psi, r1)[0], psi))
        ax.plot(*zip(*path, strict=True), color=BLUE)
        ax.plot(*path[0], "o", color=ORANGE, markersize=9)
        ax.plot(0, 0, "+", color=ORANGE, markersize=14, markeredgewidth=2)
        ax.set(title=name, xlabel="θ, the sample", xticks=(-1, 0, 1), yticks=(-1, 0, 1), aspect="equal")
    axes[0].set_ylabel("ψ, the discriminator")
    return fig


def densities() -> plt.Figure:
    """Data and fakes of chapter 2.2 before the game, and the best discriminator between them."""

    def normal(mean, spread):
        return np.exp(-0.5 * ((x - mean) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))

    x = np.linspace(-4, 5, 451)
    real, fake = normal(2, 0.5), normal(0, 1)
    fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2))
    left.fill_between(x, np.minimum(real, fake), color=GREY, alpha=0.3, linewidth=0)
    left.plot(x, real, color=BLUE)
    left.plot(x, fake, "--", color=ORANGE)
    left.text(2.6, 0.6, "data", color=BLUE)
    left.text(-2.9, 0.3, "fakes", color=ORANGE)
    left.set(title="densities", xlabel="x", ylim=(0, 0.9), yticks=(0, 0.4, 0.8))
    right.plot(x, real / (real + fake), color=GREEN)
    right.set(title="$D^*$", xlabel="x", yticks=(0, 0.5, 1))
    return fig


def main() -> None:
    style = {"svg.hashsalt": "still", "svg.fonttype": "none", "axes.facecolor": "none", "axes.grid": False}
    with plt.rc_context(style):  # type: ignore[arg-type]  # the stubs want a literal of each name
        for draw in (ring, dirac, densities):
            fig = draw()
            fig.tight_layout()
            fig.savefig(FOLDER / f"{draw.__name__}.svg", transparent=True, metadata={"Date": None})
            plt.close(fig)


if __name__ == "__main__":
    main()
