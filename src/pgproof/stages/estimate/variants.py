"""Pricing finished variants."""

from __future__ import annotations

from collections.abc import Sequence

from pgproof.model.change import CreateIndex
from pgproof.model.estimate import Estimate, StatementEstimate
from pgproof.model.units import PlannerCost
from pgproof.model.variant import Variant
from pgproof.model.workload import Workload
from pgproof.stages.estimate.costs import WorkloadCosts
from pgproof.stages.estimate.provider import CostProvider


def estimate_variants(
    provider: CostProvider, workload: Workload, variants: Sequence[Variant]
) -> tuple[Estimate, ...]:
    """Estimate what each variant does to a workload's cost.

    Args:
        provider: Who prices them; new indexes it does not know are named in ``skipped``.
        workload: Whose statements are priced, by their calls.
        variants: In any order.

    Returns:
        One estimate a variant, in order. Removed indexes are taken to be there still: nothing is proposed to
        be removed that a plan could miss.
    """
    costs = WorkloadCosts(provider, workload.statements)
    return tuple(_estimate(provider, costs, workload, variant) for variant in variants)


def _estimate(provider: CostProvider, costs: WorkloadCosts, workload: Workload, variant: Variant) -> Estimate:
    new = [change.name for change in variant.changes if isinstance(change, CreateIndex)]
    known = frozenset(new) & frozenset(provider.index_bytes)
    before, after = costs.under(frozenset()), costs.under(known)
    statements = tuple(
        StatementEstimate(name, before[name].cost, cost.cost, tuple(sorted(cost.used)))
        for name, cost in after.items()
    )
    calls = {statement.name: statement.calls for statement in workload.statements}
    unknown = [name for name in new if name not in known]
    return Estimate(
        variant=variant.name,
        statements=statements,
        before=PlannerCost(sum(s.before.value * calls[s.statement] for s in statements)),
        after=PlannerCost(sum(s.after.value * calls[s.statement] for s in statements)),
        index_bytes=sum(provider.index_bytes[name] for name in known),
        provider=provider.name,
        skipped=(
            *(f"{name}: {reason}" for name, reason in costs.skipped.items()),
            *(f"index {name}: {provider.refused.get(name, 'not among the candidates')}" for name in unknown),
        ),
    )
