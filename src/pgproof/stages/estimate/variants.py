"""Pricing finished variants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgproof.model.change import CreateIndex, DropIndex
from pgproof.model.estimate import Estimate, StatementEstimate
from pgproof.model.units import PlannerCost
from pgproof.model.variant import Variant
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.stages.estimate.costs import StatementCost, WorkloadCosts
from pgproof.stages.estimate.provider import CostProvider
from pgproof.stages.estimate.weights import weigh_statements, weighted_by


def estimate_variants(
    provider: CostProvider,
    workload: Workload,
    variants: Sequence[Variant],
    *,
    checks: Sequence[WorkloadStatement] = (),
    costs: WorkloadCosts | None = None,
) -> tuple[Estimate, ...]:
    """Estimate what each variant does to a workload's cost, weighted as `choose_sets` weighs it.

    Args:
        provider: Who prices them; new indexes it does not know are named in ``skipped``.
        workload: Whose statements are priced.
        variants: In any order.
        checks: Look-ups of foreign keys that count as statements; in the totals only.
        costs: What was asked about the same statements before.

    Returns:
        One estimate a variant, in order. Removed indexes that the provider can't hide are taken to be there
        still.
    """
    counted = (*workload.statements, *checks)
    costs = costs or WorkloadCosts(provider, counted)
    weights = _weights(counted, costs.under(provider.existing))
    named = frozenset(statement.name for statement in workload.statements)
    by = weighted_by(counted)
    return tuple(_estimate(provider, costs, weights, named, by, variant) for variant in variants)


def _weights(
    statements: Sequence[WorkloadStatement], before: Mapping[str, StatementCost]
) -> dict[str, float]:
    """Return the weights scaled so that the total stays what all calls cost, whatever they go by."""
    weights = weigh_statements(statements, before)
    cost = sum(s.calls * before[s.name].cost.value for s in statements if s.name in before)
    weighted = sum(weights[name] * found.cost.value for name, found in before.items())
    scale = cost / weighted if weighted > 0 else 1.0
    return {name: weight * scale for name, weight in weights.items()}


def _estimate(
    provider: CostProvider,
    costs: WorkloadCosts,
    weights: Mapping[str, float],
    named: frozenset[str],
    by: str,
    variant: Variant,
) -> Estimate:
    new = [change.name for change in variant.changes if isinstance(change, CreateIndex)]
    known = frozenset(new) & frozenset(provider.index_bytes)
    gone = {str(change.index) for change in variant.changes if isinstance(change, DropIndex)}
    before, after = costs.under(provider.existing), costs.under(known | provider.existing - gone)
    statements = tuple(
        StatementEstimate(name, before[name].cost, cost.cost, tuple(sorted(cost.used & known)))
        for name, cost in after.items()
        if name in named
    )
    unknown = [name for name in new if name not in known]
    return Estimate(
        variant=variant.name,
        statements=statements,
        before=_total(weights, before),
        after=_total(weights, after),
        index_bytes=sum(provider.index_bytes[name] for name in known),
        provider=provider.name,
        skipped=(
            *(f"{name}: {reason}" for name, reason in costs.skipped.items()),
            *(f"index {name}: {provider.refused.get(name, 'not among the candidates')}" for name in unknown),
        ),
        weighted_by=by,
    )


def _total(weights: Mapping[str, float], costs: Mapping[str, StatementCost]) -> PlannerCost:
    return PlannerCost(sum(weights[name] * found.cost.value for name, found in costs.items()))
