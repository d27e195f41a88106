"""Opens a shadow: reads the target, restores it into a server of ours, or takes a kept one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from pgproof.errors import EmbeddedServerError
from pgproof.model.progress import Progress, ignore_progress
from pgproof.postgres.binaries import Binaries
from pgproof.postgres.embedded import EmbeddedServer, start_server
from pgproof.postgres.failures import statement_failure
from pgproof.postgres.session import Row
from pgproof.postgres.shadow.cache import cache_key, discard, kept_shadow, place_for
from pgproof.postgres.shadow.ends import insert_ends
from pgproof.postgres.shadow.extended import write_extended
from pgproof.postgres.shadow.restore import Report, restore_dump
from pgproof.postgres.shadow.source import Source, choose_binaries, read_source
from pgproof.sqltext.quote import quote_identifier, quote_literal

PRISTINE = "pgproof_pristine"
"""The database that holds the target's schema with all files at length zero; others are copied from it."""

ADMIN = "template1"
"""The database to connect to for making and dropping others; the only one left that a server comes with."""

_NEEDLESS = "base/*/*_fsm"  # where there is room for rows, of which none will come
_REPORT = "pgproof_shadow.json"
_SERVER_SETTINGS: Mapping[str, str] = {
    "autovacuum": "off",  # it would touch statistics, and CREATE INDEX leaves restored ones alone without it
    "shared_buffers": "32MB",
    "max_connections": "40",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "min_wal_size": "2MB",
    "wal_recycle": "off",  # what is kept of it would be copied with every shadow
    "wal_init_zero": "off",
    "checkpoint_timeout": "1d",
    "bgwriter_lru_maxpages": "0",
    "io_method": "sync",
    "track_io_timing": "off",
    "track_counts": "off",
    "track_activities": "off",
    "update_process_title": "off",
    "compute_query_id": "off",
    "max_files_per_process": "4000",
    "max_locks_per_transaction": "512",
}


@dataclass(frozen=True, slots=True)
class Shadow:
    """A running shadow. Made by `open_shadow`.

    Args:
        server: It runs there, in the database `PRISTINE`.
        source: What was read of the target, without its dump.
        notes: What a reader of estimates must know: what could not be read or restored; may be empty.
        missing_extensions: Extensions of the target that the shadow's server lacks.
        incomplete: Something of the target is not there, so a statement may fail here that runs there.
        from_cache: It was kept from another time.
        seconds: It took so long to open.
    """

    server: EmbeddedServer
    source: Source
    notes: tuple[str, ...]
    missing_extensions: tuple[str, ...]
    incomplete: bool
    from_cache: bool
    seconds: float


@contextmanager
def open_shadow(target_dsn: str, *, home: Path, progress: Progress = ignore_progress) -> Iterator[Shadow]:
    """Make a shadow of a database for as long as the block lasts.

    Of the target only the catalog is read: by pg_dump, which takes schema and statistics and no row, and by
    a few queries of ours.

    Args:
        target_dsn: PostgreSQL 13 or later.
        home: Folder of pgproof; shadows are kept in ``home/shadows``.
        progress: Told of each part.

    Yields:
        The shadow; its server stops at the end.

    Raises:
        CapabilityMissing, Unreachable, ServerError: As the target says.
        EmbeddedServerError: The server of ours can't be run, or the disk is full.
    """
    started = time.monotonic()
    binaries = choose_binaries()
    progress("reading the schema and statistics")
    source = read_source(target_dsn, binaries)
    made_of = (binaries.version, str(binaries.bindir), repr(tuple(source.locale)[:5]), repr(source.extended))
    key = cache_key(*made_of, source.dump)
    server, kept = _start(binaries, home, key)
    with server:
        if kept:
            report = _read_report(server)
        else:
            report = _restore(server, source, progress)
            _write_report(server, report)
            server.keep_copy(place_for(home, key), leave_out=_NEEDLESS)
        missing = tuple(dict.fromkeys(report.missing_extensions))
        yield Shadow(
            server=server,
            source=replace(source, dump="", extended=()),
            notes=(*source.notes, *_notes(report, missing)),
            missing_extensions=missing,
            incomplete=bool(source.partial or report.skipped or report.stand_ins or missing),
            from_cache=kept,
            seconds=time.monotonic() - started,
        )


def _start(binaries: Binaries, home: Path, key: str) -> tuple[EmbeddedServer, bool]:
    """Start from a kept shadow if there is one that starts, else empty."""
    with kept_shadow(home.resolve(), key) as folder:
        if folder is None:
            return _start_server(binaries, home, None), False
        try:
            return _start_server(binaries, home, folder), True
        except EmbeddedServerError:
            damaged = folder
    discard(home.resolve(), damaged.name)
    return _start_server(binaries, home, None), False


