"""The types a server infers for parameters, and plain values of a type where nothing better is known."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgproof.postgres.session import Session

_PREPARED = "pgproof_types"


@dataclass(frozen=True, slots=True)
class ParameterType:
    """A type, as the server inferred it.

    Args:
        name: As ``format_type`` gives it.
        base: pg_type.typname, domains resolved ("int4", "_text").
        category: pg_type.typcategory of the base type ("N" numeric, "A" array, "S" string...).
        labels: Of an enum in order, else empty.
    """

    name: str
    base: str
    category: str
    labels: tuple[str, ...] = ()

    @property
    def is_array(self) -> bool:
        """Whether it is an array type."""
        return self.category == "A"


UNKNOWN = ParameterType("text", "text", "S")


def read_parameter_types(session: Session, sql: str) -> tuple[ParameterType, ...]:
    """Ask the server what types a statement's parameters have; nothing is executed.

    Args:
        session: Where the statement's tables are.
        sql: One statement with ``$1``...

    Returns:
        The type of ``$1`` first.

    Raises:
        ServerError: The server does not accept the statement.
    """
    with session.rolled_back():
        session.run(f"PREPARE {_PREPARED} AS {sql}")
        try:
            rows = session.query("parameter_types", {"name": _PREPARED})
        finally:
            session.run(f"DEALLOCATE {_PREPARED}")
    return tuple(
        ParameterType(row.type_name, row.base_type, row.category, tuple(row.labels or ())) for row in rows
    )


def plain_value(kind: ParameterType, rng: random.Random, now: datetime) -> str | None:
    """Think of a value of a type; None (NULL) for a type of which nothing is known.

    Args:
        kind: The type.
        rng: Chance.
        now: The server's clock, for dates.
    """
    if kind.labels:
        return rng.choice(kind.labels)
    if kind.is_array:
        return "{}"
    maker = _MAKERS.get(kind.base) or _MAKERS_BY_CATEGORY.get(kind.category)
    return maker(rng, now) if maker else None


_Maker = Callable[[random.Random, datetime], str]


def _moment(rng: random.Random, now: datetime) -> datetime:
    return now - timedelta(seconds=rng.randrange(30 * 86_400))


_MAKERS: dict[str, _Maker] = {
    "bool": lambda rng, _: rng.choice(("true", "false")),
    "date": lambda rng, now: str(_moment(rng, now).date()),
    "time": lambda rng, now: str(_moment(rng, now).time()),
    "timetz": lambda rng, now: f"{_moment(rng, now).time()}+00",
    "timestamp": lambda rng, now: _moment(rng, now).replace(tzinfo=None).isoformat(sep=" "),
    "timestamptz": lambda rng, now: _moment(rng, now).isoformat(sep=" "),
    "interval": lambda rng, _: rng.choice(("1 hour", "1 day", "7 days", "30 days")),
    "uuid": lambda rng, _: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "json": lambda *_: "{}",
    "jsonb": lambda *_: "{}",
    "bytea": lambda rng, _: f"\\x{rng.getrandbits(64):016x}",
    "inet": lambda rng, _: f"10.0.0.{rng.randrange(1, 255)}",
    "tsquery": lambda *_: "a",
    "jsonpath": lambda *_: "$",
    "money": lambda rng, _: str(rng.randrange(1, 100)),
}
_MAKERS_BY_CATEGORY: dict[str, _Maker] = {
    "N": lambda rng, _: str(rng.randrange(1, 100)),
    "S": lambda rng, _: f"value {rng.randrange(1, 100)}",
    "R": lambda *_: "empty",
}
