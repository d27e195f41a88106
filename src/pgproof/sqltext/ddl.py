"""The changes a person may write as SQL, from CREATE INDEX to ALTER SYSTEM."""

from __future__ import annotations

from pgproof.errors import ConfigError
from pgproof.model.change import (
    AnalyzeTable,
    Change,
    CreateExtension,
    CreateIndex,
    CreateMaterializedView,
)
from pgproof.model.partitioning import WHAT_IF_ONLY
from pgproof.model.relation import IndexKey, RelationName
from pgproof.sqltext.ddl_settings import parse_alter_table, parse_setting
from pgproof.sqltext.ddl_statistics import parse_create_statistics
from pgproof.sqltext.deparse import deparse, expression_text
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.tree import Message, Tree, enum_name, is_set, kind_of, unwrap

DEFAULT_SCHEMA = "public"

_KNOWN = """\
Known statements: CREATE INDEX, CREATE EXTENSION, ANALYZE of one table, CREATE STATISTICS,
ALTER TABLE ... ALTER COLUMN ... SET STATISTICS n, ALTER TABLE ... SET (one parameter = value),
ALTER DATABASE ... SET one parameter, ALTER SYSTEM SET one parameter,
CREATE MATERIALIZED VIEW ... AS SELECT."""


def parse_change(sql: str, source: str = "") -> Change:
    """Read a statement as a change.

    CONCURRENTLY and IF NOT EXISTS are accepted and forgotten: how a change is applied is not the
    blueprint's business, and IF NOT EXISTS can pass over an invalid index in silence.

    Args:
        sql: One statement.
        source: Name of the file it came from, for messages.

    Returns:
        The change; a table without a schema is taken to be in ``public``.

    Raises:
        ParseError: It does not parse.
        ConfigError: It is a statement that pgproof has no kind of change for.
    """
    statement = parse_statement(sql, source)
    message = statement.tree.message
    kind = kind_of(message)
    if kind == "IndexStmt":
        return _index(message, source)
    if kind == "CreateExtensionStmt":
        return CreateExtension(name=message.extname, schema=_extension_schema(message))
    if kind == "VacuumStmt" and not message.is_vacuumcmd and len(message.rels) == 1:
        target = unwrap(message.rels[0])
        columns = tuple(unwrap(column).sval for column in target.va_cols)
        return AnalyzeTable(table=_relation(target.relation), columns=columns)
    change: Change | None = None
    if kind == "CreateStatsStmt":
        change = parse_create_statistics(message, DEFAULT_SCHEMA)
    elif kind == "AlterTableStmt":
        change = parse_alter_table(message, DEFAULT_SCHEMA)
    elif kind in ("AlterDatabaseSetStmt", "AlterSystemStmt"):
        change = parse_setting(message)
    elif kind == "CreateTableAsStmt" and enum_name("ObjectType", message.objtype) == "OBJECT_MATVIEW":
        change = _materialized_view(message, source)
    if change is not None:
        return change
    if kind == "CreateStmt" and is_set(message, "partspec"):
        raise ConfigError(f"{_where(source)}{WHAT_IF_ONLY}", hint=_KNOWN)
    raise ConfigError(
        f"{_where(source)}a change can't be this statement: {statement.text[:80]}",
        hint=_KNOWN,
    )


def _index(message: Message, source: str) -> CreateIndex:
    if not message.idxname:
        raise ConfigError(
            f"{_where(source)}CREATE INDEX without a name can't be reverted with certainty.",
            hint='Write the name: CREATE INDEX "orders_status_idx" ON ...',
        )
    if message.options or message.table_space or message.nulls_not_distinct:
        raise ConfigError(
            f"{_where(source)}WITH, TABLESPACE and NULLS NOT DISTINCT of CREATE INDEX are not supported yet.",
            hint="Leave them out of the change.",
        )
    return CreateIndex(
        table=_relation(message.relation),
        name=message.idxname,
        keys=tuple(_key(unwrap(element)) for element in message.index_params),
        method=message.access_method or "btree",
        include=tuple(unwrap(element).name for element in message.index_including_params),
        where=expression_text(message.where_clause) if is_set(message, "where_clause") else "",
        unique=bool(message.unique),
    )


def _materialized_view(message: Message, source: str) -> CreateMaterializedView:
    into = message.into
    if into.options or into.table_space_name or into.access_method or into.col_names or into.skip_data:
        raise ConfigError(
            f"{_where(source)}column names, WITH and TABLESPACE of CREATE MATERIALIZED VIEW are not"
            " supported.",
            hint="Name the columns in its query (AS ...), and leave the rest out of the change.",
        )
    return CreateMaterializedView(_relation(into.rel), deparse(Tree(unwrap(message.query))))


def _key(element: Message) -> IndexKey:
    ordering = enum_name("SortByDir", element.ordering)
    nulls = enum_name("SortByNulls", element.nulls_ordering)
    descending = ordering == "SORTBY_DESC"
    return IndexKey(
        column=element.name,
        expression=expression_text(element.expr) if is_set(element, "expr") else "",
        opclass=".".join(unwrap(part).sval for part in element.opclass),
        collation=".".join(unwrap(part).sval for part in element.collation),
        descending=descending,
        nulls_first=nulls == "SORTBY_NULLS_FIRST" or (descending and nulls == "SORTBY_NULLS_DEFAULT"),
    )


def _relation(relation: Message) -> RelationName:
    return RelationName(relation.schemaname or DEFAULT_SCHEMA, relation.relname)


def _extension_schema(message: Message) -> str:
    for option in message.options:
        option = unwrap(option)
        if option.defname == "schema":
            return str(unwrap(option.arg).sval)
    return ""


def _where(source: str) -> str:
    return f"{source}: " if source else ""
