"""A synthetic database on a terminal: what was made, how alike it plans, what is not as in the source."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from pgproof.frontends.report.figures import duration, percent
from pgproof.frontends.report.tables import new_table, print_notes
from pgproof.model.synthesis import PlanAgreement, Synthesis

_SHOWN_TABLES = 20
_SHOWN_STATEMENTS = 8
_SHOWN_NOTES = 20
_NOTICEABLE = 1.5
"""From which disagreement on rows a statement is named. **Source**: judgement."""
_VALUES = (
    "the copy holds no row of the source, but values that its statistics name: the most common ones and "
    "samples. Treat it like the data itself, or make it with --mask"
)


def print_synthesis(console: Console, synthesis: Synthesis) -> None:
    """Show what was made and how far it can be trusted."""
    _print_tables(console, synthesis)
    if synthesis.agreement is not None:
        _print_agreement(console, synthesis.agreement)
        if synthesis.scale != 1:
            console.print(
                f"[dim]note: the copy has {synthesis.scale:g} times the rows, so plans may differ rightly[/]",
                soft_wrap=True,
            )
    more = len(synthesis.notes) - _SHOWN_NOTES
    print_notes(console, synthesis.notes[:_SHOWN_NOTES])
    if more > 0:
        print_notes(console, [f"and {more} more; --json has all"])
    if not synthesis.masked:
        print_notes(console, [_VALUES])
    console.print(
        f"{synthesis.rows:,} rows made for {escape(synthesis.database)} in {duration(synthesis.seconds)}, "
        f"{synthesis.rows_per_s:,.0f} a second",
        soft_wrap=True,
    )


def _print_tables(console: Console, synthesis: Synthesis) -> None:
    table = new_table("name", "rows", "rows there", "pages", "pages there")
    largest = sorted(synthesis.tables, key=lambda one: -one.rows)
    for one in largest[:_SHOWN_TABLES]:
        figures = (one.rows, one.source_rows, one.pages, one.source_pages)
        table.add_row(escape(str(one.relation)), *(f"{figure:,.0f}" for figure in figures))
    console.print(table)
    more = len(largest) - _SHOWN_TABLES
    if more > 0:
        console.print(f"... and {more} more tables")


def _print_agreement(console: Console, found: PlanAgreement) -> None:
    worst = [one for one in found.statements if not one.shape_equal or one.rows_factor >= _NOTICEABLE]
    if worst:
        table = new_table("statement", "same plan", "rows off by", "about")
        for one in worst[:_SHOWN_STATEMENTS]:
            same = "yes" if one.shape_equal else "no"
            table.add_row(escape(one.name), same, f"{one.rows_factor:.2f}x", escape(one.about))
        console.print(table)
    print_notes(console, (f"not planned: {line}" for line in found.skipped))
    if found.shape_equal_frac is None or found.rows_factor is None:
        console.print("no statement could be planned on both")
        return
    console.print(
        f"plans of equal shape: {percent(found.shape_equal_frac)} of {len(found.statements)} statements; "
        f"expected rows differ by {found.rows_factor:.2f}x in the median of {found.compared}; "
        f"against {found.planned_on}",
        soft_wrap=True,
    )
