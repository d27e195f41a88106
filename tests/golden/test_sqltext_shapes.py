"""Shapes of statements: tests/golden/sqltext/*.yaml hold the SQL and, in a compact notation, its levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.shape import Distinct, GroupKey, Join, Nulls, Operand, Predicate, QueryShape, SortKey
from pgproof.sqltext.walk import find_parameters, find_shapes

FILES = sorted((Path(__file__).parent / "sqltext").glob("*.yaml"))


def cases() -> list[Any]:
    found = []
    for file in FILES:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for case in document["cases"]:
            found.append(pytest.param(document["tables"], case, id=f"{file.stem}-{case['name']}"))
    return found


@pytest.mark.parametrize(("tables", "case"), cases())
def test_shape(tables: dict[str, list[str]], case: dict[str, Any]) -> None:
    statement = parse_statement(case["sql"])
    assert render(statement, tables) == case["shape"]


def render(statement: Any, tables: dict[str, list[str]]) -> str:
    def columns_of(schema: str | None, table: str) -> list[str] | None:
        return tables.get(f"{schema}.{table}" if schema else table)

    lines = [line for shape in find_shapes(statement, columns_of) for line in _level(shape)]
    for use in find_parameters(statement, columns_of):
        where = f" {_operand(use.operand)}" if use.operand else ""
        table = f" of {use.schema + '.' if use.schema else ''}{use.table}" if use.table else ""
        call = f" in {use.function}#{use.argument}" if use.function else ""
        cast = f" ::{use.cast}" if use.cast else ""
        operator = f" {use.operator}" if use.operator else ""
        lines.append(f"${use.number}: {use.role.value}{where}{operator}{table}{cast}{call}")
    return "\n".join(lines) + "\n"


def _level(shape: QueryShape) -> list[str]:
    words = [shape.level.value, shape.command, shape.name, "correlated" if shape.correlated else ""]
    indent = "  " * shape.depth
    return [indent + " ".join(filter(None, words))] + [f"{indent}- {line}" for line in _facts(shape)]


def _facts(shape: QueryShape) -> list[str]:
    lines = []
    for relation in shape.relations:
        name = ".".join(filter(None, (relation.schema, relation.name)))
        lateral = " lateral" if relation.is_lateral else ""
        lines.append(f"{relation.join.value} {relation.kind.value} {name} as {relation.alias}{lateral}")
    if shape.target:
        lines.append(f"target {shape.target.alias} writes {', '.join(shape.columns_written) or 'nothing'}")
    lines += [_predicate(predicate) for predicate in shape.predicates]
    lines += [_join(join) for join in shape.joins]
    lines += [f"group by {_key(key)}" for key in shape.group_by]
    lines += [f"order by {_key(key)}{_direction(key)}" for key in shape.order_by]
    lines += [f"distinct on {_key(key)}" for key in shape.distinct_on]
    if shape.distinct is Distinct.ALL:
        lines.append("distinct")
    for word, bound in (("limit", shape.limit), ("offset", shape.offset)):
        if bound:
            lines.append(f"{word} {bound.expression} rows={bound.rows} parameter={bound.parameter}")
    lines += [
        f"reads {read.relation}: {', '.join(read.columns)}{' *' if read.has_star else ''}"
        for read in shape.reads
        if read.columns or read.has_star
    ]
    for word, calls in (
        ("aggregate", shape.aggregates),
        ("window", shape.windows),
        ("volatile", shape.volatile),
    ):
        lines += [f"{word} {call.name}: {call.expression}" for call in calls]
    if shape.set_operation:
        lines.append(shape.set_operation)
    flags = {
        "grouping sets": shape.has_grouping_sets,
        "locks rows": shape.locks_rows,
        "samples": shape.samples,
    }
    return lines + [word for word, is_on in flags.items() if is_on]


def _operand(operand: Operand) -> str:
    mark = "^" if operand.is_outer else ""
    if operand.column is not None:
        return f"{mark}{operand.relation}.{operand.expression}"
    return f"{mark}{operand.relation}.[{operand.expression}]({', '.join(operand.columns)})"


def _predicate(predicate: Predicate) -> str:
    words = [
        predicate.clause.value,
        "not" if predicate.negated else "",
        _operand(predicate.operand),
        predicate.operator,
        predicate.constant or "",
        f"({predicate.kind.value}, {predicate.comparand.value}{', or' if predicate.in_or else ''})",
        " ".join(f"${number}" for number in predicate.parameters),
    ]
    return " ".join(filter(None, words))


def _join(join: Join) -> str:
    return f"{join.clause.value} join {_operand(join.left)} {join.operator} {_operand(join.right)}" + (
        " (or)" if join.in_or else ""
    )


def _key(key: SortKey | GroupKey) -> str:
    return _operand(key.operand) if key.operand else f"? {key.expression}"


def _direction(key: SortKey) -> str:
    nulls = f" nulls {key.nulls.value}" if key.nulls is not Nulls.DEFAULT else ""
    return ("" if key.ascending else " desc") + nulls
