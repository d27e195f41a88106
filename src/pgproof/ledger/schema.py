"""The ledger's tables, the same on SQLite and PostgreSQL, and the triggers that keep them append-only."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
    insert,
    inspect,
    select,
    text,
)

from pgproof.errors import ConfigError

LEDGER_VERSION = 1
"""Of these tables; a ledger of a newer version is not touched."""

METADATA = MetaData()

VERSIONS = Table(
    "pgproof_ledger", METADATA, Column("version", Integer, primary_key=True, autoincrement=False)
)

RUNS = Table(
    "pgproof_runs",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("kind", String(32), nullable=False, index=True),
    Column("created_at", String(40), nullable=False),
    Column("name", Text, nullable=False),
    Column("body", Text, nullable=False),
)

JOURNAL = Table(
    "pgproof_journal",
    METADATA,
    Column("rollout_id", String(64), ForeignKey(RUNS.c.id), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

_ADVISORY_LOCK = 0x70677072
"""Key of the lock under which tables are made on PostgreSQL ("pgpr" in ASCII)."""


def create_or_check(connection: Connection) -> None:
    """Make the tables where there are none, and check the version where there are.

    Runs in the caller's transaction, which must keep other writers out on SQLite.

    Raises:
        ConfigError: The ledger is of a newer version.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    if not inspect(connection).has_table(VERSIONS.name):
        METADATA.create_all(connection)
        connection.execute(insert(VERSIONS).values(version=LEDGER_VERSION))
        return
    version = connection.execute(select(VERSIONS.c.version)).scalar() or 0
    if version > LEDGER_VERSION:
        raise ConfigError(
            f"The ledger is of version {version}; this pgproof knows version {LEDGER_VERSION} only and leaves"
            " it alone",
            hint="Upgrade pgproof, or name another ledger.",
        )


def _keep_append_only(table: Table) -> None:
    refusal = f"{table.name} is append-only"
    for verb in ("UPDATE", "DELETE"):
        sqlite = _ddl(
            f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name}"
            f" BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        event.listen(table, "after_create", sqlite.execute_if(dialect="sqlite"))
    function = _ddl(
        f"CREATE OR REPLACE FUNCTION {table.name}_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
    )
    trigger = _ddl(
        f"CREATE TRIGGER {table.name}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table.name}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {table.name}_refuse()"
    )
    for ddl in (function, trigger):
        event.listen(table, "after_create", ddl.execute_if(dialect="postgresql"))


def _ddl(statement: str) -> DDL:
    return DDL(statement)  # type: ignore[no-untyped-call]  # its __init__ lacks a return type


for _table in (RUNS, JOURNAL):
    _keep_append_only(_table)
