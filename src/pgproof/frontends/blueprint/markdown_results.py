"""What came of a competition, as the last part of its blueprint's document."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.frontends.report.criteria import cell_text, criterion_rows, judged_arms
from pgproof.frontends.report.figures import ms, percent, points, ratio_interval, size
from pgproof.model.trial import ArmResult, ArmRole, Competition

WON = "\N{WHITE HEAVY CHECK MARK}"


def render_results(run: str, competition: Competition) -> str:
    """Return the results: points, figures, thresholds, the verdict and what failed.

    Args:
        run: Id of the competition in the ledger.
        competition: What came of it.
    """
    variants = [arm for arm in competition.arms if arm.role is ArmRole.VARIANT]
    parts = [
        "### Results",
        f"Run `{run}` of {competition.started_at:%Y-%m-%d %H:%M} UTC, {competition.rounds} paired rounds on "
        f"PostgreSQL {competition.clone.server_version}.",
        _points(variants, competition.winner),
        _figures(competition),
        _criteria(competition),
        f"**Winner**: {_winner(competition)}",
        f"**Verdict**: {competition.decision}",
        "**Analysis**:\n\n" + "\n".join(f"- {line}" for arm in variants for line in _analysis(arm)),
    ]
    return "\n\n".join(part for part in parts if part)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _points(variants: list[ArmResult], winner: str | None) -> str:
    rows = []
    for arm in variants:
        score = arm.score if arm.gates_passed else None
        parts = [score.tests, score.p95, score.simplicity, score.total] if score else [None] * 4
        won = WON if arm.name == winner else "" if score else "disqualified"
        rows.append([arm.name, *(points(part) for part in parts), won])
    return _table(["Variant", "Tests", "Performance", "Simplicity", "Total", "Winner"], rows)


def _figures(competition: Competition) -> str:
    rows = []
    for arm in judged_arms(competition):
        load, against = arm.load, arm.comparison
        is_control = arm.role is ArmRole.CONTROL
        rows.append(
            [
                arm.name,
                "100 %" if is_control else percent(against.ratio) if against else "-",
                ratio_interval(against.interval) if against else "-",
                *(ms(value) for value in ((load.p50_ms, load.p95_ms, load.p99_ms) if load else (None,) * 3)),
                f"{load.throughput_qps:,.0f}" if load else "-",
                f"{load.errors:,}" if load else "-",
                "-" if is_control else size(arm.index_bytes),
            ]
        )
    header = ["Arm", "Time", "Interval", "p50", "p95", "p99", "Per second", "Errors", "Index size"]
    return _table(header, rows)


def _criteria(competition: Competition) -> str:
    arms = judged_arms(competition)
    rows = [
        [row.title + (" (gate)" if row.gate else ""), *(cell_text(cell) for cell in row.cells)]
        for row in criterion_rows(arms)
    ]
    return _table(["Criterion", *(arm.name for arm in arms)], rows) if rows else ""


def _winner(competition: Competition) -> str:
    if competition.winner is None:
        return "none: the competition is void" if competition.void else "none"
    arm = competition.arm(competition.winner)
    titled = f" ({arm.title})" if arm.title and arm.title != arm.name else ""
    return f"Variant {arm.name}{titled}"


def _analysis(arm: ArmResult) -> Iterator[str]:
    failed = [gate for gate in arm.gates if not gate.passed]
    missed = [target for target in arm.targets if not target.met]
    if failed:
        told = "; ".join(f"{gate.name}: {gate.evidence}" for gate in failed)
        yield f"Variant {arm.name}: disqualified by {told}"
    elif arm.targets:
        share = f"meets {len(arm.targets) - len(missed)} of {len(arm.targets)} targets and criteria"
        yield f"Variant {arm.name}: {share}"
    elif arm.comparison:
        yield f"Variant {arm.name}: {percent(arm.comparison.ratio)} of the control's time"
    for target in () if failed else missed:
        yield f"Variant {arm.name} misses {target.title}: {target.evidence}"
