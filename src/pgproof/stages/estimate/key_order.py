"""Of indexes that differ only in the order of their keys, and cost the same, the one that a DBA would write.

Where all leading keys are compared for equality the planner sees no difference between (tenant, open) and
(open, tenant). Tomorrow's statement does: it may well ask for the tenant alone, hardly ever for all that is
open. So, on a tie, the column that leaves least for any of its values comes first; columns with a few values,
and such as are mostly null, come last.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from pgproof.model.candidate import IndexSet, Selection
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey, Table
from pgproof.stages.estimate.goal import Goal, Names

TIE_FRAC = 1e-4
"""Statements that get dearer by less cost the same. **Source**: judgement: costs are printed with two
decimals, and a step of a descent is a hundredth of the cheapest plan's cost."""

_UNKNOWN_FRAC = 0.005  # of an expression, and of a column never analysed: DEFAULT_EQ_SEL of selfuncs.h
_BOOLEAN_FRAC = 0.5


def in_sensible_order(goal: Goal, selection: Selection, catalog: Catalog) -> Selection:
    """Return a selection with the keys of each index in the most sensible order that costs no more.

    Args:
        goal: The sets were chosen by; its candidates are the orders to choose from.
        selection: Sets.
        catalog: Of the database.
    """
    orders = _Orders(goal, catalog)
    return replace(selection, sets=tuple(orders.settle(chosen) for chosen in selection.sets))


class _Orders:
    def __init__(self, goal: Goal, catalog: Catalog) -> None:
        self._goal = goal
        self._catalog = catalog
        used = frozenset[str]().union(*(correction.used for correction in goal.corrections))
        self._taught = {goal.indexes[name].table for name in used if name in goal.indexes}
        self._alike: defaultdict[object, list[str]] = defaultdict(list)
        for name in sorted(goal.everything):
            self._alike[_without_order(goal.indexes[name])].append(name)

    def settle(self, chosen: IndexSet) -> IndexSet:
        names = frozenset(chosen.names)
        for name in chosen.names:
            names = self._exchanged(names, name)
        if names == frozenset(chosen.names):
            return chosen
        return self._goal.describe(chosen.ambition, names | self._goal.base)

    def _exchanged(self, names: Names, name: str) -> Names:
        change = self._goal.indexes[name]
        if change.table in self._taught:
            return names  # real runs said more of its indexes than the planner does
        mine = self._rank(change)
        better = [
            (rank, other)
            for other in self._alike[_without_order(change)]
            if other not in names and (rank := self._rank(self._goal.indexes[other])) < mine
        ]
        for _, other in sorted(better):
            exchanged = names - {name} | {other}
            if self._costs_no_more(exchanged, names):
                return exchanged
        return names

    def _costs_no_more(self, one: Names, other: Names) -> bool:
        goal = self._goal
        if goal.size(one) > goal.size(other) * (1 + TIE_FRAC) or not goal.affordable(one):
            return False
        after, before = goal.costs.under(one | goal.base), goal.costs.under(other | goal.base)
        return all(
            name in after and after[name].cost.value <= cost.cost.value * (1 + TIE_FRAC)
            for name, cost in before.items()
        )

    def _rank(self, change: CreateIndex) -> tuple[float, ...]:
        table = self._catalog.find_table(change.table.name, change.table.schema)
        return tuple(_frac(key, table) for key in change.keys)


def _frac(key: IndexKey, table: Table | None) -> float:
    """Return the share of a table's rows that share a value of a key, as the planner sees any value."""
    column = table.column(key.column) if table is not None and key.column else None
    if table is None or column is None:
        return _UNKNOWN_FRAC
    if column.statistics is None:
        return _BOOLEAN_FRAC if column.base_type == "bool" else _UNKNOWN_FRAC
    nulls = column.statistics.null_frac
    return max((1 - nulls) / max(column.statistics.distinct_rows(max(table.rows, 1)), 1.0), nulls)


def _without_order(change: CreateIndex) -> object:
    """Return what indexes have in common that differ in the order of their keys."""
    keys = (
        frozenset(_without_direction(key) for key in change.keys) if change.method == "btree" else change.keys
    )
    return change.table, change.method, keys, frozenset(change.include), change.where


def _without_direction(key: IndexKey) -> IndexKey:
    return replace(key, descending=False, nulls_first=False)
