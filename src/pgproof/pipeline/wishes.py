"""How somebody wants to be advised."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.errors import UsageError
from pgproof.model.candidate import Correction, IndexBudget
from pgproof.model.machine import Machine
from pgproof.pipeline.pricing import WhatIf
from pgproof.stages.estimate.select import TIME_LIMIT_S


@dataclass(frozen=True, slots=True)
class Wishes:
    """How to advise.

    Args:
        budget: What the new indexes of a variant may take; None means no limit.
        max_width: Key columns of an index, >= 1.
        what_if: Who prices candidates.
        time_limit_s: When to be content with the sets found so far.
        corrections: What real runs of earlier sets taught.
        machine: The database runs on; None proposes no settings.
        standbys_asked: The user answers for the standbys: none of them reads an index that looks unused here.
        measure: Build the sets on a clone, and choose again without what makes a statement slower.
        seed: Of the sampling of values.
    """

    budget: IndexBudget | None = None
    max_width: int = 4
    what_if: WhatIf = WhatIf.SHADOW
    time_limit_s: float = TIME_LIMIT_S
    corrections: tuple[Correction, ...] = ()
    machine: Machine | None = None
    standbys_asked: bool = False
    measure: bool = False
    seed: int = 1


def demand_sense(wishes: Wishes) -> None:
    """Refuse limits that no set of indexes could keep.

    Raises:
        UsageError: One is negative, or they contradict each other.
    """
    budget = wishes.budget or IndexBudget()
    limits = {
        "The size budget": budget.size_bytes,
        "The number of indexes": budget.count,
        "The build time": budget.build_s,
    }
    others = {"The write overhead": budget.write_frac, "The time limit": wishes.time_limit_s}
    for name, value in (limits | others).items():
        if value is not None and not value >= 0:  # NaN neither
            raise UsageError(f"{name} can't be less than zero.", hint="Leave it out for no limit.")
    if wishes.time_limit_s == 0:
        raise UsageError("A time limit of zero leaves no time to look.", hint="Give at least a second.")
    none = [name for name, value in limits.items() if value == 0]
    some = [name for name, value in limits.items() if value]
    if none and some:
        raise UsageError(
            f"The limits contradict each other. {none[0]} is zero, which admits no index at all;"
            f" {some[0][0].lower()}{some[0][1:]} is not.",
            hint="Leave out the limit that is zero, or the others.",
        )
