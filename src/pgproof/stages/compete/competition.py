"""The course of a competition, from the blueprint to the decision."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pgproof.errors import TrialFailed, Unreachable
from pgproof.model.blueprint import Blueprint
from pgproof.model.catalog import Catalog
from pgproof.model.figures import percent, ratio, span
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.trial import ArmResult, ArmRole, CloneInfo, Competition, Equality, Verdict
from pgproof.model.variant import CANARY, CONTROL
from pgproof.postgres.session import open_session
from pgproof.stages.compete.allowance import within_budget
from pgproof.stages.compete.arms import BuiltArm, build_arm
from pgproof.stages.compete.clones import CloneHost, open_clones
from pgproof.stages.compete.comparison import Rules, make_rules
from pgproof.stages.compete.equality import Comparer
from pgproof.stages.compete.measure import Lane, is_parallel, why_not_executable
from pgproof.stages.compete.observe import Observed, observe_arms
from pgproof.stages.compete.race import RaceOutcome, run_race
from pgproof.stages.compete.result import Record, judge_gates, make_arm_result, make_entries
from pgproof.stages.compete.score import choose_winner, explain_decision, explain_no_proposal, score_entries
from pgproof.stages.compete.shortage import describe_shortage
from pgproof.stages.compete.under_load import load_share_s, put_under_load
from pgproof.stages.compete.unsupported import refuse_unsupported
from pgproof.stages.compete.values import describe_unmeasured, leave_out_failing

ANSWERS_FRAC = 0.2
"""Share of the time limit that the control's answers, against which all arms are compared, may take."""

UNMEASURED_NAMED = 5
"""Names given of the statements that were not measured."""

CANARY_SETS = 3
"""Parameter sets compared on the canary, which is the control once more."""


@dataclass(frozen=True, slots=True)
class Held:
    """A competition with the samples behind it.

    Args:
        competition: The result.
        record: What it was made from, for the manifest.
    """

    competition: Competition
    record: Record


def run_competition(
    blueprint: Blueprint,
    target_dsn: str,
    *,
    home: Path,
    clone_bindir: Path | None = None,
    settle: bool = True,
    progress: Progress = ignore_progress,
) -> Competition:
    """Let a blueprint's variants compete on clones of a database, and say which one wins, if any.

    The target is only read. All clones and their server are gone at the end, also after an error or Ctrl-C.

    Args:
        blueprint: Workload, variants, rules.
        target_dsn: The database that is cloned.
        home: Folder of pgproof; the clones lie there.
        clone_bindir: Programs of the PostgreSQL on which arms run; None chooses.
        settle: Stop as soon as the figures are clear; False uses all the time.
        progress: Told what is being done.

    Raises:
        Refused: The blueprint asks for what is not run yet.
        Unreachable, CapabilityMissing: The target can't be read.
        EmbeddedServerError: There is no server for the clones, or the target couldn't be copied.
        TrialFailed: The disk is too small, no statement could be measured, or the clone server broke down.
    """
    return hold_competition(
        blueprint, target_dsn, home=home, clone_bindir=clone_bindir, settle=settle, progress=progress
    ).competition


def hold_competition(
    blueprint: Blueprint,
    target_dsn: str,
    *,
    home: Path,
    clone_bindir: Path | None = None,
    settle: bool = True,
    progress: Progress = ignore_progress,
) -> Held:
    """Do what `run_competition` does, and keep the samples for a manifest (see ``manifest.py``)."""
    refuse_unsupported(blueprint)
    writes = any(not statement.query.read_only for statement in blueprint.workload.statements)
    with open_clones(
        target_dsn,
        home=home,
        arms=len(blueprint.variants) + 2,
        writes=writes,
        storage_bytes=blueprint.budget.storage_bytes,
        clone_bindir=clone_bindir,
        progress=progress,
    ) as (host, catalog):
        return compete_on(host, catalog, blueprint, settle=settle, progress=progress)


def compete_on(
    host: CloneHost,
    catalog: Catalog,
    blueprint: Blueprint,
    *,
    settle: bool = True,
    progress: Progress = ignore_progress,
) -> Held:
    """Hold a competition on a clone host that stands ready.

    Args:
        host: Makes the arms.
        catalog: Of the target.
        blueprint: Workload, variants, rules.
        settle: Stop as soon as the figures are clear.
        progress: Told what is being done.

    Raises:
        TrialFailed: No statement could be measured, the time budget is used up, or the clone server broke
            down.
    """
    started_at, started = datetime.now(UTC), time.monotonic()
    with _build_arms(host, catalog, blueprint, progress) as arms:
        blueprint, cut = within_budget(blueprint, host.info.seconds + time.monotonic() - started)
        standing = [arm for arm in arms if not arm.failure]
        equalities, failing, known_ms = _compare_results(standing, blueprint, progress)
        barred = [name for name, found in equalities.items() if any(e.equal is False for e in found)]
        runnable = leave_out_failing(blueprint.workload, failing)
        fitted = replace(blueprint, workload=runnable.workload)
        seen, race = _race(standing, fitted, known_ms, barred, settle, progress)
        statements = tuple(s for s in fitted.workload.statements if s.name not in seen.skipped)
        load = put_under_load(standing, fitted, seen, race, progress)
    record = Record(
        blueprint=blueprint,
        arms=arms,
        statements=statements,
        equalities=equalities,
        seen=seen,
        race=race,
        logs=load.logs,
        further_logs=load.further,
        rules=_rules_of(blueprint),
    )
    notes = (*([cut] if cut else []), *runnable.notes, *_notes(record), *load.notes)
    competition = conclude(record, host.info, started_at, time.monotonic() - started, notes)
    return Held(competition, record)


