"""Index candidates for a workload: everything worth asking the planner about, and nothing silly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from pgproof.model.candidate import IndexCandidate
from pgproof.model.change import CreateIndex
from pgproof.model.relation import Catalog, ConstraintKind, RelationName, Table
from pgproof.model.workload import Workload
from pgproof.sqltext.mentions import mentions
from pgproof.stages.propose.access import Access, find_accesses
from pgproof.stages.propose.btree import btree_drafts
from pgproof.stages.propose.draft import Draft
from pgproof.stages.propose.existing import pins_one_row, serves
from pgproof.stages.propose.foreign_keys import caused_checks, foreign_key_drafts
from pgproof.stages.propose.naming import Names
from pgproof.stages.propose.partial import partial_drafts
from pgproof.stages.propose.reading import ReadStatement, read_workload, table_of
from pgproof.stages.propose.special import special_drafts

MIN_PAGES = 50
"""Smaller tables are read faster than an index on them. **Source**: judgement; 400 KiB, a millisecond."""

MIN_ROWS = 500
"""Of a table worth an index. **Source**: judgement."""

MAX_PLAIN_FRAC = 0.2
"""An index that leads to more of its table by equality alone is left unused. **Source**: judgement: the
planner's break-even for scattered rows lies below a tenth; twice that, to be safe on fast storage."""

_PAGE_BYTES = 8192
_METHOD_SUFFIX = {"gin": "gin", "gist": "gist"}


def propose_indexes(
    catalog: Catalog, workload: Workload, *, max_width: int = 4, max_candidates: int = 60
) -> tuple[IndexCandidate, ...]:
    """Propose indexes that some statement of a workload might be glad of.

    Nothing is proposed that an existing index does already, on tables too small to matter, on conditions most
    rows meet, or that could not be built. Whether a candidate helps is for the estimate to say.

    Args:
        catalog: Of the database.
        workload: What it is asked.
        max_width: Most key columns of an index, >= 1.
        max_candidates: Most candidates; each statement's best ones come first.

    Returns:
        Most promising first, names unique. The same input gives the same answer.
    """
    reads = read_workload(catalog, workload)
    wishes: dict[tuple[object, ...], _Wish] = {}
    queues = [_drafts_of(read, catalog, max_width) for read in reads]
    for read, queue in zip(reads, queues, strict=True):
        for draft in queue:
            wishes.setdefault(draft.identity, _Wish(draft)).add(read, draft)
    wanted = _in_turns(queues)[:max_candidates]
    names = Names(catalog)
    updated = _updated_columns(reads, catalog)
    candidates = [wishes[draft.identity].candidate(names, updated) for draft in wanted]
    return tuple(sorted(candidates, key=lambda candidate: -candidate.pages_hint))


@dataclass(slots=True)
class _Wish:
    """A draft, and the statements that would be glad of it."""

    draft: Draft
    asked_by: dict[str, str] = field(default_factory=dict)
    pages: float = 0.0

    def add(self, read: ReadStatement, draft: Draft) -> None:
        """Note that a statement asks for it; once a statement."""
        if read.statement.name not in self.asked_by:
            self.asked_by[read.statement.name] = draft.asks
            frac = draft.frac if draft.frac < 1 else 0.5
            self.pages += read.statement.calls * _pages(draft.table) * (1 - frac)

    def candidate(self, names: Names, updated: Mapping[RelationName, frozenset[str]]) -> IndexCandidate:
        """Give it a name and say why it is proposed."""
        draft = self.draft
        parts = [key.column or key.expression for key in draft.keys]
        suffix = _METHOD_SUFFIX.get(draft.method, "idx")
        if draft.include:
            suffix = f"incl_{suffix}"
        change = CreateIndex(
            table=draft.table.relation,
            name=names.new(draft.table.relation.name, parts, suffix, where=draft.where_columns),
            keys=draft.keys,
            method=draft.method,
            include=draft.include,
            where=draft.where,
        )
        return IndexCandidate(
            change=change,
            statements=tuple(self.asked_by),
            reason=self._reason(updated.get(draft.table.relation, frozenset())),
            requires=draft.requires,
            analyze=any(key.expression for key in draft.keys),
            pages_hint=self.pages,
        )

    def _reason(self, updated: frozenset[str]) -> str:
        asks = dict.fromkeys(self.asked_by.values())
        reason = f"{', '.join(self.asked_by)}: {'; '.join(asks)}"
        draft = self.draft
        texts = (draft.where, *(key.expression for key in draft.keys))
        held = {*(key.column for key in draft.keys), *draft.include}
        lost = sorted(name for name in updated if name in held or any(mentions(text, name) for text in texts))
        if lost:
            reason += f". Updates of {', '.join(lost)} will have to maintain it (they stop being HOT)"
        return reason


def _drafts_of(read: ReadStatement, catalog: Catalog, max_width: int) -> list[Draft]:
    """Return a statement's drafts worth asking about, best first, none twice."""
    found: dict[tuple[object, ...], Draft] = {}
    drafts = [*_all_drafts(read, catalog, max_width)]
    for draft in sorted(drafts, key=lambda draft: draft.rank):
        if draft.identity not in found and _is_sensible(draft, catalog):
            found[draft.identity] = draft
    return list(found.values())


def _all_drafts(read: ReadStatement, catalog: Catalog, max_width: int) -> Iterator[Draft]:
    for access in find_accesses(read, catalog):
        if _is_pinned(access, catalog):
            continue
        yield from special_drafts(access, catalog)
        yield from partial_drafts(access, max_width, _primary_key(access, catalog))
        yield from btree_drafts(access, max_width)
    yield from foreign_key_drafts(caused_checks(read, catalog), catalog)


def _is_pinned(access: Access, catalog: Catalog) -> bool:
    """Tell whether a unique index finds the one row already, whatever else is asked of it."""
    compared = {equal.operand.column for equal in access.equals if equal.single}
    compared |= {operand.column for operand in access.tied}
    return any(
        index.unique
        and index.valid
        and not index.predicate
        and all(key.column in compared and key.column for key in index.keys)
        for index in catalog.indexes_of(access.table.relation)
    )


def _primary_key(access: Access, catalog: Catalog) -> tuple[str, ...]:
    for constraint in catalog.constraints_of(access.table.relation):
        if constraint.kind is ConstraintKind.PRIMARY_KEY:
            return constraint.columns
    return ()


def _is_sensible(draft: Draft, catalog: Catalog) -> bool:
    rows, pages = draft.table.rows, _pages(draft.table)
    if pages < MIN_PAGES or 0 <= rows < MIN_ROWS:
        return False
    leads_to_most = draft.method == "btree" and not draft.ordered and draft.frac > MAX_PLAIN_FRAC
    if leads_to_most and not draft.include and not draft.where:
        return False
    return not any(
        serves(index, draft) or pins_one_row(index, draft)
        for index in catalog.indexes_of(draft.table.relation)
    )


def _pages(table: Table) -> float:
    return max(table.pages, table.size_bytes / _PAGE_BYTES)


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
