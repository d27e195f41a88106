"""The text of CREATE INDEX, from its typed parts."""

from __future__ import annotations

import re

from pgproof.errors import UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey, RelationName
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.quote import qualify, quote_identifier

EXTENSION_OF_OPCLASS = {
    "gin_trgm_ops": "pg_trgm",
    "gist_trgm_ops": "pg_trgm",
    "gist_ltree_ops": "ltree",
    "gin_hstore_ops": "hstore",
    "gist_hstore_ops": "hstore",
    "gin__int_ops": "intarray",
    "gist__int_ops": "intarray",
    "gist__intbig_ops": "intarray",
    "vector_l2_ops": "vector",
    "vector_ip_ops": "vector",
    "vector_cosine_ops": "vector",
    "citext_ops": "citext",
}
"""Operator classes that an extension brings. **Source**: the control files of contrib 18 and pgvector 0.8."""

_DEFINITION = re.compile(r"CREATE (?P<unique>UNIQUE )?INDEX (?!CONCURRENTLY )")


def create_index_sql(
    change: CreateIndex,
    *,
    table: RelationName | None = None,
    name: str = "",
    concurrently: bool = True,
    only: bool = False,
    catalog: Catalog | None = None,
) -> str:
    """Render CREATE INDEX.

    IF NOT EXISTS is never written: over an INVALID leftover the statement would "succeed" and build nothing.

    Args:
        change: What to build.
        table: On this table instead (a partition of the change's own).
        name: Under this name instead.
        concurrently: Do not block writes; not allowed for a partitioned table.
        only: Leave partitions out.
        catalog: Tells in which schema an extension's operator classes are.

    Returns:
        One statement without a semicolon.

    Raises:
        UsageError: An expression or the predicate is more than an expression (it would make two statements).
        ParseError: It does not parse.
    """
    target = table or change.table
    unique = "UNIQUE " if change.unique else ""
    how = "CONCURRENTLY " if concurrently else ""
    keys = ", ".join(_key_sql(key, catalog) for key in change.keys)
    sql = (
        f"CREATE {unique}INDEX {how}{quote_identifier(name or change.name)}"
        f" ON {'ONLY ' if only else ''}{qualify(target.schema, target.name)}"
        f" USING {quote_identifier(change.method)} ({keys})"
    )
    if change.include:
        sql += f" INCLUDE ({', '.join(quote_identifier(column) for column in change.include)})"
    if change.where:
        sql += f" WHERE ({change.where})"
    _demand_one_statement(sql, change.name)
    return sql


def concurrent_definition(definition: str) -> str:
    """Return a ``pg_get_indexdef`` text that builds without blocking writes.

    Raises:
        UsageError: The text is not one CREATE INDEX statement of an ordinary table.
    """
    match = _DEFINITION.match(definition)
    if match is None or " ON ONLY " in definition.partition(" USING ")[0]:
        raise UsageError(
            "The saved definition is not that of an ordinary index, so it can't be rebuilt from it",
            hint="Take the definition from pg_get_indexdef(), and leave indexes of partitioned tables alone.",
        )
    _demand_one_statement(definition, "the saved definition")
    return f"{match.group()}CONCURRENTLY {definition[match.end() :]}"


def _key_sql(key: IndexKey, catalog: Catalog | None) -> str:
    sql = quote_identifier(key.column) if key.column else f"({key.expression})"
    if key.collation:
        sql += f" COLLATE {quote_identifier(key.collation)}"
    if key.opclass:
        sql += f" {opclass_sql(key.opclass, catalog)}"
    if key.descending:
        sql += " DESC" if key.nulls_first else " DESC NULLS LAST"
    elif key.nulls_first:
        sql += " NULLS FIRST"
    return sql


def opclass_sql(opclass: str, catalog: Catalog | None) -> str:
    """Render an operator class; with its extension's schema where the search path does not lead there.

    Args:
        opclass: Its name, or ``schema.name``.
        catalog: Tells where the extension is installed; None leaves the name to the search path.
    """
    schema, _, name = opclass.rpartition(".")
    extension = catalog.extension(EXTENSION_OF_OPCLASS.get(name, "")) if catalog else None
    if not schema and extension and catalog and extension.schema not in ("", *catalog.search_path):
        schema = extension.schema
    return qualify(schema, name)


def _demand_one_statement(sql: str, name: str) -> None:
    if parse_statement(sql, name).kind != "utility":
        raise UsageError(f"The definition of {name} is not a CREATE INDEX statement")
