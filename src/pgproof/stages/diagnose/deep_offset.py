"""Deep OFFSET: rows are produced, sorted and thrown away."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.model.finding import Evidence, Finding
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.shape import Bound, QueryShape
from pgproof.stages.diagnose.check import Check, Subject, used_values, weight_evidence

DEEP_ROWS = 1000
"""Source: judgement; below, skipping costs less than a millisecond or two."""


def find_deep_offsets(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each statement whose OFFSET really goes deep.

    Guards: the values that the application uses decide (their 95th percentile), not the mere presence of
    OFFSET; values that pgproof made up say nothing; a statement without LIMIT is an export.

    Evidence: the 95th percentile of the OFFSET by weight; what the pages are ordered by.

    Refuted by: an application that never goes beyond the first pages.
    """
    for statement in subject.statements():
        for shape in subject.shapes.get(statement.name, ()):
            depths = _depths(statement, shape.offset) if shape.limit and shape.offset else []
            deepest = _percentile_95(depths)
            if deepest >= DEEP_ROWS:
                yield _finding(subject, statement, shape, deepest, len(depths))
                break


def _depths(statement: WorkloadStatement, offset: Bound) -> list[tuple[int, float]]:
    if offset.rows is not None:
        return [(offset.rows, 1.0)]
    if offset.parameter is None:
        return []
    depths = []
    for text, weight in used_values(statement, offset.parameter):
        if text is not None and text.strip().isdigit():
            depths.append((int(text), weight))
    return depths


def _percentile_95(depths: list[tuple[int, float]]) -> int:
    """Return the depth that 95 % of the executions don't go beyond, by the weights of their values."""
    reached, total = 0.0, sum(weight for _, weight in depths)
    for depth, weight in sorted(depths):
        reached += weight
        if reached >= 0.95 * total:
            return depth
    return 0


def _finding(
    subject: Subject, statement: WorkloadStatement, shape: QueryShape, deepest: int, values: int
) -> Finding:
    severity, share, weight = weight_evidence(subject, [statement.name])
    order = ", ".join(key.expression for key in shape.order_by) or "nothing, so pages may repeat or miss rows"
    return Finding(
        check=DEEP_OFFSET.name,
        severity=severity,
        title=f"{statement.name} skips {deepest:,} rows to show a page",
        explanation="OFFSET produces every skipped row and throws it away: later pages take ever longer.",
        evidence=(
            Evidence("95th percentile of OFFSET", f"{deepest:,} rows, of {values} known values", "workload"),
            Evidence("pages are ordered by", order, "statement text"),
            *weight,
        ),
        remedy="Page by key: remember the last row's sort keys and ask for rows beyond them "
        "(WHERE (sort keys) < (last values) ORDER BY ... LIMIT n), with an index on those keys. "
        "This changes the application's API.",
        statements=(statement.name,),
        time_share_frac=share,
        refuted_by="an application that never goes beyond the first pages",
        lineage=f"OFFSET >= {DEEP_ROWS} at the 95th percentile (judgement)",
    )


DEEP_OFFSET = Check("deep-offset", find_deep_offsets, needs_workload=True)
