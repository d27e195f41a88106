"""Reads a database's catalog: a dozen set-based queries, whatever the number of tables."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.errors import CapabilityMissing
from pgproof.model.catalog import Catalog
from pgproof.model.function import Rewrite
from pgproof.model.relation import RelationName, Setting
from pgproof.postgres import catalog_rows
from pgproof.postgres.session import Session
from pgproof.sqltext.quote import quote_identifier


def read_catalog(session: Session) -> Catalog:
    """Read tables, columns, indexes, constraints, statistics, extensions and settings of the user's schemas.

    Left out: system schemas, temporary tables, what belongs to an extension, and the schema ``pgproof``.
    The queries run one after the other; an object dropped meanwhile is left out as a whole.

    Args:
        session: Of any role; what it may not see is named in ``Catalog.notes``, with the GRANT.

    Raises:
        CapabilityMissing, Unreachable, ServerError: As the server says; its catalog functions wait where any
            table is locked exclusively, and give up at the session's lock_timeout (55P03).
    """
    notes = list(_hidden_statistics(session))
    facts = session.query("database")[0]
    table_rows = session.query("tables")
    names = {row.oid: RelationName(row.schema_name, row.table_name) for row in table_rows}
    columns = catalog_rows.columns_of(session.query("columns"), session.query("column_statistics"))
    definitions = {row.oid: row.definition for row in session.query("view_definitions")}
    sizes = {row.oid: row.size_bytes for row in session.query("relation_sizes")}
    index_rows = session.query("indexes")
    for row in (*table_rows, *index_rows):
        sizes.setdefault(row.oid, row.pages * facts.block_size)  # made since the sizes were read
    return Catalog(
        database=facts.database_name,
        version=facts.version.split()[0],
        version_num=facts.version_num,
        read_at=facts.read_at,
        search_path=tuple(facts.search_path),
        user=facts.user_name,
        superuser=facts.is_superuser,
        in_recovery=facts.in_recovery,
        stats_reset_at=facts.stats_reset_at,
        tables=catalog_rows.tables_of(table_rows, names, columns, definitions, sizes),
        indexes=catalog_rows.indexes_of(index_rows, names, session.query("index_keys"), sizes),
        constraints=catalog_rows.constraints_of(session.query("constraints"), names),
        statistics=catalog_rows.statistics_of(session.query("extended_statistics"), names),
        extensions=catalog_rows.extensions_of(session.query("extensions")),
        settings=_read_settings(session, superuser=facts.is_superuser),
        system_identifier=_read_system_identifier(session, notes),
        notes=tuple(notes),
        owns_database=facts.owns_database,
        functions=catalog_rows.functions_of(session.query("immutable_functions")),
        rewrites=tuple(Rewrite(row.name, row.body) for row in session.query("rewrites")),
    )


def _read_settings(session: Session, *, superuser: bool) -> tuple[Setting, ...]:
    """Read the settings in force and where they are set; what ALTER SYSTEM wrote, only superusers see."""
    of_system = session.query("system_settings") if superuser else []
    return catalog_rows.settings_of(session.query("settings"), session.query("database_settings"), of_system)


def _read_system_identifier(session: Session, notes: list[str]) -> str:
    try:
        rows = session.query("system_identifier")
    except CapabilityMissing as error:
        notes.append(f"The cluster's system identifier can't be read. {error.hint}".strip())
        return ""
    return str(rows[0].system_identifier) if rows else ""


def _hidden_statistics(session: Session) -> Iterator[str]:
    """Say which column statistics the server hides, and how to get to see them."""
    role = quote_identifier(session.user)
    for row in session.query("hidden_statistics"):
        schema = quote_identifier(row.schema_name)
        tables = f"{row.table_count} table{'' if row.table_count == 1 else 's'} in schema {row.schema_name}"
        if row.for_row_security:
            yield (
                f"Row-level security hides the column statistics of {tables}: values and selectivities are "
                f"unknown there. ALTER ROLE {role} BYPASSRLS;"
            )
            continue
        usage = "" if row.has_usage else f"GRANT USAGE ON SCHEMA {schema} TO {role}; "
        yield (
            f"The column statistics of {tables} can't be read: values and selectivities are unknown there. "
            f"{usage}GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role};"
        )
