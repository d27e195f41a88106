"""Many clients at once: how long each of them waits on each arm.

A closed loop: every client sends its next statement when the last one has answered (and its think time is
over). Arms take turns in short slices, in random order, so that the machine's moods fall on all of them.
Every client draws the same statements with the same values on every arm. Writes are committed.

Nothing that goes wrong ends the load: errors, timeouts and refused connections are results. But a write whose
unique key is there already is none: values are drawn again and again, and what was inserted stays. A faster
arm meets more of those, and must not look worse for it; that it takes the same values as the control is
judged before, one by one.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import math
import random
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import asyncpg
import numpy as np

from pgproof.errors import TrialFailed
from pgproof.model.blueprint import LoadProfile
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.workload import ParameterSet, WorkloadStatement
from pgproof.postgres.dsn import read_dsn
from pgproof.sqltext.parameters import bind_literals
from pgproof.stages.compete.load_log import GeneratorHealth, LoadLog, judge_health

TURN_S = 0.25
"""Wished length of one turn of an arm: the shorter, the better arms share the machine's moods."""

CONNECT_S = 0.02
"""Each client connects anew for each turn; a turn must be longer than that takes."""

_LAG_PROBE_S = 0.02
_CONNECT_TIMEOUT_S = 30.0
_GRACE_S = 5.0
_DRIVER_FAULTS = (asyncpg.InterfaceError, ValueError, TypeError, OverflowError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """An arm under load.

    Args:
        arm: Its name.
        dsn: Of its database; never printed.
    """

    arm: str
    dsn: str


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """All arms under load.

    Args:
        logs: By arm.
        turns: Done by each arm.
        health: Of the generator.
        notes: What a reader must know.
    """

    logs: dict[str, LoadLog]
    turns: int
    health: GeneratorHealth
    notes: tuple[str, ...]


def run_load(
    targets: Sequence[LoadTarget],
    statements: Sequence[WorkloadStatement],
    profile: LoadProfile,
    *,
    seed: int,
    time_limit_s: float,
    statement_timeout_ms: int,
    progress: Progress = ignore_progress,
) -> LoadOutcome:
    """Put the arms under load, turn by turn in random order.

    Args:
        targets: The arms; at least one.
        statements: The mix, by calls; at least one.
        profile: Clients, think time, slices.
        seed: Of the order and of what the clients draw.
        time_limit_s: Further turns are left out once it is used up; each arm gets one in any case.
        statement_timeout_ms: Longer statements are stopped; 0 means no limit.
        progress: Told how many turns are done.

    Raises:
        TrialFailed: The clone server lets nobody in.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        load = _Load(targets, statements, profile, seed, time_limit_s, statement_timeout_ms, progress)
        try:
            return runner.run(load.run())
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise TrialFailed(
                "The clone server let nobody in when the load began; nothing can be concluded.",
                hint=f"It said: {error}",
            ) from error


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return uvloop's where it is installed: the standard loop costs a client about twice as much."""
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return factory


def count_turns(profile: LoadProfile) -> int:
    """Return how many turns each arm gets: slices are cut into pieces, so that arms take turns more often."""
    piece_s = max(TURN_S, profile.clients * CONNECT_S)
    return profile.slices * max(1, round(profile.slice_s / piece_s))


class _Mix:
    """What clients draw from: statements by calls, parameter sets by weight."""

    def __init__(self, statements: Sequence[WorkloadStatement]) -> None:
        self.statements = tuple(statements)
        self._weights = list(accumulate(s.calls for s in statements))
        self._sets = [s.parameter_sets or (ParameterSet(()),) for s in statements]

    def draw(self, chance: random.Random) -> tuple[int, ParameterSet]:
        """Return a statement's position and one of its parameter sets."""
        (index,) = chance.choices(range(len(self.statements)), cum_weights=self._weights)
        sets = self._sets[index]
        (one,) = sets if len(sets) == 1 else chance.choices(sets, weights=[s.weight for s in sets])
        return index, one


class _Load:
    """The state of a running load."""

    def __init__(
        self,
        targets: Sequence[LoadTarget],
        statements: Sequence[WorkloadStatement],
        profile: LoadProfile,
        seed: int,
        time_limit_s: float,
        statement_timeout_ms: int,
        progress: Progress,
    ) -> None:
        self._targets = list(targets)
        self._mix = _Mix(statements)
        self._profile = profile
        self._seed = seed
        self._limit_s = time_limit_s
        self._timeout_ms = statement_timeout_ms
        self._progress = progress
        self._logs = {t.arm: LoadLog() for t in targets}
        self._scalars: dict[tuple[str, str], None] = {}
        self._literal: set[int] = set()
        self._repeats = 0

    async def run(self) -> LoadOutcome:
        started, cpu = time.monotonic(), time.process_time()
        lags: list[float] = []
        probe = asyncio.create_task(_watch_lag(lags))
        try:
            await self._learn_types()
            done = await self._run_turns(started)
        finally:
            probe.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await probe
        wall = max(time.monotonic() - started, 1e-9)
        health = judge_health((time.process_time() - cpu) / wall, lags, *self._fastest_ms())
        return LoadOutcome(self._logs, done, health, tuple(self._notes(done)))

    async def _learn_types(self) -> None:
        """Find out once which parameter types there are, and which statements need literals instead."""
        connection = await self._connect(self._targets[0])
        try:
            for index, statement in enumerate(self._mix.statements):
                try:
                    wanted = (await connection.prepare(statement.query.sql)).get_parameters()
                except (asyncpg.PostgresError, *_DRIVER_FAULTS):
                    self._literal.add(index)
                    continue
                names = [(one.schema, one.name) for one in wanted]
                if all(one.kind == "scalar" for one in wanted) and await _take_text(connection, names):
                    self._scalars.update(dict.fromkeys(names))
                else:
                    self._literal.add(index)  # the driver takes text for plain types only, not for arrays
        finally:
            await connection.close(timeout=_GRACE_S)

    async def _run_turns(self, started: float) -> int:
        order = random.Random(self._seed)
        turns = count_turns(self._profile)
        for number in range(turns):
            if number and time.monotonic() - started > self._limit_s * number / (number + 1):
                return number  # another turn of each arm would not fit
            order.shuffle(self._targets)
            for position, target in enumerate(self._targets):
                self._progress("load", number * len(self._targets) + position, turns * len(self._targets))
                await self._run_turn(target, number)
        return turns

    async def _run_turn(self, target: LoadTarget, number: int) -> None:
        log = self._logs[target.arm]
        wanted = (self._open_client(target) for _ in range(self._profile.clients))
        opened = await asyncio.gather(*wanted)
        clients = [client for client in opened if client is not None]
        log.errors += len(opened) - len(clients)
        log.clients = max(log.clients, len(clients))
        if not clients:
            return
        began = time.perf_counter()
        ends_at = began + self._profile.slice_s * self._profile.slices / count_turns(self._profile)
        think_s = self._profile.think_time_ms / 1000.0
        seeds = (f"{self._seed}/{number}/{position}" for position in range(len(clients)))
        works = (
            c.work(random.Random(seed), ends_at, think_s, log) for c, seed in zip(clients, seeds, strict=True)
        )
        await asyncio.gather(*works)
        log.duration_s += time.perf_counter() - began
        log.turns.append(len(log.latencies_ms))
        self._repeats += sum(client.repeats for client in clients)
        await asyncio.gather(*(client.close() for client in clients))

    async def _open_client(self, target: LoadTarget) -> _Client | None:
        """Connect and prepare; None when refused."""
        try:
            connection = await self._connect(target)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            return None
        client = _Client(connection, self._mix)
        await client.prepare(self._literal)
        return client

    async def _connect(self, target: LoadTarget) -> asyncpg.Connection:
        given = read_dsn(target.dsn)
        connection = await asyncpg.connect(
            host=given.get("host"),
            port=int(given.get("port", "5432")),
            user=given.get("user"),
            password=given.get("password"),
            database=given.get("dbname"),
            timeout=_CONNECT_TIMEOUT_S,
            server_settings={
                "application_name": "pgproof load",
                "statement_timeout": str(self._timeout_ms),
                # as in the race: the planner sees the values, however often a statement was prepared
                "plan_cache_mode": "force_custom_plan",
            },
        )
        await _take_text(connection, self._scalars)
        return connection

    def _notes(self, done: int) -> list[str]:
        notes = []
        turns = count_turns(self._profile)
        if done < turns:
            notes.append(f"load was cut to {done} of {turns} turns of each arm by the time limit")
        if self._literal:
            names = ", ".join(sorted(self._mix.statements[i].name for i in self._literal))
            notes.append(
                f"under load, values stand in the text of: {names} (no parameter form for their types)"
            )
        if self._repeats:
            notes.append(
                f"under load, {self._repeats:,} writes met a unique key that was there, mostly one they "
                "had written before; they count neither as work nor as errors"
            )
        return notes

    def _fastest_ms(self) -> tuple[float, float]:
        """Return p50 and p95 of the fastest arm; infinite without any latency."""
        logs = [log.latencies_ms for log in self._logs.values() if log.latencies_ms]
        found = [(float(np.median(values)), float(np.quantile(values, 0.95))) for values in logs]
        return min(found, default=(math.inf, math.inf))


class _Client:
    """One connection that sends statements one after another."""

    def __init__(self, connection: asyncpg.Connection, mix: _Mix) -> None:
        self._connection = connection
        self._mix = mix
        self.repeats = 0
        self._prepared: dict[int, tuple[Callable[..., Awaitable[object]], int]] = {}

    async def prepare(self, literal: Collection[int]) -> None:
        """Prepare all statements but those at the positions ``literal``."""
        for index, statement in enumerate(self._mix.statements):
            if index not in literal:
                with contextlib.suppress(asyncpg.PostgresError, *_DRIVER_FAULTS):
                    prepared = await self._connection.prepare(statement.query.sql)
                    self._prepared[index] = (prepared.fetch, len(prepared.get_parameters()))

    async def work(self, chance: random.Random, ends_at: float, think_s: float, log: LoadLog) -> None:
        """Send statements until ``ends_at``; the last one is waited for."""
        while time.perf_counter() < ends_at and not self._connection.is_closed():
            index, one = self._mix.draw(chance)
            began = time.perf_counter()
            try:
                await self._send(index, one)
            except asyncpg.UniqueViolationError:
                self.repeats += 1
            except asyncpg.QueryCanceledError:
                log.errors += 1  # stopped by the timeout: its time so far is a lower bound
                log.latencies_ms.append((time.perf_counter() - began) * 1000.0)
            except (OSError, asyncpg.PostgresError, *_DRIVER_FAULTS):
                log.errors += 1
            else:
                log.finished += 1
                log.latencies_ms.append((time.perf_counter() - began) * 1000.0)
            await asyncio.sleep(think_s)

    async def _send(self, index: int, one: ParameterSet) -> None:
        if index in self._prepared:
            fetch, arity = self._prepared[index]
            await fetch(*one.values[:arity])
        else:
            await self._connection.fetch(bind_literals(self._mix.statements[index].query.sql, one.values))

    async def close(self) -> None:
        """Close the connection, by force where it doesn't answer."""
        try:
            await self._connection.close(timeout=_GRACE_S)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._connection.terminate()


async def _take_text(connection: asyncpg.Connection, types: Iterable[tuple[str, str]]) -> bool:
    """Make a connection take and give these types (schema, name) as text; False where it can't."""
    try:
        for schema, name in types:
            await connection.set_type_codec(name, schema=schema, encoder=str, decoder=str, format="text")
    except _DRIVER_FAULTS:
        return False
    return True


async def _watch_lag(lags_ms: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_LAG_PROBE_S)
        lags_ms.append(max(0.0, (time.perf_counter() - began - _LAG_PROBE_S) * 1000.0))
