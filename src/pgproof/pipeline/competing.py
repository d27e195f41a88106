"""Compete and selfcheck: race variants on clones, or the control against itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pgproof.config import Settings
from pgproof.errors import UsageError
from pgproof.model.blueprint import Blueprint
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.trial import Competition
from pgproof.pipeline.memory import demand_memory, ledger_of, make_home, remember
from pgproof.stages.compete import hold_competition, manifest, run_selfcheck

COMPETITION = "competition"


@dataclass(frozen=True, slots=True)
class Raced:
    """A competition that was just held.

    Args:
        run: Its id in the ledger.
        competition: The result.
        manifest: Everything that was measured, ready for JSON: enough to compute the verdict anew.
    """

    run: str
    competition: Competition
    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CompetitionRun:
    """What the ledger keeps of a competition."""

    blueprint: Blueprint
    competition: Competition


def compete(
    settings: Settings, blueprint: Blueprint, dsn: str, *, progress: Progress = ignore_progress
) -> Raced:
    """Race a blueprint's variants on clones of a database.

    Args:
        settings: Home, binaries, ledger.
        blueprint: What competes.
        dsn: Of the database; only read.
        progress: Told what is being done.

    Returns:
        The result; it is in the ledger, the manifest is not.

    Raises:
        TrialFailed: It could not be carried through.
        Unreachable, ServerError, EmbeddedServerError: As the servers say.
    """
    demand_memory(settings)
    held = hold_competition(
        blueprint, dsn, home=settings.home, clone_bindir=settings.bindir, progress=progress
    )
    aside = tuple(map(str, blueprint.workload.set_aside))
    competition = replace(held.competition, notes=(*aside, *held.competition.notes))
    run = remember(settings, COMPETITION, blueprint.name, CompetitionRun(blueprint, competition))
    return Raced(run, competition, manifest(held))


def find_competition(settings: Settings, reference: str) -> tuple[str, Competition]:
    """Return a competition from the ledger, with its id.

    Args:
        settings: Which ledger.
        reference: An id, a unique beginning of one, or "last".

    Raises:
        UsageError: There is no such competition.
    """
    run, _, competition = find_run(settings, reference)
    return run, competition


def find_run(settings: Settings, reference: str) -> tuple[str, Blueprint, Competition]:
    """Return a competition from the ledger with its id and its blueprint; see `find_competition`."""
    with ledger_of(settings) as ledger:
        run = ledger.run(f"last:{COMPETITION}" if reference == "last" else reference)
    if run.kind != COMPETITION:
        raise UsageError(
            f"{run.id} is a {run.kind} run, not a competition.", hint="`pgproof runs` lists what there is."
        )
    body = run.load(CompetitionRun)
    return run.id, body.blueprint, body.competition


def selfcheck(
    settings: Settings,
    *,
    arms: int = 4,
    time_limit_s: float = 60.0,
    seed: int = 1,
    progress: Progress = ignore_progress,
) -> Competition:
    """Race identical arms of a small embedded database, to see what this host can measure.

    Args:
        settings: Home and binaries of the embedded servers.
        arms: Identical arms beside the control, >= 1.
        time_limit_s: Of the whole check, in seconds.
        seed: Of every random choice.
        progress: Told what is being done.
    """
    make_home(settings)
    return run_selfcheck(
        home=settings.home,
        bindir=settings.bindir,
        arms=arms,
        time_limit_s=time_limit_s,
        seed=seed,
        progress=progress,
    ).competition
