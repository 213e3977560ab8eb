"""Pieces of a page that move: frames and a quiz for the static page, a latent slider for a live notebook."""

import base64
import html

import ipywidgets
import torch
from IPython.display import HTML

from helpers import metrics
from helpers.book.plots import png
from helpers.checks import require_parts
from helpers.models import Generator


def frames(pictures: list[bytes], labels: list[str], alt: str) -> HTML:
    """A slider over PNG pictures that needs neither a kernel nor a network: it works in the built page.

    pictures, labels : one of each a frame. alt : what the pictures show, for readers who cannot see them.

    Raises ValueError when there is no picture, or another number of labels.
    """
    if len(pictures) != len(labels) or not pictures:
        raise ValueError(f"need as many labels as pictures, and at least one; got {len(labels)} and {len(pictures)}")
    last = len(pictures) - 1
    figures = "".join(
        f"<figure{'' if i == last else ' hidden'}>"
        f'<img src="data:image/png;base64,{base64.b64encode(picture).decode()}" '
        f'alt="{html.escape(alt)}, {html.escape(label)}"><figcaption>{html.escape(label)}</figcaption></figure>'
        for i, (picture, label) in enumerate(zip(pictures, labels))
    )
    script = "this.parentNode.querySelectorAll('figure').forEach((f, i) => f.hidden = i != this.value)"
    return HTML(
        f'<div class="frames"><input type="range" min="0" max="{last}" value="{last}" '
        f'style="width: 100%; max-width: 24em" '
        f'aria-label="{html.escape(alt)}: choose a frame" oninput="{script}">{figures}</div>'
    )


QUIZ_STYLE = """
.quiz ol > li { margin-bottom: 1.2rem; }
.quiz summary { cursor: pointer; }
.quiz details { margin: 0.3rem 0; }
.quiz details > p, .quiz form p { margin: 0.2rem 0 0.6rem 1.2rem; }
.quiz input { width: 7em; }
html[data-theme="dark"] .bd-content div.cell_output div.text_html:has(div.quiz) {
  background: none; color: inherit; padding: 0;
}
"""
# The first paragraph whose range holds the number is shown, the others are hidden.
QUIZ_SCRIPT = (
    "const v = +this.querySelector('input').value, all = [...this.querySelectorAll('p')], "
    "hit = all.findIndex(p => +p.dataset.low <= v && v <= +p.dataset.high); "
    "all.forEach((p, i) => p.hidden = i !== hit); return false"
)


def quiz(questions: list[dict], shown: int | None = None) -> HTML:
    """Questions that answer themselves, in the built page and in a live notebook, without a network.

    questions : each has "ask", and either

    - "choices", pairs of a text and the explanation that opens below it, or
    - "numbers", triples (lowest, highest, explanation), read in this order, and "otherwise", the
      explanation for all other numbers.

    An explanation of the right answer begins with "Right"; there is one a question.

    shown : how many stand open; the others are folded. All, where it is None.

    Raises ValueError when a question has no right answer, or several, or lacks a part.
    """
    for question in questions:
        needed = ("ask", "otherwise") if "numbers" in question else ("ask", "choices")
        if lacking := [part for part in needed if part not in question]:
            raise ValueError(
                f"the question {str(question)[:60]} lacks {', '.join(map(repr, lacking))}: give 'ask' and 'choices', "
                "or 'ask', 'numbers' and 'otherwise'"
            )
    items = [f"<li><p>{html.escape(q['ask'])}</p>{_answers(q)}</li>" for q in questions]
    first, rest = items[:shown], items[len(items[:shown]) :]
    more = (
        f"<details><summary>{len(rest)} more questions</summary>"
        f'<ol start="{len(first) + 1}">{"".join(rest)}</ol></details>'
        if rest
        else ""
    )
    return HTML(f'<div class="quiz"><style>{QUIZ_STYLE}</style><ol>{"".join(first)}</ol>{more}</div>')


def _answers(question: dict) -> str:
    numeric = "numbers" in question
    answers = (
        [*question["numbers"], ("-Infinity", "Infinity", question["otherwise"])] if numeric else question["choices"]
    )
    right = [why for *_, why in answers if why.startswith("Right")]
    if len(right) != 1:
        raise ValueError(f'{len(right)} explanations begin with "Right", need one: {question["ask"]}')

    def told(why: str, attributes: str = "") -> str:
        return f"<p{attributes}>{'✓' if why in right else '✗ No.'} {html.escape(why)}</p>"

    if not numeric:
        return "".join(f"<details><summary>{html.escape(text)}</summary>{told(why)}</details>" for text, why in answers)
    hints = "".join(told(why, f' hidden data-low="{low}" data-high="{high}"') for low, high, why in answers)
    return (
        f'<form onsubmit="{html.escape(QUIZ_SCRIPT)}">'
        f'<label>Your number: <input type="number" step="any" required></label> '
        f'<button>Check</button><div role="status">{hints}</div></form>'
        f"<details><summary>Show the answer</summary>{told(right[0])}</details>"
    )


def latent_explorer(generator: Generator, seed: int = 0, zoom: int = 5) -> ipywidgets.Widget:
    """Sliders that walk between latent vectors; needs a running kernel.

    "from" and "to" choose two latent vectors by their seed; "mix" moves between them along the great
    circle, because the straight line leaves the shell where a Gaussian keeps its samples.

    generator : one without classes. zoom : screen pixels a pixel of the image, of 32.
    """
    start, end = (
        ipywidgets.IntSlider(value, 0, 99, description=name) for value, name in ((seed, "from"), (seed + 1, "to"))
    )
    mix = ipywidgets.FloatSlider(0.0, min=0, max=1, step=0.02, description="mix")
    picture = ipywidgets.Image(format="png", layout=ipywidgets.Layout(width=f"{32 * zoom}px"))

    def draw(_=None) -> None:
        z = slerp(latent(generator, start.value), latent(generator, end.value), mix.value)
        picture.value = png(metrics.decode(generator, z), columns=1, zoom=zoom)

    for slider in (start, end, mix):
        slider.observe(draw, "value")
    draw()
    return ipywidgets.VBox([start, end, mix, picture])


def latent(generator: Generator, seed: int) -> torch.Tensor:
    """The latent vector of a seed: float, (1, generator.latent). Raises ValueError where the network has no latent."""
    require_parts("generator", generator, "latent")
    return torch.randn(1, generator.latent, generator=torch.Generator().manual_seed(seed))


def slerp(a: torch.Tensor, b: torch.Tensor, t: float) -> torch.Tensor:
    """Spherical interpolation, `a` at t = 0 and `b` at t = 1; (N, D) each, else ValueError."""
    if a.ndim != 2 or a.shape != b.shape:
        raise ValueError(
            f"slerp takes two matrices of one shape (N, D), got {tuple(a.shape)} and {tuple(b.shape)}: take both "
            "latent vectors from one generator"
        )
    angle = torch.acos((torch.nn.functional.cosine_similarity(a, b)).clamp(-1, 1)).unsqueeze(1)
    if bool((angle.sin() < 1e-4).any()):  # nearly parallel: the arc is a line
        return (1 - t) * a + t * b
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
