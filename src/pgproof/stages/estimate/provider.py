"""Who can say what the planner would do if some of the candidates existed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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
        clone_only: The provider lacks something (an extension, a function) that a clone might have.
    """

    reason: str
    clone_only: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A statement to be planned as if only some of the candidates existed.

    Args:
        request: The statement.
        visible: Names of candidates; those that were refused are ignored.
    """

    request: PlanRequest
    visible: frozenset[str]


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
    def existing(self) -> frozenset[str]:
        """Return the names ("schema.name") of existing indexes that can be hidden: visible means kept."""
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


@runtime_checkable
class ViewProvider(CostProvider, Protocol):
    """A provider that plans many views at once faster than one after the other."""

    def plan_views(self, views: Sequence[View]) -> tuple[Planned | NotPlanned, ...]:
        """Plan each statement under its own view.

        Returns:
            One answer for each view, in order.
        """
        ...


def plan_views(provider: CostProvider, views: Sequence[View]) -> tuple[Planned | NotPlanned, ...]:
    """Plan statements, each under its own view, those with the same view together.

    Returns:
        One answer for each view, in order.
    """
    if isinstance(provider, ViewProvider):
        return provider.plan_views(views)
    places: dict[frozenset[str], list[int]] = {}
    for place, view in enumerate(views):
        places.setdefault(view.visible, []).append(place)
    answers: dict[int, Planned | NotPlanned] = {}
    for visible, group in places.items():
        found = provider.plan([views[place].request for place in group], visible)
        answers.update(zip(group, found, strict=True))
    return tuple(answers[place] for place in range(len(views)))
