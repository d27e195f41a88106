"""Diagnose: find what hurts. Each check brings evidence and a guard against false alarms."""

from __future__ import annotations

from collections.abc import Mapping

from pgproof.model.catalog import Catalog
from pgproof.model.finding import STATEMENTS, Diagnosis, Finding, Skipped
from pgproof.model.plan import Plan
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.shape import QueryShape
from pgproof.sqltext.walk import find_shapes
from pgproof.stages.diagnose.check import Check, Subject
from pgproof.stages.diagnose.deep_offset import DEEP_OFFSET
from pgproof.stages.diagnose.duplicate_index import DUPLICATE_INDEX
from pgproof.stages.diagnose.foreign_key import FOREIGN_KEY_WITHOUT_INDEX
from pgproof.stages.diagnose.invalid_index import INVALID_INDEX
from pgproof.stages.diagnose.leading_wildcard import LEADING_WILDCARD
from pgproof.stages.diagnose.merge import merge_findings
from pgproof.stages.diagnose.missing_index import MISSING_INDEX
from pgproof.stages.diagnose.per_row_subquery import PER_ROW_SUBQUERY
from pgproof.stages.diagnose.stale_statistics import STALE_STATISTICS
from pgproof.stages.diagnose.unused_index import UNUSED_INDEX
from pgproof.stages.diagnose.wrapped_column import WRAPPED_COLUMN

BUILT_IN: tuple[Check, ...] = (
    MISSING_INDEX,
    WRAPPED_COLUMN,
    LEADING_WILDCARD,
    DEEP_OFFSET,
    PER_ROW_SUBQUERY,
    STALE_STATISTICS,
    FOREIGN_KEY_WITHOUT_INDEX,
    DUPLICATE_INDEX,
    UNUSED_INDEX,
    INVALID_INDEX,
)


def diagnose(
    catalog: Catalog,
    workload: Workload | None,
    plans: Mapping[str, tuple[Plan, ...]],
    *,
    skipped: tuple[Skipped, ...] = (),
    checks: tuple[Check, ...] = BUILT_IN,
) -> Diagnosis:
    """Run the checks.

    Args:
        catalog: Of the database.
        workload: None where there is none; checks that need one are reported as skipped.
        plans: By statement name, one a parameter set that was explained.
        skipped: What was found to be out of reach before (no pg_stat_statements, a statement that can't be
            explained); passed on.
        checks: Which ones.

    Returns:
        Findings, most severe first, then by their share of time (of planner cost x calls where nobody
            measured time), then by title; those of one cause merged.
    """
    subject = Subject(catalog, workload, plans, _shapes(catalog, workload))
    findings: list[Finding] = []
    out_of_reach = list(skipped)
    ran = []
    for check in checks:
        lacking = _lacking(check, subject, skipped)
        if lacking:
            out_of_reach.append(lacking)
            continue
        ran.append(check.name)
        for outcome in check.find(subject):
            if isinstance(outcome, Finding):
                findings.append(outcome)
            else:
                out_of_reach.append(outcome)
    merged = sorted(merge_findings(findings), key=lambda f: (f.severity.rank, -_weight(subject, f), f.title))
    return Diagnosis(tuple(merged), tuple(dict.fromkeys(out_of_reach)), tuple(ran))


def _weight(subject: Subject, finding: Finding) -> float:
    """Return what findings of one severity are ordered by: share of time; of cost where no time is known."""
    if finding.time_share_frac is not None:
        return finding.time_share_frac
    return subject.cost_share_frac(finding.statements) or 0.0


def _lacking(check: Check, subject: Subject, skipped: tuple[Skipped, ...]) -> Skipped | None:
    if check.unusable:
        return check.unusable
    if check.needs_workload and not subject.statements():
        unreadable = next((entry for entry in skipped if entry.check == STATEMENTS), None)
        if unreadable:  # the checks wait for the same cure
            return Skipped(check.name, unreadable.reason, unreadable.hint)
        return Skipped(check.name, "no workload: nobody knows which statements run", "Give --workload FILE.")
    if check.needs_plans and not subject.plans:
        return Skipped(check.name, "no statement of the workload could be explained")
    return None


def _shapes(catalog: Catalog, workload: Workload | None) -> dict[str, tuple[QueryShape, ...]]:
    def shapes(statement: WorkloadStatement) -> tuple[QueryShape, ...]:
        return find_shapes(parse_statement(statement.query.sql), catalog.column_names)

    return {statement.name: shapes(statement) for statement in workload.statements} if workload else {}
