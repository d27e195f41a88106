"""How much of a workload each statement is, before the planner was asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pgproof.model.catalog import Catalog
from pgproof.model.relation import Table
from pgproof.stages.propose.reading import ReadStatement, table_of
from pgproof.stages.propose.worth import pages_of


def share_statements(catalog: Catalog, statements: Iterable[ReadStatement]) -> Mapping[str, float]:
    """Return each statement's share of the workload, 0 to 1.

    By measured time where the server measured any, else by the pages of the tables it reads, times calls.

    Args:
        catalog: Of the database.
        statements: The whole workload.
    """
    reads = tuple(statements)
    weights = {read.statement.name: _time_ms(read) for read in reads}
    if not any(weights.values()):
        weights = {read.statement.name: read.statement.calls * _pages(read, catalog) for read in reads}
    total = sum(weights.values())
    return {name: weight / total if total > 0 else 0.0 for name, weight in weights.items()}


def tables_read(read: ReadStatement, catalog: Catalog) -> tuple[Table, ...]:
    """Return the tables that a statement reads, each once, in text order."""
    found: dict[object, Table] = {}
    for shape in read.levels:
        for relation in shape.relations:
            table = table_of(shape, relation.alias, catalog)
            if table is not None:
                found.setdefault(table.relation, table)
    return tuple(found.values())


def _time_ms(read: ReadStatement) -> float:
    return read.statement.counters.total_ms if read.statement.counters else 0.0


def _pages(read: ReadStatement, catalog: Catalog) -> float:
    return sum(pages_of(table) for table in tables_read(read, catalog))
