"""A source's schema in two halves: what rows need, and what is quicker built when they are in."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from pgproof.errors import CapabilityMissing
from pgproof.model.progress import Progress
from pgproof.postgres.binaries import Binaries
from pgproof.postgres.dsn import address_of, without_secrets
from pgproof.postgres.dump import OWN_SCHEMA
from pgproof.postgres.dump_programs import fail, knows_option, run_program
from pgproof.postgres.shadow.restore import Report, restore_dump
from pgproof.postgres.shadow.server import failures_told

_ARGUMENTS = (
    "--schema-only",
    "--no-owner",
    "--no-privileges",
    "--no-comments",
    "--no-security-labels",
    "--no-publications",
    "--no-subscriptions",
    "--no-tablespaces",
    "--no-password",
    "--lock-wait-timeout=30s",
    f"--exclude-schema={OWN_SCHEMA}",
)
_OPTIONAL = ("--no-toast-compression", "--no-table-access-method")
_RESTRICT_KEY = "pgproof"


@dataclass(frozen=True, slots=True)
class Schema:
    """A source's schema as SQL.

    Args:
        before: Types, functions, tables, views.
        after: Indexes, constraints, triggers, extended statistics, policies.
    """

    before: str
    after: str


def read_schema(dsn: str, binaries: Binaries) -> Schema:
    """Read a source's schema with pg_dump, which takes no row.

    Args:
        dsn: The source.
        binaries: Whose pg_dump to use; not older than the source.

    Raises:
        CapabilityMissing, Unreachable, ServerError: As the server says.
        EmbeddedServerError: The install has no pg_dump, or one that is too old.
    """
    return Schema(_dump(dsn, binaries, "pre-data"), _dump(dsn, binaries, "post-data"))


def restore_schema(dsn: str, sql: str, progress: Progress) -> tuple[str, ...]:
    """Run one half of a schema; what fails is mended, else left out.

    Args:
        dsn: Of the database, for a role that may create what is in it.
        sql: From `read_schema`.
        progress: Told how far it is.

    Returns:
        What is not there or in another form, each with the reason, in order.

    Raises:
        CapabilityMissing: The role may not create anything there.
    """
    with (
        failures_told("making the copy's schema"),
        psycopg.connect(
            dsn, autocommit=True, prepare_threshold=None, client_encoding="UTF8", application_name="pgproof"
        ) as connection,
    ):
        connection.execute(b"SET client_min_messages = error")
        report = restore_dump(connection, sql, lambda task, done=0, total=0: progress(task, done, total))
        may_create = connection.execute(
            "SELECT has_database_privilege(current_database(), 'CREATE')"
        ).fetchone()
        if may_create is not None and not may_create[0]:
            raise CapabilityMissing(
                f"{connection.info.user} may not create schemas in {address_of(dsn)}.",
                sqlstate="42501",
                hint=f"Connect as the database's owner, or createdb --owner={connection.info.user}",
            )
    return tuple(dict.fromkeys(_told(report)))


def _told(report: Report) -> list[str]:
    lines = [f"extension {name} is not there" for name in report.missing_extensions]
    lines += [f"in another form: {line}" for line in report.stand_ins]
    return [*lines, *(f"not there: {line}" for line in report.skipped)]


def _dump(dsn: str, binaries: Binaries, section: str) -> str:
    program = binaries.tool("pg_dump")
    args = [*_ARGUMENTS, f"--section={section}", *(name for name in _OPTIONAL if knows_option(program, name))]
    if knows_option(program, "--restrict-key"):
        args.append(f"--restrict-key={_RESTRICT_KEY}")
    code, text, complaints = run_program(
        binaries, "pg_dump", [*args, f"--dbname={without_secrets(dsn)}"], dsn
    )
    if code != 0:
        raise fail("pg_dump", complaints, dsn, address_of(dsn), "")
    return text.decode("utf-8", "replace")
