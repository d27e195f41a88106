"""Capture and check: what a database is asked, and what hurts."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from pgproof.config import Settings
from pgproof.errors import CapabilityMissing, ConfigError
from pgproof.model.catalog import Catalog
from pgproof.model.finding import STATEMENTS, Diagnosis, Skipped
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.workload import Workload
from pgproof.pipeline.memory import demand_memory, remember
from pgproof.plugins import load_checks
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.session import Session, open_session
from pgproof.stages.capture.files import load_spec, save_workload
from pgproof.stages.capture.merge import adopt_counters
from pgproof.stages.capture.parameters import fill_parameters
from pgproof.stages.capture.resolve import resolve_generators
from pgproof.stages.capture.statements import capture_statements
from pgproof.stages.diagnose import diagnose
from pgproof.stages.diagnose.plans import read_plans

DEFAULT_LIMIT = 100


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What check saw.

    Args:
        catalog: Of the database.
        workload: None where none could be had.
        diagnosis: What follows.
    """

    catalog: Catalog
    workload: Workload | None
    diagnosis: Diagnosis


def open_target(settings: Settings, dsn: str) -> Session:
    """Open a read-only session on a user's database, with the configured guards."""
    return open_session(
        dsn, statement_timeout_ms=settings.statement_timeout_ms, lock_timeout_ms=settings.lock_timeout_ms
    )


def capture(
    settings: Settings,
    dsn: str,
    *,
    workload_file: Path | None = None,
    window_s: float = 0.0,
    limit: int = DEFAULT_LIMIT,
    min_calls: float | None = None,
    seed: int = 1,
    progress: Progress = ignore_progress,
) -> Workload:
    """Capture a workload with values.

    Args:
        settings: Guards and ledger.
        dsn: Of the database.
        workload_file: Names, statements and values come from it, and the server adds its counters.
        window_s: Seconds to watch; 0 takes everything since the last reset.
        limit: Most statements.
        min_calls: Leave out what the server counted less often; None leaves out writes that ran once.
        seed: Of the sampling of values.
        progress: Told what is being done.

    Returns:
        The workload; it is in the ledger too.

    Raises:
        CapabilityMissing: pg_stat_statements can't be read and there is no file; says what is missing.
        ConfigError: The file is not a workload, or nothing was to be seen.
        Unreachable, ServerError: As the server says.
    """
    demand_memory(settings)
    with open_target(settings, dsn) as session:
        progress("reading the catalog")
        catalog = read_catalog(session)
        found = _statements_of(session, workload_file, window_s, limit, min_calls, seed, progress)
        workload = fill_parameters(session, catalog, found, seed=seed, progress=progress)
    remember(settings, "capture", workload.database, workload)
    return workload


def check(
    settings: Settings,
    dsn: str,
    *,
    workload_file: Path | None = None,
    workload: Workload | None = None,
    progress: Progress = ignore_progress,
) -> CheckOutcome:
    """Find what hurts. Reads only, and never executes a statement of the workload.

    Args:
        settings: Guards and ledger.
        dsn: Of the database.
        workload_file: Instead of pg_stat_statements.
        workload: Instead of both.
        progress: Told what is being done.

    Returns:
        Findings; what could not be looked at, such as statements without pg_stat_statements, is among
        ``diagnosis.skipped``.

    Raises:
        ConfigError: The file is not a workload.
        Unreachable, ServerError: As the server says.
    """
    demand_memory(settings)
    with open_target(settings, dsn) as session:
        progress("reading the catalog")
        catalog = read_catalog(session)
        missing: tuple[Skipped, ...] = ()
        if workload is None:
            workload, missing = _workload_or_reason(session, catalog, workload_file, progress)
        plans, unplanned = read_plans(session, workload, progress) if workload else ({}, ())
    progress("checking")
    skipped = (*missing, *_set_aside(workload), *unplanned)
    diagnosis = diagnose(catalog, workload, plans, skipped=skipped, checks=load_checks())
    remember(settings, "check", catalog.database, diagnosis)
    return CheckOutcome(catalog, workload, diagnosis)


def obtain_statements(
    session: Session, workload_file: Path | None, seed: int, progress: Progress
) -> Workload:
    """Return the workload of a file, or else of pg_stat_statements since its last reset.

    Statements have the values that the file gives; `fill_parameters` draws the others.
    """
    return _statements_of(session, workload_file, 0.0, DEFAULT_LIMIT, None, seed, progress)


def write_workload(workload: Workload, path: Path) -> None:
    """Write a workload file (JSON), making its folder where there is none.

    Raises:
        ConfigError: The name does not end in ``.json``, or the file can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path.parent} can't be made: {error.strerror}.") from error
    save_workload(workload, path)


def _statements_of(
    session: Session,
    workload_file: Path | None,
    window_s: float,
    limit: int,
    min_calls: float | None,
    seed: int,
    progress: Progress,
) -> Workload:
    if workload_file is None:
        return capture_statements(
            session, window_s=window_s, limit=limit, min_calls=min_calls, progress=progress
        )
    spec = load_spec(workload_file)
    declared = resolve_generators(session, spec, seed)
    try:
        # What the file names is the application's, however light it is and be it called only once.
        measured = capture_statements(
            session, window_s=window_s, limit=sys.maxsize, min_calls=min_calls or 1, progress=progress
        )
    except (CapabilityMissing, ConfigError):
        return declared  # the file is enough; counters are only welcome
    return adopt_counters(declared, measured, weighted=spec.weighted)


def _set_aside(workload: Workload | None) -> tuple[Skipped, ...]:
    """Return the statements of a file that can't be used."""
    aside = workload.set_aside if workload else ()
    return tuple(Skipped(STATEMENTS, str(one), one.hint) for one in aside)


def _workload_or_reason(
    session: Session, catalog: Catalog, workload_file: Path | None, progress: Progress
) -> tuple[Workload | None, tuple[Skipped, ...]]:
    try:
        found = obtain_statements(session, workload_file, 1, progress)
        return fill_parameters(session, catalog, found, seed=1, progress=progress), ()
    except CapabilityMissing as error:
        return None, (Skipped(STATEMENTS, error.message, error.hint),)
    except ConfigError as error:
        if workload_file is not None:
            raise
        return None, (Skipped(STATEMENTS, error.message, error.hint),)
