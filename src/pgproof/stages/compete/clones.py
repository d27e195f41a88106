"""Where arms come from: one sealed copy of the target, and as many equal clones of it as wanted.

The target is only ever read. Everything made here is gone when the context manager ends, however it ends.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pgproof.errors import EmbeddedServerError, TrialFailed
from pgproof.model.catalog import Catalog
from pgproof.model.figures import size
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.trial import CloneInfo
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.dump import copy_database
from pgproof.postgres.embedded import Binaries, EmbeddedServer, find_binaries, start_server
from pgproof.postgres.session import Session, open_session
from pgproof.sqltext.quote import quote_identifier
from pgproof.stages.compete.clone_settings import settings_to_copy, split_accepted

SEALED = "pgproof_sealed"

DISK_RESERVE_FRAC = 0.2
"""Free space wanted beyond the clones themselves, for new indexes, WAL and temporary files."""

_FILE_COPY_SINCE = 15
_REFLINK_SINCE = 18


class CloneHost(Protocol):
    """Somebody who can make equal copies of the database under test."""

    info: CloneInfo

    def make(self, name: str) -> str:
        """Make a clone and return its DSN.

        Args:
            name: Of the clone, for humans and for `drop`; unique.
        """
        ...

    def drop(self, name: str) -> None:
        """Remove a clone; harmless when there is none of that name."""
        ...


@dataclass(frozen=True, slots=True)
class Rung:
    """Which install serves as clone host.

    Args:
        binaries: The install.
        reason: Why this one, and what it may mean for the verdict.
        same_major: It is the target's own major version.
    """

    binaries: Binaries
    reason: str
    same_major: bool


def choose_rung(major: int, clone_bindir: Path | None = None) -> Rung:
    """Choose on which PostgreSQL the arms run: the target's own major version wherever it can be had.

    Args:
        major: The target's major version.
        clone_bindir: Folder of programs that the user wants used.

    Raises:
        EmbeddedServerError: No PostgreSQL is at hand.
    """
    if clone_bindir is not None:
        binaries = find_binaries(bindir=clone_bindir)
        reason = f"PostgreSQL {binaries.version} in {clone_bindir}, as you asked"
    else:
        try:
            binaries = find_binaries(major)
            reason = f"the target's own major version is installed here ({binaries.bindir})"
        except EmbeddedServerError:
            binaries = find_binaries()
            reason = f"PostgreSQL {major} is not installed here, so PostgreSQL {binaries.version} serves"
    same = binaries.major == major
    if not same:
        reason += (
            f". The target runs {major}: its planner may choose other plans than {binaries.major} did here; "
            f"install PostgreSQL {major} or name its programs to race on the same version"
        )
    return Rung(binaries, reason, same)


class EmbeddedClones:
    """A clone host on a server of our own. Made by `open_clones`."""

    def __init__(self, server: EmbeddedServer, admin: Session, info: CloneInfo) -> None:
        self.info = info
        self._server = server
        self._admin = admin
        if server.major >= _REFLINK_SINCE:
            admin.run("SET file_copy_method = 'clone'")

    def make(self, name: str) -> str:
        """Clone the sealed copy, every clone in the same way.

        Raises:
            ServerError: The disk is full, or the name is taken.
        """
        strategy = " STRATEGY FILE_COPY" if self._server.major >= _FILE_COPY_SINCE else ""
        self._admin.run(f"CREATE DATABASE {quote_identifier(name)} TEMPLATE {SEALED}{strategy}")
        return self._server.dsn(name)

    def drop(self, name: str) -> None:
        """Drop a clone, whoever is still connected to it."""
        self._admin.run(f"DROP DATABASE IF EXISTS {quote_identifier(name)} WITH (FORCE)")


@contextmanager
def open_clones(
    target_dsn: str,
    *,
    home: Path,
    arms: int,
    writes: bool,
    storage_bytes: int | None = None,
    clone_bindir: Path | None = None,
    progress: Progress = ignore_progress,
) -> Iterator[tuple[EmbeddedClones, Catalog]]:
    """Copy the target once, seal the copy, and stand ready to clone it; remove everything at the end.

    Args:
        target_dsn: Only read.
        home: Folder of pgproof, where the server's files lie.
        arms: How many clones will be wanted; decides whether the disk is large enough.
        writes: The workload writes, so commits must cost what they cost: the server is durable then.
        storage_bytes: Disk space that all clones together may take; None sets no limit but the disk's.
        clone_bindir: Programs of the PostgreSQL to use; None chooses (see `choose_rung`).
        progress: Told what is being done.

    Yields:
        The clone host, and the target's catalog.

    Raises:
        Unreachable, CapabilityMissing: The target can't be read.
        EmbeddedServerError: No server could be started, or the target couldn't be copied.
        TrialFailed: The disk, or the budget, is too small.
    """
    progress("reading the target")
    with open_session(target_dsn, statement_timeout_ms=0) as target:
        catalog = read_catalog(target)
        size_bytes = int(target.query("database_size")[0].database_bytes)
    rung = choose_rung(catalog.major, clone_bindir)
    home.mkdir(parents=True, exist_ok=True)
    check_disk(home, size_bytes, arms + 1, storage_bytes)
    # Autovacuum would wake up on one arm and not on another, in the middle of a round.
    settings = {"autovacuum": "off"}
    with start_server(rung.binaries, home=home, label="arms", settings=settings, durable=writes) as server:
        notes = _copy_settings(server, catalog)
        started = time.monotonic()
        report = copy_database(target_dsn, server, SEALED, progress=progress)
        progress("sealing the copy")
        _seal(server)
        notes += (*report.notes, f"sealed copy: {report.tables} tables, {report.rows} rows")
        notes += _missing_compiler(server, catalog)
        info = _describe(server, rung, catalog, time.monotonic() - started, notes)
        with open_session(server.dsn(), read_only=False, statement_timeout_ms=0) as admin:
            yield EmbeddedClones(server, admin, info), catalog


def check_disk(home: Path, size_bytes: int, copies: int, storage_bytes: int | None = None) -> None:
    """Refuse to start where the copies would fill the disk, or take more than they may.

    Args:
        home: A folder on the disk in question.
        size_bytes: Of the target.
        copies: Clones plus the sealed copy.
        storage_bytes: That they may take; None sets no limit.

    Raises:
        TrialFailed: There is too little free space, or the budget is smaller.
    """
    wanted = int(size_bytes * copies * (1.0 + DISK_RESERVE_FRAC))
    if storage_bytes is not None and wanted > storage_bytes:
        raise TrialFailed(
            f"The storage budget is too small: {copies} copies of {size(size_bytes)} need about "
            f"{size(wanted)}, and {size(storage_bytes)} are allowed.",
            hint="Raise budget.storage_bytes, or let fewer variants compete. Nothing was copied.",
            context={"wanted_bytes": wanted, "storage_bytes": storage_bytes, "copies": copies},
        )
    free = shutil.disk_usage(home).free
    if wanted > free:
        raise TrialFailed(
            f"The disk of {home} would fill up: {copies} copies of {size_bytes / 1e9:.1f} GB need about "
            f"{wanted / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free.",
            hint="Let fewer variants compete, or set the folder of pgproof to a larger disk.",
            context={"wanted_bytes": wanted, "free_bytes": free, "copies": copies},
        )


def _copy_settings(server: EmbeddedServer, catalog: Catalog) -> tuple[str, ...]:
    """Give the server the target's planner settings; return what could not be copied."""
    with open_session(server.dsn()) as session:
        accepted, unknown = split_accepted(settings_to_copy(catalog), session.query("accepted_settings"))
    notes = (
        [f"settings of the target that this version doesn't take: {', '.join(unknown)}"] if unknown else []
    )
    try:
        if accepted:
            server.restart(accepted)
    except EmbeddedServerError as error:
        raise EmbeddedServerError(
            "The clone server does not start with the target's planner settings "
            f"({', '.join(sorted(accepted))}).",
            hint=error.hint,
            context=error.context,
        ) from error
    return tuple(notes)


