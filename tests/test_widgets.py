"""Pictures show the images that they were given; in the quiz every answer is explained, and one is right."""

import io
import re

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from PIL import Image

from helpers.book import plots, widgets
from helpers.models import Generator

CHOICE = {"ask": "Is 1 < 2?", "choices": [("yes", "Right: it is."), ("no", "Count again.")]}
NUMBER = {
    "ask": "2 + 2?",
    "numbers": [(4, 4, "Right."), (3.9, 4.1, "Nearly.")],
    "otherwise": "Count on your fingers.",
}


def test_each_choice_opens_to_its_own_mark_and_explanation():
    found = re.findall(
        r"<details><summary>(.*?)</summary><p>(✓|✗ No\.) (.*?)</p></details>", widgets.quiz([CHOICE]).data
    )
    assert found == [("yes", "✓", "Right: it is."), ("no", "✗ No.", "Count again.")]


def test_each_number_has_an_explanation_and_the_first_range_counts():
    page = widgets.quiz([NUMBER]).data
    found = re.findall(r'<p hidden data-low="(.*?)" data-high="(.*?)">(✓|✗ No\.) (.*?)</p>', page)
    assert found == [
        ("4", "4", "✓", "Right."),
        ("3.9", "4.1", "✗ No.", "Nearly."),
        ("-Infinity", "Infinity", "✗ No.", "Count on your fingers."),
    ]
    assert "findIndex" in page and 'role="status"' in page and "<label>" in page
    assert page.endswith("<details><summary>Show the answer</summary><p>✓ Right.</p></details></li></ol></div>")


def test_more_questions_than_shown_are_folded_and_numbered_on():
    page = widgets.quiz([CHOICE, NUMBER, CHOICE], shown=1).data
    first, more = page.split("<details><summary>2 more questions</summary>")
    assert first.count("<li>") == 1 and more.startswith('<ol start="2"><li>') and more.count("<li>") == 2
    assert "more questions" not in widgets.quiz([CHOICE, NUMBER]).data + widgets.quiz([CHOICE], shown=1).data


def test_texts_are_text():
    assert "Is 1 &lt; 2?" in widgets.quiz([CHOICE]).data


@pytest.mark.parametrize("whys", [("No.", "No."), ("Right.", "Right, too.")])
def test_not_one_right_answer_is_refused(whys):
    with pytest.raises(ValueError, match="need one: Which"):
        widgets.quiz([{"ask": "Which?", "choices": [("a", whys[0]), ("b", whys[1])]}])


def test_the_page_needs_no_network_and_is_the_same_each_time():
    page = widgets.quiz([CHOICE, NUMBER]).data
    assert page == widgets.quiz([CHOICE, NUMBER]).data
    assert not re.search(r"https?:|src=|href=|<script| id=", page)


# --- pictures ----------------------------------------------------------------------------------


