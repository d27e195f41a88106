"""Tables, notes and commands on a terminal: figures to the right and never broken, words to the left."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pgproof.postgres.dsn import has_secret

GAP = 3
"""Characters between two columns."""

_WORDS = ("statement", "text", "run", "kind", "when", "name", "arm", "criterion", "values", "verdict")


def new_table(*columns: str) -> Table:
    """Return an empty table with these headings; columns of words may wrap, except the first one."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        words = column in _WORDS
        table.add_column(column, justify="left" if words else "right", no_wrap=position == 0 or not words)
    return table


def print_notes(console: Console, notes: Iterable[str]) -> None:
    """Show what a reader must know beside a result, one a line."""
    for note in notes:
        console.print(f"[dim]note: {escape(note)}[/]", soft_wrap=True)


def print_command(console: Console, label: str, command: str, dsn: str) -> None:
    """Show a command that can be copied as it stands; a password of ``dsn`` is never in it."""
    console.print(f"[dim]{label}: {escape(command)}[/]", soft_wrap=True)
    if has_secret(dsn):
        console.print("[dim]  (the password is left out: give it in PGPASSWORD or ~/.pgpass)[/]")