def _start_server(binaries: Binaries, home: Path, seed: Path | None) -> EmbeddedServer:
    return start_server(
        binaries,
        home=home,
        settings=_SERVER_SETTINGS,
        label="shadow",
        preload=(),
        durable=False,
        seed=seed,
        bare=True,
    )


def _restore(server: EmbeddedServer, source: Source, progress: Progress) -> Report:
    with failures_told("making a shadow"), connect_to(server, ADMIN) as admin:
        note = _create_database(admin, source.locale)
        admin.execute(b"DROP DATABASE postgres")
        admin.execute(b"ALTER DATABASE template0 IS_TEMPLATE false")
        admin.execute(b"DROP DATABASE template0")
    with failures_told("restoring into a shadow"), connect_to(server, PRISTINE) as connection:
        report = restore_dump(connection, source.dump, progress)
        write_extended(connection, source.extended)
        insert_ends(connection, progress)
    if note:
        report.stand_ins.append(note)
    return report


@contextmanager
def failures_told(what: str) -> Iterator[None]:
    """Put what the driver raises in a block into plain words.

    Args:
        what: That is done in it, for the message.
    """
    try:
        yield
    except psycopg.Error as error:
        raise statement_failure(error, what) from error


def connect_to(server: EmbeddedServer, database: str) -> psycopg.Connection[Any]:
    """Connect to a database of a shadow's server, as its superuser, in autocommit mode."""
    # The text of statements is UTF-8 here, whatever the database's encoding.
    return psycopg.connect(
        server.dsn(database), autocommit=True, prepare_threshold=None, client_encoding="UTF8"
    )


def _create_database(admin: psycopg.Connection[Any], locale: Row) -> str:
    """Make the database with the target's collation, or with one that the planner treats alike.

    Under any collation but C an ordinary B-tree does not serve LIKE 'abc%'; a shadow that sorts by code point
    through the C library keeps that rule, one that uses C itself would not.
    """
    name = locale.locale_name or locale.collate_name
    start = f"CREATE DATABASE {quote_identifier(PRISTINE)} TEMPLATE template0 ENCODING "
    start += quote_literal(locale.encoding)
    libc = f" LC_COLLATE {quote_literal(locale.collate_name)}"
    libc += f" LC_CTYPE {quote_literal(locale.ctype_name)}"
    builtin = f" LOCALE_PROVIDER builtin BUILTIN_LOCALE {quote_literal(locale.locale_name or 'C')}"
    exact = {
        "libc": f" LOCALE_PROVIDER libc{libc}",
        "builtin": f"{builtin}{libc}",
        "icu": f" LOCALE_PROVIDER icu ICU_LOCALE {quote_literal(locale.locale_name or '')}",
    }
    by_code_point = f"the database's collation {name} is unknown here: text is compared by code point"
    alike = " LOCALE_PROVIDER libc LOCALE 'C.UTF-8'"
    plain = " LOCALE_PROVIDER libc LOCALE 'C'"
    bytewise = " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C' LOCALE 'C'"
    last_note = f"{by_code_point}, and a plain index seems to serve LIKE 'abc%' though there it does not"
    ways = [(exact[locale.provider], ""), (alike, by_code_point), (plain, last_note)]
    if locale.provider == "builtin":
        ways[1:] = [(bytewise, "")]
    error: psycopg.Error | None = None
    for clause, note in ways:
        try:
            admin.execute((start + clause).encode())
        except psycopg.Error as refusal:
            error = refusal
        else:
            return note
    reason = (error and error.diag.message_primary) or "its server went away"
    raise EmbeddedServerError(
        f"The shadow's database could not be made: {reason}.",
        hint="The disk of PGPROOF_HOME may be full: free some space there, or set it to another folder.",
    ) from error


def _notes(report: Report, missing: tuple[str, ...]) -> Iterator[str]:
    for extension in missing:
        yield f"extension {extension} is not there: statements that need it can only be tried on a clone"
    yield from (f"stand-in: {line}" for line in dict.fromkeys(report.stand_ins))
    yield from (f"not in the shadow: {line}" for line in dict.fromkeys(report.skipped))


def _write_report(server: EmbeddedServer, report: Report) -> None:
    path = server.data_dir / _REPORT
    facts = [report.skipped, report.stand_ins, report.missing_extensions]
    path.write_text(json.dumps(facts), encoding="utf-8")


def _read_report(server: EmbeddedServer) -> Report:
    facts = json.loads((server.data_dir / _REPORT).read_text(encoding="utf-8"))
    return Report(*facts)
