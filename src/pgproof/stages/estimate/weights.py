"""What a unit of a statement's cost is worth, and what an index costs those who write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pgproof.changes.index_cover import as_change
from pgproof.errors import ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.relation import RelationName, Table
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.mentions import mentions
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.walk import find_shapes
from pgproof.stages.estimate.costs import StatementCost

WRITE_COST = 1.0
"""Cost units of keeping one B-tree up to date with one row: about one page touched.

**Source**: judgement; with all data in memory, 1.2 microseconds of CPU were measured for one index and row.
"""

METHOD_FACTOR = {"gin": 10.0, "gist": 3.0}
"""How much dearer other methods are. **Source**: judgement; a GIN entry for each trigram or key of a row."""


UNCHANGED_FRAC = 0.01
"""What all candidates together save less of, indexes don't change. **Source**: judgement."""


@dataclass(frozen=True, slots=True)
class Write:
    """Rows that a statement writes.

    Args:
        table: Where.
        rows: In the workload's window, weighted like the statements' costs.
        columns: Columns an UPDATE sets; empty for INSERT, which concerns every index.
        spared: Existing indexes that it leaves alone (HOT), and would not any more if a column were indexed.
    """

    table: RelationName
    rows: float
    columns: frozenset[str] = frozenset()
    spared: float = 0.0


def weigh_statements(
    statements: Sequence[WorkloadStatement], costs: Mapping[str, StatementCost]
) -> dict[str, float]:
    """Return how much one unit of each statement's cost counts.

    By calls; where the server measured time, by the time that one unit of cost stood for, since a statement
    with 13 % of the cost may have 64 % of the time.

    Args:
        statements: Of the workload.
        costs: Their costs without any candidate.

    Returns:
        One weight a statement that has a cost. Times and calls are brought to one scale by the mean of the
        statements that have both.
    """
    priced = [statement for statement in statements if statement.name in costs]
    rate = _ms_a_unit(priced, costs)
    return {statement.name: _weight(statement, costs[statement.name], rate) for statement in priced}


def find_overwhelming(
    statements: Sequence[WorkloadStatement],
    weights: Mapping[str, float],
    before: Mapping[str, StatementCost],
    after: Mapping[str, StatementCost],
) -> tuple[str, ...]:
    """Find the statements whose cost would hide all others', though no index changes it.

    Without measured times, cost stands for time; the cost of a join without an end is far from any time that
    somebody waits. So a statement that costs more than all others together, and hardly less with every
    candidate in place, must not decide about the others.

    Args:
        statements: Of the workload.
        weights: From `weigh_statements`.
        before: Their costs without any candidate.
        after: With all candidates.

    Returns:
        Names, dearest first; empty where the server measured times.
    """
    if weighted_by(statements) == "time":
        return ()
    shares = {name: weights[name] * cost.cost.value for name, cost in before.items() if name in weights}
    left, found = sum(shares.values()), list[str]()
    for name in sorted(shares, key=lambda name: (-shares[name], name)):
        left -= shares[name]
        saved = before[name].cost.value - after[name].cost.value
        if shares[name] <= left or left <= 0 or saved >= UNCHANGED_FRAC * before[name].cost.value:
            break
        found.append(name)
    return tuple(found)


def weighted_by(statements: Sequence[WorkloadStatement]) -> str:
    """Return what `weigh_statements` goes by: "time" where the server measured any, else "calls"."""
    return "time" if any(s.counters is not None and s.counters.total_ms > 0 for s in statements) else "calls"


def _weight(statement: WorkloadStatement, cost: StatementCost, rate: float) -> float:
    counters = statement.counters
    if counters is not None and counters.total_ms > 0 and cost.cost.value > 0:
        return counters.total_ms / cost.cost.value
    return statement.calls * rate


def _ms_a_unit(statements: Sequence[WorkloadStatement], costs: Mapping[str, StatementCost]) -> float:
    """Return the milliseconds that one unit of cost stood for, 1 where no time was measured."""
    measured = [s for s in statements if s.counters is not None and s.counters.total_ms > 0]
    time_ms = sum(s.counters.total_ms for s in measured if s.counters)
    units = sum(costs[s.name].cost.value * s.calls for s in measured)
    return time_ms / units if units > 0 else 1.0


def find_writes(
    statements: Sequence[WorkloadStatement], catalog: Catalog, costs: Mapping[str, StatementCost]
) -> tuple[Write, ...]:
    """Return the rows a workload inserts and updates, in workload order.

    Deletes are left out: an index entry of a deleted row is removed by VACUUM.
    """
    priced = [statement for statement in statements if statement.name in costs]
    rate = _ms_a_unit(priced, costs)
    return tuple(write for statement in statements for write in _writes_of(statement, catalog, rate))


def _writes_of(statement: WorkloadStatement, catalog: Catalog, rate: float) -> Iterator[Write]:
    if not statement.query.kind.writes:
        return
    try:
        shapes = find_shapes(parse_statement(statement.query.sql))
    except (ParseError, UsageError):
        return
    rows_a_call = max(statement.counters.rows_a_call, 1.0) if statement.counters else 1.0
    for shape in shapes:
        if shape.target is None or shape.command not in ("insert", "update", "merge"):
            continue
        table = catalog.find_table(shape.target.name, shape.target.schema)
        if table is None:
            continue
        columns = frozenset(shape.columns_written) if shape.command == "update" else frozenset[str]()
        for written, share in _written(table, catalog) if columns else [(table, 1.0)]:
            spared = _spared_by_hot(written, columns, catalog) if columns else 0.0
            yield Write(written.relation, statement.calls * rows_a_call * rate * share, columns, spared)


def _written(table: Table, catalog: Catalog) -> Iterator[tuple[Table, float]]:
    """Yield the tables that an UPDATE changes rows of, each with its share of the rows."""
    family = (table, *catalog.heirs_of(table.relation))
    rows = sum(max(one.rows, 0.0) for one in family)
    for one in family:
        yield one, max(one.rows, 0.0) / rows if rows > 0 else 1.0


def _spared_by_hot(table: Table, written: frozenset[str], catalog: Catalog) -> float:
    """Return how many indexes an UPDATE leaves alone on average, as its columns are in none (HOT)."""
    changes = [as_change(index) for index in catalog.indexes_of(table.relation)]
    if any(_touches(change, columns_of(change), written) for change in changes):
        return 0.0
    seen = table.activity
    hot_frac = seen.hot_updates / seen.updates if seen is not None and seen.updates > 0 else 1.0
    return len(changes) * hot_frac


def write_penalty(change: CreateIndex, writes: Sequence[Write]) -> float:
    """Return the weighted cost of keeping an index up to date.

    An UPDATE that sets no column of the index leaves it alone (HOT). One that sets such a column writes into
    the index, and from now on into all others of the table too.
    """
    concerned = columns_of(change)
    factor = METHOD_FACTOR.get(change.method, 1.0)
    return WRITE_COST * sum(
        write.rows * (factor + (write.spared if write.columns else 0.0))
        for write in writes
        if write.table == change.table and (not write.columns or _touches(change, concerned, write.columns))
    )


def columns_of(change: CreateIndex) -> frozenset[str]:
    """Return the columns that are stored in an index as they are."""
    return frozenset(key.column for key in change.keys if key.column) | frozenset(change.include)


def _touches(change: CreateIndex, concerned: frozenset[str], written: frozenset[str]) -> bool:
    texts = (change.where, *(key.expression for key in change.keys))
    return bool(concerned & written) or any(mentions(text, column) for text in texts for column in written)
