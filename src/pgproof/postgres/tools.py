"""Runs PostgreSQL's client programs on servers of our own: psql, pgbench, pg_dump.

They run as ourselves, whatever account a server of ours needs. A password goes through ``PGPASSWORD`` or
``PGPASSFILE``, never through the arguments, which every user of the machine can read.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pgproof.errors import EmbeddedServerError
from pgproof.postgres.binaries import Binaries
from pgproof.postgres.dsn import mask

# Lines in which a server or psql repeats the user's rows or statements.
_REVEALING = re.compile(r"(DETAIL|CONTEXT|STATEMENT|QUERY|LINE \d+):|^\s*\^\s*$")
_LINES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a client program wrote.

    Args:
        stdout: Its output; empty if that went to a file.
        stderr: Its warnings.
    """

    stdout: str
    stderr: str


def run_tool(
    binaries: Binaries,
    tool: str,
    args: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    stdout: Path | None = None,
    timeout_s: float | None = None,
) -> ToolOutput:
    """Run a client program to its end.

    Args:
        binaries: The install it comes from.
        tool: Such as ``pg_dump``.
        args: Its arguments; a password among them is refused.
        env: Added to the environment, such as ``PGPASSWORD``.
        stdin: Text to feed it; None gives it an empty input.
        stdout: Write its output to this file, made readable for its owner alone.
        timeout_s: Kill it after so many seconds; None waits for ever.

    Raises:
        EmbeddedServerError: It is missing, failed, or took too long. The message has no password and no row
            values.
        ValueError: A password is among the arguments.
    """
    if any(mask(argument) != argument for argument in args):
        raise ValueError(
            f"a password must not be among the arguments of {tool}; use PGPASSWORD or PGPASSFILE"
        )
    program = binaries.tool(tool)
    environment = _environment(env or {})
    try:
        with _sink(stdout) as sink:
            done = subprocess.run(
                [str(program), *args],
                check=False,
                env=environment,
                input=stdin or "",
                stdout=sink,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                timeout=timeout_s,
            )
    except subprocess.TimeoutExpired as error:
        raise EmbeddedServerError(
            f"{tool} did not end within {timeout_s:g} s and was killed.",
            hint="Give it more time, or less to do.",
            context={"tool": tool, "timeout_s": timeout_s},
        ) from error
    if done.returncode != 0:
        raise _failure(tool, done.returncode, done.stderr, environment)
    return ToolOutput(done.stdout or "", done.stderr)


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    # The user's PG* variables are about a server of theirs; see `dump_programs` for programs that go there.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return {**inherited, "LC_ALL": "C", **extra}


@contextmanager
def _sink(path: Path | None) -> Iterator[int]:
    if path is None:
        yield subprocess.PIPE
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _failure(tool: str, code: int, stderr: str, environment: Mapping[str, str]) -> EmbeddedServerError:
    secrets = [value for name, value in environment.items() if "PASSWORD" in name.upper()]
    lines = [line for line in stderr.splitlines() if line.strip() and not _REVEALING.search(line)]
    said = mask("\n".join(lines[:_LINES_SHOWN]), secrets)
    return EmbeddedServerError(
        f"{tool} failed with exit code {code}.",
        hint=f"It said: {said}" if said else "",
        context={"tool": tool, "exit_code": code},
    )
