"""The advisors behind one interface, ours and the references, and the one judge of all their sets."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import psutil

from bench.references import autoadmin, db2advis, dta_anytime, extend
from bench.references.candidates import permutations, relevance
from bench.references.costs import Names, WhatIf
from pgproof.model.candidate import Correction, IndexBudget, IndexCandidate, IndexSet, Selection
from pgproof.model.catalog import Catalog
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.postgres.shadow.server import Shadow
from pgproof.stages.estimate.provider import CostProvider
from pgproof.stages.estimate.select import choose_sets
from pgproof.stages.estimate.shadow import open_shadow_costs
from pgproof.stages.propose.foreign_keys import foreign_key_checks
from pgproof.stages.propose.indexes import propose_indexes

OURS = "pgproof"
SAME_CANDIDATES = "pgproof, candidates of the references"
LANES = min(2, os.cpu_count() or 1)
"""Sessions of the shadow that plan at the same time, for every contender alike."""

REFERENCES: Mapping[str, Callable[[WhatIf, int], Names]] = {
    # The public benchmark stops it where a step saves less than 0.3 %; the paper doesn't.
    "extend": partial(extend.choose, least_gain_frac=0.003),
    "extend, as in the paper": partial(extend.choose, least_gain_frac=0.0),
    "dta_anytime": dta_anytime.choose,
    "autoadmin": autoadmin.choose,
    "db2advis": db2advis.choose,
}


@dataclass(frozen=True, slots=True)
class Case:
    """A workload on a database.

    Args:
        dataset: What the lines call it.
        catalog: Of the database.
        workload: What is to become cheaper.
        checks: Look-ups of foreign keys that count as statements too.
    """

    dataset: str
    catalog: Catalog
    workload: Workload
    checks: tuple[WorkloadStatement, ...] = ()

    @property
    def statements(self) -> tuple[WorkloadStatement, ...]:
        """All that is priced."""
        return (*self.workload.statements, *self.checks)


@dataclass(frozen=True, slots=True)
class Choice:
    """What an advisor came to.

    Args:
        algorithm: Its name.
        budget_bytes: Limit it was given; None means no limit.
        indexes: Its set.
        planner_calls: Questions it asked.
        seconds: Wall time it took, candidates and provider ready.
        cpu_s: CPU time of it, the shadow's sessions included: what a busy machine changes less.
        proof: Of ours only: what it says of its own set.
        late: Of a reference: the time limit ended its search.
    """

    algorithm: str
    budget_bytes: int | None
    indexes: tuple[IndexCandidate, ...]
    planner_calls: int
    seconds: float
    cpu_s: float
    proof: Mapping[str, float] = field(default_factory=dict)
    late: bool = False

    @property
    def names(self) -> Names:
        """Names of its indexes."""
        return frozenset(candidate.name for candidate in self.indexes)


def make_case(dataset: str, catalog: Catalog, workload: Workload) -> Case:
    """Put a case together as ``pgproof advise`` would see it."""
    return Case(dataset, catalog, workload, foreign_key_checks(catalog, workload))


@contextmanager
def open_provider(
    shadow: Shadow, catalog: Catalog, candidates: Sequence[IndexCandidate]
) -> Iterator[CostProvider]:
    """Open the provider that prices candidates, the same for every contender and for the judge."""
    with open_shadow_costs(shadow, catalog, candidates, lanes=LANES) as provider:
        yield provider


def all_choices(
    shadow: Shadow, case: Case, budgets: Sequence[int], algorithms: Sequence[str], time_limit_s: float
) -> Iterator[Choice]:
    """Let the named advisors choose at each budget, one after the other."""
    if OURS in algorithms:
        yield from our_choices(shadow, case, budgets, time_limit_s)
    if {SAME_CANDIDATES, *REFERENCES}.intersection(algorithms):
        yield from reference_choices(shadow, case, budgets, algorithms, time_limit_s)


def our_choices(
    shadow: Shadow, case: Case, budgets: Iterable[int | None], time_limit_s: float
) -> Iterator[Choice]:
    """Let pgproof choose from its own candidates."""
    candidates = propose_indexes(case.catalog, case.workload)
    with open_provider(shadow, case.catalog, candidates) as provider:
        for budget in budgets:
            yield ours(shadow, provider, case, candidates, budget, time_limit_s)


def reference_choices(
    shadow: Shadow, case: Case, budgets: Iterable[int], algorithms: Sequence[str], time_limit_s: float
) -> Iterator[Choice]:
    """Let the references choose from their papers' candidates, and pgproof from the same ones."""
    candidates = permutations(case.catalog, case.statements)
    matters = relevance(case.catalog, case.statements, candidates)
    with open_provider(shadow, case.catalog, candidates) as provider:
        for budget in budgets:
            if SAME_CANDIDATES in algorithms:
                same = ours(shadow, provider, case, candidates, budget, time_limit_s)
                yield replace(same, algorithm=SAME_CANDIDATES)
            for name in REFERENCES:
                if name in algorithms:
                    asked = WhatIf(provider, case.statements, candidates, matters, time_limit_s=time_limit_s)
                    yield theirs(shadow, name, asked, budget)


