"""Foreign keys whose child side is looked through whenever a parent row goes.

The planner's cost of a DELETE leaves these look-ups out, as triggers run them; so the estimate gets them as
statements of their own.

**Source**: ``RI_FKey_noaction_del`` and friends in src/backend/utils/adt/ri_triggers.c; documentation 5.5.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pgproof.model.catalog import Catalog
from pgproof.model.query import Query, StatementKind
from pgproof.model.relation import Constraint, IndexKey, RelationName
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.sqltext.fingerprint import fingerprint
from pgproof.sqltext.quote import qualify, quote_identifier
from pgproof.stages.propose.drafts.draft import Draft
from pgproof.stages.propose.reading import ReadStatement, read_workload, table_of
from pgproof.stages.propose.selectivity import with_rows


def foreign_key_checks(catalog: Catalog, workload: Workload) -> tuple[WorkloadStatement, ...]:
    """Return the look-ups that the workload's deletes cause on child tables, as statements to be priced.

    Returns:
        One for each foreign key to a table whose rows are deleted (or whose key is updated), by name; their
        calls are those of the causing statements times the rows each changes, their values are unknown.
        Empty where nothing of the kind happens.
    """
    calls: dict[str, tuple[Constraint, float]] = {}
    for read in read_workload(catalog, workload):
        for constraint in caused_checks(read, catalog):
            _, known = calls.get(_name(constraint), (constraint, 0.0))
            calls[_name(constraint)] = (
                constraint,
                known + read.statement.calls * _rows_a_call(read.statement),
            )
    return tuple(_as_statement(name, *calls[name]) for name in sorted(calls))


def caused_checks(read: ReadStatement, catalog: Catalog) -> Iterator[Constraint]:
    """Yield the foreign keys whose child tables a statement makes the server look through, by name."""
    for shape in read.levels:
        if shape.target is None or shape.command not in ("delete", "update", "merge"):
            continue
        table = table_of(shape, shape.target.alias, catalog)
        if table is None:
            continue
        for constraint in catalog.foreign_keys_to(table.relation):
            changed = set(shape.columns_written).intersection(constraint.referenced_columns)
            if shape.command == "delete" or (shape.command == "update" and changed):
                yield constraint


def foreign_key_drafts(constraints: Iterable[Constraint], catalog: Catalog) -> Iterator[Draft]:
    """Yield a draft over the child side of each foreign key."""
    for constraint in constraints:
        child = catalog.find_table(constraint.table.name, constraint.table.schema)
        if child is not None and constraint.columns:
            yield Draft(
                table=with_rows(child, catalog),
                keys=tuple(IndexKey(column=name) for name in constraint.columns),
                asks=f"foreign key to {constraint.references}, whose rows are deleted",
                rank=0,
                free=len(constraint.columns),
                frac=0.005,
                fracs=(0.005,) * len(constraint.columns),
            )


def _name(constraint: Constraint) -> str:
    return f"foreign key check {constraint.table}.{constraint.name}"


def _rows_a_call(statement: WorkloadStatement) -> float:
    return max(statement.counters.rows_a_call, 1.0) if statement.counters else 1.0


def _as_statement(name: str, constraint: Constraint, calls: float) -> WorkloadStatement:
    child: RelationName = constraint.table
    conditions = " AND ".join(
        f"{quote_identifier(column)} = ${place + 1}" for place, column in enumerate(constraint.columns)
    )
    sql = f"SELECT 1 FROM {qualify(child.schema, child.name)} WHERE {conditions}"
    return WorkloadStatement(name, Query(fingerprint(sql), sql, StatementKind.SELECT, read_only=True), calls)
