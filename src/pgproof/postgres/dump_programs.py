"""Runs pg_dump and pg_restore: no password in sight, stopped with us, complaints in plain words."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from pgproof.errors import CapabilityMissing, EmbeddedServerError, PgproofError, ServerError
from pgproof.postgres.binaries import Binaries
from pgproof.postgres.dsn import libpq_environment, mask, read_dsn, secrets_of
from pgproof.postgres.failures import find_refusal
from pgproof.sqltext.quote import quote_identifier

_POLL_S = 0.5
_KILL_AFTER_S = 10.0
_HELP_TIMEOUT_S = 20.0


def run_program(
    binaries: Binaries,
    program: str,
    args: Sequence[str],
    dsn: str,
    *,
    inherit: bool = True,
    on_tick: Callable[[], None] = lambda: None,
) -> tuple[int, bytes, str]:
    """Run a libpq program to its end; when we are interrupted, it is ended too.

    Args:
        binaries: The install it comes from.
        program: "pg_dump" or "pg_restore".
        args: Its arguments, without connection parameters.
        dsn: Where it connects to.
        inherit: Let the user's own PG* variables fill in what ``dsn`` leaves open.
        on_tick: Called twice a second while it runs.

    Returns:
        Exit code, output, and complaints.

    Raises:
        EmbeddedServerError: The install lacks the program.
    """
    path = str(binaries.tool(program))
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [path, *args],
            env=_environment(dsn, inherit=inherit),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=complaints,
            umask=0o077,
        )
        try:
            _wait(process, on_tick)
        finally:
            _end(process)
        out.seek(0)
        complaints.seek(0)
        return process.returncode, out.read(), complaints.read().decode(errors="replace")


def fail(program: str, complaints: str, dsn: str, address: str, role: str) -> PgproofError:
    """Put the complaints of a failed program into plain words.

    Args:
        program: Its name.
        complaints: What it wrote to stderr.
        dsn: Where it connected to.
        address: The same, safe to print.
        role: As whom; empty where nobody knows.
    """
    grantee = quote_identifier(role) if role else "<the role you connect as>"
    words = mask(complaints, secrets_of(dsn))
    errors = [line.partition("error: ")[2] or line for line in words.splitlines() if "error:" in line]
    said = (
        errors[0].removeprefix("query failed: ").removeprefix("ERROR:").strip() if errors else words.strip()
    )
    if "server version mismatch" in words:
        return EmbeddedServerError(
            f"{program} is older than the server at {address} and refuses to read it.",
            hint="Install PostgreSQL of the server's major version on this machine.",
        )
    if "permission denied" in words:
        return CapabilityMissing(
            f"{program} may not read everything in {address}: {said}.",
            sqlstate="42501",
            hint=f"GRANT pg_read_all_data TO {grantee}; (PostgreSQL 14 and later), or connect as the owner.",
        )
    if "row-level security" in words:
        return CapabilityMissing(
            f"{program} would get only a part of the rows of {address}: {said}.",
            sqlstate="42501",
            hint=f"ALTER ROLE {grantee} BYPASSRLS; or connect as the owner.",
        )
    if "lock timeout" in words:
        return ServerError(
            f"{program} waited too long for a table of {address} that another session holds exclusively.",
            sqlstate="55P03",
            hint="Try again when the ALTER TABLE, TRUNCATE or VACUUM FULL is done.",
        )
    return find_refusal(words, address) or ServerError(f"{program} failed on {address}: {said}.")


@lru_cache(maxsize=16)
def knows_option(path: Path, option: str) -> bool:
    """Tell whether a program lists an option in its help."""
    done = subprocess.run([str(path), "--help"], check=False, capture_output=True, timeout=_HELP_TIMEOUT_S)
    return option.encode() in done.stdout


def folder_bytes(folder: Path) -> int:
    """Return the size of the files of a flat folder."""
    try:
        return sum(entry.stat().st_size for entry in folder.iterdir())
    except FileNotFoundError:
        return 0  # not there yet, or a file that was renamed meanwhile


def _environment(dsn: str, *, inherit: bool) -> Mapping[str, str]:
    whole = libpq_environment(dsn, inherit=inherit)
    whole.setdefault("PGCONNECT_TIMEOUT", read_dsn(dsn).get("connect_timeout", "10"))
    return {**whole, "LC_ALL": "C", "PGAPPNAME": "pgproof", "PGCLIENTENCODING": "UTF8"}


def _wait(process: subprocess.Popen[bytes], on_tick: Callable[[], None]) -> None:
    while True:
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            on_tick()
        else:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
