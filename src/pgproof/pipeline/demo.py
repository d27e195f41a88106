"""The demo: the whole line on a scenario that ships with the product, nothing faked."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from pgproof.config import Settings
from pgproof.model.blueprint import Blueprint
from pgproof.model.finding import Diagnosis
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.rollout import Rollout, StatementEffect
from pgproof.model.trial import Competition
from pgproof.model.workload import Workload
from pgproof.pipeline.competing import compete
from pgproof.pipeline.loading import LoadedScenario, loaded_scenario
from pgproof.pipeline.looking import check, open_target
from pgproof.pipeline.proposing import advise
from pgproof.pipeline.shipping import deploy, plan_deploy, revert
from pgproof.pipeline.wishes import Wishes
from pgproof.scenarios.application import Application, ApplicationLog
from pgproof.stages.capture.merge import adopt_counters
from pgproof.stages.capture.statements import capture_statements

CAPTURE_S = 6.0
"""Seconds the application runs before its statements are captured."""

CHOICE_S = 10.0
"""Seconds for the choice of indexes; what is found by then competes."""

RACE_S = 50.0
"""Budget of the race and the load at scale 1; smaller scales take less, down to MIN_RACE_S."""

MIN_RACE_S = 24.0


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo showed.

    Args:
        scenario: Its name.
        title: Its title.
        scale: Its size.
        server_version: Of the embedded server.
        workload: Captured.
        diagnosis: What hurt.
        blueprint: What was tried.
        run: Id of the competition.
        competition: Who won.
        rollout: The winner on the target; None without a winner.
        reverted: The same after the revert.
        sql: What was run on the target, in order.
        notes: Of the rollout.
        effects: Statements on the target before and after.
        application: What the reader and the writer did while indexes were built and removed.
        seconds: Wall time.
    """

    scenario: str
    title: str
    scale: float
    server_version: str
    workload: Workload
    diagnosis: Diagnosis
    blueprint: Blueprint
    run: str
    competition: Competition
    rollout: Rollout | None
    reverted: Rollout | None
    sql: tuple[str, ...]
    notes: tuple[str, ...]
    effects: tuple[StatementEffect, ...]
    application: ApplicationLog | None
    seconds: float

    @property
    def journey(self) -> Rollout | None:
        """The rollout at its end, with the indexes that were valid while deployed; None without one."""
        if self.rollout is None or self.reverted is None:
            return self.rollout
        return replace(self.reverted, valid_indexes=self.rollout.valid_indexes)


def demo(
    settings: Settings,
    scenario: str = "shop",
    *,
    scale: float = 1.0,
    seed: int = 1,
    progress: Progress = ignore_progress,
) -> DemoResult:
    """Load a scenario, capture, check, advise, compete, deploy and revert.

    Args:
        settings: Home, binaries, ledger.
        scenario: Its name.
        scale: 1 is the size its README names.
        seed: Of every random choice.
        progress: Told what is being done.

    Raises:
        UsageError: There is no such scenario.
        PgproofError: A stage could not do its work.
    """
    started = time.monotonic()
    with loaded_scenario(settings, scenario, scale, seed=seed, progress=progress) as loaded:
        workload = _capture_under_load(settings, loaded, seed, progress)
        looked = check(settings, loaded.dsn, workload=workload, progress=progress)
        advice = advise(
            settings,
            loaded.dsn,
            workload=workload,
            wishes=Wishes(budget=loaded.scenario.budget, time_limit_s=CHOICE_S, seed=seed),
            progress=progress,
        )
        blueprint = _fit(advice.blueprint, loaded, scale)
        raced = compete(settings, blueprint, loaded.dsn, progress=progress)
        result = DemoResult(
            scenario=loaded.scenario.name,
            title=loaded.scenario.title,
            scale=scale,
            server_version=loaded.server.version,
            workload=workload,
            diagnosis=looked.diagnosis,
            blueprint=blueprint,
            run=raced.run,
            competition=raced.competition,
            rollout=None,
            reverted=None,
            sql=(),
            notes=(),
            effects=(),
            application=None,
            seconds=0.0,
        )
        if raced.competition.winner:
            result = _ship_and_revert(settings, loaded, result, seed, progress)
    return replace(result, seconds=time.monotonic() - started)


def _capture_under_load(
    settings: Settings, loaded: LoadedScenario, seed: int, progress: Progress
) -> Workload:
    """Let the application run, and take from the server what it measured of it."""
    progress("the application is at work")
    with Application(loaded.dsn, loaded.workload, seed):
        time.sleep(CAPTURE_S)
    with open_target(settings, loaded.dsn) as session:
        measured = capture_statements(session, window_s=0.0, limit=200, min_calls=1, progress=progress)
    return adopt_counters(loaded.workload, measured, weighted=True)


def _fit(blueprint: Blueprint, loaded: LoadedScenario, scale: float) -> Blueprint:
    """Give the race a budget that suits the size of the data."""
    race = replace(blueprint.race, time_limit_s=max(MIN_RACE_S, RACE_S * min(scale, 1.0)))
    return replace(
        blueprint,
        name=loaded.scenario.title,
        goal=loaded.scenario.goal,
        race=race,
        targets=loaded.scenario.targets,
    )


def _ship_and_revert(
    settings: Settings, loaded: LoadedScenario, result: DemoResult, seed: int, progress: Progress
) -> DemoResult:
    """Deploy the winner while the application runs, look at the effect, and take it back likewise."""
    applications: list[Application] = []

    def at_work() -> AbstractContextManager[object]:
        applications.append(Application(loaded.dsn, loaded.workload, seed + len(applications)))
        return applications[-1]

    during: Callable[[], AbstractContextManager[object]] = at_work
    plan = plan_deploy(settings, result.run, loaded.dsn, progress=progress)
    shipped = deploy(settings, plan, loaded.dsn, during=during, progress=progress)
    taken = revert(settings, shipped.rollout.id, loaded.dsn, during=during, progress=progress)
    return replace(
        result,
        rollout=shipped.rollout,
        reverted=taken.rollout,
        sql=shipped.sql,
        notes=(*shipped.notes, *taken.notes),
        effects=shipped.effects,
        application=_sum([application.log() for application in applications]),
    )


def _sum(logs: list[ApplicationLog]) -> ApplicationLog:
    return ApplicationLog(
        reads=sum(log.reads for log in logs),
        writes=sum(log.writes for log in logs),
        errors=sum(log.errors for log in logs),
        worst_ms=max((log.worst_ms for log in logs), default=0.0),
        first_error=next((log.first_error for log in logs if log.first_error), ""),
    )
