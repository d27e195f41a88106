"""Sets of indexes really built: their bytes, and the CPU time of each statement with and without them.

Each set is built in a transaction of its own that is never committed, so several of them, and none at all,
exist side by side on the same heap, each for one session alone. Times are the CPU time of the server process
from ``/proc/PID/schedstat`` (Linux): on a machine with neighbours, a clock tells about them.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg import sql

from bench._contenders import Choice
from bench.references.costs import Question, questions
from pgproof.changes import simulate_steps
from pgproof.model.candidate import IndexCandidate
from pgproof.model.change import AnalyzeTable, Change, CloneOnly
from pgproof.model.workload import WorkloadStatement

SLOWER_FRAC = 0.15
"""What a statement may lose. **Source**: the issue: more than 15 % beyond noise is a regression."""

SUSPECT_FRAC = 0.05
"""Statements that seem to have lost that much get MORE_ROUNDS. **Source**: the spread of CPU times."""

MORE_ROUNDS = 4

NOISE_S = 0.02
"""CPU seconds that no difference below is believed of. **Source**: judgement; a tick is 1 to 4 ms."""

WATCH_S = 0.05
"""How often a running statement is looked at."""

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Times:
    """CPU seconds of each statement in each round.

    Args:
        by_statement: Name of the statement to one figure a round.
        capped: Statements that were stopped at the time limit; they count with that limit, whatever they used
            of it, and do not run again.
    """

    by_statement: Mapping[str, tuple[float, ...]]
    capped: frozenset[str]

    def median_s(self, statement: str) -> float:
        """Return the median over the rounds."""
        return statistics.median(self.by_statement[statement])

    def total_s(self, unknown: Container[str] = ()) -> float:
        """Sum of the medians of all statements but the unknown ones."""
        return sum(self.median_s(name) for name in self.by_statement if name not in unknown)


@dataclass(frozen=True, slots=True)
class Compared:
    """Times without and with a set, from the same rounds."""

    without: Times
    times: Times

    @property
    def unknown(self) -> frozenset[str]:
        """Statements that were stopped with and without the set: what it does to them nobody knows."""
        return self.without.capped & self.times.capped

    @property
    def before_s(self) -> float:
        """Sum of the medians without the set, of the statements that are known."""
        return self.without.total_s(self.unknown)

    @property
    def after_s(self) -> float:
        """The same with it."""
        return self.times.total_s(self.unknown)

    def slower(self) -> dict[str, float]:
        """Return the statements that got slower beyond noise, each with its factor.

        Beyond noise: even the fastest round with the set is slower than the slowest without, which seven
        rounds of equals do once in 3,432 times.
        """
        found = {}
        for name in self._looking_slower(SLOWER_FRAC):
            if min(self.times.by_statement[name]) > max(self.without.by_statement[name]):
                found[name] = round(self.times.median_s(name) / self.without.median_s(name), 2)
        return found

    def suspects(self) -> set[str]:
        """Return the statements that more rounds are wanted of: they look slower."""
        return set(self._looking_slower(SUSPECT_FRAC)) - self.times.capped - self.without.capped

    def _looking_slower(self, frac: float) -> Iterator[str]:
        for name in self.times.by_statement:
            old, new = self.without.median_s(name), self.times.median_s(name)
            if new > old * (1 + frac) and new - old > NOISE_S:
                yield name


def real_bytes(dsn: str, choices: Sequence[Choice]) -> dict[str, int]:
    """Build every index of some sets once, by itself; return the bytes of each by its name."""
    candidates = {candidate.name: candidate for choice in choices for candidate in choice.indexes}
    sizes = {}
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, candidate in sorted(candidates.items()):
            with _built(connection, [candidate], analyze=False) as names:
                relation = sql.Identifier(candidate.change.table.schema, names[name]).as_string(connection)
                row = connection.execute("SELECT pg_relation_size(%s::regclass)", [relation]).fetchone()
                sizes[name] = int(str(row[0])) if row else 0
    return sizes


def measure(
    dsn: str,
    statements: Sequence[WorkloadStatement],
    choices: Sequence[Choice],
    *,
    rounds: int,
    limit_s: float,
) -> list[Compared]:
    """Run the reading statements without an index and with each set, in turns.

    Args:
        dsn: The loaded database; it is as before afterwards.
        statements: Those that write are left out.
        choices: Sets to build.
        rounds: How often each statement runs under each set; one that looks slower runs more often.
        limit_s: When to stop a statement, in CPU time.

    Returns:
        One comparison a set, in order.
    """
    found: dict[int, Compared] = {}
    for places in _batches(choices):
        measured = _measure(dsn, statements, [choices[place] for place in places], rounds, limit_s)
        found.update(zip(places, measured, strict=True))
    return [found[place] for place in range(len(choices))]


def _batches(choices: Sequence[Choice]) -> list[list[int]]:
    """Keep apart what can't stand side by side: ANALYZE waits for the transaction of any other build."""
    plain: list[int] = []
    alone: list[int] = []
    for place, choice in enumerate(choices):
        special = any(candidate.analyze or candidate.requires for candidate in choice.indexes)
        (alone if special else plain).append(place)
    return [*([plain] if plain else []), *([place] for place in alone)]


