"""Copies a database, or its schema alone, with pg_dump. The source is only read."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from psycopg.conninfo import make_conninfo

from pgproof.errors import CapabilityMissing, EmbeddedServerError, PgproofError, ServerError
from pgproof.model.progress import Progress, ignore_progress
from pgproof.postgres.binaries import Binaries, list_binaries
from pgproof.postgres.carried_statistics import (
    FRESH_STATISTICS,
    can_carry,
    describe_carried,
    read_statistics,
    write_statistics,
)
from pgproof.postgres.dsn import address_of, without_secrets
from pgproof.postgres.dump_programs import fail, folder_bytes, knows_option, run_program
from pgproof.postgres.restore_report import find_skipped, find_tables_without_rows
from pgproof.postgres.session import Row, Session, open_session
from pgproof.sqltext.quote import qualify, quote_identifier, quote_literal

OWN_SCHEMA = "pgproof"
"""Where pgproof keeps notes of its own in a target; never part of a dump."""

_LOCK_WAIT = "--lock-wait-timeout=30s"
_JOBS = 2
_Pass = tuple[str, tuple[str, ...]]
# Indexes one after the other: jobs that attach those of partitions to their parents deadlock one another.
_CONTENTS: tuple[_Pass, ...] = (
    ("restoring the copy", ("--section=pre-data", "--section=data", f"--jobs={_JOBS}")),
    ("building the copy's indexes", ("--section=post-data",)),
)
_STATISTICS: tuple[_Pass, ...] = (("restoring the source's statistics", ("--statistics-only",)),)
_PROVIDERS_SINCE = 15
_BY_CODE_POINT = ("C", "POSIX", "C.UTF-8", "C.UTF8", "C.utf8", "PG_UNICODE_FAST")
_SKIPPED_SHOWN = 50
_GRANTS_SHOWN = 20
# pg_dump of late writes a random token into plain dumps, which would make any two dumps differ.
_RESTRICT_KEY = "pgproof"


class CopyTarget(Protocol):
    """A server that takes a copy; `EmbeddedServer` is one."""

    @property
    def binaries(self) -> Binaries:
        """The install whose programs fit this server."""
        ...

    def dsn(self, database: str = "postgres") -> str:
        """Return the connection string of a database, for a role that may create databases."""
        ...


@dataclass(frozen=True, slots=True)
class CopyReport:
    """How a copy went.

    Args:
        seconds: Wall time of the whole.
        bytes: Size of the copy.
        tables: How many it has, materialized views among them.
        rows: In all of them.
        statistics: Whose statistics it has, and what they lack.
        skipped: Objects that are not in the copy, each with the reason; empty when all are.
        lost_tables: Tables of the source whose rows are not in the copy, sorted; empty when all are.
        locale_note: How the copy sorts differently, empty when it sorts alike.
    """

    seconds: float
    bytes: int
    tables: int
    rows: int
    statistics: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    lost_tables: tuple[str, ...] = ()
    locale_note: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """All a reader must know, the gravest first; only about statistics when the copy is complete."""
        lost = ", ".join(self.lost_tables)
        return (
            *((f"the copy lacks the rows of: {lost}",) if lost else ()),
            *((self.locale_note,) if self.locale_note else ()),
            *(f"not in the copy: {line}" for line in self.skipped),
            *self.statistics,
        )


def dump_schema(dsn: str, binaries: Binaries) -> bytes:
    """Return the schema as SQL: equal schemas give equal bytes. pgproof's own schema is left out.

    Args:
        dsn: The database.
        binaries: Install whose pg_dump to use, of the server's major version or later.

    Raises:
        CapabilityMissing, Unreachable, ServerError: As the server says.
        EmbeddedServerError: The install has no pg_dump, or one that is too old.
    """
    args = ["--schema-only", "--no-password", _LOCK_WAIT, f"--exclude-schema={OWN_SCHEMA}"]
    args.append(f"--dbname={without_secrets(dsn)}")
    if knows_option(binaries.tool("pg_dump"), "--restrict-key"):
        args.append(f"--restrict-key={_RESTRICT_KEY}")
    code, schema, complaints = run_program(binaries, "pg_dump", args, dsn)
    if code != 0:
        raise fail("pg_dump", complaints, dsn, address_of(dsn), _role_of(dsn))
    return schema


def _role_of(dsn: str) -> str:
    """Return as whom a connection string connects (a service file may decide); empty if nobody answers."""
    try:
        with open_session(dsn) as session:
            return session.user
    except PgproofError:
        return ""


def copy_database(
    source_dsn: str, target: CopyTarget, database: str, *, progress: Progress = ignore_progress
) -> CopyReport:
    """Copy a database with its rows to a new database of another server, or of the same.

    Owners, privileges, publications and subscriptions are left behind. What the target can't hold (an
    extension it lacks) is skipped and reported. The copy ends vacuumed, with the
    source's own statistics where both programs and server are of PostgreSQL 18 or later, else analysed.

    Args:
        source_dsn: Only read; its tables are locked in ACCESS SHARE mode while they are dumped.
        target: Where the copy goes.
        database: Name of the copy; must not exist. It is dropped again if anything fails.
        progress: Told the bytes dumped, of the source's size.

    Raises:
        CapabilityMissing: Some tables can't be read in full; the hint has the GRANTs.
        Unreachable, ServerError: As a server says.
        EmbeddedServerError: No pg_dump at hand is new enough for the source.
    """
    started = time.monotonic()
    with open_session(source_dsn, statement_timeout_ms=0) as source:
        _require_readable(source)
        facts = source.query("database_locale")[0]
        tables = source.query("dumpable_tables")
        binaries = choose_dumper(source, target.binaries)
        carried = read_statistics(source) if can_carry(binaries, target.binaries) else None
    with _new_database(target, database, facts) as locale_note, _private_folder(target) as folder:
        _dump(binaries, source_dsn, folder, facts, progress, statistics=carried is not None)
        dsn = target.dsn(database)
        restore = partial(_restore, binaries, dsn, folder, database, progress)
        complaints = restore(_CONTENTS, ("--no-statistics",) if carried else ())
        progress("vacuuming the copy" if carried else "analysing the copy")
        with open_session(dsn, read_only=False, statement_timeout_ms=0) as copy:
            copy.run("VACUUM" if carried else "VACUUM (ANALYZE)")
            contents = copy.query("sealed_contents")[0]
            lost = _lost_tables(tables, copy.query("dumpable_tables"), complaints)
        statistics: tuple[str, ...] = (FRESH_STATISTICS,)
        if carried:
            # Behind VACUUM, which writes figures of its own.
            statistics = describe_carried(carried, restore(_STATISTICS))
            write_statistics(dsn, carried)
        with open_session(dsn) as copy:
            size_bytes = int(copy.query("database_size")[0].database_bytes)
    return CopyReport(
        seconds=time.monotonic() - started,
        bytes=size_bytes,
        tables=contents.table_count,
        rows=contents.live_rows,
        statistics=statistics,
        skipped=_shorten((*_foreign_tables(tables), *find_skipped(complaints))),
        lost_tables=lost,
        locale_note=locale_note,
    )


def choose_dumper(source: Session, preferred: Binaries) -> Binaries:
    """Choose whose pg_dump to use: it must not be older than the source, and best is the target's own.

    Raises:
        EmbeddedServerError: All on this machine are older than the source.
    """
    if preferred.major >= source.major:
        return preferred
    newer = [binaries for binaries in list_binaries() if binaries.major >= source.major]
    if not newer:
        raise EmbeddedServerError(
            f"No pg_dump on this machine can read PostgreSQL {source.major}: all are older.",
            hint=f"Install the client programs of PostgreSQL {source.major} or later.",
            context={"source_major": source.major},
        )
    return min(newer, key=lambda binaries: binaries.major)


def _require_readable(source: Session) -> None:
    """Refuse before anything is made, when pg_dump would stop at a table."""
    rows = source.query("undumpable")
    if not rows:
        return
    role = quote_identifier(source.user)
    names = ", ".join(f"{row.schema_name}.{row.relation_name}" for row in rows[:3])
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    raise CapabilityMissing(
        f"{source.user} can't read all rows of {source.address}, a copy would be incomplete: {names}{more}.",
        sqlstate="42501",
        hint="\n".join(list(dict.fromkeys(_grants(rows, role)))[:_GRANTS_SHOWN]),
        context={"relations": len(rows)},
    )


def _grants(rows: Sequence[Row], role: str) -> Iterator[str]:
    for row in rows:
        if not row.has_usage:
            yield f"GRANT USAGE ON SCHEMA {quote_identifier(row.schema_name)} TO {role};"
        if not row.has_select:
            kind = "SEQUENCE" if row.is_sequence else "TABLE"
            yield f"GRANT SELECT ON {kind} {qualify(row.schema_name, row.relation_name)} TO {role};"
        elif row.for_row_security:
            yield f"ALTER ROLE {role} BYPASSRLS;"


def _dump(
    binaries: Binaries, dsn: str, folder: Path, facts: Row, progress: Progress, *, statistics: bool
) -> None:
    dump = folder / "dump"
    args = [
        "--format=directory",
        f"--jobs={_JOBS}",
        "--compress=0",
        f"--file={dump}",
        "--no-password",
        f"--dbname={without_secrets(dsn)}",
        _LOCK_WAIT,
    ]
    args += [f"--exclude-schema={OWN_SCHEMA}", "--no-publications", "--no-subscriptions"]
    if knows_option(binaries.tool("pg_dump"), "--no-toast-compression"):
        args.append("--no-toast-compression")  # a server built without lz4 could not make the tables
    if statistics:
        args.append("--statistics")
    if facts.in_recovery:
        args.append("--no-unlogged-table-data")  # a standby has none
    progress("dumping the source", 0, facts.database_bytes)
    code, _, complaints = run_program(
        binaries,
        "pg_dump",
        args,
        dsn,
        on_tick=lambda: progress("dumping the source", folder_bytes(dump), facts.database_bytes),
    )
    if code != 0:
        raise fail("pg_dump", complaints, dsn, address_of(dsn), _role_of(dsn))


def _restore(
    binaries: Binaries,
    dsn: str,
    folder: Path,
    database: str,
    progress: Progress,
    passes: Sequence[_Pass],
    options: Sequence[str] = (),
) -> str:
    """Load parts of the dump and return the complaints; errors at single objects don't stop it."""
    common = [
        "--no-owner",
        "--no-privileges",
        "--no-tablespaces",
        "--no-security-labels",
        "--no-publications",
    ]
    common += ["--no-subscriptions", "--no-password", f"--dbname={make_conninfo(dbname=database)}"]
    said = ""
    for task, part in passes:
        progress(task)
        args = [*common, *options, *part, str(folder / "dump")]
        code, _, complaints = run_program(
            binaries, "pg_restore", args, dsn, inherit=False, on_tick=partial(progress, task)
        )
        if code != 0 and "errors ignored on restore" not in complaints:
            raise fail("pg_restore", complaints, dsn, address_of(dsn), _role_of(dsn))
        said += complaints
    return said


