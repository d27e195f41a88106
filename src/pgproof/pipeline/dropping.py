"""Existing indexes that go with a chosen set: those its new indexes supersede, and those nobody misses.

Each drop is priced together with the set it goes with: without the index, under the new ones, no statement
may get dearer. So a drop is in a blueprint only where the index that takes over is built before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pgproof.changes.index_cover import without_covered
from pgproof.model.candidate import IndexCandidate, IndexSet, Selection
from pgproof.model.catalog import Catalog
from pgproof.model.drop import DropCandidate, DropReview, KeptIndex
from pgproof.model.relation import RelationName
from pgproof.model.workload import Workload
from pgproof.stages.estimate.goal import Goal
from pgproof.stages.estimate.needless import without_needless
from pgproof.stages.propose.drops import find_superseded, names_of
from pgproof.stages.propose.reading import ReadStatement, read_workload


@dataclass
class Dropping:
    """Tells which existing indexes a set of new ones can do without.

    Args:
        catalog: Of the database.
        workload: Whose statements must not get dearer.
        candidates: Sets are chosen from these.
        review: Existing indexes that may go whatever is chosen.
    """

    catalog: Catalog
    workload: Workload
    candidates: Sequence[IndexCandidate]
    review: DropReview
    _read: tuple[ReadStatement, ...] = ()
    _found: dict[frozenset[str], DropReview] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._read = read_workload(self.catalog, self.workload)
        self._by_name = {candidate.name: candidate for candidate in self.candidates}

    @property
    def droppable(self) -> tuple[RelationName, ...]:
        """Return the indexes that some set may do without: what a provider has to be able to hide."""
        superseded = self._superseded_by([candidate.name for candidate in self.candidates])
        return names_of((*self.review.candidates, *superseded.candidates))

    def apply(self, goal: Goal, selection: Selection) -> Selection:
        """Return a selection whose sets do without what no plan misses then."""
        return replace(selection, sets=tuple(self._without_needless(goal, one) for one in selection.sets))

    def of(self, chosen: IndexSet) -> tuple[DropCandidate, ...]:
        """Return the indexes that go with a set, in the order they were found."""
        may_go = (*self.review.candidates, *self._superseded_by(chosen.names).candidates)
        return tuple(drop for drop in may_go if drop.name in chosen.dropped)

    def told(self, sets: Sequence[IndexSet]) -> DropReview:
        """Return what may go, with what only these sets make superfluous: an index is named once."""
        reviews = [self.review, *(self._superseded_by(chosen.names) for chosen in sets)]
        going = {drop.name for chosen in sets for drop in self.of(chosen)}
        mine = {drop.name for drop in self.review.candidates}
        found: dict[str, DropCandidate] = {}
        kept: dict[RelationName, KeptIndex] = {}
        for review in reviews:
            for drop in review.candidates:
                if drop.name in mine | going:
                    found.setdefault(drop.name, drop)
            for stays in review.kept:
                kept.setdefault(stays.index, stays)
        return replace(self.review, candidates=tuple(found.values()), kept=tuple(kept.values()))

    def _without_needless(self, goal: Goal, chosen: IndexSet) -> IndexSet:
        may_go = names_of((*self.review.candidates, *self._superseded_by(chosen.names).candidates))
        names = frozenset(chosen.names) | goal.base
        kept = without_needless(goal, names, frozenset(map(str, may_go)))
        return replace(chosen, dropped=tuple(sorted(goal.base - kept)))

    def _superseded_by(self, names: Sequence[str]) -> DropReview:
        key = frozenset(names)
        if key not in self._found:
            new = without_covered(self._by_name[name].change for name in names)
            gone = [drop.change for drop in self.review.candidates]
            self._found[key] = find_superseded(self.catalog, self._read, new, gone)
        return self._found[key]