def _measure(
    dsn: str, statements: Sequence[WorkloadStatement], choices: Sequence[Choice], rounds: int, limit_s: float
) -> list[Compared]:
    reading = [statement for statement in statements if not statement.query.kind.writes]
    asked = [question for statement in reading for question in questions(statement)]
    with ExitStack() as stack:
        connections = [stack.enter_context(psycopg.connect(dsn, autocommit=True)) for _ in (None, *choices)]
        for connection, choice in zip(connections[1:], choices, strict=True):
            stack.enter_context(_built(connection, choice.indexes, analyze=True))
        runs = [_Runs(connection, limit_s) for connection in connections]
        _run_rounds(runs, asked, rounds)
        suspects = set[str]().union(*(one.suspects() for one in _compared(runs)))
        _run_rounds(runs, [question for question in asked if question.statement in suspects], MORE_ROUNDS)
    return _compared(runs)


def _run_rounds(runs: Sequence[_Runs], asked: Sequence[Question], rounds: int) -> None:
    for _ in range(rounds):
        for question in asked:
            for run in runs:
                run.run(question)


def _compared(runs: Sequence[_Runs]) -> list[Compared]:
    without, *with_sets = [run.times() for run in runs]
    return [Compared(without, times) for times in with_sets]


class _Runs:
    def __init__(self, connection: Connection, limit_s: float) -> None:
        self._connection = connection
        self._limit_s = limit_s
        self._seconds: dict[str, dict[Question, list[float]]] = {}
        self._capped: set[str] = set()

    def run(self, question: Question) -> None:
        spent = self._limit_s if question.statement in self._capped else self._run(question)
        self._seconds.setdefault(question.statement, {}).setdefault(question, []).append(spent)

    def _run(self, question: Question) -> float:
        before = _cpu_s(self._connection)
        cursor = psycopg.RawCursor(self._connection)
        try:
            # A savepoint where a set is there.
            with _stopped_at(self._connection, before + self._limit_s), self._connection.transaction():
                cursor.execute(question.request.sql.encode(), list(question.request.values), prepare=False)
                cursor.fetchall()
        except psycopg.errors.QueryCanceled:
            self._capped.add(question.statement)
            return self._limit_s
        return _cpu_s(self._connection) - before

    def times(self) -> Times:
        sums = {
            statement: tuple(map(sum, zip(*by_question.values(), strict=True)))
            for statement, by_question in self._seconds.items()
        }
        return Times(sums, frozenset(self._capped))


@contextmanager
def _stopped_at(connection: Connection, cpu_s: float) -> Iterator[None]:
    """Cancel what a block runs once its server process has had that much CPU time in all."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(WATCH_S):
            if _cpu_s(connection) > cpu_s:
                connection.cancel_safe()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _cpu_s(connection: Connection) -> float:
    """Return the CPU time a server process has had (Linux, scheduler/sched-stats)."""
    text = Path(f"/proc/{connection.info.backend_pid}/schedstat").read_text(encoding="ascii")
    return int(text.split()[0]) / 1e9


@contextmanager
def _built(
    connection: Connection, candidates: Sequence[IndexCandidate], *, analyze: bool
) -> Iterator[Mapping[str, str]]:
    """Build indexes for as long as a block lasts.

    Yields:
        The name of each on the server, which no other session uses: it would wait for this transaction.
    """
    names = {c.name: f"bench_{connection.info.backend_pid}_{place}" for place, c in enumerate(candidates)}
    with connection.transaction(force_rollback=True):
        for candidate in candidates:
            for change in candidate.requires:
                connection.execute(
                    sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(change.name))
                )
            _run(connection, replace(candidate.change, name=names[candidate.name]))
        for table in sorted({candidate.change.table for candidate in candidates if candidate.analyze}):
            if analyze:
                _run(connection, AnalyzeTable(table))
        yield names


def _run(connection: Connection, change: Change) -> None:
    steps = simulate_steps(change)
    assert not isinstance(steps, CloneOnly)
    for step in steps:
        connection.execute(step.sql.encode())