@contextmanager
def _new_database(target: CopyTarget, database: str, facts: Row) -> Iterator[str]:
    """Make the copy's database, and drop it again if the block fails; yields how it sorts differently."""
    name = quote_identifier(database)
    with open_session(target.dsn(), read_only=False, statement_timeout_ms=0) as admin:
        note = create_database_like(admin, name, facts)
    try:
        yield note
    except BaseException:
        with open_session(target.dsn(), read_only=False, statement_timeout_ms=0) as admin:
            admin.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        raise


def create_database_like(admin: Session, name: str, facts: Row) -> str:
    """Make a database with the encoding and collation of another, or by code point where that is unknown.

    Args:
        admin: On the server, as a role that may create databases.
        name: Of the new one, quoted.
        facts: Row of the query ``database_locale`` on the other one.

    Returns:
        How it sorts differently, empty where it sorts alike.

    Raises:
        CapabilityMissing, ServerError: As the server says.
    """
    encoding = quote_literal(facts.encoding)
    start = f"CREATE DATABASE {name} TEMPLATE template0 ENCODING {encoding}"
    try:
        admin.run(f"{start}{_locale_clause(facts, admin.major)}")
    except ServerError as error:
        if not error.sqlstate.startswith(("22", "42", "0A", "F0", "55")) or error.sqlstate == "42P04":
            raise
        fallback = " LOCALE_PROVIDER libc" if admin.major >= _PROVIDERS_SINCE else ""
        admin.run(f"{start}{fallback} LC_COLLATE 'C' LC_CTYPE 'C'")
        locale = facts.locale_name or facts.collate_name
        if locale in _BY_CODE_POINT:
            return ""
        return (
            f"the copy sorts text by code point, because its server lacks the source's collation {locale}: "
            "plans with text comparisons, ORDER BY and LIKE may differ from the source's"
        )
    return ""


