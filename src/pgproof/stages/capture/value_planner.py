"""Who says which types parameters have, and whether values fit: the target, or somebody in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pgproof.errors import ServerError, Unreachable
from pgproof.model.query import Query
from pgproof.postgres.explain import explain
from pgproof.postgres.failures import INSUFFICIENT_PRIVILEGE, LACKING
from pgproof.postgres.session import Session
from pgproof.stages.capture.parameter_types import ParameterType, read_parameter_types
from pgproof.stages.capture.rows_match import expected_rows


@dataclass(frozen=True, slots=True)
class Unplanned:
    """Values could not be tried, though nothing is known against them.

    Args:
        reason: Why, in words that follow "Values not checked: ".
    """

    reason: str


class ValuePlanner(Protocol):
    """Plans statements with values."""

    def types(self, sql: str) -> tuple[ParameterType, ...]:
        """Return the types of a statement's parameters, ``$1`` first; `ServerError` if it is not accepted."""
        ...

    def rows(self, query: Query, values: Sequence[str | None]) -> float | Unplanned:
        """Return the rows that the planner expects; `ServerError` if it refuses the values."""
        ...


class TargetPlanner:
    """The database that the statements come from.

    Args:
        session: On it; nothing is executed there, but EXPLAIN plans.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def types(self, sql: str) -> tuple[ParameterType, ...]:
        """Let the server prepare the statement."""
        return read_parameter_types(self._session, sql)

    def rows(self, query: Query, values: Sequence[str | None]) -> float | Unplanned:
        """Let the server plan the statement.

        Who only reads may not plan a write. Its values were read as the types they must have before the
        server looked at rights, so they are kept; whether the row can be written shows on a clone.
        """
        try:
            return expected_rows(explain(self._session, query.sql, values))
        except ServerError as error:
            if query.read_only or error.sqlstate != INSUFFICIENT_PRIVILEGE:
                raise
            return Unplanned("this role may not plan writes; compete tries them on a clone.")


class StandInPlanner:
    """A shadow or a clone in the target's place: the target plans nothing.

    Args:
        session: On the stand-in.
        target: Asked for types only where the stand-in lacks what the statement needs: nothing is planned.
        is_incomplete: The stand-in may lack something that the target has.
    """

    def __init__(self, session: Session, target: Session, *, is_incomplete: bool) -> None:
        self._stand_in = TargetPlanner(session)
        self._target = TargetPlanner(target)
        self._is_incomplete = is_incomplete

    def types(self, sql: str) -> tuple[ParameterType, ...]:
        """Let the stand-in prepare the statement, or the target where only that can."""
        try:
            return self._stand_in.types(sql)
        except ServerError as error:
            if not self._is_lack(error):
                raise
        return self._target.types(sql)

    def rows(self, query: Query, values: Sequence[str | None]) -> float | Unplanned:
        """Let the stand-in plan the statement."""
        try:
            return self._stand_in.rows(query, values)
        except ServerError as error:
            if not self._is_lack(error):
                raise
            return Unplanned("the shadow lacks what the statement needs; compete tries them on a clone.")

    def _is_lack(self, error: ServerError) -> bool:
        return self._is_incomplete and not isinstance(error, Unreachable) and error.sqlstate in LACKING
