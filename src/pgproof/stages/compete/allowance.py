"""What a blueprint's time budget leaves for the measurement."""

from __future__ import annotations

from dataclasses import replace

from pgproof.errors import TrialFailed
from pgproof.model.blueprint import Blueprint

LEAST_S = 5.0
"""A race of fewer seconds can't show anything. **Source**: ten rounds of a few arms and statements."""


def within_budget(blueprint: Blueprint, spent_s: float) -> tuple[Blueprint, str]:
    """Cut the race to what the budget leaves of it.

    Args:
        blueprint: With or without a time budget.
        spent_s: Seconds that the copy, the clones and the builds took.

    Returns:
        The blueprint to race by, and a note for readers where it was cut (else empty).

    Raises:
        TrialFailed: Nothing worth measuring is left.
    """
    limit_s = blueprint.budget.time_limit_s
    if limit_s is None or limit_s - spent_s >= blueprint.race.time_limit_s:
        return blueprint, ""
    left_s = limit_s - spent_s
    if left_s < LEAST_S:
        raise TrialFailed(
            f"The time budget of {limit_s:g} s is used up: copying the database and building the variants "
            f"took {spent_s:.0f} s.",
            hint="Raise budget.time_limit_s, or let fewer variants compete. Nothing was measured.",
            context={"spent_s": round(spent_s, 1), "limit_s": limit_s},
        )
    told = (
        f"the race was cut from {blueprint.race.time_limit_s:g} s to {left_s:.0f} s: "
        f"that is what the time budget of {limit_s:g} s left of it"
    )
    return replace(blueprint, race=replace(blueprint.race, time_limit_s=left_s)), told
