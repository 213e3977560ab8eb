"""Tables of measured values."""

import re

import pytest

from helpers.book.tables import table
from helpers.metrics import Interval


def cells(shown):
    """The table as rows of text, bold ones with a star."""
    text = shown.data.replace("<strong>", "*")
    rows = re.findall(r"<tr>(.*?)</tr>", text)
    return [[re.sub(r"<.*?>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


ROWS = {"a": [Interval(0.5, 0.04), 0.2], "b & c": [Interval(0.71, 0.031), None], "ceiling": [0.9, "not run"]}


def test_values_have_their_intervals_and_the_best_of_a_column_is_bold():
    assert cells(table(["first", "second"], ROWS, corner="arm", scale=100)) == [
        ["arm", "first", "second"],
        ["a", "50.0 ± 4.0", "*20.0"],
        ["b &amp; c", "71.0 ± 3.1", "–"],
        ["ceiling", "*90.0", "not run"],
    ]


def test_only_the_rows_that_compete_are_bold():
    shown = cells(table(["first", "second"], ROWS, among=["a", "b & c"], digits=2))
    assert [row[1] for row in shown[1:]] == ["0.50 ± 0.04", "*0.71 ± 0.03", "0.90"]
    assert not any("*" in cell for row in cells(table(["first", "second"], ROWS, among=[])) for cell in row)
    lowest = cells(table(["first", "second"], ROWS, best=min))
    assert [row[1][0] == "*" for row in lowest[1:]] == [True, False, False]


def test_what_is_printed_alike_is_equally_good():
    shown = cells(table(["x"], {"a": [0.941], "b": [0.944], "c": [0.90]}, digits=2))
    assert [row[1] for row in shown[1:]] == ["*0.94", "*0.94", "0.90"]


@pytest.mark.parametrize(
    "rows, options, words",
    [({"a": [1]}, {}, "1 cells for 2 columns"), ({"a": [1, 2]}, {"among": ["b"]}, "no row 'b'.*choose among a")],
)
def test_what_does_not_fit_is_refused(rows, options, words):
    with pytest.raises(ValueError, match=words):
        table(["x", "y"], rows, **options)
