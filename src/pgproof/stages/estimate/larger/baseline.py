"""What a workload costs without a larger change, to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgproof.model.larger_change import StatementPrice
from pgproof.model.units import PlannerCost
from pgproof.model.workload import Workload
from pgproof.stages.estimate.costs import StatementCost, WorkloadCosts
from pgproof.stages.estimate.shadow import ShadowCosts
from pgproof.stages.estimate.weights import weigh_statements

UNCHANGED_FRAC = 0.01
"""A larger change that saves less of the workload's cost is not worth its trouble. **Source**: judgement."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Costs as the database is.

    Args:
        provider: Answered.
        workload: What was asked.
        before: Of each statement that can be planned.
        weights: What one unit of each statement's cost counts.
        with_indexes: Cost with the largest set of indexes proposed, by statement; may be empty.
    """

    provider: ShadowCosts
    workload: Workload
    before: Mapping[str, StatementCost]
    weights: Mapping[str, float]
    with_indexes: Mapping[str, PlannerCost]

    @property
    def total(self) -> float:
        """The workload's whole cost, weighted."""
        return sum(self.weights[name] * cost.cost.value for name, cost in self.before.items())

    def saved_frac(self, prices: Sequence[StatementPrice]) -> float:
        """Return what some statements save of the whole workload's cost; below 0 where it gets dearer."""
        saved = sum(
            self.weights[price.statement] * (price.before.value - price.after.value) for price in prices
        )
        return saved / self.total if self.total > 0 else 0.0

    def price(self, statement: str, after: StatementCost, sql: str = "") -> StatementPrice:
        """Put a statement's cost beside what it was."""
        instead = self.with_indexes.get(statement)
        return StatementPrice(statement, self.before[statement].cost, after.cost, instead, sql)

    def indexes_do_as_much(self, prices: Sequence[StatementPrice]) -> bool:
        """Tell whether the proposed indexes bring these statements to about the same cost, or below."""
        if not prices or any(price.with_indexes is None for price in prices):
            return False
        weight = self.weights
        after = sum(weight[price.statement] * price.after.value for price in prices)
        instead = sum(
            weight[price.statement] * price.with_indexes.value for price in prices if price.with_indexes
        )
        return instead <= after * (1 + TIE_FRAC)


TIE_FRAC = 0.05
"""Estimates this close are ties. **Source**: README of `pgproof.stages.estimate`."""


def read_baseline(
    provider: ShadowCosts, workload: Workload, with_indexes: Mapping[str, PlannerCost] | None = None
) -> Baseline:
    """Ask for the cost of every statement as the database is.

    Args:
        provider: Of a shadow, nothing hypothetical in it.
        workload: Whose statements are asked for.
        with_indexes: See `Baseline`.
    """
    before = WorkloadCosts(provider, workload.statements).under(provider.existing)
    weights = weigh_statements(workload.statements, before)
    return Baseline(provider, workload, before, weights, with_indexes or {})
