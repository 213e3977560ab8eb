"""Tables of measured values: mean ± half of the 95 % interval, the best of a column in bold."""

import html
from collections.abc import Callable, Mapping, Sequence

from IPython.display import HTML

from helpers.metrics import Interval

Cell = str | float | Interval | None


def table(
    columns: Sequence[str],
    rows: Mapping[str, Sequence[Cell]],
    *,
    corner: str = "",
    scale: float = 1,
    digits: int = 1,
    best: Callable = max,
    among: Sequence[str] | None = None,
) -> HTML:
    """An HTML table, one row a name; numbers and intervals times `scale`, with `digits` behind the point.

    columns : headings of the cells. corner : heading of the names. best : max or min, which decides what is bold in a
    column. among : the rows that compete, all of them where it is None; none with an empty list. A cell that is None
    shows a dash.

    Raises ValueError where a row has another number of cells than there are columns, or `among` names no row.
    """
    for name, cells in rows.items():
        if len(cells) != len(columns):
            raise ValueError(f"row {name!r} has {len(cells)} cells for {len(columns)} columns")
    competing = list(rows) if among is None else list(among)
    if unknown := [name for name in competing if name not in rows]:
        raise ValueError(f"there is no row {unknown[0]!r}: choose among {', '.join(rows)}")

    def number(cell: Cell) -> float | None:
        return None if cell is None or isinstance(cell, str) else float(cell[0] if isinstance(cell, tuple) else cell)

    def text(cell: Cell) -> str:
        if cell is None or isinstance(cell, str):
            return "–" if cell is None else html.escape(cell)
        mean = f"{scale * (number(cell) or 0.0):z.{digits}f}"
        return f"{mean} ± {scale * cell[1]:.{digits}f}" if isinstance(cell, tuple) else mean

    # What is printed alike is equally good.
    winners = []
    for column in range(len(columns)):
        numbers = [round(scale * n, digits) for name in competing if (n := number(rows[name][column])) is not None]
        winners.append(best(numbers) if numbers else None)

    def shown(name: str, column: int) -> str:
        cell = rows[name][column]
        n = number(cell)
        bold = name in competing and n is not None and round(scale * n, digits) == winners[column]
        return f"<td>{'<strong>' if bold else ''}{text(cell)}{'</strong>' if bold else ''}</td>"

    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in (corner, *columns))
    body = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th>{"".join(shown(name, i) for i in range(len(columns)))}</tr>'
        for name in rows
    )
    return HTML(f'<table class="measured"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')