def conclude(
    record: Record, clone: CloneInfo, started_at: datetime, seconds: float, notes: tuple[str, ...] = ()
) -> Competition:
    """Judge what was measured; touches no server.

    Args:
        record: What was measured.
        clone: How arms were made.
        started_at: Aware.
        seconds: Wall time of the whole.
        notes: For the reader.
    """
    variants = [arm for arm in record.arms if arm.role is ArmRole.VARIANT]
    gates = {arm.name: judge_gates(record, arm) for arm in variants}
    entries = make_entries(record, gates)
    scores = score_entries(entries, record.blueprint.weights)
    void, missing = find_void(record), find_unmeasured(record)
    winner = None if void else choose_winner(entries, scores)
    decision = explain_decision(entries, scores, winner, void)
    reasons: tuple[str, ...] = ()
    if not record.blueprint.variants and not void:
        reasons = record.blueprint.notes
        decision = explain_no_proposal(reasons)
    results = [make_arm_result(record, a, gates.get(a.name, ()), scores.get(a.name)) for a in record.arms]
    return Competition(
        blueprint=record.blueprint.name,
        started_at=started_at,
        seconds=seconds,
        clone=clone,
        arms=tuple(sorted(results, key=lambda arm: _rank(arm, winner))),
        winner=winner,
        decision=" ".join((decision, *missing[:1])),
        interval=record.comparisons[winner].interval if winner else None,
        void=bool(void),
        rounds=record.race.rounds,
        detectable_effect_frac=find_detectable(record),
        seed=record.blueprint.race.seed,
        skipped=tuple(f"{name}: {reason}" for name, reason in record.seen.skipped.items()),
        notes=(*reasons[1:], *missing[1:], f"the race ended because {record.race.stopped}", *notes),
    )


def find_detectable(record: Record) -> float:
    """Return the smallest effect these rounds could show; infinite where stopped executions hide it."""
    if any(record.race.samples.timed_out(CONTROL.name, s.name) for s in record.statements):
        return math.inf
    interval = record.comparisons[CANARY.name].interval
    return (interval.high - interval.low) / 2.0


def find_unmeasured(record: Record) -> tuple[str, ...]:
    """Say how much of the workload was not measured: once short for the decision, once with names for a note.

    Returns:
        Both, or nothing when all of it was measured.
    """
    workload = record.blueprint.workload
    lost = [statement for statement in workload.statements if statement.name in record.seen.skipped]
    if not lost:
        return ()
    share = percent(sum(workload.share_frac(statement) for statement in lost))
    timed = [s.counters.total_ms for s in workload.statements if s.counters]
    if sum(timed) > 0:
        lost_ms = sum(s.counters.total_ms for s in lost if s.counters)
        share = f"{share} of the calls, {percent(lost_ms / sum(timed))} of the time,"
    else:
        share = f"{share} of the calls"
    named = ", ".join(statement.name for statement in lost[:UNMEASURED_NAMED])
    more = f" and {len(lost) - UNMEASURED_NAMED} more" if len(lost) > UNMEASURED_NAMED else ""
    return f"{share} were not measured.", f"{share} were not measured: nothing is said about {named}{more}"


def find_void(record: Record) -> str:
    """Say why nothing can be concluded (the two controls were not equal); empty when something can."""
    canary = record.comparisons[CANARY.name]
    if canary.verdict in (Verdict.BETTER, Verdict.WORSE):
        return (
            f"two identical clones differ: the canary takes {ratio(canary.ratio)} of the control's time "
            f"({span(canary.interval)})"
        )
    different = [e.statement for e in record.equalities.get(CANARY.name, ()) if e.equal is False]
    if different:
        return f"two identical clones gave different answers to {', '.join(different)}"
    return ""


@contextmanager
def _build_arms(
    host: CloneHost, catalog: Catalog, blueprint: Blueprint, progress: Progress
) -> Iterator[tuple[BuiltArm, ...]]:
    """Build control, canary and variants in random order; drop all of them at the end."""
    wanted = [(CONTROL, ArmRole.CONTROL), (CANARY, ArmRole.CANARY)]
    wanted += [(variant, ArmRole.VARIANT) for variant in blueprint.variants]
    order = list(range(len(wanted)))
    random.Random(blueprint.race.seed).shuffle(order)
    built: dict[int, BuiltArm] = {}
    with ExitStack() as undo:
        for done, position in enumerate(order):
            variant, role = wanted[position]
            clone = f"pgproof_arm_{position}"
            progress("building arms", done, len(wanted))
            undo.callback(host.drop, clone)
            built[position] = build_arm(host, variant, role, clone, catalog, progress)
        yield tuple(built[position] for position in range(len(wanted)))


