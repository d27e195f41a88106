"""Choose, try, choose again: until no statement pays for what another one gains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic

from pgproof.model.candidate import Selection
from pgproof.model.paired import PairedTiming
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.variant import Variant
from pgproof.pipeline.recommending import recommended_first
from pgproof.pipeline.trials import corrections_of
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.select import choose

MAX_TRIALS = 12
"""Sets that are built and timed. **Source**: judgement; three sets, and a few rounds of second thoughts."""

_NO_NEW_INDEX = "though none of the new indexes is in its plan"

Measured = Mapping[str, tuple[PairedTiming, ...]]
"""What each variant did, by its name; those that nobody tried are missing."""


def refine(
    goal: Goal,
    selection: Selection,
    as_variants: Callable[[Selection], tuple[Variant, ...]],
    measure: Callable[[Variant], tuple[PairedTiming, ...]],
    time_limit_s: float,
    progress: Progress = ignore_progress,
) -> tuple[Goal, Selection, Measured, tuple[str, ...]]:
    """Try the sets of a selection, the recommended one first; choose anew while any makes a statement slower.

    Args:
        goal: They were chosen by.
        selection: What to begin with; it has sets.
        as_variants: Makes variants of a selection.
        measure: Builds a variant on a clone and times what it changes.
        time_limit_s: Of each choice.
        progress: Told what is being done.

    Returns:
        The goal with what was learned; the sets that are left, none of which made a statement slower as far
        as it was tried; what each of them did; and what must be said about those that were given up.
    """
    seen: dict[frozenset[object], tuple[PairedTiming, ...]] = {}
    notes: dict[str, None] = {}
    while len(seen) < MAX_TRIALS:
        ranked = recommended_first(as_variants(selection))
        variant = next((v for v in ranked if frozenset(v.changes) not in seen), None)
        if variant is None:
            break
        progress(f"trial {len(seen) + 1} of at most {MAX_TRIALS}, the set {variant.name}")
        timings = seen[frozenset(variant.changes)] = measure(variant)
        learned = [c for c in corrections_of(timings) if c not in goal.corrections]
        notes.update(dict.fromkeys(_told(timing) for timing in timings if timing.is_slower))
        if learned:
            progress("choosing again, without what made a statement slower")
            goal = replace(goal, corrections=(*goal.corrections, *learned))
            selection = choose(goal, ends_at=monotonic() + time_limit_s, progress=progress)
    return _without_losers(goal, selection, as_variants, seen, tuple(notes))


def _without_losers(
    goal: Goal,
    selection: Selection,
    as_variants: Callable[[Selection], tuple[Variant, ...]],
    seen: Mapping[frozenset[object], tuple[PairedTiming, ...]],
    notes: Sequence[str],
) -> tuple[Goal, Selection, Measured, tuple[str, ...]]:
    """Leave out the sets that are known to make a statement slower, and name those that nobody tried."""
    kept, measured, untried = [], {}, []
    for chosen in selection.sets:
        variant = as_variants(replace(selection, sets=(chosen,)))[0]
        timings = seen.get(frozenset(variant.changes))
        if timings is None:
            untried.append(
                f"{variant.name} was not tried on a clone: no more than {MAX_TRIALS} sets are tried"
            )
        elif any(timing.is_slower for timing in timings):
            continue
        else:
            measured[variant.name] = timings
        kept.append(chosen)
    return goal, replace(selection, sets=tuple(kept)), measured, (*notes, *untried)


def _told(timing: PairedTiming) -> str:
    bound = "at least " if timing.is_capped else ""
    cause = f"with {', '.join(timing.indexes)}" if timing.indexes else _NO_NEW_INDEX
    return (
        f"{timing.statement} took {bound}{timing.factor:.2g} times as long on the clone, {cause}:"
        " sets that lead to that plan were given up"
    )
