"""Blueprints to start from: valid as they stand, and commented."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgproof.errors import ConfigError, UsageError
from pgproof.frontends.artifacts import write_text
from pgproof.frontends.blueprint.writing import render_blueprint
from pgproof.model.blueprint import Blueprint
from pgproof.model.change import AnalyzeTable, Change, CreateIndex
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.variant import Variant
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.sqltext.ddl import DEFAULT_SCHEMA
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.walk import find_shapes
from pgproof.stages.capture.files import load_spec, save_workload
from pgproof.stages.capture.spec import StatementSpec

SAMPLE_WORKLOAD = """\
# What your application asks: replace these statements, or write pgproof capture DSN --out FILE.json.
version: 1
statements:
- name: ordersOfCustomer
  weight: 10
  sql: SELECT id, total FROM orders WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 20
  parameters: [["1"], ["7"], ["42"]]
"""
_SAMPLE_CHANGE = CreateIndex(
    RelationName(DEFAULT_SCHEMA, "orders"),
    "orders_customer_id_created_at_idx",
    (IndexKey(column="customer_id"), IndexKey(column="created_at")),
)


@dataclass(frozen=True, slots=True)
class Start:
    """The files of a new blueprint.

    Args:
        path: Of the blueprint.
        text: Of the blueprint.
        workload_path: Of a workload file beside it; None where there is one already.
        workload: What goes there: a text, or a workload with its values.
    """

    path: Path
    text: str
    workload_path: Path | None = None
    workload: Workload | str = ""


def start_plain(path: Path) -> Start:
    """Return a blueprint and a workload of one made-up statement."""
    workload_path = path.with_name(f"{path.stem}.workload.yaml")
    blueprint = _sketch(path, _SAMPLE_CHANGE, Workload((), source="file"))
    text = render_blueprint(blueprint, workload_path.name, path.name, commented="ordersOfCustomer")
    return Start(path, text, workload_path, SAMPLE_WORKLOAD)


def start_from_workload(workload_path: Path, path: Path) -> Start:
    """Return a blueprint that names a workload file; its one variant does no harm and no good.

    Raises:
        ConfigError: The file is not a workload.
    """
    spec = load_spec(workload_path)
    statements: Sequence[WorkloadStatement | StatementSpec] = spec.statements
    if spec.captured is not None:
        statements = spec.captured.statements
    heaviest = max(statements, key=lambda statement: statement.calls)
    named = Path(os.path.relpath(workload_path.resolve(), path.resolve().parent)).as_posix()
    change = AnalyzeTable(_table_of(heaviest.query.sql))
    blueprint = _sketch(path, change, Workload((), source="file"))
    return Start(path, render_blueprint(blueprint, named, path.name, commented=heaviest.name))


def start_from_run(blueprint: Blueprint, path: Path) -> Start:
    """Return the blueprint of an earlier run, commented, with its workload.

    Raises:
        UsageError: The run had no variant.
    """
    if not blueprint.variants:
        raise UsageError(
            "This run proposed no variant, so there is nothing to start from.",
            hint="Start from its workload: pgproof blueprint new FILE --from WORKLOAD.",
        )
    workload_path = path.with_name(f"{path.stem}.workload.json")
    heaviest = blueprint.workload.statements[0].name
    text = render_blueprint(blueprint, workload_path.name, path.name, commented=heaviest)
    return Start(path, text, workload_path, blueprint.workload)


def write_start(start: Start, *, replacing: bool) -> tuple[Path, ...]:
    """Write the files of a start, the blueprint first.

    Args:
        start: What to write.
        replacing: Files that are there may be replaced.

    Raises:
        UsageError: One is there.
        ConfigError: One can't be written.
    """
    paths = tuple(path for path in (start.path, start.workload_path) if path is not None)
    there = [str(path) for path in paths if path.exists()]
    if there and not replacing:
        raise UsageError(
            f"{' and '.join(there)} would be overwritten.",
            hint="Name another file, or replace it with --force.",
        )
    write_text(start.path, start.text)
    if start.workload_path is not None and isinstance(start.workload, Workload):
        save_workload(start.workload, start.workload_path)  # which keeps its values from other users
    elif start.workload_path is not None:
        write_text(start.workload_path, str(start.workload))
    return paths


def _sketch(path: Path, change: Change, workload: Workload) -> Blueprint:
    title = "say here what it does"
    variant = Variant("first", title, (change,), why="Say here what it bets on.")
    goal = "Say here what shall get better, and by how much."
    return Blueprint(path.stem, goal, workload, (variant,))


def _table_of(sql: str) -> RelationName:
    """Return the first table that a statement reads or writes."""
    try:
        shapes = find_shapes(parse_statement(sql))
    except ConfigError:
        shapes = ()
    for shape in shapes:
        for relation in shape.relations:
            if relation.name:
                return RelationName(relation.schema or DEFAULT_SCHEMA, relation.name)
    return RelationName(DEFAULT_SCHEMA, "your_table")
