"""What a kind of change is: a frozen record of functions that say what to do and run nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CloneOnly, Refusal, Step

C = TypeVar("C")


def remember_nothing(change: C, _: Catalog) -> C:
    """Return a change as it is: nothing of what was there before is needed to undo it."""
    return change


def race_always(_: object, __: Catalog) -> Refusal | None:
    """Let a change be tried on one clone among several on the same server."""
    return None


@dataclass(frozen=True, slots=True)
class Kind(Generic[C]):
    """One kind of change.

    Every function is pure. ``catalog`` is the database's catalog as it is when the function is asked, or None
    where nobody has read it; only changes of partitioned tables and settings of a database need it (see each
    function).

    Args:
        change: The noun this kind serves.
        apply: The steps that make the change, in order.
        revert: The steps that undo it when all of ``apply`` was done, in order; empty where nothing remains.
        verify: Steps of one boolean each that are true once it is made; may be empty.
        simulate: Steps that may run inside a transaction that is rolled back, or why there are none.
        refuse: Why it must not be made, given the changes before it in its variant; empty when it may.
        is_so: Whether the catalog already is as the change would make it.
        describe: One line for humans, without a full stop.
        remember: The change with what is there before it noted in it, so that it can be undone.
        refuse_race: Why it can't be tried on one clone while others of the same server go without it; None
            where it can.
    """

    change: type[C]
    apply: Callable[[C, Catalog | None], tuple[Step, ...]]
    revert: Callable[[C, Catalog | None], tuple[Step, ...]]
    verify: Callable[[C], tuple[Step, ...]]
    simulate: Callable[[C], tuple[Step, ...] | CloneOnly]
    refuse: Callable[[C, Catalog, tuple[Change, ...]], tuple[Refusal, ...]]
    is_so: Callable[[C, Catalog], bool]
    describe: Callable[[C], str]
    remember: Callable[[C, Catalog], C] = remember_nothing
    refuse_race: Callable[[C, Catalog], Refusal | None] = race_always
