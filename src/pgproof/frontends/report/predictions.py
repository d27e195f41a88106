"""What the planner predicted of variants beside what the race measured: cost beside time, never mixed."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape

from pgproof.frontends.report.figures import change, percent, points_off
from pgproof.frontends.report.tables import new_table
from pgproof.model.prediction import Exactness, Predictions, StatementPrediction
from pgproof.model.trial import ArmResult, ArmRole, Competition

MEANING = (
    "predicted: of planner cost, which is no time; measured: of time, in the race; totals weigh each"
    " statement by the time it takes on the control"
)
_SHOWN_STATEMENTS = 12
_BOUNDS: Mapping[Exactness, str] = {
    Exactness.EXACT: "",
    Exactness.AT_LEAST: " or more",
    Exactness.AT_MOST: " or less",
}


def predicted_arms(competition: Competition) -> tuple[ArmResult, ...]:
    """Return the variants that were raced, in order; none where nothing was predicted of any."""
    variants = tuple(arm for arm in competition.arms if arm.role is ArmRole.VARIANT and arm.comparison)
    return variants if any(arm.predictions for arm in variants) else ()


def print_predictions(console: Console, competition: Competition) -> None:
    """Show what was predicted beside what was measured: by statement for one variant, in total for all.

    That one is the winner, else the first. Nothing is shown where nothing was predicted of any.
    """
    arms = predicted_arms(competition)
    if not arms:
        return
    winners = [arm for arm in arms if arm.name == competition.winner]
    for arm in (winners or [arm for arm in arms if arm.predictions])[:1]:
        console.print(f"\n[bold]predicted and measured[/]: {escape(arm.name)}", soft_wrap=True)
        _print_table(console, arm.predictions)
    for arm in arms:
        console.print(escape(sum_up(arm)), soft_wrap=True)
    console.print(f"[dim]{MEANING}[/]", soft_wrap=True)


def _print_table(console: Console, predictions: Predictions | None) -> None:
    if predictions is None:
        return
    table = new_table("statement", "share", "predicted", "measured", "off by")
    for row in predictions.statements[:_SHOWN_STATEMENTS]:
        table.add_row(
            escape(row.statement),
            percent(row.weight_frac),
            change(row.cost_change_frac),
            measured_change(row),
            points_off(row.error_frac),
        )
    console.print(table)
    more = len(predictions.statements) - _SHOWN_STATEMENTS
    if more > 0:
        console.print(f"[dim]  ... and {more:,} more; the report has all[/]")


def measured_change(row: StatementPrediction) -> str:
    """Return what was measured of a statement: "-48 %", "-80 % or less" where it was stopped, or a dash."""
    return change(row.time_change_frac) + _BOUNDS[row.exactness]


def sum_up(arm: ArmResult) -> str:
    """Return one line: a variant's total as predicted and as measured, and how far predictions were off."""
    found = arm.predictions
    if found is None:
        return f"{arm.name}: predicted -, measured {change(_total(arm))}"
    if not found.compared:
        return f"{arm.name}: no statement was both priced and measured to its end"
    totals = f"predicted {change(found.cost_change_frac)}, measured {change(found.time_change_frac)}"
    priced = f"{found.compared:,} of {len(found.statements):,} statements"
    off = f"off by {points_off(found.median_error_frac)} in the median"
    return f"{arm.name}: {totals} ({priced}); {off}, {_worst(found)}"


def _worst(found: Predictions) -> str:
    for row in found.statements:
        if row.statement == found.worst:
            figures = f"predicted {change(row.cost_change_frac)}, measured {measured_change(row)}"
            return f"most for {row.statement}: {figures}"
    return "none by more than the noise"


def _total(arm: ArmResult) -> float | None:
    return arm.comparison.ratio - 1.0 if arm.comparison else None
