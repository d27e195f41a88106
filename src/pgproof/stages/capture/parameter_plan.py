"""What each placeholder of a statement needs, and in which rows it may be found. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pgproof.model.catalog import Catalog
from pgproof.model.query import StatementKind
from pgproof.model.relation import ConstraintKind, Table
from pgproof.sqltext.parse import Statement
from pgproof.sqltext.quote import quote_identifier
from pgproof.sqltext.shape import Clause, Comparand, PredicateKind, QueryShape
from pgproof.sqltext.uses import ParameterRole, ParameterUse
from pgproof.sqltext.walk import find_parameters, find_shapes
from pgproof.stages.capture.parameter_types import UNKNOWN, ParameterType
from pgproof.stages.capture.parameter_values import Slot
from pgproof.stages.capture.row_samples import Cell, Edge, Source

_EMPTY_BYTES = 2 * 8192
_LISTED = (ParameterRole.IN_LIST, ParameterRole.INSERT)
_WRITTEN = (ParameterRole.INSERT, ParameterRole.UPDATE)


@dataclass(frozen=True, slots=True)
class ParameterPlan:
    """What values a statement needs, and where they may be.

    Args:
        text: The statement.
        slots: ``$1`` first.
        sources: Relations with wanted values.
        edges: Joins between them.
        target: The table an INSERT fills or an UPDATE changes, else None.
        inserts: The statement is an INSERT.
        upserts: The INSERT has ON CONFLICT.
    """

    text: str
    slots: tuple[Slot, ...]
    sources: tuple[Source, ...]
    edges: tuple[Edge, ...]
    target: Table | None = None
    inserts: bool = False
    upserts: bool = False


def plan_parameters(parsed: Statement, kinds: Sequence[ParameterType], catalog: Catalog) -> ParameterPlan:
    """Find out what each placeholder is for.

    Args:
        parsed: The statement.
        kinds: Types of its parameters, ``$1`` first.
        catalog: Where its tables are.
    """
    uses: dict[int, list[ParameterUse]] = defaultdict(list)
    for use in find_parameters(parsed, catalog.column_names):
        uses[use.number].append(use)
    slots = tuple(
        _slot(number, kinds[number - 1] if number <= len(kinds) else UNKNOWN, uses[number], parsed.text)
        for number in range(1, len(kinds) + 1)
    )
    shapes = find_shapes(parsed, catalog.column_names)
    inserts = parsed.kind == StatementKind.INSERT
    writes = inserts or parsed.kind == StatementKind.UPDATE
    written = shapes[0].target if shapes and writes else None
    target = catalog.find_table(written.name, written.schema) if written else None
    slots = _refer(_mark_rows(_number_lists(slots)), target if inserts else None, catalog)
    edges = tuple(
        Edge(join.left.relation, join.left.column, join.right.relation, join.right.column)
        for shape in shapes
        for join in shape.joins
        if join.operator == "=" and not join.in_or and join.left.column and join.right.column
    )
    return ParameterPlan(
        parsed.text,
        slots,
        _sources(slots, catalog, _conditions(shapes)),
        edges,
        target=target,
        inserts=inserts,
        upserts=re.search(r"\bon\s+conflict\b", parsed.text, re.IGNORECASE) is not None,
    )


def _slot(number: int, kind: ParameterType, uses: Sequence[ParameterUse], text: str) -> Slot:
    """Choose the use that tells most: one that meets a column of a table."""
    use = next((use for use in uses if use.table and use.operand), uses[0] if uses else None)
    cell = (use.operand.relation, use.operand.expression) if use and use.table and use.operand else None
    if cell is not None and "$" in cell[1]:
        cell = None  # an expression with a parameter of its own can't be read from a row
    before = "" if re.search(rf"'%'\s*\|\|\s*\${number}\b", text) else "%"
    behind = "" if re.search(rf"\${number}\s*\|\|\s*'%'", text) else "%"
    if not behind and before:
        before = ""  # $1 || '%' says that nothing comes before
    return Slot(number, kind, use, cell, (before, behind))


def _number_lists(slots: Iterable[Slot]) -> tuple[Slot, ...]:
    """Give each item of an IN list, and each row of VALUES, a sampled row of its own, by its place."""
    seen: Counter[Cell] = Counter()
    numbered: list[Slot] = []
    for slot in slots:
        if slot.use and slot.cell and slot.use.role in _LISTED:
            numbered.append(replace(slot, use=replace(slot.use, argument=seen[slot.cell])))
            seen[slot.cell] += 1
        else:
            numbered.append(slot)
    return tuple(numbered)


def _mark_rows(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Mark ``(a, b) > ($1, $2)``, where values of one row belong together."""
    cells: dict[tuple[str, str], set[Cell]] = defaultdict(set)
    for slot in slots:
        if slot.use and slot.cell and slot.use.operator in ("<", "<=", ">", ">="):
            cells[slot.cell[0], slot.use.operator].add(slot.cell)
    return tuple(
        replace(slot, in_row=True)
        if slot.use and slot.cell and len(cells[slot.cell[0], slot.use.operator]) > 1
        else slot
        for slot in slots
    )


