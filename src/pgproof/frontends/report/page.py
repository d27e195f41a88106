"""The report as one self-contained HTML page: no network, no script, dark and light, printable."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

import pgproof
from pgproof.frontends.competition_documents import statement_documents
from pgproof.frontends.report import criteria, figures, predictions
from pgproof.frontends.report.charts import Curve, IntervalRow, draw_intervals, draw_latencies
from pgproof.model.blueprint import Blueprint
from pgproof.model.charter import Charter
from pgproof.model.finding import Diagnosis
from pgproof.model.rollout import Rollout, StatementEffect
from pgproof.model.trial import ArmResult, ArmRole, Competition


@dataclass(frozen=True, slots=True)
class Page:
    """What one page shows.

    Args:
        run: Id of the competition.
        competition: Always there.
        diagnosis: What hurt before; None leaves the part out.
        rollout: Where the winner was shipped; None leaves the part out.
        effects: Statements on the target before and after.
        blueprint: What competed; None leaves out what people wrote in it.
    """

    run: str
    competition: Competition
    diagnosis: Diagnosis | None = None
    rollout: Rollout | None = None
    effects: tuple[StatementEffect, ...] = ()
    blueprint: Blueprint | None = None


def render_page(page: Page) -> str:
    """Return the page as HTML text."""
    competition = page.competition
    variants = tuple(arm for arm in competition.arms if arm.role is ArmRole.VARIANT)
    winner = competition.arm(competition.winner) if competition.winner else None
    judged = criteria.judged_arms(competition)
    return _ENVIRONMENT.get_template("report.html").render(
        page=page,
        competition=competition,
        control=competition.arm("control"),
        variants=variants,
        winner=winner,
        shown=winner or (variants[0] if variants else None),
        statements=statement_documents(competition),
        intervals=draw_intervals(_interval_rows(competition)),
        latencies=draw_latencies(_curves(competition)),
        judged=judged,
        thresholds=criteria.criterion_rows(judged),
        criteria=criteria,
        charter=page.blueprint.charter if page.blueprint else None,
        no_charter=Charter(),
        figures=figures,
        predictions=predictions,
        predicted=predictions.predicted_arms(competition),
        plan=render_plan_lines,
        version=pgproof.__version__,
    )


def render_plan_lines(text: str) -> Markup:
    """Return a plan as HTML in which a line too long for its place goes on below, as deep as it began."""
    lines = (
        Markup('<div style="--depth: {}ch">{}</div>').format(len(line) - len(line.lstrip()), line.lstrip())
        for line in text.splitlines()
    )
    return Markup('<div class="plan">{}</div>').format(Markup("").join(lines))


def _interval_rows(competition: Competition) -> list[IntervalRow]:
    return [
        IntervalRow(
            _label(arm), arm.comparison.ratio, arm.comparison.interval, _tone(arm, competition.winner)
        )
        for arm in competition.arms
        if arm.comparison is not None
    ]


def _curves(competition: Competition) -> list[Curve]:
    curves, others = [], 0
    for arm in competition.arms:
        if arm.load is None or arm.role is ArmRole.CANARY:
            continue
        tone = _tone(arm, competition.winner)
        if tone == "variant":
            others += 1
            tone = f"variant-{others}"
        curves.append(Curve(arm.name, arm.load.quantiles_ms, tone))
    return curves


def _label(arm: ArmResult) -> str:
    return "canary (second control)" if arm.role is ArmRole.CANARY else arm.name


def _tone(arm: ArmResult, winner: str | None) -> str:
    return "winner" if arm.name == winner else arm.role.value


_ENVIRONMENT = Environment(
    loader=PackageLoader("pgproof.frontends.report"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
