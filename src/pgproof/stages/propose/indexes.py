"""Index candidates for a workload: everything worth asking the planner about, and nothing silly."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest

from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.plan import Plan
from pgproof.model.relation import RelationName
from pgproof.model.workload import Workload
from pgproof.stages.propose.drafts.access import Access, find_accesses
from pgproof.stages.propose.drafts.btree import filter_drafts
from pgproof.stages.propose.drafts.containers import container_drafts, nearest_drafts
from pgproof.stages.propose.drafts.covering import covering_drafts, slim_copy, with_coverage
from pgproof.stages.propose.drafts.draft import Draft
from pgproof.stages.propose.drafts.joins import join_drafts
from pgproof.stages.propose.drafts.merging import merged_drafts
from pgproof.stages.propose.drafts.methods import brin_drafts, hash_drafts
from pgproof.stages.propose.drafts.partial import MIN_RECURRING, Fixed, fixed_conditions, partial_drafts
from pgproof.stages.propose.drafts.patterns import nearest_text_drafts, pattern_drafts
from pgproof.stages.propose.drafts.permutations import permutation_drafts
from pgproof.stages.propose.drafts.prefixes import prefixes
from pgproof.stages.propose.foreign_keys import caused_checks, foreign_key_drafts
from pgproof.stages.propose.from_plans import read_plan
from pgproof.stages.propose.naming import Names
from pgproof.stages.propose.reading import ReadStatement, read_workload, table_of
from pgproof.stages.propose.wishes import Wish, Wishes
from pgproof.stages.propose.worth import (
    can_be_built,
    is_pinned,
    is_sensible,
    is_worth_indexing,
    primary_key,
)

MAX_CANDIDATES = 3000
"""Candidates that are handed on, without a limit of the caller's. **Source**: judgement: a shadow planner
makes some 300 hypothetical indexes a second; all that the 90 statements of TPC-DS ask for."""

MAX_COVERED_RANK = 3
"""Drafts that fit their access less well get no payload. **Source**: judgement; keeps candidates few."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """What was found worth asking about.

    Args:
        candidates: Most promising first, names unique.
        notes: What was left out for the sake of a limit, and what only another role can build; one sentence
            each, may be empty.
    """

    candidates: tuple[IndexCandidate, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A statement, and what it asks of the tables that are worth an index."""

    read: ReadStatement
    accesses: tuple[Access, ...]


def propose_indexes(
    catalog: Catalog,
    workload: Workload,
    *,
    max_width: int = 4,
    max_candidates: int = MAX_CANDIDATES,
    plans: Mapping[str, Plan] | None = None,
) -> tuple[IndexCandidate, ...]:
    """Return the candidates of `find_proposals`, for those who need no notes."""
    return find_proposals(
        catalog, workload, max_width=max_width, max_candidates=max_candidates, plans=plans
    ).candidates


def find_proposals(
    catalog: Catalog,
    workload: Workload,
    *,
    max_width: int = 4,
    max_candidates: int = MAX_CANDIDATES,
    plans: Mapping[str, Plan] | None = None,
) -> Proposals:
    """Propose indexes that some statement of a workload might be glad of.

    Nothing is proposed that an existing index does already, on tables too small to matter, on conditions most
    rows meet, or that could not be built. Every column, and every ordered pair of columns, that a statement
    compares, joins, groups or sorts by is among the candidates, as far as these rules and the limit allow.
    Whether a candidate helps is for the estimate to say.

    Args:
        catalog: Of the database.
        workload: What it is asked.
        max_width: Most key columns of an index, >= 1.
        max_candidates: Most candidates, >= 0; each statement's best ones come first.
        plans: Of its statements, by name, made with VERBOSE; they show what the text hides: views, functions
            and row security are unfolded. Generic ones where there are parameters: a partial index on a value
            that happened to be given would serve no other.

    Returns:
        Candidates and what there is to say about them. The same input gives the same answer.
    """
    asked = [
        _Asked(read, tuple(_worthwhile(read, catalog)))
        for read in _with_plans(read_workload(catalog, workload), plans or {}, catalog)
    ]
    recurring = _recurring(asked)
    wishes = Wishes(catalog)
    queues = []
    for one in asked:
        queue = _sensible_drafts(one, catalog, max_width, recurring)
        queues.append(queue)
        for draft in queue:
            wishes.add(one.read.statement, draft)
    queues.append(_merged(wishes, catalog, max_width))
    wanted = [wish for wish in wishes.of(_in_turns(queues)) if wish.asked_by]
    chosen = wanted[:max_candidates]
    names = Names(catalog)
    updated = _updated_columns([one.read for one in asked], catalog)
    candidates = [wish.candidate(names, updated) for wish in chosen]
    buildable = [candidate for candidate in candidates if can_be_built(candidate, catalog)]
    ordered = tuple(sorted(buildable, key=lambda candidate: -candidate.pages_hint))
    return Proposals(ordered, tuple(_notes(len(wanted), len(chosen), ordered, catalog)))


def _with_plans(
    reads: Sequence[ReadStatement], plans: Mapping[str, Plan], catalog: Catalog
) -> Iterator[ReadStatement]:
    for read in reads:
        plan = plans.get(read.statement.name)
        yield read
        if plan is not None:
            yield read_plan(read.statement, plan, catalog)


def _worthwhile(read: ReadStatement, catalog: Catalog) -> Iterator[Access]:
    return (
        access
        for access in find_accesses(read, catalog)
        if is_worth_indexing(access.table) and not is_pinned(access)
    )


