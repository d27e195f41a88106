"""Dangers of building an index."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgproof.changes.index_text import EXTENSION_OF_OPCLASS, create_index_sql
from pgproof.changes.table_guard import KIND_WORDS, refuse_server, refuse_table
from pgproof.errors import ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CreateExtension, CreateIndex, DropIndex, Refusal
from pgproof.model.relation import RelationKind, RelationName, Table
from pgproof.sqltext.quote import IDENTIFIER_MAX_BYTES, qualify

INDEXABLE = (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATVIEW)

WIDE_COLUMN_BYTES = 2000
"""Average width beyond which rows over btree's limit of 2,704 bytes must be expected.

**Source**: ``BTMaxItemSize`` for blocks of 8 KiB, src/include/access/nbtree.h (version 4 indexes).
"""

NOT_ORDERABLE = frozenset(
    ("json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle", "xid", "cid", "aclitem")
)
"""Base types without a default btree operator class. **Source**: pg_opclass of PostgreSQL 13 to 18."""

GIN_READY = frozenset(("jsonb", "tsvector"))
"""Base types, besides arrays, with a default GIN operator class. **Source**: pg_opclass of core 13 to 18."""

_WORDS = (
    "current_date|current_time|current_timestamp|localtime|localtimestamp"
    "|current_user|session_user|current_role|current_catalog"
)
_FUNCTIONS = (
    "now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|random|setseed|gen_random_uuid"
    "|uuidv7|nextval|currval|lastval|current_setting|current_schema|txid_current|pg_backend_pid|to_char|to_date"
    "|concat|concat_ws|format|unaccent"
)

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_NOT_IMMUTABLE = re.compile(
    rf"(?<![\w.\"])(?:(?P<word>{_WORDS})\b|(?:pg_catalog\.)?(?P<function>{_FUNCTIONS})\s*\()", re.IGNORECASE
)
"""What an index may not hold. **Source**: provolatile in pg_proc of PostgreSQL 13 to 18."""


def refuse_create(change: CreateIndex, catalog: Catalog, earlier: tuple[Change, ...]) -> tuple[Refusal, ...]:
    """Say why an index must not be built, worst first.

    Args:
        change: The index.
        catalog: Of the target.
        earlier: Changes before it, which may bring the extension it needs.
    """
    columns = [key.column for key in change.keys if key.column] + list(change.include)
    refusals = [
        *refuse_server(catalog),
        *refuse_table(change.table, columns, catalog, "build an index on", INDEXABLE),
    ]
    if not any("not own" not in refusal.reason for refusal in refusals):
        refusals += _refuse_name(change, catalog, earlier)
        refusals += _refuse_text(change)
        refusals += _refuse_keys(change, catalog, earlier)
        refusals += _refuse_partitions(change, catalog)
    return tuple(refusals)


def _refuse_name(change: CreateIndex, catalog: Catalog, earlier: tuple[Change, ...]) -> Iterator[Refusal]:
    schema = change.table.schema
    if len(change.name.encode()) > IDENTIFIER_MAX_BYTES:
        yield Refusal(
            f"The name {change.name} is longer than {IDENTIFIER_MAX_BYTES} bytes: the server would cut it,"
            " and pgproof would not find its index again.",
            "Choose a shorter name.",
        )
    if any(isinstance(other, CreateIndex) and _clash(other, change) for other in earlier):
        yield Refusal(
            f"Two changes of the same variant make an index named {schema}.{change.name}.",
            "Give one of them another name.",
        )
    table = catalog.find_table(change.name, schema)
    if table is not None:
        yield Refusal(
            f"The name {schema}.{change.name} is taken by {KIND_WORDS[table.kind]}.",
            "Give the index another name.",
        )
    freed = {other.index for other in earlier if isinstance(other, DropIndex)}
    index = catalog.find_index(RelationName(schema, change.name))
    if index is not None and index.relation not in freed:
        if index.valid and index.ready:
            yield Refusal(
                f"The name {schema}.{change.name} is taken by another index, on {index.table}.",
                "Give the new index another name, or drop the old one in an earlier change.",
            )
        else:
            yield Refusal(
                f"An INVALID index {schema}.{change.name} was left on {index.table} by a build that failed:"
                " it serves no query, may slow every write, and is in the way.",
                f"If no build is running, remove it first:\n"
                f"  DROP INDEX CONCURRENTLY {qualify(schema, change.name)};",
            )


def _clash(other: CreateIndex, change: CreateIndex) -> bool:
    return (other.table.schema, other.name) == (change.table.schema, change.name)


def _refuse_text(change: CreateIndex) -> Iterator[Refusal]:
    for text in [key.expression for key in change.keys] + [change.where]:
        found = _NOT_IMMUTABLE.search(_LITERAL.sub("''", text))
        if found:
            yield Refusal(
                f"{found['word'] or found['function']} gives another result tomorrow, or under another"
                f" setting, so the server refuses it in an index ({change.name}).",
                "Compare with a constant, or index the bare column.",
            )
    try:
        create_index_sql(change)
    except (ParseError, UsageError) as error:
        yield Refusal(f"The definition of index {change.name} is not valid SQL: {error.message}.", error.hint)


def _refuse_keys(change: CreateIndex, catalog: Catalog, earlier: tuple[Change, ...]) -> Iterator[Refusal]:
    table = catalog.find_table(change.table.name, change.table.schema)
    if table is None:
        return
    coming = {other.name for other in earlier if isinstance(other, CreateExtension)}
    for key in change.keys:
        needed = EXTENSION_OF_OPCLASS.get(key.opclass.rpartition(".")[2], "")
        if needed and not _has_extension(needed, catalog, coming):
            yield Refusal(
                f"Operator class {key.opclass} comes with extension {needed}, which is not installed in"
                f" {catalog.database}.",
                f"Put the installation of {needed} before this index in the same variant.",
            )
        if key.column:
            yield from _refuse_column(change, table, key.column, bool(key.opclass), catalog, coming)


def _refuse_column(
    change: CreateIndex, table: Table, name: str, has_opclass: bool, catalog: Catalog, coming: set[str]
) -> Iterator[Refusal]:
    column = table.column(name)
    if column is None:
        return
    if change.method == "btree" and not has_opclass and column.base_type in NOT_ORDERABLE:
        yield Refusal(
            f"Column {name} of {table.relation} has type {column.type_name}, which has no order: a btree"
            " index on it is impossible.",
            "Index an expression over it, or use gist or gin with an operator class.",
        )
    scalar = not column.base_type.startswith("_") and column.base_type not in GIN_READY
    if (
        change.method == "gin"
        and not has_opclass
        and scalar
        and not _has_extension("btree_gin", catalog, coming)
    ):
        yield Refusal(
            f"Column {name} of {table.relation} has type {column.type_name}, for which gin has no default"
            " operator class.",
            "Name one (gin_trgm_ops of pg_trgm for text), or install btree_gin before this index.",
        )
    width_bytes = column.statistics.avg_width_bytes if column.statistics else 0
    if change.method == "btree" and width_bytes > WIDE_COLUMN_BYTES:
        yield Refusal(
            f"Column {name} of {table.relation} is {width_bytes} bytes wide on average: a btree entry holds"
            " at most 2704, so the build or a later INSERT would fail.",
            "Index a hash or a prefix of it (an expression), or use a hash index.",
        )


def _has_extension(name: str, catalog: Catalog, coming: set[str]) -> bool:
    extension = catalog.extension(name)
    return name in coming or (extension is not None and bool(extension.installed_version))


def _refuse_partitions(change: CreateIndex, catalog: Catalog) -> Iterator[Refusal]:
    pending = [change.table]
    while pending:
        for table in catalog.partitions_of(pending.pop()):
            pending.append(table.relation)
            if table.kind is RelationKind.FOREIGN:
                yield Refusal(
                    f"Partition {table.relation} of {change.table} is a foreign table: an index over all"
                    " partitions could never be complete.",
                    "Build the index on each local partition instead.",
                )
