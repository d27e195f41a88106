"""Which parameter sets go into the race: those that the control itself can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pgproof.model.workload import Workload, WorkloadStatement


@dataclass(frozen=True, slots=True)
class Runnable:
    """A workload without the values that fail.

    Args:
        workload: The same statements; one whose sets all fail keeps them, so that its reason is seen later.
        notes: What was left out, one for each statement concerned.
    """

    workload: Workload
    notes: tuple[str, ...] = ()


def leave_out_failing(workload: Workload, failing: Mapping[str, Mapping[int, str]]) -> Runnable:
    """Leave out the parameter sets that fail on the control.

    Values that nobody could check before (a reader may not plan a write) are checked here: a set that meets
    a constraint is left out, the statement goes on with the others.

    Args:
        workload: With all sets.
        failing: Place and reason of each failing set, by statement name.
    """
    statements, notes = [], []
    for statement in workload.statements:
        reasons = failing.get(statement.name, {})
        kept = tuple(s for k, s in enumerate(statement.parameter_sets) if k not in reasons)
        if reasons and kept:
            left_out = f"{len(reasons)} of {len(statement.parameter_sets)} parameter sets are left out"
            why = "; ".join(dict.fromkeys(reasons.values()))
            notes.append(f"{statement.name}: {left_out}, since they fail on the control: {why}")
            statement = replace(statement, parameter_sets=kept)
        statements.append(statement)
    return Runnable(replace(workload, statements=tuple(statements)), tuple(notes))


def describe_unmeasured(workload: Workload, measured: Sequence[WorkloadStatement]) -> str:
    """Say how many statements and calls of a workload no figure speaks of; empty when there are none."""
    names = {statement.name for statement in measured}
    missing = [s for s in workload.statements if s.name not in names]
    if not missing:
        return ""
    calls = sum(s.calls for s in missing)
    share = sum(workload.share_frac(s) for s in missing)
    return (
        f"unmeasured: {len(missing)} of {len(workload.statements)} statements, {calls:,.0f} calls "
        f"({share:.1%} of all); no gate or score speaks of them"
    )