def images(n, channels=1, size=4):
    return torch.randint(1, 256, (n, channels, size, size), generator=torch.Generator().manual_seed(n)).to(torch.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("n, columns, pad", [(7, 3, 1), (6, 3, 2), (2, 5, 0), (4, 1, 1)])
def test_a_grid_has_each_image_in_its_place_and_black_between(n, columns, pad, channels):
    given = images(n, channels)
    sheet = plots.tile(given, columns, pad)
    assert sheet.dtype == torch.uint8 and sheet.shape[2] == channels
    left = sheet.clone()
    for i, image in enumerate(given):
        top, start = pad + i // columns * (4 + pad), pad + i % columns * (4 + pad)
        place = (slice(top, top + 4), slice(start, start + 4))
        assert torch.equal(sheet[place], image.permute(1, 2, 0))
        left[place] = 0
    assert not left.any()


def test_one_image_is_drawn_as_it_is():
    assert torch.equal(plots.tile(images(1)), images(1)[0].permute(1, 2, 0))


@pytest.mark.parametrize("draw", [plots.tile, plots.png, lambda x: plots.show_images(x, "title")])
@pytest.mark.parametrize(
    "wrong, why",
    [
        (torch.rand(4, 1, 8, 8), "uint8.*to_uint8"),
        (torch.rand(4, 1, 8, 8) * 255, "uint8.*to_uint8"),
        (torch.zeros(4, 1, 8, 8, dtype=torch.int64), "uint8"),
        (torch.zeros(0, 1, 8, 8, dtype=torch.uint8), "no image"),
        (torch.zeros(8, 8, dtype=torch.uint8), "shape"),
        (torch.zeros(1, 8, 8, dtype=torch.uint8), "images\\[None\\]"),
        (torch.zeros(4, 8, 8, 3, dtype=torch.uint8), "channels"),
        (torch.zeros(4, 2, 8, 8, dtype=torch.uint8), "channels"),
    ],
)
def test_what_would_be_drawn_wrongly_is_refused(draw, wrong, why):
    with pytest.raises(ValueError, match=why):
        draw(wrong)


def test_a_grid_without_columns_is_refused():
    with pytest.raises(ValueError, match="columns"):
        plots.tile(images(2), columns=0)


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB")])
def test_a_png_holds_the_grid_enlarged(channels, mode):
    picture = Image.open(io.BytesIO(plots.png(images(5, channels), columns=3, zoom=2)))
    sheet = plots.tile(images(5, channels), columns=3).squeeze(-1).numpy()
    assert picture.mode == mode
    assert np.array_equal(np.asarray(picture), sheet.repeat(2, 0).repeat(2, 1))


def test_a_confusion_matrix_shows_counts_and_colours_each_row_by_its_share():
    counts = torch.tensor([[8, 2, 0], [0, 1, 0], [0, 0, 0]])  # the last class was never seen
    ax = plots.show_confusion(counts, ("cat", "dog", "rabbit"), "title")
    assert [text.get_text() for text in ax.texts] == ["8", "2", "", "", "1", "", "", "", ""]
    assert np.allclose(ax.images[0].get_array(), [[0.8, 0.2, 0], [0, 1, 0], [0, 0, 0]])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog", "rabbit"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("predicted class", "true class", "title")
    plt.close("all")


def test_the_explorer_draws_what_the_generator_makes_of_the_mixed_latents():
    generator = Generator(latent=8, width=4).eval()
    start, end, mix, picture = widgets.latent_explorer(generator, seed=3).children

    def drawn():
        return np.asarray(Image.open(io.BytesIO(picture.value)).resize((32, 32), Image.Resampling.NEAREST))

    def expected(z):
        with torch.no_grad():
            return ((generator(z)[0, 0] + 1) * 127.5).round().numpy()

    assert np.abs(drawn() - expected(widgets.latent(generator, 3))).max() <= 1
    mix.value = 1.0
    assert np.abs(drawn() - expected(widgets.latent(generator, 4))).max() <= 1
    end.value = 7
    assert np.abs(drawn() - expected(widgets.latent(generator, 7))).max() <= 1


def test_mixed_latents_stay_on_the_arc():
    a, b = torch.randn(2, 5, 64, generator=torch.Generator().manual_seed(0))
    a, b = (10 * x / x.norm(dim=1, keepdim=True) for x in (a, b))
    assert torch.allclose(widgets.slerp(a, b, 0.0), a, atol=1e-5)
    assert torch.allclose(widgets.slerp(a, b, 1.0), b, atol=1e-5)
    assert torch.allclose(widgets.slerp(a, b, 0.3).norm(dim=1), torch.full((5,), 10.0), atol=1e-4)
    assert torch.allclose(widgets.slerp(a, a, 0.3), a)


@pytest.mark.parametrize("labels", [[], ["a", "b"]])
def test_frames_need_a_label_each(labels):
    with pytest.raises(ValueError, match="as many labels as pictures"):
        widgets.frames([b"x"] if labels else [], labels, "alt")


def test_the_last_frame_is_shown_first_and_each_is_described():
    page = widgets.frames([b"one", b"two"], ["step 1", 'step "2"'], "digits").data
    assert re.findall(r"<figure( hidden)?>", page) == [" hidden", ""]
    assert 'alt="digits, step 1"' in page and 'alt="digits, step &quot;2&quot;"' in page
