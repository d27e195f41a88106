"""Asks the planner of a shadow: the target's schema, statistics and settings, and not one of its rows.

A statement can use only indexes of the tables it reads, so only those are switched for it, and only where
they differ from what the statement before left. Several lanes are copies of one database and answer alike;
which of them is asked changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

from pgproof.errors import ParseError, UsageError
from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.estimate import IndexSize
from pgproof.model.plan import Plan, PlanNode
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.relation import RelationName
from pgproof.model.units import PlannerCost
from pgproof.postgres.failures import LACKING
from pgproof.postgres.shadow.lane import Lane, Unpriced
from pgproof.postgres.shadow.lanes import open_lanes, open_workshop
from pgproof.postgres.shadow.server import Shadow
from pgproof.sqltext.parse import parse_statement
from pgproof.stages.estimate.hypothetical import Hypotheses, make_hypotheses
from pgproof.stages.estimate.provider import NotPlanned, Planned, PlanRequest, View

_HAVE_PLANS = ("select", "insert", "update", "delete", "merge")
_PIECES_A_LANE = 4
_PIECE_MIN = 8


@contextmanager
def open_shadow_costs(
    shadow: Shadow,
    catalog: Catalog,
    candidates: Sequence[IndexCandidate],
    *,
    droppable: Sequence[RelationName] = (),
    lanes: int = 1,
    progress: Progress = ignore_progress,
) -> Iterator[ShadowCosts]:
    """Make candidates in a shadow for as long as the block lasts.

    Args:
        shadow: From `pgproof.postgres.shadow.server.open_shadow`.
        catalog: Of the same target.
        candidates: Their names are unique.
        droppable: Existing indexes that the provider can hide; they go by ``schema.name``.
        lanes: Sessions that plan at the same time, each on a database of its own.
        progress: Told of each part.

    Yields:
        The provider.

    Raises:
        EmbeddedServerError: The file system can't hold files with holes.
        Unreachable, ServerError: The shadow is gone.
    """
    with open_workshop(shadow) as workshop:
        found = make_hypotheses(workshop, catalog, shadow.source.pages, candidates, droppable, progress)
        workshop.close()
        progress("giving files their length")
        with open_lanes(shadow, workshop.name, found.extents, max(lanes, 1)) as opened:
            yield ShadowCosts(shadow, found, opened)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What of the hypotheses a statement can use at all.

    Args:
        oids: Of each name's indexes.
        owners: Names by what plans show.
        refusal: Why the statement has no plan, empty where it may have one.
    """

    oids: Mapping[str, tuple[int, ...]]
    owners: Mapping[str, frozenset[str]]
    refusal: str = ""


