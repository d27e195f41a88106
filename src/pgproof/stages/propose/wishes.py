"""Drafts brought together: which statements would be glad of each, and what it would spare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.relation import RelationName, Table
from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.mentions import mentions
from pgproof.stages.propose.drafts.draft import Draft
from pgproof.stages.propose.drafts.merging import Source
from pgproof.stages.propose.naming import Names
from pgproof.stages.propose.worth import pages_of

MAX_NAMED = 5
"""Statements that a reason names. **Source**: judgement; a reason is read, `IndexCandidate.asks` has all."""

_METHOD_SUFFIX = {"gin": "gin", "gist": "gist", "brin": "brin", "hash": "hash"}


@dataclass(slots=True)
class Wish:
    """A draft, and the statements that would be glad of it.

    Args:
        draft: The index.
        asked_by: What each statement asks for, by its name.
        pages: Heap pages it would spare, summed over calls.
    """

    draft: Draft
    asked_by: dict[str, str] = field(default_factory=dict)
    pages: float = 0.0

    def as_source(self) -> Source:
        """Return it as something that may be merged with another."""
        return Source(self.draft, frozenset(self.asked_by), self.pages)

    def candidate(self, names: Names, updated: Mapping[RelationName, frozenset[str]]) -> IndexCandidate:
        """Give it a name and say why it is proposed.

        Args:
            names: Hands out names.
            updated: Columns that the workload's UPDATEs set, by table.
        """
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
        lost = _lost_to_hot(draft, updated.get(draft.table.relation, frozenset()))
        return IndexCandidate(
            change=change,
            statements=tuple(self.asked_by),
            reason=self._reason(lost),
            requires=draft.requires,
            analyze=any(key.expression for key in draft.keys),
            pages_hint=self.pages,
            asks=tuple(self.asked_by.items()),
            updated=lost,
        )

    def _reason(self, lost: tuple[str, ...]) -> str:
        named = list(self.asked_by)[:MAX_NAMED]
        more = f" and {len(self.asked_by) - len(named)} more" if len(self.asked_by) > len(named) else ""
        asks = list(dict.fromkeys(self.asked_by.values()))[:MAX_NAMED]
        reason = f"{', '.join(named)}{more}: {'; '.join(asks)}"
        if lost:
            reason += f". Updates of {', '.join(lost)} will have to maintain it (they stop being HOT)"
        return reason


class Wishes:
    """All drafts of a workload by what they are.

    What is wished for on a partition is, where the whole table has it too, a wish for the whole.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._by_identity: dict[tuple[object, ...], Wish] = {}

    def __iter__(self) -> Iterator[Wish]:
        return iter(self._by_identity.values())

    def add(self, statement: WorkloadStatement, draft: Draft) -> None:
        """Note that a statement asks for a draft; once a statement."""
        wish = self._by_identity.setdefault(draft.identity, Wish(draft))
        if statement.name not in wish.asked_by:
            wish.asked_by[statement.name] = draft.asks
            frac = draft.frac if draft.frac < 1 else 0.5
            wish.pages += statement.calls * pages_of(draft.table) * (1 - frac)

    def add_merged(self, draft: Draft, one: Source, other: Source) -> None:
        """Note a draft that stands for two others."""
        wish = self._by_identity.setdefault(draft.identity, Wish(draft))
        for source in (one, other):
            for name, asks in self._by_identity[source.draft.identity].asked_by.items():
                wish.asked_by.setdefault(name, f"{asks}, together with another statement's columns")
        wish.pages += max(one.pages, other.pages)

    def of(self, drafts: Iterable[Draft]) -> Iterator[Wish]:
        """Yield the wishes of some drafts, none twice; those on a partition join those of the whole."""
        drafts = list(drafts)
        for draft in drafts:
            whole = self._of_whole(draft.table, draft)
            if whole is not None:
                own = self._by_identity[draft.identity]
                for name, asks in own.asked_by.items():
                    whole.asked_by.setdefault(name, asks)
                whole.pages += own.pages
                own.asked_by = {}
        yield from (self._by_identity[draft.identity] for draft in drafts)

    def _of_whole(self, table: Table, draft: Draft) -> Wish | None:
        if table.parent is None:
            return None
        parent = self._catalog.find_table(table.parent.name, table.parent.schema)
        if parent is None:
            return None
        found = self._by_identity.get(replace(draft, table=parent).identity)
        return found or self._of_whole(parent, draft)


def _lost_to_hot(draft: Draft, updated: frozenset[str]) -> tuple[str, ...]:
    """Return the columns of an index that the workload updates, by name; BRIN leaves HOT updates alone.

    **Source**: ``amsummarizing`` in src/include/access/amapi.h, PostgreSQL 16.
    """
    if draft.method == "brin":
        return ()
    texts = (draft.where, *(key.expression for key in draft.keys))
    return tuple(
        sorted(name for name in updated if name in draft.held or any(mentions(text, name) for text in texts))
    )
