"""Functions of a database that are not the server's own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Function:
    """A function whose every overload is immutable, so that an index may call it.

    Args:
        schema: Where it is.
        name: As stored.
        returns: pg_type.typname of what it gives, domains resolved; empty where its overloads differ.
    """

    schema: str
    name: str
    returns: str = ""