def _compare_results(
    arms: Sequence[BuiltArm], blueprint: Blueprint, progress: Progress
) -> tuple[dict[str, tuple[Equality, ...]], dict[str, dict[int, str]], dict[str, float]]:
    """Compare every arm's answers with the control's.

    Returns:
        What was found, by arm; the parameter sets that fail on the control, by statement; and the
        milliseconds it took to answer, by statement, infinite where it was stopped.
    """
    race = blueprint.race
    statements = [s for s in blueprint.workload.statements if not why_not_executable(s)]
    found: dict[str, list[Equality]] = {arm.name: [] for arm in arms if arm.role is not ArmRole.CONTROL}
    with ExitStack() as sessions:
        by_arm = {
            arm.name: sessions.enter_context(
                open_session(arm.dsn, read_only=False, statement_timeout_ms=race.statement_timeout_ms)
            )
            for arm in arms
        }
        comparer = Comparer(by_arm[CONTROL.name], race.time_limit_s * ANSWERS_FRAC, len(statements))
        for done, statement in enumerate(statements):
            progress("comparing results", done, len(statements))
            for name, equalities in found.items():
                most_sets = CANARY_SETS if name == CANARY.name else None
                try:
                    equalities.append(comparer.compare(statement, by_arm[name], most_sets))
                except Unreachable as error:
                    raise _broken(error) from error
    failing = {statement.name: comparer.failing(statement) for statement in statements}
    return {name: tuple(equalities) for name, equalities in found.items()}, failing, comparer.first_ms


def _race(
    arms: Sequence[BuiltArm],
    blueprint: Blueprint,
    known_ms: Mapping[str, float],
    barred: Sequence[str],
    settle: bool,
    progress: Progress,
) -> tuple[Observed, RaceOutcome]:
    race = blueprint.race
    limit_s, started = race.time_limit_s - load_share_s(blueprint, len(arms)), time.monotonic()
    with ExitStack() as open_lanes:
        lanes = [open_lanes.enter_context(Lane(arm.name, arm.dsn, race.statement_timeout_ms)) for arm in arms]
        seen = observe_arms(
            lanes,
            blueprint.workload.statements,
            time_limit_s=limit_s,
            timeout_ms=race.statement_timeout_ms,
            known_ms=known_ms,
            progress=progress,
        )
        statements = [s for s in blueprint.workload.statements if s.name not in seen.skipped]
        if not statements:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in seen.skipped.items())
            raise TrialFailed(
                "No statement of the workload could be measured.",
                hint=f"Give parameter values in the workload file, or capture them. {reasons}",
            )
        outcome = run_race(
            lanes,
            blueprint,
            statements,
            seen,
            _rules_of(blueprint),
            time_limit_s=limit_s - (time.monotonic() - started),
            settle=settle,
            barred=barred,
            progress=progress,
        )
    return seen, outcome


def _notes(record: Record) -> list[str]:
    """Say what limits the verdict."""
    notes = []
    if unmeasured := describe_unmeasured(record.blueprint.workload, record.statements):
        notes.append(unmeasured)
    notes.extend(describe_shortage(record))
    parallel = sorted(
        {name for plans in record.seen.plans.values() for name, plan in plans.items() if is_parallel(plan)}
    )
    if parallel:
        notes.append(f"on-CPU time leaves out parallel workers, which serve: {', '.join(parallel)}")
    if record.comparisons[CANARY.name].cpu_ratio is None:
        notes.append("on-CPU time could not be read here, so wall time alone decides")
    if any(not statement.query.read_only for statement in record.statements):
        notes.append("writes are rolled back in the race: the flush at commit is not in their times there")
    return notes


def _rank(arm: ArmResult, winner: str | None) -> tuple[int, bool, float]:
    """Order arms: control, winner, other variants by score, disqualified ones, canary."""
    position = {ArmRole.CONTROL: 0, ArmRole.VARIANT: 1, ArmRole.CANARY: 3}[arm.role]
    if arm.role is ArmRole.VARIANT and not arm.gates_passed:
        position = 2
    return position, arm.name != winner, -(arm.score.total if arm.score else 0.0)


def _rules_of(blueprint: Blueprint) -> Rules:
    return make_rules(blueprint.race.confidence, max(len(blueprint.variants), 1), blueprint.race.min_rounds)


def _broken(error: Exception) -> TrialFailed:
    return TrialFailed(
        "The clone server broke down during the competition; nothing can be concluded.",
        hint=f"It said: {error}",
    )
