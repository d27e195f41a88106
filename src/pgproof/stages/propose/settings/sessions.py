"""Connections: how many should work at once, what an idle one may hold, and how to see what they do."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.model.setting_advice import SettingAdvice, TakesEffect
from pgproof.stages.propose.settings.budget import fitting_budget
from pgproof.stages.propose.settings.server import Server, advise

IDLE_LIMIT = "10min"
"""How long a transaction may wait for its client. **Source**: judgement; longer than people need."""

POOL_FACTOR = 2
"""A pool is left alone up to so many times the size that would do. **Source**: judgement."""

_STATEMENTS = "pg_stat_statements"


def advise_sessions(server: Server) -> Iterator[SettingAdvice]:
    """Yield advice on the size of a pool, idle transactions and what the server measures."""
    yield from _pool(server)
    yield from _idle(server)
    yield from _measuring(server)


def pool_size(cores: int, spindles: int = 1) -> int:
    """Return how many sessions should be at work at once.

    **Source**: PostgreSQL wiki, Number Of Database Connections: twice the cores plus the spindles. An SSD
    counts as one.
    """
    return 2 * cores + spindles


def _pool(server: Server) -> Iterator[SettingAdvice]:
    machine, size = server.machine, pool_size(server.machine.cores)
    expected = machine.connections if machine.connections is not None else fitting_budget(server).sessions
    if expected <= POOL_FACTOR * size:
        return
    told = "sessions expected" if machine.connections is not None else "sessions admitted"
    yield SettingAdvice(
        name="pool size",
        present=f"{expected} {told}",
        proposed=str(size),
        reason=f"{machine.cores} cores do the work of about {size} sessions at once (twice the cores, plus"
        " one for"
        f" the disk); with {expected} they take turns, and each waits longer. In transaction mode a pooler"
        " hands"
        f" {expected} clients on to {size} sessions.",
        source="PostgreSQL wiki, Number Of Database Connections",
        risk="In transaction mode, SET, advisory locks of a session, LISTEN and (in older poolers) prepared"
        " statements"
        " don't survive a transaction. Where sessions spend their transactions waiting, it takes more.",
        takes_effect=TakesEffect.AT_ONCE,
        place="the application's pool, or a pooler in front (PgBouncer: default_pool_size, pool_mode ="
        " transaction)",
    )


def _idle(server: Server) -> Iterator[SettingAdvice]:
    if server.catalog.setting("idle_in_transaction_session_timeout") == "0":
        yield from advise(
            server,
            "idle_in_transaction_session_timeout",
            IDLE_LIMIT,
            reason="Nothing ends a transaction whose client went away: it holds its locks, and VACUUM removes"
            " nothing"
            " that it might still see.",
            source="PostgreSQL documentation, Client Connection Defaults: Statement Behavior",
            risk="A job that waits longer inside a transaction loses it: give its role more.",
        )


def _measuring(server: Server) -> Iterator[SettingAdvice]:
    if server.catalog.setting("track_io_timing") == "off":
        yield from advise(
            server,
            "track_io_timing",
            "on",
            reason="Without it nobody can tell waiting for the disk from computing, in EXPLAIN as in"
            " pg_stat_statements.",
            source="PostgreSQL documentation, Run-time Statistics: track_io_timing",
            risk="Where the clock is slow to read, statements get slower: run pg_test_timing first.",
            whole=True,
        )
    libraries = server.catalog.setting("shared_preload_libraries")
    if libraries is not None and _STATEMENTS not in libraries:
        yield from advise(
            server,
            "shared_preload_libraries",
            ", ".join(filter(None, (libraries, _STATEMENTS))),
            reason="pg_stat_statements tells which statements take the time; without it there is no workload"
            " to"
            f" capture. Afterwards: CREATE EXTENSION {_STATEMENTS}.",
            source=f"PostgreSQL documentation, Additional Supplied Modules: {_STATEMENTS}",
            risk="The server does not start if the library is missing: install the contrib package first.",
        )
