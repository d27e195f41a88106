"""Materialised views and partitions on a terminal: what they would save and cost, and why or why not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape

from pgproof.frontends.report.figures import percent, size, times
from pgproof.frontends.report.statement_names import StatementNames
from pgproof.model.larger_change import Dismissed, LargerChange, LargerKind, LargerReview, StatementPrice
from pgproof.model.units import PlannerCost

_SHOWN_CHANGES = 3
_SHOWN_STATEMENTS = 3
_NOT_IN_SETS = "advice only: no variant of the blueprint holds them, and nothing was tried"
_WORDS = {
    LargerKind.MATERIALIZED_VIEW: "a materialized view",
    LargerKind.PARTITIONING: "partitions",
}


def print_larger_changes(
    console: Console, review: LargerReview, names: StatementNames, *, everything: bool = False
) -> None:
    """Show what was priced; nothing is shown where nothing was thought of.

    Args:
        console: Where.
        review: What was found.
        names: Of the workload's statements.
        everything: Show also what is not worth it and what was not priced, with SQL and cautions.
    """
    worth = [change for change in review.changes if change.recommended]
    others = [change for change in review.changes if not change.recommended]
    if not worth and not review.notes and not (everything and (others or review.dismissed)):
        if others or review.dismissed:
            looked_at = len(others) + len(review.dismissed)
            console.print(f"\n[dim]larger changes: {looked_at:,} looked at, none worth it; -v says why[/]")
        return
    console.print(f"\n[bold]larger changes, priced[/] [dim]({_NOT_IN_SETS})[/]", soft_wrap=True)
    for change in worth if everything else worth[:_SHOWN_CHANGES]:
        _print_change(console, change, names, everything)
    if everything:
        for change in others:
            _print_change(console, change, names, everything)
        _print_dismissed(console, review.dismissed, names)
    left = len(review.changes) + len(review.dismissed) - min(len(worth), _SHOWN_CHANGES)
    if left > 0 and not everything:
        console.print(f"[dim]  ... and {left:,} more looked at; -v tells them[/]")
    for note in review.notes:
        console.print(f"[dim]  {escape(note)}[/]", soft_wrap=True)


def _print_change(console: Console, change: LargerChange, names: StatementNames, everything: bool) -> None:
    colour = "green" if change.recommended else "yellow"
    console.print(f"  [bold]{escape(change.title)}[/]: {_facts(change)}", soft_wrap=True)
    console.print(f"      [{colour}]{escape(change.verdict)}[/]", soft_wrap=True)
    shown = change.statements if everything else _heaviest(change.statements)
    for price in shown:
        line = f"      {escape(price.statement)}: {_price(price)}"
        console.print(line, soft_wrap=True)
        text = names.introduce(price.statement, 10)
        if text:
            console.print(f"          [dim]{escape(text)}[/]", soft_wrap=True)
        if everything and price.sql:
            console.print(f"          becomes: {escape(price.sql)}", style="green", soft_wrap=True)
    if len(change.statements) > len(shown):
        console.print(f"[dim]      ... and {len(change.statements) - len(shown)} more; -v shows all[/]")
    for statement in change.sql if everything else change.sql[:1]:
        console.print(f"      {escape(statement)};", style="green", soft_wrap=True)
    if everything and change.refresh_sql:
        console.print(f"      {escape(change.refresh_sql)};", style="green", soft_wrap=True)
    cautions = change.cautions if everything else change.cautions[:1]
    _print_lines(console, (f"but {caution}" for caution in cautions))
    if everything:
        lines = (f"looked at because {change.reason}", f"{change.confidence.value} confidence: ")
        _print_lines(console, (lines[0], lines[1] + change.confidence_reason))


def _facts(change: LargerChange) -> str:
    saved = f"saves {percent(change.saved_frac)} of the workload's cost"
    if change.saved_frac < 0:
        saved = f"makes the workload {percent(-change.saved_frac)} dearer"
    if change.refresh_cost is None:
        parts = [saved, f"the largest partition takes {size(change.size_bytes)}"]
    else:
        parts = [saved, size(change.size_bytes), f"a refresh costs {_cost(change.refresh_cost)}"]
    return ", ".join((*parts, f"{change.confidence.value} confidence"))


def _heaviest(prices: Sequence[StatementPrice]) -> Sequence[StatementPrice]:
    ranked = sorted(prices, key=lambda price: price.after.value - price.before.value)
    return ranked[:_SHOWN_STATEMENTS]


def _price(price: StatementPrice) -> str:
    words = f"{_cost(price.before)} to {_cost(price.after)}"
    if price.after < price.before and price.after.value > 0:
        words += f" ({times(price.before.value / price.after.value)})"
    if price.with_indexes is not None:
        words += f"; with the indexes {_cost(price.with_indexes)}"
    return words


def _print_dismissed(console: Console, dismissed: Sequence[Dismissed], names: StatementNames) -> None:
    for one in dismissed:
        what = _WORDS[one.kind]
        console.print(f"  [dim]{escape(one.what)} without {what}: {escape(one.reason)}[/]", soft_wrap=True)
        text = names.introduce(one.what, 10)
        if text:
            console.print(f"          [dim]{escape(text)}[/]", soft_wrap=True)


def _print_lines(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(f"      [dim]{escape(line)}[/]", soft_wrap=True)


def _cost(cost: PlannerCost) -> str:
    return f"{cost.value:,.0f}" if cost.value >= 100 else f"{cost.value:.3g}"
