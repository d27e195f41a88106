"""Which existing indexes may go: those that another one repeats, and those that nobody reads.

What is found here is only allowed to go. Whether it pays is for the planner's costs to say, and whether it
hurts for a competition.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pgproof.changes import refusals
from pgproof.changes.index_cover import covers_existing, find_keepers
from pgproof.changes.index_text import create_index_sql
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CreateIndex, DropIndex, Refusal
from pgproof.model.drop import DropCandidate, DropCase, DropReview, KeptIndex, Standbys
from pgproof.model.figures import size
from pgproof.model.finding import Evidence
from pgproof.model.plan import Plan
from pgproof.model.relation import Index, RelationName
from pgproof.model.workload import Workload
from pgproof.stages.propose.expression_use import readers_of_expressions
from pgproof.stages.propose.reading import ReadStatement, read_workload
from pgproof.stages.propose.upkeep import TableWrite, read_writes, upkeep_of

LEAST_AGE = timedelta(days=14)
"""Age of the counters below which no index is called unused. **Source**: judgement: two weekly jobs. Peers
wait 35 days (pganalyze) before they report; here a drop is tried on a clone and can be taken back as well."""

SMALL_BYTES = 1024 * 1024
"""An unused index smaller than that goes only where the workload writes into it. **Source**: judgement."""


def find_droppable(
    catalog: Catalog,
    workload: Workload,
    *,
    plans: Mapping[str, Sequence[Plan]] | None = None,
    standbys: Standbys | None = None,
    standbys_asked: bool = False,
    least_age: timedelta = LEAST_AGE,
) -> DropReview:
    """Find indexes that may be proposed for dropping, and say why others may not.

    An index is judged as its owner would on the primary: that the current role may not drop it doesn't
    matter. What a deploy would refuse (it enforces something, identifies or orders rows, is the last one that
    supports a foreign key, can't be rebuilt, is on a partitioned table) stays. An index is called unused only
    where no scan was counted for long enough, no standby may have read it, no plan of the workload reads it,
    and no statement may need the statistics of its expressions.

    Args:
        catalog: Of the database, with the counters of its indexes.
        workload: Whose writes pay for the indexes, and whose reads may need them.
        plans: Plans of its statements, by their names, as they are without any change.
        standbys: Who else may read the indexes; None where nobody looked.
        standbys_asked: The user has looked at the standbys, and answers for them.
        least_age: Of the counters, below which none is called unused.

    Returns:
        What may go and what may not. Attached parts of partitioned indexes follow those and are left out.
    """
    search = _start(catalog, read_workload(catalog, workload), plans or {})
    repeated = list(_repeated(catalog))
    for case in (DropCase.DUPLICATE, DropCase.REDUNDANT):
        for index, keeper, its_case in repeated:
            if its_case is case:
                search.judge(index, case, _Keeper(keeper.relation, keeper.definition))
    doubt = _why_unused_is_unknown(catalog, standbys, standbys_asked, least_age)
    if not doubt:
        for index in _unused(catalog):
            search.judge(index, DropCase.UNUSED, None)
    return DropReview(tuple(search.found), tuple(search.kept), (*doubt, *_unreadable(catalog)))


def find_superseded(
    catalog: Catalog,
    statements: Sequence[ReadStatement],
    new: Sequence[CreateIndex],
    dropped: Sequence[DropIndex] = (),
) -> DropReview:
    """Find existing indexes that new ones make superfluous: every plan can use a new one instead.

    Args:
        catalog: Of the database.
        statements: Whose writes pay for the indexes; from `read_workload`.
        new: Indexes that are to be built; those found may go only once these are there.
        dropped: Existing indexes that go anyway.

    Returns:
        What may go and what may not, each by name.
    """
    search = _start(catalog, statements, {}, (*new, *dropped))
    by_table: defaultdict[RelationName, list[CreateIndex]] = defaultdict(list)
    for change in new:
        by_table[change.table].append(change)
    for index in catalog.indexes:
        keeper = next((change for change in by_table[index.table] if covers_existing(change, index)), None)
        if keeper is not None:
            name = RelationName(keeper.table.schema, keeper.name)
            search.judge(index, DropCase.SUPERSEDED, _Keeper(name, create_index_sql(keeper, catalog=catalog)))
    return DropReview(tuple(search.found), tuple(search.kept))


def _repeated(catalog: Catalog) -> Iterator[tuple[Index, Index, DropCase]]:
    """Yield indexes that another one of their table makes superfluous, with that one."""
    for index in catalog.indexes:
        keepers = find_keepers(index, catalog.indexes_of(index.table))
        if keepers:
            twin = len(keepers[0].keys) == len(index.keys)
            yield index, keepers[0], DropCase.DUPLICATE if twin else DropCase.REDUNDANT


def _unused(catalog: Catalog) -> Iterator[Index]:
    return (i for i in catalog.indexes if i.parent is None and catalog.scans_of(i) == 0)


def _why_unused_is_unknown(
    catalog: Catalog, standbys: Standbys | None, asked: bool, least_age: timedelta
) -> tuple[str, ...]:
    """Say why the counters tell nothing of what nobody reads; empty where they do."""
    age = catalog.counters_age
    doubts = []
    if age is None or age < least_age:
        told = "of unknown age" if age is None else f"only {_days(age)} old"
        doubts.append(
            f"No index is called unused: the server's counters are {told}, and {least_age.days} days are"
            " needed. Advise again later, and don't reset the statistics meanwhile."
        )
    if not asked:
        doubts += _doubts_about_standbys(catalog, standbys)
    return tuple(doubts)


def _doubts_about_standbys(catalog: Catalog, standbys: Standbys | None) -> Iterator[str]:
    recipe = (
        "Look at idx_scan in pg_stat_user_indexes there, and say so when the indexes are not read"
        " on any of them."
    )
    if catalog.in_recovery:
        yield (
            "No index is called unused: this server is a standby, which does not see the scans of its"
            " primary. Advise on the primary."
        )
    elif standbys is None:
        yield (
            "No index is called unused: it is not known whether standbys follow this server, whose scans it"
            f" does not see. {recipe}"
        )
    elif standbys.connected or standbys.slots:
        live = _count(standbys.connected, "standby follows", "standbys follow") + " this server"
        idle = _count(standbys.slots, "idle replication slot awaits", "idle replication slots await") + " one"
        seen = [words for words, number in ((live, standbys.connected), (idle, standbys.slots)) if number]
        yield (
            f"No index is called unused: {' and '.join(seen)}, and the scans of"
            f" standbys are not seen here. {recipe}"
        )


def _unreadable(catalog: Catalog) -> tuple[str, ...]:
    unknown = [i for i in catalog.indexes if i.parent is None and catalog.scans_of(i) is None]
    if not unknown:
        return ()
    names = ", ".join(str(index.relation) for index in unknown[:3])
    more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
    return (f"How often {names}{more} were scanned is not known, so none of them is called unused.",)


@dataclass(frozen=True, slots=True)
class _Keeper:
    """The index that serves the plans of one that goes."""

    name: RelationName
    definition: str


def _start(
    catalog: Catalog,
    statements: Sequence[ReadStatement],
    plans: Mapping[str, Sequence[Plan]],
    earlier: Sequence[CreateIndex | DropIndex] = (),
) -> _Search:
    search = _Search(catalog.of_owner, statements, read_writes(catalog, statements), plans)
    for change in earlier:
        search.earlier[change.table].append(change)
        if isinstance(change, DropIndex):
            search.judged.add(change.index)
    return search


@dataclass
class _Search:
    """What is known, and what was found so far.

    Args:
        catalog: As the owner sees it.
        statements: The workload.
        writes: What it writes.
        plans: Its plans, by statement.
        earlier: Changes that are made before, by table.
        judged: Indexes that were decided on.
        found: Indexes that may go.
        kept: Indexes that may not.
    """

    catalog: Catalog
    statements: Sequence[ReadStatement]
    writes: Sequence[TableWrite]
    plans: Mapping[str, Sequence[Plan]]
    earlier: defaultdict[RelationName, list[Change]] = field(default_factory=lambda: defaultdict(list))
    judged: set[RelationName] = field(default_factory=set)
    found: list[DropCandidate] = field(default_factory=list)
    kept: list[KeptIndex] = field(default_factory=list)

    def judge(self, index: Index, case: DropCase, keeper: _Keeper | None) -> None:
        """Decide on one index, unless that was done already; those found before are taken to be gone."""
        if index.relation in self.judged:
            return
        candidate = self._describe(index, case, keeper)
        if case is DropCase.UNUSED and index.size_bytes < SMALL_BYTES and not candidate.upkeep.statements:
            return
        self.judged.add(index.relation)
        earlier = tuple(self.earlier[index.table])
        stops = (*self._guards(index, case), *refusals(candidate.change, self.catalog, earlier))
        stop = next(iter(stops), None)
        if stop is None:
            self.found.append(candidate)
            self.earlier[index.table].append(candidate.change)
        else:
            self.kept.append(KeptIndex(index.relation, case, stop.reason, stop.hint))

    def _guards(self, index: Index, case: DropCase) -> Iterator[Refusal]:
        if not (index.valid and index.ready):
            yield _not_valid(index)
        if case is not DropCase.UNUSED:
            return
        kept_for = [found.name for found in self.found if found.keeper == index.relation]
        if kept_for:
            yield Refusal(
                f"Index {index.relation} takes over from {', '.join(kept_for)}, proposed for dropping.",
                "Drop that first; then see whether this one is read.",
            )
        readers = [name for name, plans in self.plans.items() if _is_in(index, plans)]
        if readers:
            yield Refusal(
                f"Index {index.relation} was not scanned yet, but the plan of {_some(readers)} reads it.",
                "Keep it, or take these statements out of the workload if they are no longer run.",
            )
        guessing = readers_of_expressions(index, self.catalog, self.statements)
        if guessing:
            yield _has_statistics(index, guessing, self.catalog)

    def _describe(self, index: Index, case: DropCase, keeper: _Keeper | None) -> DropCandidate:
        age = self.catalog.counters_age
        upkeep = upkeep_of(index, self.catalog, self.writes)
        return DropCandidate(
            change=DropIndex(index.relation, index.table, index.definition),
            case=case,
            reason=_reason(index, case, keeper, age),
            evidence=tuple(_evidence(index, keeper, self.catalog, upkeep.counted_rows)),
            size_bytes=index.size_bytes,
            upkeep=upkeep,
            keeper=keeper.name if keeper else None,
        )


def _not_valid(index: Index) -> Refusal:
    if index.building:
        return Refusal(
            f"Index {index.relation} is being built or rebuilt: nothing can be said of its use.",
            "Advise again when that is done.",
        )
    return Refusal(
        f"Index {index.relation} is not valid, so no plan could use it: nothing can be said of its use.",
        "pgproof check says how to rebuild or remove it.",
    )


def _has_statistics(index: Index, readers: Collection[str], catalog: Catalog) -> Refusal:
    how = (
        "CREATE STATISTICS on the expression"
        if catalog.major >= 14
        else "PostgreSQL 14 and CREATE STATISTICS"
    )
    return Refusal(
        f"Index {index.relation} was not scanned, but gives the planner the statistics of its expression:"
        f" without them the row estimates of {_some(readers)} would be guesses.",
        f"Keep it. {how} can hold them instead; then advise again.",
    )


def _is_in(index: Index, plans: Sequence[Plan]) -> bool:
    return any(index.relation.name in plan.indexes_used() for plan in plans)


def _reason(index: Index, case: DropCase, keeper: _Keeper | None, age: timedelta | None) -> str:
    if keeper is None:
        return f"no plan on this server scanned it in {_days(age) if age else 'the time that was counted'}"
    if case is DropCase.DUPLICATE:
        return f"{keeper.name} does all that it does: same keys, same rows"
    if case is DropCase.SUPERSEDED:
        return f"the new index {keeper.name.name} serves every plan that it can serve"
    keys = "key" if len(index.keys) == 1 else f"{len(index.keys)} keys"
    return f"{keeper.name} begins with its {keys} and serves every plan that it can serve"


def _evidence(
    index: Index, keeper: _Keeper | None, catalog: Catalog, written: int | None
) -> Iterator[Evidence]:
    yield Evidence("definition", index.definition, "pg_get_indexdef")
    if keeper is not None:
        yield Evidence("kept", keeper.definition, "pg_get_indexdef")
    yield Evidence("size", size(index.size_bytes), "pg_class")
    age, scans = catalog.counters_age, catalog.scans_of(index)
    since = f" in {_days(age)}" if age else ""
    yield Evidence("scans", "unknown" if scans is None else f"{scans:,}{since}", "pg_stat_all_indexes")
    entries = "unknown" if written is None else f"{written:,}{since}"
    yield Evidence("entries written", entries, "pg_stat_all_tables")


def _some(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def _days(age: timedelta) -> str:
    if age.days:
        return _count(age.days, "day")
    hours = int(age.total_seconds() // 3600)
    return _count(hours, "hour") if hours else "minutes"


def names_of(candidates: Sequence[DropCandidate]) -> tuple[RelationName, ...]:
    """Return the indexes that may go, as a provider of costs wants to know them."""
    return tuple(candidate.change.index for candidate in candidates)
