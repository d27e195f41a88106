"""Say a trouble once: findings with one cause become one finding with all the evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from pgproof.model.finding import Evidence, Finding
from pgproof.model.relation import RelationName

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
    kept = dict(enumerate(findings))
    for folded_check, keeper_check in _SAME_CAUSE:
        keepers: dict[RelationName | None, list[int]] = defaultdict(list)
        for place, finding in kept.items():
            if finding.check == keeper_check:
                keepers[finding.relation].append(place)
        for place, finding in [item for item in kept.items() if item[1].check == folded_check]:
            at = next((k for k in keepers[finding.relation] if _same(finding, kept[k])), None)
            if at is not None:
                kept[at] = _fold(kept[at], kept.pop(place))
    return tuple(kept.values())


def _same(finding: Finding, keeper: Finding) -> bool:
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