def _locale_clause(facts: Row, major: int) -> str:
    """Write the source's collation for a target of that version, whose template0 may have another."""
    clause = f" LC_COLLATE {quote_literal(facts.collate_name)} LC_CTYPE {quote_literal(facts.ctype_name)}"
    if facts.provider == "libc":
        clause += " LOCALE_PROVIDER libc" if major >= _PROVIDERS_SINCE else ""
    elif facts.provider == "icu":
        clause += f" LOCALE_PROVIDER icu ICU_LOCALE {quote_literal(facts.locale_name)}"
    else:
        clause += f" LOCALE_PROVIDER builtin BUILTIN_LOCALE {quote_literal(facts.locale_name)}"
    return clause


@contextmanager
def _private_folder(target: CopyTarget) -> Iterator[Path]:
    """Make a folder only we can enter; beside the target's files if possible, where there must be room."""
    data_dir = getattr(target, "data_dir", None)
    beside = data_dir.parent if isinstance(data_dir, Path) else None
    place = beside if beside is not None and os.access(beside, os.W_OK | os.X_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="pgproof-dump-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lost_tables(source: Sequence[Row], copy: Sequence[Row], complaints: str) -> tuple[str, ...]:
    there = {(row.schema_name, row.table_name) for row in copy}
    missing = [
        qualify(row.schema_name, row.table_name)
        for row in source
        if not row.is_foreign and (row.schema_name, row.table_name) not in there
    ]
    return tuple(sorted({*missing, *find_tables_without_rows(complaints)}))


def _foreign_tables(tables: Sequence[Row]) -> Iterator[str]:
    for row in tables:
        if row.is_foreign:
            name = qualify(row.schema_name, row.table_name)
            yield f"rows of foreign table {name}: they lie on another server"


def _shorten(lines: Sequence[str]) -> tuple[str, ...]:
    if len(lines) <= _SKIPPED_SHOWN:
        return tuple(lines)
    return (*lines[:_SKIPPED_SHOWN], f"and {len(lines) - _SKIPPED_SHOWN} more")
