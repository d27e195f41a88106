"""Who is asked what an index would be worth: a shadow, a clone, or HypoPG on the database itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from pgproof.config import Settings
from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.estimate import IndexSize
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.relation import RelationName
from pgproof.pipeline.looking import open_target
from pgproof.postgres.session import Session, open_session
from pgproof.postgres.shadow.server import open_shadow
from pgproof.stages.capture.value_planner import StandInPlanner, TargetPlanner, ValuePlanner
from pgproof.stages.compete.clones import open_clones
from pgproof.stages.estimate.as_is import open_as_is
from pgproof.stages.estimate.clone_costs import open_clone_costs
from pgproof.stages.estimate.hypopg import open_hypopg_costs
from pgproof.stages.estimate.provider import CostProvider
from pgproof.stages.estimate.shadow import open_shadow_costs

LANES = 2
"""Sessions that plan at once on a shadow. **Source**: judgement: one a core of a small machine."""


class WhatIf(StrEnum):
    """Who prices candidates."""

    SHADOW = "shadow"
    CLONE = "clone"
    HYPOPG = "hypopg"


@dataclass(frozen=True, slots=True)
class Pricing:
    """Somebody to ask.

    Args:
        provider: Answers.
        candidates: Those it can be asked about.
        sizes: What the sizes rest on, by candidate, where the provider says.
        notes: What limits trust in its answers.
        denied: Tables that may not be read, so that statements on them have no price; each with the GRANT.
    """

    provider: CostProvider
    candidates: tuple[IndexCandidate, ...]
    sizes: dict[str, IndexSize]
    notes: tuple[str, ...] = ()
    denied: Mapping[RelationName, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planner:
    """Whose planner is asked: first about the database as it is, then about candidates.

    Args:
        session: Plans statements as the database is.
        is_target: It is the database itself, which only who asked for HypoPG gets.
        is_incomplete: Something that the database has may be missing there.
        price: Has candidates priced for as long as a block lasts; existing indexes may be thought away.
        denied: Tables that are not there, as they may not be read; each with the GRANT that would allow it.
    """

    session: Session
    is_target: bool
    is_incomplete: bool
    price: Callable[[Sequence[IndexCandidate], Sequence[RelationName]], AbstractContextManager[Pricing]]
    denied: Mapping[RelationName, str] = field(default_factory=dict)

    def of_values(self, target: Session) -> ValuePlanner:
        """Return who tries values that were drawn from a database."""
        if self.is_target:
            return TargetPlanner(target)
        return StandInPlanner(self.session, target, is_incomplete=self.is_incomplete)


@contextmanager
def open_planner(
    settings: Settings, what_if: WhatIf, dsn: str, catalog: Catalog, progress: Progress = ignore_progress
) -> Iterator[Planner]:
    """Get a planner ready for as long as a block lasts.

    Args:
        settings: Home, binaries, guards.
        what_if: Which one.
        dsn: Of the database; it is only read.
        catalog: Of the same.
        progress: Told what is being done.

    Raises:
        CapabilityMissing: The database can't be copied; or, once it prices, HypoPG is not installed.
        Unreachable, ServerError, EmbeddedServerError: As the servers say.
    """
    opened = {WhatIf.SHADOW: _on_shadow, WhatIf.CLONE: _on_clone, WhatIf.HYPOPG: _on_target}[what_if]
    with opened(settings, dsn, catalog, progress) as planner:
        yield planner


@contextmanager
def _on_shadow(settings: Settings, dsn: str, catalog: Catalog, progress: Progress) -> Iterator[Planner]:
    with (
        open_shadow(dsn, home=settings.home, progress=progress) as shadow,
        open_as_is(shadow, catalog, progress) as session,
    ):

        @contextmanager
        def price(
            candidates: Sequence[IndexCandidate], droppable: Sequence[RelationName]
        ) -> Iterator[Pricing]:
            with open_shadow_costs(
                shadow, catalog, candidates, droppable=droppable, lanes=LANES, progress=progress
            ) as provider:
                sizes = dict(provider.index_sizes)
                yield Pricing(provider, tuple(candidates), sizes, shadow.notes, shadow.source.denied)

        yield Planner(
            session,
            is_target=False,
            is_incomplete=shadow.incomplete,
            price=price,
            denied=shadow.source.denied,
        )


@contextmanager
def _on_clone(settings: Settings, dsn: str, _: Catalog, progress: Progress) -> Iterator[Planner]:
    with (
        open_clones(
            dsn, home=settings.home, arms=1, writes=False, clone_bindir=settings.bindir, progress=progress
        ) as (host, _),
        open_session(host.make("estimate"), read_only=False, statement_timeout_ms=0) as session,
    ):

        @contextmanager
        def price(
            candidates: Sequence[IndexCandidate], droppable: Sequence[RelationName]
        ) -> Iterator[Pricing]:
            with open_clone_costs(session, candidates, droppable=droppable, progress=progress) as provider:
                yield Pricing(provider, tuple(candidates), dict(provider.index_sizes))

        yield Planner(session, is_target=False, is_incomplete=True, price=price)


@contextmanager
def _on_target(settings: Settings, dsn: str, catalog: Catalog, progress: Progress) -> Iterator[Planner]:
    with open_target(settings, dsn) as session:

        @contextmanager
        def price(
            candidates: Sequence[IndexCandidate], droppable: Sequence[RelationName]
        ) -> Iterator[Pricing]:
            with open_hypopg_costs(
                session, candidates, catalog=catalog, droppable=droppable, progress=progress
            ) as provider:
                yield Pricing(provider, tuple(candidates), dict(provider.index_sizes))

        yield Planner(session, is_target=True, is_incomplete=False, price=price)
