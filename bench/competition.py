"""How far a competition can be trusted, and what it costs: false winners, executions until a decision.

One competition among equals is really held and its samples kept; many are then played back from them through
the same code. Prints JSON lines.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

from bench._playback import Played, Tape, play
from pgproof.model.blueprint import Blueprint, RacePlan
from pgproof.model.workload import Workload
from pgproof.stages.compete.competition import Held
from pgproof.stages.compete.selfcheck import run_selfcheck

ARMS = 4
LEAD = 0.7
"""A variant that takes 30 % less time."""

FIXED_ROUNDS = 300


def emit(what: str, **figures: object) -> None:
    """Print one JSON line."""
    print(json.dumps({"bench": "competition", "what": what, **figures}), flush=True)


def record(seconds: float) -> Held:
    """Hold a competition among equals on a server of our own."""
    with tempfile.TemporaryDirectory(prefix="pgproof-bench-") as home:
        return run_selfcheck(home=Path(home), arms=ARMS, time_limit_s=seconds)


def blueprint_of(held: Held) -> Blueprint:
    """Return a competition as the demo would hold it, on the workload that was recorded."""
    workload = Workload(held.record.statements, "bench")
    return Blueprint("played", "played back", workload, (), race=RacePlan(max_rounds=FIXED_ROUNDS))


def play_all(
    tape: Tape, blueprint: Blueprint, ratios: Sequence[float], count: int, *, settle: bool = True
) -> list[Played]:
    """Play ``count`` races that differ in their seed, on all processors."""
    one = partial(_play_seed, tape, blueprint, tuple(ratios), settle)
    with ProcessPoolExecutor() as pool:
        return list(pool.map(one, range(count), chunksize=max(1, count // 40)))


def _play_seed(tape: Tape, blueprint: Blueprint, ratios: Sequence[float], settle: bool, seed: int) -> Played:
    return play(tape, blueprint, ratios, seed, settle=settle)


def false_winners(tape: Tape, blueprint: Blueprint, count: int) -> None:
    """Play competitions among equals: nobody may win."""
    played = play_all(tape, blueprint, (1.0,) * ARMS, count)
    emit(
        "simulated, equal arms",
        competitions=count,
        arms=ARMS,
        false_winner_frac=sum(bool(p.better) and not p.void for p in played) / count,
        void_frac=sum(p.void for p in played) / count,
    )


def planted(tape: Tape, blueprint: Blueprint, ratio: float, count: int) -> None:
    """Play competitions with one arm that is really slower or faster."""
    played = play_all(tape, blueprint, (ratio,), count)
    emit(
        "simulated, planted",
        ratio=ratio,
        competitions=count,
        better_frac=sum("v1" in p.better for p in played) / count,
        worse_frac=sum("v1" in p.worse for p in played) / count,
        void_frac=sum(p.void for p in played) / count,
    )


def executions(tape: Tape, blueprint: Blueprint, count: int) -> None:
    """Compare what a decision at a 30 % lead costs with a race of a fixed number of rounds."""
    until = play_all(tape, blueprint, (LEAD,), count)
    fixed = play_all(tape, blueprint, (LEAD,), count, settle=False)
    shares = [a.executions / b.executions for a, b in zip(until, fixed, strict=True)]
    emit(
        "simulated, 30 % lead",
        competitions=count,
        executions_vs_fixed_at_30pct=round(median(shares), 4),
        worst_executions_vs_fixed=round(max(shares), 4),
        fixed_rounds=FIXED_ROUNDS,
        right_frac=sum(p.better == ("v1",) for p in until) / count,
    )


def real(count: int, seconds: float) -> None:
    """Really hold competitions among equals, one after the other."""
    won = void = 0
    effects = []
    for _ in range(count):
        competition = record(seconds).competition
        won += competition.winner is not None
        void += competition.void
        effects.append(competition.detectable_effect_frac)
    emit(
        "real, equal arms",
        competitions=count,
        arms=ARMS,
        seconds_each=seconds,
        false_winner_frac=won / count,
        void_frac=void / count,
        detectable_effect_frac=round(median(effects), 4),
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--short", action="store_true", help="40 races of a kind played back, 2 held")
    short = options.parse_args().short
    started = time.monotonic()
    held = record(30.0 if short else 120.0)
    tape, blueprint = Tape(held), blueprint_of(held)
    emit(
        "recorded",
        rounds=held.record.race.rounds,
        detectable_effect_frac=round(held.competition.detectable_effect_frac, 4),
        void=held.competition.void,
    )
    false_winners(tape, blueprint, 40 if short else 1000)
    executions(tape, blueprint, 20 if short else 100)
    for ratio in (0.9, 1.1):
        planted(tape, blueprint, ratio, 20 if short else 100)
    real(2 if short else 20, 30.0 if short else 60.0)
    emit("ran on", machine=platform.machine(), cpus=os.cpu_count(), seconds=round(time.monotonic() - started))


if __name__ == "__main__":
    main()
