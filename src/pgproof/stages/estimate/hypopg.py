"""Asks the planner of a database in use, with the HypoPG extension's hypothetical indexes.

Only where the user asked for it: the shadow puts no load on the database and knows more kinds of indexes.
HypoPG's costs are taken as they are; they were 5.6 % too low in total for TPC-H, up to 28 % for a statement,
since it reckons no descent in B-trees. Its sizes are not: they leave out deduplication, and were 1.1 to 6.3
times too large.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from pgproof.changes.index_text import create_index_sql
from pgproof.errors import CapabilityMissing, ParseError, PgproofError, ServerError, UsageError
from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.estimate import IndexSize
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.relation import RelationKind, RelationName, Table
from pgproof.postgres.explain import explain
from pgproof.postgres.hypopg import HypoPG, Hypothetical, open_hypopg
from pgproof.postgres.session import Session
from pgproof.stages.estimate.provider import NotPlanned, Planned, PlanRequest
from pgproof.stages.estimate.sizes.estimate_index import estimate_index


@contextmanager
def open_hypopg_costs(
    session: Session,
    candidates: Sequence[IndexCandidate],
    *,
    catalog: Catalog,
    droppable: Sequence[RelationName] = (),
    progress: Progress = ignore_progress,
) -> Iterator[HypoPGCosts]:
    """Simulate candidates on a database for as long as the block lasts; of its statements, none is executed.

    Args:
        session: On the database: read-only, with a statement_timeout, not through a pooler.
        candidates: In any order.
        catalog: Of the database, for partitions and sizes.
        droppable: Existing indexes that may be absent. HypoPG can hide them since 1.4; before, each is named
            in ``refused``.
        progress: Told of each candidate.

    Yields:
        The provider; afterwards the session is as it was.

    Raises:
        UsageError: The session is not harmless enough.
        CapabilityMissing: The extension is not installed; the hint says how to get it.
        Unreachable, ServerError: As the server says.
    """
    with open_hypopg(session) as extension:
        costs = HypoPGCosts(session, extension)
        for number, candidate in enumerate(candidates):
            progress(f"simulating candidate {candidate.name}", number, len(candidates))
            costs.admit(candidate, catalog)
        for index in droppable:
            costs.admit_existing(index)
        try:
            yield costs
        finally:
            if not session.closed:
                costs.show_existing()


@dataclass(frozen=True, slots=True)
class _Existing:
    name: RelationName
    oid: int


@dataclass(slots=True)
class _Known:
    """What can be simulated, by the names of candidates and of existing indexes.

    Args:
        statements: CREATE INDEX for each candidate, one a partition.
        sizes: Of the candidates.
        existing: Indexes that can be hidden.
        refused: What can't be simulated, with the reason.
    """

    statements: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sizes: dict[str, IndexSize] = field(default_factory=dict)
    existing: dict[str, _Existing] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


class HypoPGCosts:
    """A `CostProvider` over HypoPG. Made by `open_hypopg_costs`."""

    name = "hypopg"

    def __init__(self, session: Session, extension: HypoPG) -> None:
        self._session = session
        self._extension = extension
        self._known = _Known()
        self._made: dict[str, tuple[Hypothetical, ...]] = {}
        self._hidden: frozenset[str] = frozenset()

    @property
    def index_bytes(self) -> Mapping[str, int]:
        """Return the size each candidate would have."""
        return {name: size.size_bytes for name, size in self._known.sizes.items()}

    @property
    def index_sizes(self) -> Mapping[str, IndexSize]:
        """Return the same sizes with what they rest on."""
        return self._known.sizes

    @property
    def existing(self) -> frozenset[str]:
        """Return the names of existing indexes that can be hidden."""
        return frozenset(self._known.existing)

    @property
    def refused(self) -> Mapping[str, str]:
        """Return each candidate and existing index that can't be simulated, with the reason."""
        return self._known.refused

    def admit(self, candidate: IndexCandidate, catalog: Catalog) -> None:
        """Try whether HypoPG can simulate a candidate, and take it up or refuse it."""
        table = catalog.find_table(candidate.change.table.name, candidate.change.table.schema)
        try:
            if table is None:
                raise UsageError(f"there is no table {candidate.change.table}")
            statements = tuple(
                create_index_sql(candidate.change, table=leaf, concurrently=False, catalog=catalog)
                for leaf in _leaves(table, catalog)
            )
            self._extension.drop(self._extension.create(statements))
        except (ParseError, UsageError, ServerError) as error:
            if self._session.closed:
                raise
            self._extension.reset()
            self._known.refused[candidate.name] = self._why_not(error)
            return
        self._known.statements[candidate.name] = statements
        self._known.sizes[candidate.name] = estimate_index(candidate.change, table, catalog).size

    def _why_not(self, error: PgproofError) -> str:
        if isinstance(error, CapabilityMissing):
            return f"{error.message} {error.hint}".strip()
        said = error.message.removeprefix("The statement failed: ").rstrip(".")
        return f"HypoPG {self._extension.version} can't simulate it ({said}): only a clone can tell"

    def admit_existing(self, index: RelationName) -> None:
        """Take up an existing index that may be absent, or refuse it."""
        oid = self._extension.oid_of(index)
        if not self._extension.can_hide:
            self._known.refused[str(index)] = (
                f"HypoPG {self._extension.version} can't hide an existing index, version 1.4 can:"
                " what dropping it does, a shadow or a clone can tell"
            )
        elif oid is None:
            self._known.refused[str(index)] = "there is no such index any more"
        else:
            self._known.existing[str(index)] = _Existing(index, oid)

    def plan(
        self, requests: Sequence[PlanRequest], visible: frozenset[str]
    ) -> tuple[Planned | NotPlanned, ...]:
        """Plan statements with only the visible indexes there; see `CostProvider.plan`."""
        self._show(visible)
        owners = self._owners()
        answers = (self._plan_one(request, owners) for request in requests)
        return tuple(_within(answer, visible) for answer in answers)

    def show_existing(self) -> None:
        """Show all existing indexes again."""
        self._extension.unhide([self._known.existing[name].oid for name in sorted(self._hidden)])
        self._hidden = frozenset()

    def _show(self, visible: frozenset[str]) -> None:
        """Make and forget what differs from what was shown last."""
        gone = [name for name in self._made if name not in visible]
        self._extension.drop([index for name in gone for index in self._made.pop(name)])
        new = [name for name in sorted(visible & self._known.statements.keys()) if name not in self._made]
        made = iter(self._create([sql for name in new for sql in self._known.statements[name]]))
        for name in new:
            self._made[name] = tuple(next(made) for _ in self._known.statements[name])
        hidden = frozenset(self._known.existing) - visible
        self._extension.hide([self._known.existing[name].oid for name in sorted(hidden - self._hidden)])
        self._extension.unhide([self._known.existing[name].oid for name in sorted(self._hidden - hidden)])
        self._hidden = hidden

    def _create(self, statements: Sequence[str]) -> tuple[Hypothetical, ...]:
        try:
            return self._extension.create(statements)
        except ServerError:
            # Some of them may have been made, without our knowing which.
            self._made.clear()
            if not self._session.closed:
                self._extension.reset()
            raise

    def _owners(self) -> dict[str, frozenset[str]]:
        """Return the names that an index name in a plan may stand for; plans don't show its schema."""
        owners = {index.name: frozenset((name,)) for name, made in self._made.items() for index in made}
        for name, index in self._known.existing.items():
            owners[index.name.name] = owners.get(index.name.name, frozenset()) | {name}
        return owners

    def _plan_one(self, request: PlanRequest, owners: Mapping[str, frozenset[str]]) -> Planned | NotPlanned:
        try:
            plan = explain(
                self._session, request.sql, request.values, settings=False, generic=request.generic
            )
        except (ParseError, UsageError, ServerError) as error:
            if self._session.closed:
                raise
            allow = error.hint if isinstance(error, CapabilityMissing) else ""  # the GRANT
            return NotPlanned(" ".join(filter(None, (error.message, allow))))
        seen = (owners.get(name, frozenset()) for name in plan.indexes_used())
        return Planned(plan.root.cost, frozenset[str]().union(*seen))


def _within(answer: Planned | NotPlanned, visible: frozenset[str]) -> Planned | NotPlanned:
    """Leave out what can't be meant: plans don't show an index's schema."""
    return replace(answer, used=answer.used & visible) if isinstance(answer, Planned) else answer


def _leaves(table: Table, catalog: Catalog) -> Iterator[RelationName]:
    """Yield the tables that hold the rows: HypoPG's index on a partitioned table is seen by no plan."""
    if table.kind is not RelationKind.PARTITIONED:
        yield table.relation
        return
    for part in catalog.partitions_of(table.relation):
        yield from _leaves(part, catalog)
