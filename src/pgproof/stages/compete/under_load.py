"""All arms under concurrent load: each of the blueprint's load profiles in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgproof.model.blueprint import Blueprint, LoadProfile
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.trial import ArmRole
from pgproof.stages.compete.arms import BuiltArm
from pgproof.stages.compete.load import LoadTarget, run_load
from pgproof.stages.compete.load_log import LoadLog
from pgproof.stages.compete.observe import Observed
from pgproof.stages.compete.race import RaceOutcome

LOAD_SHARE_FRAC = 0.4
"""Most of the time limit that is kept for the load; the race gets the rest."""

_SLICE_OVERHEAD_S = 0.3


@dataclass(frozen=True, slots=True)
class UnderLoad:
    """What the clients saw.

    Args:
        logs: Of the first profile, by arm.
        further: Of the others, by their name and arm.
        notes: What a reader must know.
    """

    logs: Mapping[str, LoadLog]
    further: Mapping[str, Mapping[str, LoadLog]]
    notes: tuple[str, ...]


def put_under_load(
    arms: Sequence[BuiltArm],
    blueprint: Blueprint,
    seen: Observed,
    race: RaceOutcome,
    progress: Progress = ignore_progress,
) -> UnderLoad:
    """Put all arms that are still in the race under load, profile by profile.

    The canary takes part in the first profile only: it says whether the generator can be trusted, once.

    Args:
        arms: That stand.
        blueprint: Its profiles and their time.
        seen: Which statements were left out.
        race: Who left early, and the statement timeout that fits.
        progress: Told how many turns are done.

    Raises:
        TrialFailed: The clone server lets nobody in.
    """
    statements = [s for s in blueprint.workload.statements if s.name not in seen.skipped]
    staying = [arm for arm in arms if arm.name not in race.dropped]
    profiles = (blueprint.load, *blueprint.further_loads)
    whole_s = load_share_s(blueprint, len(arms))
    wanted_s = sum(_wanted_s(profile, 1) for profile in profiles)
    logs: list[Mapping[str, LoadLog]] = []
    notes: list[str] = []
    for number, profile in enumerate(profiles):
        targets = [LoadTarget(a.name, a.dsn) for a in staying if not number or a.role is not ArmRole.CANARY]
        outcome = run_load(
            targets,
            statements,
            profile,
            seed=blueprint.race.seed + number,
            time_limit_s=whole_s * _wanted_s(profile, 1) / wanted_s,
            statement_timeout_ms=race.timeout_ms,
            progress=progress,
        )
        logs.append(outcome.logs)
        told = (*outcome.notes, *((outcome.health.ill,) if outcome.health.ill else ()))
        notes += [f"{profile.name}: {note}" if number else note for note in told]
    names = [profile.name for profile in profiles[1:]]
    return UnderLoad(logs[0], dict(zip(names, logs[1:], strict=True)), tuple(notes))


def load_share_s(blueprint: Blueprint, arms: int) -> float:
    """Return the part of the time limit that is kept for the load, in seconds."""
    wanted = sum(_wanted_s(profile, arms) for profile in (blueprint.load, *blueprint.further_loads))
    return min(wanted, blueprint.race.time_limit_s * LOAD_SHARE_FRAC)


def _wanted_s(profile: LoadProfile, arms: int) -> float:
    return profile.slices * (profile.slice_s + _SLICE_OVERHEAD_S) * arms
