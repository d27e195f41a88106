"""A finding: something that hurts, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pgproof.model.relation import RelationName

STATEMENTS = "statements"
"""Under this name it is reported that there is no workload to be had; some checks wait for one."""


class Severity(StrEnum):
    """How much it matters; HIGH first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for HIGH, growing as it matters less."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact that supports a finding.

    Args:
        label: What was looked at ("rows read to return one").
        value: The figure with its unit, as text; no row values.
        source: Where it was read ("pg_stat_statements", "EXPLAIN", "pg_index").
    """

    label: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that hurts.

    Args:
        check: Name of the check that found it ("missing-index").
        severity: How much it matters.
        title: One line naming the object and the trouble.
        explanation: Why it hurts, in plain words.
        evidence: At least one fact.
        remedy: What to do, in plain words.
        remedy_sql: Statements that would do it, in order; may be empty (pgproof never runs them).
        relation: The table or index concerned.
        columns: Columns concerned.
        statements: Names of workload statements concerned.
        time_share_frac: Share of the workload's time that is touched; None where unknown.
        refuted_by: What would prove this finding wrong.
        lineage: Where the threshold comes from ("measured", "peer default: ...", "judgement").
    """

    check: str
    severity: Severity
    title: str
    explanation: str
    evidence: tuple[Evidence, ...]
    remedy: str
    remedy_sql: tuple[str, ...] = ()
    relation: RelationName | None = None
    columns: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    time_share_frac: float | None = None
    refuted_by: str = ""
    lineage: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check that could not run, wholly or for one statement: never the same as 'no findings'.

    Args:
        check: Its name.
        reason: Why, in plain words.
        hint: The exact GRANT, setting or option that would let it run.
    """

    check: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What all checks together say.

    Args:
        findings: Most severe first, then by time share.
        skipped: What could not be looked at.
        checks: Names of the checks that ran.
    """

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    checks: tuple[str, ...]
