"""Choose, try, choose again: until no statement pays for what another one gains, in real bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pgproof.model.candidate import Ambition, IndexSet, Selection
from pgproof.model.figures import size
from pgproof.model.paired import PairedTiming
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.variant import Variant
from pgproof.pipeline.real_sizes import with_real_sizes
from pgproof.pipeline.recommending import recommended_first
from pgproof.pipeline.trials import Tried, corrections_of
from pgproof.stages.estimate.goal import Goal

MAX_TRIALS = 12
"""Sets that are built and timed. **Source**: judgement; three sets, and a few rounds of second thoughts."""

_NO_NEW_INDEX = "though none of the new indexes is in its plan"

Measured = Mapping[str, tuple[PairedTiming, ...]]
"""What each variant did, by its name; those that nobody tried are missing."""


def refine(
    goal: Goal,
    selection: Selection,
    as_variants: Callable[[Selection], tuple[Variant, ...]],
    measure: Callable[[Variant], Tried],
    choose_again: Callable[[Goal, Selection], Selection],
    progress: Progress = ignore_progress,
) -> tuple[Goal, Selection, Measured, tuple[str, ...]]:
    """Try the sets of a selection, the recommended one first; choose anew while one is not what it seemed.

    That is: it makes a statement slower, or, once built, it is larger than the budget.

    Args:
        goal: They were chosen by.
        selection: What to begin with; it has sets.
        as_variants: Makes variants of a selection.
        measure: Builds a variant on a clone and times what it changes.
        choose_again: Chooses sets by a goal that holds what was learned, starting from those that failed.
        progress: Told what is being done.

    Returns:
        The goal with what was learned; the sets that are left, none of which made a statement slower or broke
        the budget as far as it was tried; what each of them did; and what must be said about those that were
        given up.
    """
    learned = _Learned(goal, goal.index_bytes)
    while len(learned.seen) < MAX_TRIALS:
        ranked = recommended_first(as_variants(selection))
        variant = next((v for v in ranked if frozenset(v.changes) not in learned.seen), None)
        if variant is None:
            break
        progress(f"trial {len(learned.seen) + 1} of at most {MAX_TRIALS}, the set {variant.name}")
        if learned.take(variant, measure(variant), selection):
            progress("choosing again, with what was learned on the clone")
            selection = learned.with_passed(choose_again(learned.goal, selection))
    selection, measured = _without_losers(learned, selection, as_variants)
    return learned.goal, selection, measured, tuple(learned.notes)


@dataclass
class _Learned:
    """What trials taught so far.

    Args:
        goal: With the corrections and the real sizes.
        estimated: Sizes of the candidates before anything was built.
        built: Real sizes of those that were, by name.
        seen: What each set of changes did.
        passed: Sets that were tried and did no harm: they are not chosen anew for what others did.
        notes: What must be said, once each.
    """

    goal: Goal
    estimated: Mapping[str, int]
    built: dict[str, int] = field(default_factory=dict)
    seen: dict[frozenset[object], Tried] = field(default_factory=dict)
    passed: dict[Ambition, IndexSet] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)

    def take(self, variant: Variant, tried: Tried, selection: Selection) -> bool:
        """Learn from a trial of one of the sets of a selection; tell whether it calls for another choice."""
        self.seen[frozenset(variant.changes)] = tried
        self.notes.update(dict.fromkeys(_told(timing) for timing in tried.timings if timing.is_slower))
        self.notes.update(dict.fromkeys(map(_told_unknown, tried.unknown)))
        self.built.update(tried.index_bytes)
        news = [c for c in corrections_of(tried.timings) if c not in self.goal.corrections]
        self.goal = replace(
            self.goal,
            corrections=(*self.goal.corrections, *news),
            index_bytes=with_real_sizes(self.estimated, self.built, self.goal.indexes),
        )
        if self._is_too_large(tried):
            self.notes[_told_size(variant, tried)] = None
        if not self.is_loser(tried):
            self.passed |= {one.ambition: one for one in selection.sets if one.ambition == variant.name}
        return bool(news) or self._is_too_large(tried)

    def with_passed(self, selection: Selection) -> Selection:
        """Return a new selection with the sets that have passed in place of those of the same ambition."""
        by_ambition = {**{one.ambition: one for one in selection.sets}, **self.passed}
        by_names = {frozenset(one.names): one for _, one in sorted(by_ambition.items(), key=_least_first)}
        return replace(selection, sets=tuple(by_names.values()))

    def is_loser(self, tried: Tried) -> bool:
        """Tell whether a set is not to be proposed."""
        return any(timing.is_slower for timing in tried.timings) or self._is_too_large(tried)

    def _is_too_large(self, tried: Tried) -> bool:
        most_bytes = self.goal.budget.size_bytes
        return most_bytes is not None and sum(tried.index_bytes.values()) > most_bytes


def _without_losers(
    learned: _Learned, selection: Selection, as_variants: Callable[[Selection], tuple[Variant, ...]]
) -> tuple[Selection, Measured]:
    """Leave out the sets that are known to fail, and name those that nobody tried."""
    kept, measured = [], {}
    for chosen in selection.sets:
        variant = as_variants(replace(selection, sets=(chosen,)))[0]
        tried = learned.seen.get(frozenset(variant.changes))
        if tried is None:
            untried = f"{variant.name} was not tried on a clone: no more than {MAX_TRIALS} sets are tried"
            learned.notes[untried] = None
        elif learned.is_loser(tried):
            continue
        else:
            measured[variant.name] = tried.timings
        kept.append(chosen)
    return replace(selection, sets=tuple(kept)), measured


def _least_first(entry: tuple[Ambition, IndexSet]) -> int:
    return list(Ambition).index(entry[0])


def _told_unknown(statement: str) -> str:
    return (
        f"{statement} was stopped on the clone, with a new plan as well as without:"
        " what these indexes do to it is not known"
    )


def _told_size(variant: Variant, tried: Tried) -> str:
    total = size(sum(tried.index_bytes.values()))
    return f"a set {variant.name} took {total} once built, more than the limits allow, and was given up"


def _told(timing: PairedTiming) -> str:
    bound = "at least " if timing.is_capped else ""
    cause = f"with {', '.join(timing.indexes)}" if timing.indexes else _NO_NEW_INDEX
    return (
        f"{timing.statement} took {bound}{timing.factor:.2g} times as long on the clone, {cause}:"
        " sets that lead to that plan were given up"
    )