def theirs(shadow: Shadow, algorithm: str, asked: WhatIf, budget_bytes: int) -> Choice:
    """Let a reference choose."""
    clock = _Clock(shadow)
    chosen = REFERENCES[algorithm](asked, budget_bytes)
    return Choice(
        algorithm,
        budget_bytes,
        tuple(asked.indexes[name] for name in sorted(chosen)),
        asked.planner_calls,
        clock.seconds,
        clock.cpu_s,
        late=asked.late,
    )


class _Clock:
    """Wall time and CPU time since it was made: of this process and of the shadow's server."""

    def __init__(self, shadow: Shadow) -> None:
        self._server = psutil.Process(shadow.server.process_id)
        self._began, self._cpu_began = time.perf_counter(), self._cpu()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    @property
    def cpu_s(self) -> float:
        return self._cpu() - self._cpu_began

    def _cpu(self) -> float:
        times = [process.cpu_times() for process in self._server.children()]
        return time.process_time() + sum(own.user + own.system for own in times)


def ours(
    shadow: Shadow,
    provider: CostProvider,
    case: Case,
    candidates: Sequence[IndexCandidate],
    budget_bytes: int | None,
    time_limit_s: float,
    corrections: Sequence[Correction] = (),
) -> Choice:
    """Let pgproof choose; of its sets, take the one that leaves the least cost."""
    clock = _Clock(shadow)
    selection = choose_sets(
        provider,
        case.catalog,
        case.workload,
        candidates,
        checks=case.checks,
        budget=IndexBudget(size_bytes=budget_bytes),
        corrections=corrections,
        time_limit_s=time_limit_s,
    )
    seconds, cpu_s = clock.seconds, clock.cpu_s
    best = min(selection.sets, key=_left, default=None)
    names = best.names if best else ()
    indexes = tuple(candidate for candidate in candidates if candidate.name in names)
    return Choice(OURS, budget_bytes, indexes, selection.planner_calls, seconds, cpu_s, _proof(selection))


def _left(found: IndexSet) -> float:
    return found.after.value + found.write_penalty.value


def _proof(selection: Selection) -> dict[str, float]:
    if selection.proof is None:
        return {}
    proof = selection.proof
    return {
        "bound_frac": round(proof.bound_frac, 5),
        "own_saved_frac": round(proof.saved_frac, 5),
        "first_s": round(proof.first_s, 3),
        "proof_s": round(proof.seconds, 3),
        "proof_calls": proof.planner_calls,
    }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of a set.

    Args:
        choice: The set.
        saved_frac: Share of the workload's cost that it saves; upkeep is left out.
        index_bytes: Its size by the provider's own estimate.
        saved_fracs: Share of each statement's cost.
    """

    choice: Choice
    saved_frac: float
    index_bytes: int
    saved_fracs: Mapping[str, float]


class Judge:
    """Prices every contender's sets alike: each statement is planned under each set."""

    def __init__(self, provider: CostProvider, case: Case, candidates: Sequence[IndexCandidate]) -> None:
        everything = frozenset(candidate.name for candidate in candidates)
        matters = {statement.name: everything for statement in case.statements}
        self._what_if = WhatIf(provider, case.statements, candidates, matters)
        self._before = self._what_if.total(frozenset())

    @property
    def skipped(self) -> list[str]:
        """Return the statements that have no plan and count for nothing, sorted."""
        return sorted(self._what_if.skipped)

    def judge(self, choice: Choice) -> Verdict:
        """Price a set."""
        asked = self._what_if
        return Verdict(
            choice,
            1 - asked.total(choice.names) / self._before if self._before else 0.0,
            asked.size(choice.names),
            {name: self._saved_frac(name, choice) for name in asked.statements},
        )

    def _saved_frac(self, statement: str, choice: Choice) -> float:
        before, after = self._what_if.costs(statement, [frozenset(), choice.names])
        return 1 - after / before if before else 0.0


@contextmanager
def open_judge(shadow: Shadow, case: Case, choices: Iterable[Choice]) -> Iterator[Judge]:
    """Open a provider with the indexes of all sets, and judge by it."""
    candidates = {candidate.name: candidate for choice in choices for candidate in choice.indexes}
    ordered = [candidates[name] for name in sorted(candidates)]
    with open_provider(shadow, case.catalog, ordered) as provider:
        yield Judge(provider, case, ordered)
