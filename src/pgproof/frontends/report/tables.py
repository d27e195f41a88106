"""Tables of a terminal: figures to the right and never broken, words to the left."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

GAP = 3
"""Characters between two columns."""

_WORDS = ("statement", "text", "run", "kind", "when", "name", "arm", "values", "verdict")


def new_table(*columns: str) -> Table:
    """Return an empty table with these headings; columns of words may wrap, except the first one."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        words = column in _WORDS
        table.add_column(column, justify="left" if words else "right", no_wrap=position == 0 or not words)
    return table
