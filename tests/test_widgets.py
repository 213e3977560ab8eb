"""The quiz: every answer is explained, one is right, and the page needs nothing from elsewhere."""

import re

import pytest

from helpers.book import widgets

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
