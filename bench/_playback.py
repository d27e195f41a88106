"""Races played back from recorded noise: the race's own code, on times measured once among equals."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pgproof.model.blueprint import Blueprint
from pgproof.model.trial import Verdict
from pgproof.model.variant import CANARY, CONTROL, Variant
from pgproof.model.workload import ParameterSet, WorkloadStatement
from pgproof.stages.compete.comparison import Rules, compare_arms, make_rules
from pgproof.stages.compete.competition import Held
from pgproof.stages.compete.measure import Lane
from pgproof.stages.compete.observe import Observed
from pgproof.stages.compete.race import RaceOutcome, run_race
from pgproof.stages.compete.samples import Sample

BLOCK_ROUNDS = 8
"""Neighbouring rounds stay neighbours, so that drift stays drift."""


class Tape:
    """What equal arms took, round by round.

    Args:
        held: A competition among equals, with all its samples.
    """

    def __init__(self, held: Held) -> None:
        record = held.record
        self.statements = record.statements
        self.arms = tuple(arm.name for arm in record.arms if not arm.failure)
        self.rounds: dict[str, list[dict[str, Sample]]] = {}
        for statement in self.statements:
            by_round: dict[int, dict[str, Sample]] = {}
            for arm in self.arms:
                for sample in record.race.samples.of(arm, statement.name):
                    by_round.setdefault(sample.round, {})[arm] = sample
            whole = [found for _, found in sorted(by_round.items()) if len(found) == len(self.arms)]
            self.rounds[statement.name] = whole
        self.cost_ms = dict(record.seen.cost_ms[CONTROL.name])


@dataclass
class Playback:
    """One race on a tape, with effects planted.

    Its clock shows what was played, and the real time that judging took.

    Args:
        tape: Where times come from.
        effects: By arm: by how much its times are multiplied.
        seed: Of the order of the tape's blocks, and of the arms' places in each: equals can change places,
            so that what one of them happened to have on the tape is nobody's lasting advantage.
    """

    tape: Tape
    effects: Mapping[str, float]
    seed: int

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._place: dict[tuple[str, str], str] = {}
        self._at: dict[str, tuple[int, int]] = {}
        self._began_s = time.process_time()
        self._played_s = 0.0
        self.executions = 0

    def clock(self) -> float:
        """Return seconds since the race began."""
        return self._played_s + time.process_time() - self._began_s

    def sample(self, arm: str, statement: WorkloadStatement, sets: int, number: int) -> Sample:
        """Return what an arm takes in a round; all arms of one round stand at one place of the tape."""
        found = self._recorded(statement.name, number)
        recorded = found[self._place[statement.name, arm]]
        walls = [recorded.walls_ms[i % len(recorded.walls_ms)] * self.effects[arm] for i in range(sets)]
        cpu = None if recorded.cpu_ms is None else recorded.cpu_ms * self.effects[arm]
        self._played_s += sum(walls) / 1000.0
        self.executions += sets
        return Sample(arm, statement.name, number, tuple(walls), cpu)

    def _recorded(self, statement: str, number: int) -> dict[str, Sample]:
        rounds = self.tape.rounds[statement]
        seen, at = self._at.get(statement, (-1, 0))
        if seen != number:
            if seen < 0 or number % BLOCK_ROUNDS == 0:
                at = self._random.randrange(len(rounds))
                places = self._random.sample(self.tape.arms, len(self.tape.arms))
                self._place |= {
                    (statement, arm): place for arm, place in zip(self.effects, places, strict=False)
                }
            else:
                at = (at + 1) % len(rounds)
            self._at[statement] = number, at
        return rounds[at]


class PlayedLane(Lane):
    """An arm whose times come from a tape; no server is asked."""

    def __init__(self, arm: str, playback: Playback) -> None:
        self.arm = arm
        self.server_pid = None
        self._playback = playback

    def set_timeout(self, timeout_ms: int) -> None:
        """Do nothing: nothing is executed."""

    def sample(self, statement: WorkloadStatement, sets: Sequence[ParameterSet], round_number: int) -> Sample:
        """Return the tape's times."""
        return self._playback.sample(self.arm, statement, len(sets), round_number)


@dataclass(frozen=True, slots=True)
class Played:
    """A race that was played back.

    Args:
        better: Arms with the verdict BETTER against the control.
        worse: Arms with the verdict WORSE.
        void: Canary and control differ.
        executions: Of all arms.
    """

    better: tuple[str, ...]
    worse: tuple[str, ...]
    void: bool
    executions: int


def play(
    tape: Tape, blueprint: Blueprint, ratios: Sequence[float], seed: int, *, settle: bool = True
) -> Played:
    """Race variants with these ratios to the control; the blueprint's variants are replaced."""
    names = [f"v{i + 1}" for i in range(len(ratios))]
    effects = {CONTROL.name: 1.0, CANARY.name: 1.0, **dict(zip(names, ratios, strict=True))}
    playback = Playback(tape, effects, seed)
    variants = tuple(Variant(name, "played back", ()) for name in names)
    fitted = replace(blueprint, variants=variants, race=replace(blueprint.race, seed=seed))
    rules = make_rules(fitted.race.confidence, len(names), fitted.race.min_rounds)
    seen = Observed(cost_ms={arm: dict(tape.cost_ms) for arm in effects})
    outcome = run_race(
        [PlayedLane(arm, playback) for arm in effects],
        fitted,
        tape.statements,
        seen,
        rules,
        time_limit_s=fitted.race.time_limit_s,
        settle=settle,
        clock=playback.clock,
    )
    found = {arm: _compare(outcome, tape, arm, rules) for arm in (CANARY.name, *names)}
    return Played(
        better=tuple(name for name in names if found[name] is Verdict.BETTER),
        worse=tuple(name for name in names if found[name] is Verdict.WORSE),
        void=found[CANARY.name] in (Verdict.BETTER, Verdict.WORSE),
        executions=playback.executions,
    )


def _compare(outcome: RaceOutcome, tape: Tape, arm: str, rules: Rules) -> Verdict:
    found = compare_arms(
        outcome.samples, tape.statements, arm, CONTROL.name, rounds=outcome.rounds, rules=rules, blocks={}
    )
    return found.verdict
