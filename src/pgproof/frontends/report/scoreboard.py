"""The scoreboard of a competition on a terminal: arms, failed gates, missed targets, the verdict."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape

from pgproof.frontends.competition_documents import ArmDocument, arm_document, variant_documents
from pgproof.frontends.report.criteria import print_criteria
from pgproof.frontends.report.figures import ms, percent, points, ratio_interval, size
from pgproof.frontends.report.tables import new_table
from pgproof.model.trial import Competition

_WIDE = 120
_COLUMNS = ("arm", "time", "interval", "p50", "p95", "p99", "qps", "index", "build", "score", "wins")
_ONLY_WHERE_WIDE = ("p50", "p99", "build")


def print_verdict(console: Console, competition: Competition) -> None:
    """Show all arms, what the variants failed at, and the verdict."""
    variants = variant_documents(competition)
    _print_arms(console, arm_document(competition.arm("control")), variants, competition.winner)
    print_criteria(console, competition)
    _print_failures(console, variants, competition.winner or next((arm.name for arm in variants), ""))
    colour = "bold green" if competition.winner else "bold red" if competition.void else "yellow"
    console.print(f"[{colour}]verdict:[/] {escape(competition.decision)}", soft_wrap=True)


def _print_arms(
    console: Console, control: ArmDocument, variants: Iterable[ArmDocument], winner: str | None
) -> None:
    left_out = () if console.width >= _WIDE else _ONLY_WHERE_WIDE
    table = new_table(*(column for column in _COLUMNS if column not in left_out))
    for arm in (control, *variants):
        is_control = arm is control
        cells = {
            "arm": escape(arm.name) + (" *" if arm.name == winner else ""),
            "time": "100 %" if is_control else percent(arm.time_ratio),
            "interval": ratio_interval(arm.interval),
            "p50": ms(arm.p50_ms),
            "p95": ms(arm.p95_ms),
            "p99": ms(arm.p99_ms),
            "qps": f"{arm.throughput_qps:,.0f}" if arm.throughput_qps is not None else "-",
            "index": "-" if is_control else size(arm.index_bytes),
            "build": "-" if is_control else ms(arm.build_ms),
            "score": points(arm.score) if arm.gates_passed else "failed",
            "wins": percent(arm.score_parts.wins_frac if arm.score_parts else None, 0),
        }
        table.add_row(*(cell for column, cell in cells.items() if column not in left_out))
    console.print(table)
    meaning = (
        "time: of the workload, against the control; interval: of that, in percent; "
        "wins: share of the bootstrap draws in which the arm has the most points"
    )
    console.print(f"[dim]{'*: the winner; ' if winner else ''}{meaning}[/]", soft_wrap=True)


def _print_failures(console: Console, variants: Iterable[ArmDocument], in_full: str) -> None:
    """Show failed gates, and missed targets: with their figures for one arm, by name for the others."""
    for arm in variants:
        for gate in arm.gates:
            if not gate.passed:
                text = f"{escape(arm.name)} failed the gate {escape(gate.name)}: {escape(gate.evidence)}"
                console.print(f"[red]{text}[/]", soft_wrap=True)
        missed = [target for target in arm.targets if not target.met]
        if missed:
            share = f"{len(missed)} of {len(arm.targets)} targets"
            named = ", ".join(target.title for target in missed)
            text = f"{escape(arm.name)} misses {share}: {escape(named)}"
            console.print(f"[yellow]{text}[/]", soft_wrap=True)
        for target in missed if arm.name == in_full else ():
            text = f"  {escape(target.title)}: {escape(target.evidence)}"
            console.print(f"[yellow]{text}[/]", soft_wrap=True)
        if arm.note:
            console.print(f"[dim]{escape(arm.name)}: {escape(arm.note)}[/]", soft_wrap=True)
        if arm.dropped:
            console.print(
                f"[dim]{escape(arm.name)} left the race early: {escape(arm.dropped)}[/]", soft_wrap=True
            )
