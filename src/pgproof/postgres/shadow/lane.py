"""One session on one database of a shadow: switches indexes on and off, asks for costs.

This is the tightest loop of the product, so it speaks to libpq directly: what a plan says beyond its cost and
its indexes is not read, and an answer takes less than a millisecond.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import psycopg
from psycopg import pq

from pgproof.errors import ParseError, ServerError, Unreachable
from pgproof.model.plan import Plan
from pgproof.postgres.failures import statement_failure
from pgproof.postgres.plan_json import parse_plan
from pgproof.postgres.query_files import load_query
from pgproof.postgres.shadow.source import SHADOW_MAJOR

_GONE = "The shadow's server ended unexpectedly."
_SWITCH = b"pgproof_switch"
# The planner leaves invalid indexes out. Only the index's own entry in the relation cache is built anew.
_SWITCH_SQL = b"""\
UPDATE pg_catalog.pg_index
   SET indisvalid = (indexrelid = ANY ($1::oid[]))
 WHERE indexrelid = ANY ($2::oid[])"""
_COST = re.compile(rb'"Total Cost": (\d+\.\d+)')  # the root's stands before any other
_TIMEOUT_MS = "30000"  # of planning one statement; a join of dozens of tables may take that long
_PLAN = b'"Plan": {'
_INDEX = re.compile(rb'"Index Name": ("(?:[^"\\]|\\.)*")')
_FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE)


_P = ParamSpec("_P")
_Answer = TypeVar("_Answer")


def _unless_gone(method: Callable[_P, _Answer]) -> Callable[_P, _Answer]:
    """Let a method that talks to the server say in plain words that there is none."""

    @wraps(method)
    def told(*args: _P.args, **kwargs: _P.kwargs) -> _Answer:
        try:
            return method(*args, **kwargs)
        except psycopg.OperationalError as error:
            raise Unreachable(_GONE, sqlstate="08006") from error

    return told


@dataclass(frozen=True, slots=True)
class Priced:
    """A plan, as far as a choice among indexes needs it.

    Args:
        cost: Total cost of the root.
        indexes: Names of the indexes in it, as the catalog has them, without schemas.
    """

    cost: float
    indexes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unpriced:
    """The planner refused.

    Args:
        sqlstate: The server's code.
        reason: In plain words; no values.
    """

    sqlstate: str
    reason: str


class Lane:
    """A session for one thread. Made by `pgproof.postgres.shadow.lanes.open_lanes`.

    Args:
        connection: To a database of the shadow, as a superuser, in autocommit mode; it switches.
        asking: To the same database; it asks. Another one only if a role is given.
        settings: Set in the session that asks.
        search_path: Schemas in order.
        role: Ask as this role, whose row security policies then are in the plans; empty for the superuser,
            whom no policy holds.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        asking: psycopg.Connection[Any],
        settings: Mapping[str, str],
        search_path: Sequence[str],
        role: str = "",
    ) -> None:
        self._asking = asking
        self._switching = connection.pgconn
        self._wire = asking.pgconn
        self._prepare(settings, search_path, role)

    @_unless_gone
    def switch(self, on: Sequence[int], off: Sequence[int]) -> None:
        """Let the planner see some indexes and hide others; the rest stays as it is.

        Args:
            on: Oids.
            off: Oids.

        Raises:
            Unreachable, ServerError: The shadow is gone.
        """
        if not on and not off:
            return
        arguments = [_oid_array(on), _oid_array((*on, *off))]
        self._demand(self._switching.exec_prepared(_SWITCH, arguments), "switching indexes")

    def price(
        self, sql: str, values: Sequence[str | None] = (), *, generic: bool = False
    ) -> Priced | Unpriced:
        """Ask for the cost of one statement, its values bound as an application would bind them.

        Args:
            sql: One statement that has a plan.
            values: ``$1`` first, in text form.
            generic: Plan for unknown values; ``values`` is empty then.

        Raises:
            Unreachable: The shadow is gone.
        """
        document = self._explain("FORMAT JSON", sql, values, generic=generic)
        if isinstance(document, Unpriced):
            return document
        cost = _COST.search(document)
        if cost is None or document.count(_PLAN) > 1:
            return Unpriced("", "a rule rewrites it to no statement with a plan, or to several")
        names = frozenset(json.loads(name) for name in _INDEX.findall(document))
        return Priced(float(cost[1]), names)

    def explain(
        self, sql: str, values: Sequence[str | None] = (), *, generic: bool = False
    ) -> Plan | Unpriced:
        """Ask for the whole plan; the arguments are those of `price`.

        Raises:
            Unreachable: The shadow is gone.
        """
        document = self._explain("FORMAT JSON, VERBOSE", sql, values, generic=generic)
        if isinstance(document, Unpriced):
            return document
        try:
            return parse_plan(document.decode())
        except ParseError as error:
            return Unpriced("", error.message)

    @_unless_gone
    def tables_of(
        self, sql: str, values: Sequence[str | None] = (), *, generic: bool = False
    ) -> frozenset[int]:
        """Return the oids of all relations whose indexes may matter to a statement.

        Those are the ones that planning it locks, views looked through, and all their partitions, because
        other values may lead to other ones.
        """
        self._wire.exec_(b"BEGIN")
        try:
            self.price(sql, values, generic=generic)
            result = self._wire.exec_(load_query("shadow_locks", SHADOW_MAJOR).encode())
            if result.status in _FAILED:
                return frozenset()
            cells = (result.get_value(row, 0) for row in range(result.ntuples))
            return frozenset(int(cell) for cell in cells if cell is not None)
        finally:
            self._wire.exec_(b"ROLLBACK")

    def _prepare(self, settings: Mapping[str, str], search_path: Sequence[str], role: str) -> None:
        self._demand(self._switching.prepare(_SWITCH, _SWITCH_SQL), "preparing")
        path = ", ".join('"' + schema.replace('"', '""') + '"' for schema in search_path)
        wanted = {
            **settings,
            "statement_timeout": _TIMEOUT_MS,
            "search_path": path or '""',
            **({"role": role} if role else {}),
        }
        for name, value in wanted.items():  # the role last: it may not set everything
            command = b"SELECT pg_catalog.set_config($1, $2, false)"
            self._demand(self._wire.exec_params(command, [name.encode(), value.encode()]), f"setting {name}")

    @_unless_gone
    def _explain(
        self, options: str, sql: str, values: Sequence[str | None], *, generic: bool
    ) -> bytes | Unpriced:
        """Return the server's answer."""
        if generic:
            result = self._wire.exec_(f"EXPLAIN ({options}, GENERIC_PLAN) {sql}".encode())
        else:
            bound = [None if value is None else value.encode() for value in values]
            result = self._wire.exec_params(f"EXPLAIN ({options}) {sql}".encode(), bound)
        if result.status in _FAILED:
            return self._refusal(result)
        return (result.get_value(0, 0) if result.ntuples else None) or b""

    def _refusal(self, result: pq.abc.PGresult) -> Unpriced:
        error = psycopg.errors.error_from_result(result, self._asking.info.encoding)
        failure = statement_failure(error, "the statement")
        if any(wire.status != pq.ConnStatus.OK for wire in (self._wire, self._switching)):
            raise Unreachable(_GONE, sqlstate="08006") from error
        return Unpriced(error.sqlstate or "", failure.message)

    def _demand(self, result: pq.abc.PGresult, what: str) -> None:
        if result.status in _FAILED:
            refusal = self._refusal(result)
            raise ServerError(f"{what} failed in the shadow: {refusal.reason}", sqlstate=refusal.sqlstate)


def _oid_array(oids: Sequence[int]) -> bytes:
    return b"{" + ",".join(map(str, oids)).encode() + b"}"
