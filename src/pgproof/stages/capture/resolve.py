"""Draws the values that generators stand for."""

from __future__ import annotations

import random
from collections.abc import Iterable

from pgproof.errors import ConfigError, ServerError
from pgproof.model.workload import ParameterSet, ParameterSource, Workload, WorkloadStatement
from pgproof.postgres.query_files import OWN_STATEMENT
from pgproof.postgres.session import Session
from pgproof.stages.capture.generators import Drawn, FromQuery, Generator, draw_rows
from pgproof.stages.capture.spec import StatementSpec, WorkloadSpec

_FROM_QUERY_MAX_ROWS = 200_000


def resolve_generators(session: Session | None, spec: WorkloadSpec, seed: int = 1) -> Workload:
    """Turn a workload file into a workload: every generator gives its values.

    Args:
        session: Where ``from_query`` generators ask; None where the file has none.
        spec: What `load_spec` read.
        seed: The same seed on the same rows gives the same values.

    Returns:
        Statements by falling number of calls; equal parameter sets merged, their weights added.

    Raises:
        ConfigError: A value has to come from a query and there is no session; or a query failed, or gave no
            rows or the wrong number of columns.
    """
    if spec.captured is not None:
        return spec.captured
    queries = _QueryRows(session, spec.source)
    statements = [_resolve_statement(statement, queries, seed) for statement in spec.statements]
    statements.sort(key=lambda statement: -statement.calls)
    return Workload(statements=tuple(statements), source="file", set_aside=spec.set_aside)


class _QueryRows:
    """The rows of ``from_query`` generators; each text is asked once."""

    def __init__(self, session: Session | None, source: str) -> None:
        self._session = session
        self._source = source
        self._rows: dict[str, tuple[list[tuple[str | None, ...]], list[float] | None]] = {}

    def draw(self, sql: str, width: int, count: int, statement: str) -> list[Drawn]:
        if sql not in self._rows:
            self._rows[sql] = self._ask(sql, statement)
        rows, weights = self._rows[sql]
        if not rows:
            raise ConfigError(
                f"{self._source}: the from_query of statement {statement} gave no rows",
                hint="Load data first, or widen the query: its rows are the statement's parameter values.",
            )
        if len(rows[0]) != width:
            raise ConfigError(
                f"{self._source}: the from_query of statement {statement} gives {len(rows[0])} values a row, "
                f"but feeds {width} placeholders",
                hint='Select one column for each placeholder, in order; a last column may be named "weight".',
            )
        return draw_rows(rows, weights, count)

    def _ask(self, sql: str, statement: str) -> tuple[list[tuple[str | None, ...]], list[float] | None]:
        if self._session is None:
            raise ConfigError(
                f"{self._source}: statement {statement} takes values from the database (from_query)",
                hint="Name the database to ask, or write the values into the file.",
            )
        try:
            bounded = f"SELECT {OWN_STATEMENT} * FROM ({sql}\n) AS drawn LIMIT {_FROM_QUERY_MAX_ROWS}"
            result = self._session.run(bounded, as_text=True)
        except ServerError as error:
            raise ConfigError(
                f"{self._source}: the from_query of statement {statement} failed: {error.message}",
                hint="Run the query in psql and mend it; it may only read.",
            ) from error
        if result.columns[-1] != "weight" or len(result.columns) == 1:
            return list(result.rows), None
        return [row[:-1] for row in result.rows], [float(row[-1] or 0) for row in result.rows]


def _resolve_statement(statement: StatementSpec, queries: _QueryRows, seed: int) -> WorkloadStatement:
    sets = statement.parameter_sets
    if statement.generators:
        sets = _draw_sets(statement, queries, random.Random(f"{seed} {statement.name}"))
    return WorkloadStatement(
        name=statement.name,
        query=statement.query,
        calls=statement.calls,
        parameter_sets=sets,
        notes=statement.notes,
    )


def _draw_sets(statement: StatementSpec, queries: _QueryRows, rng: random.Random) -> tuple[ParameterSet, ...]:
    """Draw each generator by itself, shuffle, and read the sets off across them."""
    values: list[list[str | None]] = [[None] * len(statement.placeholders) for _ in range(statement.sets)]
    weights = [1.0] * statement.sets
    for use in statement.generators:
        rows = _draw(use.generator, len(use.positions), statement, queries, rng)
        rng.shuffle(rows)
        for i, row in enumerate(rows):
            weights[i] *= row.weight
            for position, value in zip(use.positions, row.values, strict=True):
                values[i][position] = value
    drawn = zip(map(tuple, values), weights, strict=True)
    return tuple(_merge_equal(drawn))


def _draw(
    generator: Generator, width: int, statement: StatementSpec, queries: _QueryRows, rng: random.Random
) -> list[Drawn]:
    if isinstance(generator, FromQuery):
        return queries.draw(generator.sql, width, statement.sets, statement.name)
    return generator.draw(statement.sets, rng)


def _merge_equal(drawn: Iterable[tuple[tuple[str | None, ...], float]]) -> Iterable[ParameterSet]:
    merged: dict[tuple[str | None, ...], float] = {}
    for values, weight in drawn:
        merged[values] = merged.get(values, 0.0) + weight
    for values, weight in merged.items():
        yield ParameterSet(values, ParameterSource.GENERATED, round(weight, 6))