class ShadowCosts:
    """A `CostProvider` over a shadow. Made by `open_shadow_costs`."""

    name = "shadow"

    def __init__(self, shadow: Shadow, found: Hypotheses, lanes: Sequence[Lane]) -> None:
        self._shadow = shadow
        self._found = found
        self._lanes = tuple(lanes)
        self._states = tuple(_State(lane, _all_oids(found)) for lane in lanes)
        self._scopes: dict[str, _Scope] = {}
        self._by_table = _by_table(found)

    @cached_property
    def index_bytes(self) -> Mapping[str, int]:
        """Return the estimated size of each candidate that PostgreSQL accepted."""
        return {name: size.size_bytes for name, size in self._found.sizes.items()}

    @cached_property
    def index_sizes(self) -> Mapping[str, IndexSize]:
        """Return the same with how far to believe it."""
        return self._found.sizes

    @property
    def refused(self) -> Mapping[str, str]:
        """Return each other candidate, with the reason."""
        return self._found.refused

    @property
    def existing(self) -> frozenset[str]:
        """Return the names of existing indexes that can be hidden."""
        return self._found.existing

    def plan(
        self, requests: Sequence[PlanRequest], visible: frozenset[str]
    ) -> tuple[Planned | NotPlanned, ...]:
        """Plan statements as if only the visible candidates existed; see `CostProvider.plan`."""
        return self.plan_views([View(request, visible) for request in requests])

    def plan_views(self, views: Sequence[View]) -> tuple[Planned | NotPlanned, ...]:
        """Plan each statement under its own view; all lanes take part.

        Returns:
            One answer for each view, in order.
        """
        groups: dict[str, list[int]] = {}
        for place, view in enumerate(views):
            groups.setdefault(view.request.sql, []).append(place)
        answers: dict[int, Planned | NotPlanned] = {}

        def answer(state: _State, places: Sequence[int]) -> None:
            for place in places:
                answers[place] = self._answer(state, views[place])

        self._share_out(answer, list(_pieces(groups.values(), len(self._states))))
        return tuple(answers[place] for place in range(len(views)))

    def explain(self, request: PlanRequest, visible: frozenset[str]) -> Plan | NotPlanned:
        """Return a statement's whole plan under a view; indexes in it go by their candidates' names."""
        state = self._states[0]
        scope = self._scopes.get(request.sql) or self._look_into(state.lane, request)
        if scope.refusal:
            return NotPlanned(scope.refusal)
        state.show(scope, visible)
        plan = state.lane.explain(request.sql, request.values, generic=request.generic)
        if isinstance(plan, Unpriced):
            return self._not_planned(plan)
        return replace(plan, root=_renamed(plan.root, scope))

    def _share_out(
        self, answer: Callable[[_State, Sequence[int]], None], groups: Sequence[Sequence[int]]
    ) -> None:
        """Let every lane take the next group until none is left; those of one statement stay together."""
        if len(self._states) == 1 or len(groups) <= 1:
            for group in groups:
                answer(self._states[0], group)
            return
        waiting = iter(groups)

        def work(state: _State) -> None:
            for group in waiting:  # next() of a list's iterator is atomic
                answer(state, group)

        with ThreadPoolExecutor(len(self._states)) as pool:
            for done in [pool.submit(work, state) for state in self._states]:
                done.result()

    def _answer(self, state: _State, view: View) -> Planned | NotPlanned:
        request = view.request
        scope = self._scopes.get(request.sql) or self._look_into(state.lane, request)
        if scope.refusal:
            return NotPlanned(scope.refusal)
        state.show(scope, view.visible)
        priced = state.lane.price(request.sql, request.values, generic=request.generic)
        if isinstance(priced, Unpriced):
            return self._not_planned(priced)
        owners = (scope.owners.get(name, frozenset()) for name in priced.indexes)
        return Planned(PlannerCost(priced.cost), frozenset[str]().union(*owners) & view.visible)

    def _look_into(self, lane: Lane, request: PlanRequest) -> _Scope:
        """Find out once which tables a statement is about."""
        refusal = _refusal_of(request.sql)
        names: dict[str, list[int]] = {}
        owners: dict[str, set[str]] = {}
        if not refusal:
            for table in lane.tables_of(request.sql, request.values, generic=request.generic):
                for name, oid, shown in self._by_table.get(table, ()):
                    names.setdefault(name, []).append(oid)
                    owners.setdefault(shown, set()).add(name)
        scope = _Scope(
            {name: tuple(oids) for name, oids in names.items()},
            {shown: frozenset(own) for shown, own in owners.items()},
            refusal,
        )
        self._scopes[request.sql] = scope
        return scope

    def _not_planned(self, unpriced: Unpriced) -> NotPlanned:
        if unpriced.sqlstate not in LACKING or not self._shadow.incomplete:
            return NotPlanned(unpriced.reason)
        missing = self._shadow.missing_extensions
        why = f"the shadow lacks {', '.join(missing)}" if missing else "the shadow is not complete"
        return NotPlanned(f"{unpriced.reason} ({why})", clone_only=True)


class _State:
    """A lane, and which of the hypotheses its planner sees now."""

    def __init__(self, lane: Lane, shown: set[int]) -> None:
        self.lane = lane
        self._shown = shown

    def show(self, scope: _Scope, visible: frozenset[str]) -> None:
        """Let the planner see what is visible of a scope, and hide the rest of it."""
        wanted: set[int] = set()
        hidden: set[int] = set()
        for name, oids in scope.oids.items():
            (wanted if name in visible else hidden).update(oids)
        on, off = wanted - self._shown, (hidden - wanted) & self._shown
        self.lane.switch(sorted(on), sorted(off))
        self._shown = (self._shown | on) - off


def _pieces(groups: Iterable[list[int]], lanes: int) -> Iterator[list[int]]:
    """Cut groups so that several lanes have something to do, though not so small that each view is a leap."""
    groups = list(groups)
    most = max(sum(map(len, groups)) // (_PIECES_A_LANE * lanes), _PIECE_MIN) if lanes > 1 else 0
    for group in groups:
        step = most or len(group)
        yield from (group[start : start + step] for start in range(0, len(group), step))


def _all_oids(found: Hypotheses) -> set[int]:
    return {leaf.oid for leaves in found.leaves.values() for leaf in leaves}


def _by_table(found: Hypotheses) -> dict[int, list[tuple[str, int, str]]]:
    """Return name, oid and shown name of the hypotheses on each table."""
    tables: dict[int, list[tuple[str, int, str]]] = {}
    for name, leaves in found.leaves.items():
        for leaf in leaves:
            tables.setdefault(leaf.table_oid, []).append((name, leaf.oid, leaf.name))
    return tables


def _renamed(node: PlanNode, scope: _Scope) -> PlanNode:
    """Call the indexes in a plan by the names that candidates have."""
    owners = scope.owners.get(node.index, frozenset())
    children = tuple(_renamed(child, scope) for child in node.children)
    return replace(node, index=min(owners) if owners else node.index, children=children)


def _refusal_of(sql: str) -> str:
    """Say why a text can't be planned, before the server is asked: it has to be one statement with a plan."""
    try:
        kind = parse_statement(sql).kind
    except (ParseError, UsageError) as error:
        return error.message
    return "" if kind in _HAVE_PLANS else f"only statements that read or write rows have a plan, not {kind}"
