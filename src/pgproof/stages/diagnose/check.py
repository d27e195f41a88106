"""What a check is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pgproof.model.catalog import Catalog
from pgproof.model.figures import percent, size
from pgproof.model.finding import Evidence, Finding, Severity, Skipped
from pgproof.model.plan import Plan
from pgproof.model.relation import Table
from pgproof.model.workload import ParameterSource, Workload, WorkloadStatement
from pgproof.sqltext.shape import QueryShape, Relation

SMALL_TABLE_ROWS = 500
"""Below this a scan costs nothing worth an index. Source: peer default (pghero: 500 rows)."""

SMALL_TABLE_BYTES = 1024 * 1024
"""Below this a table fits few pages. Source: judgement, after the same guard in ruby-pg-extras."""


@dataclass(frozen=True)  # without slots: what is derived once is kept in the instance, beside its fields
class Subject:
    """What the checks look at.

    Args:
        catalog: Of the database.
        workload: None where nobody captured one.
        plans: Plans by statement name, one a parameter set that was explained; may lack statements.
        shapes: Shapes by statement name, outermost level first.
    """

    catalog: Catalog
    workload: Workload | None
    plans: Mapping[str, tuple[Plan, ...]]
    shapes: Mapping[str, tuple[QueryShape, ...]]

    def statements(self) -> tuple[WorkloadStatement, ...]:
        """Return the workload's statements; empty without a workload."""
        return self.workload.statements if self.workload else ()

    @cached_property
    def cost_by_statement(self) -> Mapping[str, float]:
        """Planner cost times calls, by the names of the statements that have plans."""
        return {
            statement.name: statement.calls * sum(plan.cost.value for plan in plans) / len(plans)
            for statement in self.statements()
            if (plans := self.plans.get(statement.name))
        }

    def table_of(self, relation: Relation) -> Table | None:
        """Return the table a statement's relation means; None for CTEs, functions and unknown names."""
        if relation.kind != "table":
            return None
        return self.catalog.find_table(relation.name, relation.schema)

    def time_share_frac(self, names: Iterable[str]) -> float | None:
        """Return the share of measured time that these statements take; None where nobody measured."""
        counted = {s.name: s.counters.total_ms for s in self.statements() if s.counters}
        total = sum(counted.values())
        return sum(counted.get(name, 0.0) for name in set(names)) / total if total else None

    def root_of(self, table: Table) -> Table:
        """Return the outermost partitioned table that a table is part of; itself where it is none."""
        while table.parent is not None:
            parent = self.catalog.find_table(table.parent.name, table.parent.schema)
            if parent is None:
                break
            table = parent
        return table

    def cost_share_frac(self, names: Iterable[str]) -> float | None:
        """Return the share of planner cost times calls that these statements have; None without plans."""
        total = sum(self.cost_by_statement.values())
        return sum(self.cost_by_statement.get(name, 0.0) for name in set(names)) / total if total else None

    def is_small(self, table: Table) -> bool:
        """Whether a table is too small for any index to matter."""
        rows = table.rows if table.rows >= 0 else (table.activity.live_rows if table.activity else 0)
        return rows < SMALL_TABLE_ROWS or table.size_bytes < SMALL_TABLE_BYTES


Outcome = Finding | Skipped


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Args:
        name: Kebab case, stable.
        find: Looks and reports; yields findings, or what it could not look at.
        needs_workload: Says nothing without statements.
        needs_plans: Says nothing without plans.
        unusable: Why it can't run at all (a plugin that does not import); then ``find`` is never called.
    """

    name: str
    find: Callable[[Subject], Iterator[Outcome]]
    needs_workload: bool = False
    needs_plans: bool = False
    unusable: Skipped | None = None


_USED = (
    ParameterSource.DECLARED,
    ParameterSource.LOG,
    ParameterSource.ACTIVITY,
    ParameterSource.GENERATED,
)
"""Sources of values that the application uses, or that its workload file stands for; others are made up."""


def used_values(statement: WorkloadStatement, number: int) -> Iterator[tuple[str | None, float]]:
    """Yield the values that parameter ``$number`` really had, with their weights; never print them."""
    for chosen in statement.parameter_sets:
        if chosen.source in _USED and number <= len(chosen.values):
            yield chosen.values[number - 1], chosen.weight


def severity_of_share(share_frac: float | None) -> Severity:
    """Return how much a statement's share of the time makes its trouble matter.

    Source: judgement; a tenth of all time is worth a look today, a hundredth this month.
    """
    if share_frac is None:
        return Severity.MEDIUM
    if share_frac >= 0.10:
        return Severity.HIGH
    return Severity.MEDIUM if share_frac >= 0.01 else Severity.LOW


def weight_evidence(
    subject: Subject, names: Iterable[str]
) -> tuple[Severity, float | None, tuple[Evidence, ...]]:
    """Return how much some statements matter: severity, share of the measured time, what is known of them.

    Where nobody measured time the share is None and the severity MEDIUM; the share of planner cost is then
    given as evidence, since cost is no time.
    """
    chosen = tuple(names)
    share = subject.time_share_frac(chosen)
    cost_share = subject.cost_share_frac(chosen) if share is None else None
    if cost_share is None:
        return severity_of_share(share), share, ()
    told = f"{percent(cost_share)} of planner cost x calls (no times were measured)"
    return severity_of_share(None), None, (Evidence("weight in the workload", told, "EXPLAIN"),)


def megabytes(size_bytes: float) -> Evidence:
    """Return a table's or an index's size as evidence."""
    return Evidence("size", size(size_bytes), "pg_class")
