"""Who can say what the planner would do if some of the candidates existed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pgproof.model.units import PlannerCost


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A statement to be planned.

    Args:
        sql: With ``$1``... placeholders.
        values: ``$1`` first, in text form.
        generic: Plan for unknown values; ``values`` is empty then.
    """

    sql: str
    values: tuple[str | None, ...] = ()
    generic: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """What the planner answered.

    Args:
        cost: Of the whole plan.
        used: Candidates in the plan; more than are in it where that can't be told apart.
    """

    cost: PlannerCost
    used: frozenset[str]


@dataclass(frozen=True, slots=True)
class NotPlanned:
    """The planner refused a statement.

    Args:
        reason: What the server said; no row values.
    """

    reason: str


class CostProvider(Protocol):
    """A database in which candidates can be seen or hidden: a clone, a shadow.

    Candidates go by the names of their indexes.
    """

    @property
    def name(self) -> str:
        """Return what an estimate calls it ("clone")."""
        ...

    @property
    def index_bytes(self) -> Mapping[str, int]:
        """Return the size of each candidate that can be estimated."""
        ...

    @property
    def refused(self) -> Mapping[str, str]:
        """Return each candidate that can't, with the reason."""
        ...

    def plan(
        self, requests: Sequence[PlanRequest], visible: frozenset[str]
    ) -> tuple[Planned | NotPlanned, ...]:
        """Plan statements as if of the candidates only the visible ones existed.

        Args:
            requests: What to plan.
            visible: Names of candidates; those that were refused are ignored.

        Returns:
            One answer for each request, in order.
        """
        ...
