"""Deep OFFSET: rows are produced, sorted and thrown away."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.model.finding import Evidence, Finding
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.shape import Bound, QueryShape
from pgproof.stages.diagnose.check import Check, Subject, severity_of_share

DEEP_ROWS = 1000
"""Source: judgement; below, skipping costs less than a millisecond or two."""


def find_deep_offsets(subject: Subject) -> Iterator[Finding]:
    """Yield one finding for each statement whose OFFSET really goes deep.

    Guards: the values that are used decide (their 95th percentile), not the mere presence of OFFSET; a
    statement without LIMIT is an export and needs its rows.
    """
    for statement in subject.statements():
        for shape in subject.shapes.get(statement.name, ()):
            depths = _depths(statement, shape.offset) if shape.limit and shape.offset else []
            deepest = _percentile_95(depths)
            if deepest >= DEEP_ROWS:
                yield _finding(subject, statement, shape, deepest, len(depths))
                break


def _depths(statement: WorkloadStatement, offset: Bound) -> list[int]:
    if offset.rows is not None:
        return [offset.rows]
    if offset.parameter is None:
        return []
    position = offset.parameter - 1
    texts = [s.values[position] for s in statement.parameter_sets if position < len(s.values)]
    return [int(text) for text in texts if text is not None and text.strip().isdigit()]


def _percentile_95(depths: list[int]) -> int:
    return sorted(depths)[max(0, round(0.95 * len(depths)) - 1)] if depths else 0


def _finding(
    subject: Subject, statement: WorkloadStatement, shape: QueryShape, deepest: int, values: int
) -> Finding:
    share = subject.time_share_frac([statement.name])
    order = ", ".join(key.expression for key in shape.order_by) or "nothing (the pages are arbitrary!)"
    return Finding(
        check=DEEP_OFFSET.name,
        severity=severity_of_share(share),
        title=f"{statement.name} skips up to {deepest:,} rows to show a page",
        explanation="OFFSET produces every skipped row and throws it away: later pages take ever longer.",
        evidence=(
            Evidence("95th percentile of OFFSET", f"{deepest:,} rows over {values} known values", "workload"),
            Evidence("pages are ordered by", order, "statement text"),
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