def _seal(server: EmbeddedServer) -> None:
    """Forbid connections to the copy."""
    with open_session(server.dsn(), read_only=False, statement_timeout_ms=0) as admin:
        # A database that somebody is connected to can't be a template; this one can't be connected to.
        admin.run(f"ALTER DATABASE {SEALED} WITH ALLOW_CONNECTIONS false")
        admin.run("CHECKPOINT")


def _missing_compiler(server: EmbeddedServer, catalog: Catalog) -> tuple[str, ...]:
    """Say that expressions are compiled on the target only; nothing where that is not so."""
    with open_session(server.dsn()) as session:
        compiles = bool(session.value("SELECT pg_catalog.pg_jit_available()"))
    if compiles or catalog.setting("jit") != "on":
        return ()
    return ("the arms can't compile expressions just in time (jit), which the target has switched on",)


def _readable(setting: str) -> str:
    """Return a setting in kB as people write it."""
    number = setting.removesuffix("kB")
    return size(int(number) * 1024) if number != setting and number.isdigit() else setting


def _describe(
    server: EmbeddedServer, rung: Rung, catalog: Catalog, seconds: float, notes: tuple[str, ...]
) -> CloneInfo:
    way = "template, file copy" if server.major >= _FILE_COPY_SINCE else "template"
    if server.major >= _REFLINK_SINCE:
        way += " (reflink where the file system can)"
    facts = [
        "autovacuum is off on the arms while they are measured",
        "caches are warm; nothing is said about cold ones",
        f"shared_buffers is {_readable(server.settings.get('shared_buffers', 'the default'))} on the arms",
    ]
    if any(table.row_security for table in catalog.tables):
        facts.append("row-level security is not applied: arms are queried as superuser")
    return CloneInfo(
        method=f"pg_dump into an embedded server, then {way}",
        reason=rung.reason,
        server_version=server.version,
        target_version=catalog.version,
        seconds=seconds,
        notes=(*notes, *facts),
    )
