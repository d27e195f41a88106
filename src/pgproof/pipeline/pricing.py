"""Who is asked what an index would be worth: a shadow, a clone, or HypoPG on the database itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from pgproof.config import Settings
from pgproof.model.candidate import IndexCandidate
from pgproof.model.catalog import Catalog
from pgproof.model.estimate import IndexSize
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.relation import RelationName
from pgproof.pipeline.looking import open_target
from pgproof.postgres.session import open_session
from pgproof.postgres.shadow.server import open_shadow
from pgproof.stages.compete.clones import open_clones
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
    """

    provider: CostProvider
    candidates: tuple[IndexCandidate, ...]
    sizes: dict[str, IndexSize]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToPrice:
    """What is to be priced.

    Args:
        dsn: Of the database; it is only read.
        catalog: Of the same.
        candidates: Most promising first.
        droppable: Existing indexes that may be thought away.
    """

    dsn: str
    catalog: Catalog
    candidates: tuple[IndexCandidate, ...]
    droppable: tuple[RelationName, ...] = ()


@contextmanager
def open_pricing(
    settings: Settings, what_if: WhatIf, asked: ToPrice, progress: Progress = ignore_progress
) -> Iterator[Pricing]:
    """Have candidates priced for as long as a block lasts.

    Args:
        settings: Home, binaries, guards.
        what_if: Who prices them.
        asked: What is to be priced.
        progress: Told what is being done.

    Raises:
        CapabilityMissing: HypoPG is not installed, or the database can't be copied.
        Unreachable, ServerError, EmbeddedServerError: As the servers say.
    """
    opened = {WhatIf.SHADOW: _on_shadow, WhatIf.CLONE: _on_clone, WhatIf.HYPOPG: _on_target}[what_if]
    with opened(settings, asked, progress) as pricing:
        yield pricing


@contextmanager
def _on_shadow(settings: Settings, asked: ToPrice, progress: Progress) -> Iterator[Pricing]:
    with (
        open_shadow(asked.dsn, home=settings.home, progress=progress) as shadow,
        open_shadow_costs(
            shadow,
            asked.catalog,
            asked.candidates,
            droppable=asked.droppable,
            lanes=LANES,
            progress=progress,
        ) as provider,
    ):
        yield Pricing(provider, asked.candidates, dict(provider.index_sizes), tuple(shadow.notes))


@contextmanager
def _on_clone(settings: Settings, asked: ToPrice, progress: Progress) -> Iterator[Pricing]:
    with (
        open_clones(
            asked.dsn,
            home=settings.home,
            arms=1,
            writes=False,
            clone_bindir=settings.bindir,
            progress=progress,
        ) as (host, _),
        open_session(host.make("estimate"), read_only=False, statement_timeout_ms=0) as session,
        open_clone_costs(session, asked.candidates, droppable=asked.droppable, progress=progress) as provider,
    ):
        yield Pricing(provider, asked.candidates, dict(provider.index_sizes))


@contextmanager
def _on_target(settings: Settings, asked: ToPrice, progress: Progress) -> Iterator[Pricing]:
    with (
        open_target(settings, asked.dsn) as session,
        open_hypopg_costs(
            session,
            asked.candidates,
            catalog=asked.catalog,
            droppable=asked.droppable,
            progress=progress,
        ) as provider,
    ):
        yield Pricing(provider, asked.candidates, dict(provider.index_sizes))
