"""Answers that may be old: a cache in front of statements, views that are refreshed by the clock."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.model.relation import RelationName


@dataclass(frozen=True, slots=True)
class CachedStatement:
    """A statement whose answers are kept for a while.

    Args:
        statement: Its name in the workload.
        ttl_s: Seconds an answer is kept, > 0.
    """

    statement: str
    ttl_s: float


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """A read-through cache in front of statements.

    Args:
        statements: Whose answers are kept; at least one.
        url: Of the server ("redis://..."), without a password; empty means one of pgproof's own.
    """

    statements: tuple[CachedStatement, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Refresh:
    """A materialized view that is refreshed while the application runs.

    Args:
        view: Its name.
        every_s: Seconds from one refresh to the next, > 0.
        concurrently: Readers need not wait; takes a unique index on the view.
    """

    view: RelationName
    every_s: float
    concurrently: bool = True
