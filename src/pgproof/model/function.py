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


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What the server puts into every statement that names something.

    Args:
        name: Of a table with row security, or of an SQL function, as stored and without its schema.
        body: The policy's condition, or what the function runs.
    """

    name: str
    body: str
