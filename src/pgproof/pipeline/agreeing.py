"""Plans of a database and of its synthetic copy, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pgproof.config import Settings
from pgproof.errors import CapabilityMissing, ConfigError, ParseError, ServerError, Unreachable, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.plan import Plan
from pgproof.model.progress import Progress
from pgproof.model.query import StatementKind
from pgproof.model.synthesis import PlanAgreement
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.pipeline.looking import DEFAULT_LIMIT
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.explain import explain
from pgproof.postgres.session import Session, open_session
from pgproof.postgres.shadow.server import open_shadow
from pgproof.postgres.synthetic.planning import open_copy
from pgproof.sqltext.parameters import parameter_numbers
from pgproof.stages.capture.files import load_spec
from pgproof.stages.capture.parameters import fill_parameters
from pgproof.stages.capture.resolve import resolve_generators
from pgproof.stages.capture.statements import capture_statements
from pgproof.stages.estimate.as_is import open_as_is
from pgproof.stages.synth.agreement import judge_agreement
from pgproof.stages.synth.masking import Masking

SETS_A_STATEMENT = 3
"""Plans compared for a statement, at most. **Source**: judgement; the heaviest sets of values."""

Translation = Callable[[str | None], str | None]


@dataclass(frozen=True, slots=True)
class Compared:
    """How the comparison went.

    Args:
        found: None where there was no statement.
        notes: Why there was none; may be empty.
    """

    found: PlanAgreement | None
    notes: tuple[str, ...] = ()


def compare_plans(
    settings: Settings,
    source: Session,
    source_dsn: str,
    copy_dsn: str,
    *,
    catalog: Catalog,
    settings_of_source: Mapping[str, str],
    masking: Masking,
    workload_file: Path | None,
    seed: int,
    progress: Progress,
) -> Compared:
    """Plan a workload on a database and on its copy. Nothing is executed.

    Values that a statement lacks are drawn from the copy, so that no row of the source is read for them.

    Args:
        settings: Where a shadow would go.
        source: A session on the source.
        source_dsn: Of the source.
        copy_dsn: Of the copy.
        catalog: Of the source.
        settings_of_source: Its settings, by name.
        masking: Which values of the copy stand for which of the source.
        workload_file: With statements; None takes the source's pg_stat_statements.
        seed: Of the values.
        progress: Told of each part.

    Raises:
        ConfigError: The file is not a workload.
        Unreachable, ServerError: As a server says.
    """
    try:
        workload = _workload(source, copy_dsn, workload_file, seed, progress)
    except (CapabilityMissing, ConfigError) as error:
        if workload_file is not None:
            raise
        return Compared(None, (f"no plans were compared: {error.message}",))
    with (
        open_copy(copy_dsn, settings_of_source, catalog.search_path) as copy,
        _planner_of_source(settings, source, source_dsn, catalog, copy.major, progress) as (there, name),
    ):
        return Compared(_compare(there, copy, workload, masking, name, progress))


def _workload(
    source: Session, copy_dsn: str, workload_file: Path | None, seed: int, progress: Progress
) -> Workload:
    with open_session(copy_dsn, statement_timeout_ms=0) as copy:
        if workload_file is not None:
            declared = resolve_generators(copy, load_spec(workload_file), seed)
        else:
            declared = capture_statements(source, limit=DEFAULT_LIMIT, progress=progress)
        return fill_parameters(copy, read_catalog(copy), declared, seed=seed, progress=progress)


@contextmanager
def _planner_of_source(
    settings: Settings, source: Session, dsn: str, catalog: Catalog, major: int, progress: Progress
) -> Iterator[tuple[Session, str]]:
    """Choose who plans for the source: itself, or its shadow where that is of the copy's version."""
    if source.major == major:
        yield source, f"the source itself (PostgreSQL {source.major})"
        return
    with (
        open_shadow(dsn, home=settings.home, progress=progress) as shadow,
        open_as_is(shadow, catalog, progress) as session,
    ):
        yield session, f"the source's shadow (PostgreSQL {session.major})"


def _compare(
    source: Session, copy: Session, workload: Workload, masking: Masking, planned_on: str, progress: Progress
) -> PlanAgreement:
    pairs: dict[str, list[tuple[Plan, Plan]]] = {}
    skipped: list[str] = []
    for done, statement in enumerate(workload.statements):
        progress("comparing plans", done, len(workload.statements))
        if statement.query.kind is StatementKind.UTILITY:
            continue
        try:
            pairs[statement.name] = _plans(source, copy, statement, masking)
        except Unreachable:
            raise
        except (ServerError, ParseError, UsageError) as error:
            skipped.append(f"{statement.name}: {error.message}")
    return judge_agreement(pairs, planned_on=planned_on, skipped=skipped)


def _plans(
    source: Session, copy: Session, statement: WorkloadStatement, masking: Masking
) -> list[tuple[Plan, Plan]]:
    sql = statement.query.sql
    if not statement.parameter_sets:
        generic = bool(parameter_numbers(sql))
        return [(explain(source, sql, generic=generic), explain(copy, sql, generic=generic))]
    heaviest = sorted(statement.parameter_sets, key=lambda one: -one.weight)[:SETS_A_STATEMENT]
    return [
        (
            explain(source, sql, [masking.for_source(value) for value in one.values]),
            explain(copy, sql, [masking.for_copy(value) for value in one.values]),
        )
        for one in heaviest
    ]
