"""An arm: one clone with one variant's changes applied by the steps that production would run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pgproof.changes import (
    all_refusals,
    backward_steps,
    effective_changes,
    forward_steps,
    race_refusals,
    verify_steps,
)
from pgproof.errors import ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CreateIndex, Step
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.relation import RelationName
from pgproof.model.trial import ArmRole
from pgproof.model.variant import Variant
from pgproof.postgres.execute import run_steps
from pgproof.postgres.expression_statistics import analyze_expressions
from pgproof.postgres.policy import ON_CLONE
from pgproof.postgres.session import Session, open_session
from pgproof.stages.compete.clones import CloneHost


@dataclass(frozen=True, slots=True)
class BuiltArm:
    """A clone that is ready to be measured, or why it is not.

    Args:
        name: Of its variant, or "control" / "canary".
        role: Why it is there.
        variant: What was applied.
        dsn: Of the clone; never printed.
        clone: The clone's name at its host.
        failure: Why the variant could not be applied, empty when it was.
        build_ms: Time of its steps.
        wal_bytes: WAL they wrote.
        index_bytes: Index bytes added (negative when indexes were dropped).
        index_bytes_before: All index bytes before.
        steps: What was run, in order, as it would be run on the target.
        revert: What undoes it there, in order.
    """

    name: str
    role: ArmRole
    variant: Variant
    dsn: str
    clone: str
    failure: str = ""
    build_ms: float = 0.0
    wal_bytes: int = 0
    index_bytes: int = 0
    index_bytes_before: int = 0
    steps: tuple[Step, ...] = ()
    revert: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class _Work:
    """The steps of a variant, or why there are none."""

    changes: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()
    revert: tuple[Step, ...] = ()
    refusal: str = ""


def build_arm(
    host: CloneHost,
    variant: Variant,
    role: ArmRole,
    clone: str,
    catalog: Catalog,
    progress: Progress = ignore_progress,
) -> BuiltArm:
    """Make a clone and apply a variant to it; its statistics stay those of every other arm.

    Args:
        host: Makes the clone.
        variant: What to apply; nothing for control and canary.
        role: Why the arm is there.
        clone: Name for the clone.
        catalog: Of the target.
        progress: Told what is being done.

    Returns:
        The arm; with ``failure`` set when a change was refused or a step failed.

    Raises:
        ServerError: The clone itself could not be made.
    """
    progress(f"building {variant.name}")
    dsn = host.make(clone)
    with open_session(dsn) as session:
        before = int(session.query("arm_state")[0].index_bytes)
    bare = BuiltArm(variant.name, role, replace(variant, changes=()), dsn, clone, index_bytes_before=before)
    return _applied(bare, variant, as_owner(catalog), progress)


def can_turn(arm: BuiltArm, variant: Variant) -> bool:
    """Tell whether `turn_arm` can make another variant of an arm: what differs is in new indexes only."""
    if arm.failure:
        return False
    have, want = frozenset(arm.variant.changes), frozenset(variant.changes)
    return all(isinstance(change, CreateIndex) for change in have ^ want)


def turn_arm(
    arm: BuiltArm, variant: Variant, catalog: Catalog, progress: Progress = ignore_progress
) -> BuiltArm:
    """Turn an arm into that of another variant: build the indexes it lacks, drop those it has too many.

    Much cheaper than a clone of its own where two variants are much alike.

    Args:
        arm: As it is.
        variant: What it is to be; see `can_turn`.
        catalog: Of the target.
        progress: Told what is being done.

    Returns:
        The arm as it is now; with ``failure`` set when a change was refused or a step failed. Build time and
        WAL are those of the difference.
    """
    progress(f"building {variant.name}")
    return _applied(arm, variant, as_owner(catalog), progress)


def _applied(arm: BuiltArm, variant: Variant, catalog: Catalog, progress: Progress) -> BuiltArm:
    """Apply to an arm what it lacks of a variant's changes, and undo what is not among them."""
    work = _plan_work(variant, catalog)
    have = effective_changes(arm.variant.changes, catalog)
    new = tuple(change for change in work.changes if change not in have)
    gone = tuple(change for change in have if change not in work.changes)
    with (
        open_session(arm.dsn, read_only=False, statement_timeout_ms=0) as session,
        open_session(arm.dsn, statement_timeout_ms=0) as watcher,
    ):
        failure, build_ms, wal_bytes = work.refusal, 0.0, 0
        if not failure:
            # The same steps but for the database's name, where a setting of the database is among them.
            here = replace(catalog, database=session.database)
            steps = (*backward_steps(gone, here), *forward_steps(new, here))
            outcomes = run_steps(session, steps, policy=ON_CLONE, progress=progress, watcher=watcher)
            build_ms = sum(o.elapsed_ms for o in outcomes)
            wal_bytes = sum(o.wal_bytes for o in outcomes)
            failed = next((o for o in outcomes if not o.ok), None)
            failure = f"{failed.step.purpose}: {failed.message}" if failed else ""
        failure = failure or _verify(session, work.changes)
        _analyze_expressions(session, new)
        after = session.query("arm_state")[0]
    return replace(
        arm,
        name=variant.name,
        variant=variant,
        failure=failure,
        build_ms=build_ms,
        wal_bytes=wal_bytes,
        index_bytes=int(after.index_bytes) - arm.index_bytes_before,
        steps=work.steps,
        revert=work.revert,
    )


def as_owner(catalog: Catalog) -> Catalog:
    """Return a target's catalog as the role that works on clones sees it: a superuser, on a primary.

    Who lets variants compete needs only to read the target, and may read a standby of it; whether a change is
    allowed there is for deploy to say.
    """
    tables = tuple(replace(table, owned=True) for table in catalog.tables)
    return replace(catalog, tables=tables, superuser=True, in_recovery=False)


def _plan_work(variant: Variant, catalog: Catalog) -> _Work:
    """Turn a variant into steps; what the target's owner would be refused is refused here as well."""
    changes = effective_changes(variant.changes, catalog)
    found = all_refusals(changes, catalog) + race_refusals(changes, catalog)
    if found:
        return _Work(changes, refusal=f"refused: {found[0].reason}")
    try:
        return _Work(changes, forward_steps(changes, catalog), backward_steps(changes, catalog))
    except (UsageError, ParseError) as error:
        return _Work(changes, refusal=f"refused: {error.message}")


def _analyze_expressions(session: Session, changes: Sequence[Change]) -> None:
    """Give indexes on expressions the statistics they have only after ANALYZE; no others change."""
    names: dict[RelationName, list[str]] = {}
    for change in changes:
        if isinstance(change, CreateIndex) and any(key.expression for key in change.keys):
            names.setdefault(change.table, []).append(change.name)
    for table in sorted(names):
        analyze_expressions(session, table, names[table])


def _verify(session: Session, changes: Sequence[Change]) -> str:
    """Return what is not as the changes promise; empty when all is."""
    steps = [step for change in changes for step in verify_steps(change)]
    outcomes = run_steps(session, steps, policy=ON_CLONE)
    return next((o.message for o in outcomes if not o.ok), "")
