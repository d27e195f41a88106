"""Advice beside indexes, on a terminal: statistics and settings, each with its reason and source."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from pgproof.model.setting_advice import SettingAdvice
from pgproof.model.statistics_advice import StatisticsAdvice, StatisticsCheck


def print_statistics(
    console: Console,
    advice: Sequence[StatisticsAdvice],
    checks: Sequence[StatisticsCheck],
    sql: Sequence[str],
) -> None:
    """Show statistics that the planner may lack, and what became of them on a clone.

    Args:
        console: Where.
        advice: What was found; nothing is shown without any.
        checks: One for each, in order, or none.
        sql: What makes each so, in order.
    """
    if not advice:
        return
    console.print("\n[bold]statistics that the planner may lack[/]")
    for number, each in enumerate(advice):
        console.print(f"    {escape(sql[number])};", style="green", soft_wrap=True)
        reason = escape(each.reason.removesuffix("."))
        console.print(f"    {reason}. [dim]{escape(each.source)}[/]", soft_wrap=True)
        if number < len(checks):
            verdict = "kept" if checks[number].kept else "not kept"
            console.print(f"    {verdict}: {escape(checks[number].reason)}", soft_wrap=True)
    if not checks:
        console.print("[dim]    not tried: with --measure, a clone tells whether they change anything[/]")


def print_settings(console: Console, advice: Sequence[SettingAdvice]) -> None:
    """Show settings that don't fit the machine; nothing is shown without any."""
    if advice:
        console.print("\n[bold]settings that don't fit the machine[/]")
    for each in advice:
        now = f" (now {escape(each.present)})" if each.present else ""
        console.print(
            f"  [green]{escape(each.name)} = {escape(each.proposed)}[/]{now}, {each.takes_effect.value}; "
            f"{escape(each.place)}",
            soft_wrap=True,
        )
        console.print(f"    {escape(each.reason)} [dim]{escape(each.source)}[/]", soft_wrap=True)
        console.print(f"    [dim]risk: {escape(each.risk)}[/]", soft_wrap=True)
