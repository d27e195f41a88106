"""What this machine can tell: a competition among equals, in which nobody may win."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from pgproof.model.blueprint import Blueprint, LoadProfile, RacePlan
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.query import Query, StatementKind
from pgproof.model.variant import Variant
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.postgres.embedded import find_binaries, start_server
from pgproof.postgres.session import open_session
from pgproof.sqltext.fingerprint import fingerprint
from pgproof.stages.compete.clones import open_clones
from pgproof.stages.compete.competition import Held, compete_on

LEAST_RACE_S = 3.0
"""The race gets as much in any case; below it there are too few rounds to say anything."""

RACE_FRAC = 0.85
"""Of the time left once the database is copied; the rest goes to making arms and comparing answers."""

_ROWS = 20_000

_SCHEMA = (
    "CREATE TABLE visits (id bigint PRIMARY KEY, page integer NOT NULL, note text NOT NULL)",
    f"INSERT INTO visits SELECT i, i % 500, 'visit ' || i FROM generate_series(1, {_ROWS}) AS i",
    "ANALYZE visits",
)

_QUERIES = (
    ("one visit", "SELECT note FROM visits WHERE id = $1", 20.0, ("17", "4000", "19999")),
    ("visits of a page", "SELECT id, note FROM visits WHERE page = $1 ORDER BY id", 5.0, ("3", "250", "499")),
    (
        "busiest pages",
        "SELECT page, count(*) FROM visits WHERE id > $1 GROUP BY page ORDER BY 2 DESC, 1",
        1.0,
        ("0",),
    ),
)


def run_selfcheck(
    target_dsn: str | None = None,
    workload: Workload | None = None,
    *,
    home: Path,
    bindir: Path | None = None,
    arms: int = 4,
    time_limit_s: float = 60.0,
    seed: int = 1,
    progress: Progress = ignore_progress,
) -> Held:
    """Let a database compete against itself: nobody may win, and it shows what this machine can detect.

    Args:
        target_dsn: The database to clone; None makes a small one.
        workload: What to run on it; None (with no target) takes three queries of our own.
        home: Folder of pgproof.
        bindir: Programs of the PostgreSQL to check with; None looks for them.
        arms: Identical variants, >= 1, beside control and canary.
        time_limit_s: Of the whole check; what clones leave of it is used up by the race. The effect that can
            be detected shrinks with its square root.
        seed: Of every random choice.
        progress: Told what is being done.

    Returns:
        A competition, with its samples: ``winner`` is None in all but ``1 - confidence`` of the cases, and
        ``detectable_effect_frac`` says what could have been seen.

    Raises:
        ValueError: A target without a workload.
        PgproofError: As `run_competition`.
    """
    if target_dsn is not None and workload is None:
        raise ValueError("a selfcheck of a target needs a workload for it")
    ends_at = time.monotonic() + time_limit_s
    with ExitStack() as undo:
        if target_dsn is None:
            binaries = find_binaries(bindir=bindir)
            server = start_server(binaries, home=home, label="selfcheck", durable=False)
            target_dsn = undo.enter_context(server).dsn()
            _fill(target_dsn)
        blueprint = Blueprint(
            name="selfcheck",
            goal="nothing is better than what is there",
            workload=workload or sample_workload(),
            variants=tuple(Variant(f"same-{i + 1}", "the database as it is", ()) for i in range(arms)),
            load=LoadProfile(),
            race=RacePlan(time_limit_s=time_limit_s, seed=seed, max_rounds=100_000),
        )
        writes = any(not statement.query.read_only for statement in blueprint.workload.statements)
        host, catalog = undo.enter_context(
            open_clones(
                target_dsn,
                home=home,
                arms=arms + 2,
                writes=writes,
                clone_bindir=bindir,
                progress=progress,
            )
        )
        left_s = max(LEAST_RACE_S, (ends_at - time.monotonic()) * RACE_FRAC)
        fitted = replace(blueprint, race=replace(blueprint.race, time_limit_s=left_s))
        return compete_on(host, catalog, fitted, settle=False, progress=progress)


def sample_workload() -> Workload:
    """Return the three queries that are run where nobody has named a workload."""
    statements = tuple(
        WorkloadStatement(
            name=name,
            query=Query(fingerprint(sql), sql, StatementKind.SELECT, read_only=True),
            calls=calls,
            parameter_sets=tuple(ParameterSet((value,)) for value in values),
        )
        for name, sql, calls, values in _QUERIES
    )
    return Workload(statements, source="selfcheck")


def _fill(dsn: str) -> None:
    with open_session(dsn, read_only=False) as session:
        for sql in _SCHEMA:
            session.run(sql)