def _looks_empty(table: Table) -> bool:
    """Never analysed, a table has no row count; a block or two may be its TOAST table's alone."""
    return table.rows == 0 or (table.rows < 0 and table.size_bytes <= _EMPTY_BYTES)


def _refer(slots: tuple[Slot, ...], target: Table | None, catalog: Catalog) -> tuple[Slot, ...]:
    """Take foreign keys for the first rows of an empty table from the tables they refer to."""
    if target is None or not _looks_empty(target):
        return slots
    references = {
        constraint.columns[0]: (constraint.references, constraint.referenced_columns[0])
        for constraint in catalog.constraints_of(target.relation)
        if constraint.kind is ConstraintKind.FOREIGN_KEY
        and len(constraint.columns) == 1
        and constraint.references
    }
    referring: list[Slot] = []
    for slot in slots:
        operand = slot.use.operand if slot.use and slot.use.role is ParameterRole.INSERT else None
        if slot.use and operand and operand.column in references:
            relation, column = references[operand.column]
            use = replace(slot.use, schema=relation.schema, table=relation.name)
            cell = (f"{operand.relation}.{operand.column}", quote_identifier(column))
            slot = replace(slot, use=use, cell=cell)
        referring.append(slot)
    return tuple(referring)


def _conditions(shapes: Sequence[QueryShape]) -> Mapping[str, tuple[str, ...]]:
    """Find what a statement demands of its rows without a parameter: ``"agentId" IS NULL``."""
    found: dict[str, list[str]] = defaultdict(list)
    for shape in shapes:
        for predicate in shape.predicates:
            operand = predicate.operand
            if predicate.in_or or predicate.clause is Clause.HAVING or operand.is_outer:
                continue
            if predicate.kind in (PredicateKind.IS_NULL, PredicateKind.IS_NOT_NULL):
                is_null = (predicate.kind is PredicateKind.IS_NULL) is not predicate.negated
                found[operand.relation].append(f"{operand.expression} IS {'' if is_null else 'NOT '}NULL")
            elif predicate.kind is PredicateKind.EQUALITY and predicate.comparand is Comparand.CONSTANT:
                negation = "NOT " if predicate.negated else ""
                found[operand.relation].append(f"{negation}{operand.expression} = {predicate.constant}")
    return {alias: tuple(conditions) for alias, conditions in found.items()}


def _sources(
    slots: Sequence[Slot], catalog: Catalog, conditions: Mapping[str, tuple[str, ...]]
) -> tuple[Source, ...]:
    wanted: dict[str, dict[str, bool]] = defaultdict(dict)
    tables: dict[str, Table] = {}
    for slot in slots:
        if slot.cell is None or slot.use is None or slot.use.table is None:
            continue
        alias, expression = slot.cell
        table = catalog.find_table(slot.use.table, slot.use.schema)
        if table is None or tables.setdefault(alias, table) is not table:
            continue  # two levels may use one alias for two tables: the first has it
        needed = slot.use.role not in _WRITTEN
        wanted[alias][expression] = wanted[alias].get(expression, False) or needed
    return tuple(
        Source(
            alias,
            tables[alias],
            tuple(found),
            frozenset(expression for expression, needed in found.items() if needed),
            conditions.get(alias, ()),
        )
        for alias, found in wanted.items()
    )
