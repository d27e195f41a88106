"""Say a trouble once: findings with one cause become one finding with all the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pgproof.model.finding import Evidence, Finding

_SAME_CAUSE = (
    # A foreign key's columns are the ones that a plan searches by.
    ("foreign-key-without-index", "missing-index"),
    # A subquery's own table is the one that each of its executions reads whole.
    ("per-row-subquery", "missing-index"),
    # An index that another replaces, and that nobody reads either.
    ("unused-index", "duplicate-index"),
)
"""Checks of which the first's finding is said by the second's, where both are about the same thing."""


def merge_findings(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Fold findings into others that have the same cause; order is kept."""
    kept = list(findings)
    for folded_check, keeper_check in _SAME_CAUSE:
        for finding in [f for f in kept if f.check == folded_check]:
            at = next(
                (i for i, other in enumerate(kept) if other.check == keeper_check and _same(finding, other)),
                None,
            )
            if at is not None:
                kept[at] = _fold(kept[at], finding)
                kept.remove(finding)
    return tuple(kept)


def _same(finding: Finding, keeper: Finding) -> bool:
    if finding.relation != keeper.relation:
        return False
    if finding.check == "foreign-key-without-index":
        return set(keeper.columns[: len(finding.columns)]) == set(finding.columns)
    if finding.check == "per-row-subquery":
        return set(finding.statements) <= set(keeper.statements) and "Seq Scan" in finding.explanation
    return True


def _fold(keeper: Finding, finding: Finding) -> Finding:
    shares = [f.time_share_frac for f in (keeper, finding) if f.time_share_frac is not None]
    return replace(
        keeper,
        severity=min((keeper.severity, finding.severity), key=lambda severity: severity.rank),
        evidence=(
            *keeper.evidence,
            Evidence(f"also {finding.check}", finding.title, finding.evidence[0].source),
        ),
        time_share_frac=max(shares, default=None),
    )
