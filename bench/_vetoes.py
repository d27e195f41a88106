"""Our set once real runs had their say: what ``pgproof advise --measure`` ends with on a database.

Nothing here chooses: it is the product's own loop, on clones of the database, with its own clock.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench._contenders import OURS, Case, Choice
from pgproof.config import Settings
from pgproof.model.candidate import IndexBudget, IndexCandidate
from pgproof.model.change import CreateExtension, CreateIndex
from pgproof.model.variant import Variant
from pgproof.pipeline.proposing import Advice, advise
from pgproof.pipeline.wishes import Wishes

AFTER_RUNS = f"{OURS}, after real runs"


def choose_with_runs(case: Case, dsn: str, budget_bytes: int, *, time_limit_s: float, home: Path) -> Choice:
    """Let pgproof choose, build, run, and choose again until no statement is slower.

    Returns:
        Of the sets that are left, the one whose statements took least; its seconds are those of everything,
        builds and runs included, its CPU time that of this process.
    """
    wishes = Wishes(budget=IndexBudget(size_bytes=budget_bytes), time_limit_s=time_limit_s, measure=True)
    began, cpu_began = time.perf_counter(), time.process_time()
    advice = advise(Settings(home=home), dsn, workload=case.workload, wishes=wishes, progress=_Told())
    for note in advice.notes:
        print(note, file=sys.stderr, flush=True)
    variants = [variant for variant in advice.blueprint.variants if _indexes(variant)]
    best = min(variants, key=lambda variant: _spent_ms(advice, variant), default=None)
    return Choice(
        algorithm=AFTER_RUNS,
        budget_bytes=budget_bytes,
        indexes=_indexes(best) if best else (),
        planner_calls=advice.proof.planner_calls if advice.proof else 0,
        seconds=time.perf_counter() - began,
        cpu_s=time.process_time() - cpu_began,
    )


def _spent_ms(advice: Advice, variant: Variant) -> float:
    """Return what a variant adds to the workload's time on the clone; less than nothing where it helps."""
    calls = {statement.name: statement.calls for statement in advice.blueprint.workload.statements}
    timings = advice.measured.get(variant.name, ())
    return sum(calls[timing.statement] * (timing.after_ms - timing.before_ms) for timing in timings)


def _indexes(variant: Variant) -> tuple[IndexCandidate, ...]:
    extensions = tuple(change for change in variant.changes if isinstance(change, CreateExtension))
    return tuple(
        IndexCandidate(change, (), "", extensions, analyze=any(key.expression for key in change.keys))
        for change in variant.changes
        if isinstance(change, CreateIndex)
    )


class _Told:
    """Says on standard error what is being done, each thing once."""

    def __init__(self) -> None:
        self._last = ""
        self._began = time.perf_counter()

    def __call__(self, task: str, done: float = 0, total: float = 0) -> None:
        del done, total
        if task != self._last:
            print(f"{time.perf_counter() - self._began:7.1f} s  {task}", file=sys.stderr, flush=True)
        self._last = task
