"""Advice beside indexes, on a terminal: statistics and settings, each with its reason and source."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from pgproof.model.setting_advice import SettingAdvice
from pgproof.model.statistics_advice import StatisticsAdvice, StatisticsCheck

_SHOWN_STATISTICS = 3
_SHOWN_SETTINGS = 5


def print_statistics(
    console: Console,
    advice: Sequence[StatisticsAdvice],
    checks: Sequence[StatisticsCheck],
    sql: Sequence[str],
    *,
    everything: bool = False,
) -> None:
    """Show statistics that the planner may lack, and what became of them on a clone.

    Args:
        console: Where.
        advice: What was found; nothing is shown without any.
        checks: One for each, in order, or none.
        sql: What makes each so, in order.
        everything: Show all of them, each with its source.
    """
    if not advice:
        return
    console.print("\n[bold]statistics that the planner may lack[/]")
    for number, each in enumerate(advice if everything else advice[:_SHOWN_STATISTICS]):
        console.print(f"  {escape(sql[number])};", style="green", soft_wrap=True)
        reason = escape(each.reason.removesuffix("."))
        source = f". [dim]{escape(each.source)}[/]" if everything else ""
        console.print(f"      {reason}{source}", soft_wrap=True)
        if number < len(checks):
            verdict = "kept" if checks[number].kept else "not kept"
            console.print(f"      {verdict}: {escape(checks[number].reason)}", soft_wrap=True)
    _print_more(console, 0 if everything else len(advice) - _SHOWN_STATISTICS)
    if not checks:
        console.print("[dim]  not tried: with --measure, a clone tells whether they change anything[/]")


def print_settings(console: Console, advice: Sequence[SettingAdvice], *, everything: bool = False) -> None:
    """Show settings that don't fit the machine; nothing is shown without any.

    Args:
        console: Where.
        advice: What was found.
        everything: Show all of them, each with its place, source and risk.
    """
    if advice:
        console.print("\n[bold]settings that don't fit the machine[/]")
    for each in advice if everything else advice[:_SHOWN_SETTINGS]:
        now = f" (now {escape(each.present)})" if each.present else ""
        place = f"; {escape(each.place)}" if everything else ""
        wanted = f"[green]{escape(each.name)} = {escape(each.proposed)}[/]{now}"
        console.print(f"  {wanted}, {each.takes_effect.value}{place}", soft_wrap=True)
        source = f" [dim]{escape(each.source)}[/]" if everything else ""
        console.print(f"      {escape(each.reason)}{source}", soft_wrap=True)
        if everything:
            console.print(f"      [dim]risk: {escape(each.risk)}[/]", soft_wrap=True)
    _print_more(console, 0 if everything else len(advice) - _SHOWN_SETTINGS)


def _print_more(console: Console, more: int) -> None:
    if more > 0:
        console.print(f"[dim]  ... and {more:,} more; -v shows all[/]")
