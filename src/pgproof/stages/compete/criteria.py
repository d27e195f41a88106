"""The owners' thresholds: what an arm measured beside each, whether it keeps it, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgproof.model.criterion import Bound, Criterion, Metric, Unit, criterion_text, figure_text
from pgproof.model.figures import percent
from pgproof.model.trial import GateResult, LoadResult, StatementTiming, TargetResult

GATE = "criteria"
"""Name of the gate that thresholds of the owners make together."""


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """What was measured on one arm.

    Args:
        timings: Of single statements, in the race.
        loads: Under concurrent load, by profile; the first one is also under the empty name. Missing where
            the arm had left before.
        index_bytes: Index bytes added.
        build_ms: Time to apply the steps.
        build_wal_bytes: WAL written meanwhile.
    """

    timings: Sequence[StatementTiming]
    loads: Mapping[str, LoadResult]
    index_bytes: int = 0
    build_ms: float = 0.0
    build_wal_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Figure:
    """One figure: how it is called, what it is, and what has to be said about it."""

    name: str
    value: float
    doubt: str = ""
    is_bound: bool = False


def judge_criteria(criteria: Sequence[Criterion], arm: ArmFigures) -> tuple[TargetResult, ...]:
    """Judge each threshold on what was measured; nothing is rounded in anybody's favour.

    Args:
        criteria: Of the blueprint.
        arm: What was measured.

    Returns:
        One result a threshold, in order. Of several statements the worst one counts. What was not measured is
        missed.
    """
    return tuple(_judge(criterion, arm) for criterion in criteria)


def judge_criteria_gate(results: Sequence[TargetResult]) -> GateResult | None:
    """Judge the thresholds that are gates, as one gate; None where there is none."""
    gates = [result for result in results if result.gate]
    if not gates:
        return None
    missed = [result for result in gates if not result.met]
    shown = "; ".join(f"{result.title}: {result.evidence}" for result in missed or gates)
    return GateResult(GATE, not missed, shown)


def _judge(criterion: Criterion, arm: ArmFigures) -> TargetResult:
    threshold = criterion_text(criterion)
    title = f"{criterion.title}: {threshold}" if criterion.title else threshold
    figures = _statement_figures(criterion, arm) if criterion.statements else _arm_figures(criterion, arm)
    missing = [figure for figure in figures if isinstance(figure, str)]
    known = [figure for figure in figures if isinstance(figure, _Figure)]
    unit = criterion.metric.unit
    worst = None
    if known:
        upwards = criterion.bound in (Bound.ABOVE, Bound.AT_LEAST)
        worst = (min if upwards else max)(known, key=lambda figure: (figure.is_bound, figure.value))
    met = not missing and worst is not None and _keeps(criterion, worst)
    told = [_evidence(criterion, worst)] if worst else []
    return TargetResult(
        title=title,
        met=met,
        evidence="; ".join([*told, *missing]),
        measured=worst.value if worst else None,
        limit=criterion.limit,
        unit=unit.value,
        over_frac=worst.value / criterion.limit - 1.0 if worst and criterion.limit else None,
        gate=criterion.gate,
    )


def _keeps(criterion: Criterion, figure: _Figure) -> bool:
    return not figure.is_bound and criterion.bound.keeps(figure.value, criterion.limit)


def _statement_figures(criterion: Criterion, arm: ArmFigures) -> list[_Figure | str]:
    by_name = {timing.statement: timing for timing in arm.timings}
    figures: list[_Figure | str] = []
    for name in criterion.statements:
        timing = by_name.get(name)
        if timing is None or not timing.samples:
            figures.append(f"{name} was not measured")
            continue
        value = {Metric.P50: timing.median_ms, Metric.MEAN: timing.mean_ms}.get(
            criterion.metric, timing.p95_ms
        )
        stopped = timing.timed_out > 0
        doubt = f"{timing.timed_out} executions were stopped, so it is more" if stopped else ""
        figures.append(_Figure(f"{criterion.metric.value} of {name}", value, doubt, stopped))
    return figures


def _arm_figures(criterion: Criterion, arm: ArmFigures) -> list[_Figure | str]:
    metric = criterion.metric
    built = {
        Metric.INDEX_SIZE: float(arm.index_bytes),
        Metric.BUILD_TIME: arm.build_ms,
        Metric.BUILD_WAL: float(arm.build_wal_bytes),
    }
    if metric in built:
        return [_Figure(metric.value, built[metric])]
    load = arm.loads.get(criterion.profile)
    attempts = load.samples + load.errors if load else 0
    if load is None or not attempts or (metric.unit is Unit.MILLISECONDS and not load.quantiles_ms):
        return [f"{metric.value} was not measured: the arm finished nothing under load"]
    value = {
        Metric.P50: load.p50_ms,
        Metric.P95: load.p95_ms,
        Metric.P99: load.p99_ms,
        Metric.THROUGHPUT: load.throughput_qps,
        Metric.ERRORS: float(load.errors),
        Metric.ERROR_SHARE: load.errors / attempts,
    }[metric]
    return [_Figure(metric.value, value, _doubt(criterion, load))]


def _doubt(criterion: Criterion, load: LoadResult) -> str:
    """Say that chance alone may decide, where the interval of the figure holds the limit."""
    interval = load.p95_interval_ms
    if criterion.metric is not Metric.P95 or interval is None:
        return ""
    if not interval.low <= criterion.limit <= interval.high:
        return ""
    low, high = (figure_text(value, Unit.MILLISECONDS) for value in (interval.low, interval.high))
    return f"its interval, {low} to {high}, holds the limit"


def _evidence(criterion: Criterion, figure: _Figure) -> str:
    """Say the figure, and how far it is from the limit: "p95 is 132 ms, 32 % above 100 ms"."""
    unit, limit = criterion.metric.unit, criterion.limit
    text = f"{figure.name} is {figure_text(figure.value, unit)}"
    wanted = figure_text(limit, unit)
    if limit:
        off = figure.value / limit - 1.0
        side = "above" if off > 0 else "below"
        text += f", {percent(abs(off))} {side} {wanted}" if off else f", exactly {wanted}"
    elif not _keeps(criterion, figure):
        text += f", wanted {criterion.bound.value} {wanted}"
    return f"{text} ({figure.doubt})" if figure.doubt else text