def _recurring(asked: Sequence[_Asked]) -> frozenset[tuple[RelationName, str]]:
    """Return the conditions with constants that stand in the texts of several statements."""
    readers: defaultdict[tuple[RelationName, str], set[str]] = defaultdict(set)
    for one in asked:
        for access in one.accesses:
            for fixed in fixed_conditions(access):
                readers[(access.table.relation, fixed.text)].add(one.read.statement.name)
    return frozenset(condition for condition, names in readers.items() if len(names) >= MIN_RECURRING)


def _sensible_drafts(
    asked: _Asked, catalog: Catalog, max_width: int, recurring: frozenset[tuple[RelationName, str]]
) -> list[Draft]:
    """Return a statement's drafts worth asking about, best first, none twice."""
    found: dict[tuple[object, ...], Draft] = {}
    drafts = _all_drafts(asked, catalog, max_width, recurring)
    for draft in sorted(drafts, key=lambda draft: draft.rank):
        if len(draft.keys) <= max_width and draft.identity not in found and is_sensible(draft, catalog):
            found[draft.identity] = draft
    return _tables_in_turns(found.values())


def _tables_in_turns(drafts: Iterable[Draft]) -> list[Draft]:
    """Sort drafts by rank, and those of a rank so that each table's first comes before any one's second."""
    places: Counter[tuple[int, RelationName]] = Counter()
    placed = []
    for draft in drafts:
        where = (draft.rank, draft.table.relation)
        placed.append((draft.rank, places[where], draft))
        places[where] += 1
    return [draft for _, _, draft in sorted(placed, key=lambda entry: entry[:2])]


def _all_drafts(
    asked: _Asked, catalog: Catalog, max_width: int, recurring: frozenset[tuple[RelationName, str]]
) -> Iterator[Draft]:
    for access in asked.accesses:
        yield from _special_drafts(access, max_width)
        fixed = tuple(one for one in fixed_conditions(access) if _is_fixed(one, access, recurring))
        yield from partial_drafts(access, fixed, max_width, primary_key(access.table, catalog))
        yield from slim_copy(access, max_width)
        for draft in (*filter_drafts(access, max_width), *join_drafts(access, max_width)):
            yield with_coverage(draft, access)
            yield from prefixes(draft)
            if draft.rank <= MAX_COVERED_RANK:
                yield from covering_drafts(access, draft, max_width)
    by_table = sorted(asked.accesses, key=lambda access: access.table.relation)
    for _, same in groupby(by_table, key=lambda access: access.table.relation):
        accesses = tuple(same)
        for draft in permutation_drafts(accesses, max_width):
            yield with_coverage(draft, *accesses)
    for draft in foreign_key_drafts(caused_checks(asked.read, catalog), catalog):
        if is_worth_indexing(draft.table):
            yield draft


def _special_drafts(access: Access, max_width: int) -> Iterator[Draft]:
    yield from pattern_drafts(access, max_width)
    yield from container_drafts(access, max_width)
    yield from nearest_drafts(access)
    yield from nearest_text_drafts(access)
    yield from brin_drafts(access)
    yield from hash_drafts(access)


def _is_fixed(fixed: Fixed, access: Access, recurring: frozenset[tuple[RelationName, str]]) -> bool:
    return not fixed.recurs_only or (access.table.relation, fixed.text) in recurring


def _merged(wishes: Wishes, catalog: Catalog, max_width: int) -> list[Draft]:
    """Add merges of what different statements wish for, and return them, heaviest table first."""
    by_table: defaultdict[RelationName, list[Wish]] = defaultdict(list)
    for wish in wishes:
        if wish.draft.rank <= MAX_COVERED_RANK:
            by_table[wish.draft.table.relation].append(wish)
    found = []
    for own in by_table.values():
        sources = [wish.as_source() for wish in own]
        for draft, one, other in merged_drafts(sources, max_width):
            if is_sensible(draft, catalog):
                wishes.add_merged(draft, one, other)
                found.append(draft)
    return found


def _in_turns(queues: Sequence[Sequence[Draft]]) -> list[Draft]:
    """Take each statement's best draft, then each one's second best, and so on; none twice."""
    turns = (draft for turn in zip_longest(*queues) for draft in turn if draft is not None)
    return list({draft.identity: draft for draft in turns}.values())


def _updated_columns(reads: Sequence[ReadStatement], catalog: Catalog) -> dict[RelationName, frozenset[str]]:
    """Return the columns that the workload's UPDATEs set, by table."""
    found: dict[RelationName, frozenset[str]] = {}
    for read in reads:
        for shape in read.levels:
            table = table_of(shape, shape.target.alias, catalog) if shape.target else None
            if table is not None and shape.command == "update":
                found[table.relation] = found.get(table.relation, frozenset()) | set(shape.columns_written)
    return found


def _notes(found: int, chosen: int, candidates: Sequence[IndexCandidate], catalog: Catalog) -> Iterator[str]:
    if found > chosen:
        yield (
            f"{found - chosen} of {found} candidate indexes were left out, those that fit their statements"
            f" least: no more than {chosen} are looked at."
        )
    tables = {candidate.change.table for candidate in candidates}
    owners = {
        table.owner
        for name in tables
        if (table := catalog.find_table(name.name, name.schema)) is not None and not table.owned
    }
    if owners:
        named = ", ".join(sorted(owner for owner in owners if owner)) or "another role"
        yield f"Some of the tables belong to {named}: only that role can build indexes on them."
