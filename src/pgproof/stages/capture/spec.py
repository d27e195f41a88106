"""A workload whose values may still have to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.model.query import Query
from pgproof.model.workload import ParameterSet, SetAside, Workload
from pgproof.stages.capture.generators import FromQuery, Generator

DEFAULT_SETS = 20
"""Parameter sets drawn for a statement where its author names no number."""


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """Which placeholders one generator feeds.

    Args:
        positions: 0-based, in the order of the generator's values; at least one.
        generator: Where the values come from.
    """

    positions: tuple[int, ...]
    generator: Generator


@dataclass(frozen=True, slots=True)
class StatementSpec:
    """One statement of a hand-written workload.

    Args:
        name: Unique in its file.
        query: The shape, placeholders numbered.
        calls: Declared weight, > 0.
        placeholders: What the author calls them, ``$1`` first; ``"1"`` where they are only numbered.
        parameter_sets: Values written out in the file; empty with generators.
        generators: Together they feed every placeholder exactly once; empty with values.
        sets: Parameter sets to draw, >= 1.
        weighted: The author said how often it runs; False where ``calls`` is only assumed.
        notes: For the statement of the workload.
    """

    name: str
    query: Query
    calls: float
    placeholders: tuple[str, ...] = ()
    parameter_sets: tuple[ParameterSet, ...] = ()
    generators: tuple[ParameterSpec, ...] = ()
    sets: int = DEFAULT_SETS
    weighted: bool = False
    notes: tuple[str, ...] = ()

    @property
    def needs_server(self) -> bool:
        """Whether a value comes from a query."""
        return any(isinstance(use.generator, FromQuery) for use in self.generators)


@dataclass(frozen=True, slots=True)
class WorkloadSpec:
    """A workload file as it was read.

    Args:
        statements: In file order, or heaviest first for a captured workload.
        source: Name of the file, for messages.
        captured: The workload itself where the file held one that was captured: nothing is left to draw.
        set_aside: Statements that don't parse, in file order.
    """

    statements: tuple[StatementSpec, ...]
    source: str
    captured: Workload | None = None
    set_aside: tuple[SetAside, ...] = ()

    @property
    def weighted(self) -> bool:
        """Whether the file says how often statements run, be it only for one of them."""
        return self.captured is not None or any(statement.weighted for statement in self.statements)

    @property
    def needs_server(self) -> bool:
        """Whether `resolve_generators` has to ask a database."""
        return any(statement.needs_server for statement in self.statements)
