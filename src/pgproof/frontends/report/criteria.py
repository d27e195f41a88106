"""The owners' thresholds as a table: what each arm measured, met or missed, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from pgproof.frontends.report.figures import change
from pgproof.frontends.report.tables import new_table
from pgproof.model.criterion import Unit, figure_text
from pgproof.model.trial import ArmResult, ArmRole, Competition, TargetResult

MEANING = (
    "behind a figure stands how far it is from the limit; gates disqualify, the others are points for tests"
)


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """One threshold over all arms.

    Args:
        title: The threshold.
        gate: Who misses it can't win.
        cells: One an arm, in their order; None where the arm was not judged.
    """

    title: str
    gate: bool
    cells: tuple[TargetResult | None, ...]


def judged_arms(competition: Competition) -> tuple[ArmResult, ...]:
    """Return the arms that a table of thresholds shows: the control, then the variants."""
    arms = sorted(competition.arms, key=lambda arm: arm.role is not ArmRole.CONTROL)
    return tuple(arm for arm in arms if arm.role is not ArmRole.CANARY)


def criterion_rows(arms: Sequence[ArmResult]) -> tuple[CriterionRow, ...]:
    """Return a row for each threshold, in the blueprint's order; empty where there is none."""
    judged = [[target for target in arm.targets if target.unit] for arm in arms]
    longest = max(judged, key=len, default=[])
    return tuple(
        CriterionRow(
            each.title, each.gate, tuple(found[place] if len(found) > place else None for found in judged)
        )
        for place, each in enumerate(longest)
    )


def cell_text(result: TargetResult | None) -> str:
    """Return a figure, and whether it is on the right side: "48.2 ms met (-52 %)"; a dash where unknown."""
    if result is None:
        return "-"
    if result.measured is None:
        return "not measured"
    off = "" if result.over_frac is None else f" ({change(result.over_frac)})"
    figure = figure_text(result.measured, Unit(result.unit))
    return f"{figure} {'met' if result.met else 'MISSED'}{off}"


def print_criteria(console: Console, competition: Competition) -> None:
    """Show the thresholds as a table; nothing where there is none."""
    arms = judged_arms(competition)
    rows = criterion_rows(arms)
    if not rows:
        return
    table = new_table("criterion", *(arm.name for arm in arms))
    for row in rows:
        cells = []
        for result in row.cells:
            colour = "" if result is None else "green" if result.met else "red"
            text = escape(cell_text(result))
            cells.append(f"[{colour}]{text}[/]" if colour else text)
        table.add_row(escape(row.title) + (" (gate)" if row.gate else ""), *cells)
    console.print(table)
    console.print(f"[dim]{MEANING}[/]", soft_wrap=True)
