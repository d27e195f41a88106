"""How much memory a server can take at worst, and how much of it each session may have."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pgproof.model.figures import size
from pgproof.model.machine import Machine
from pgproof.stages.propose.settings.server import GB, KB, MB, Server, rounded

SESSION_BYTES = 8 * MB
"""What a session takes besides: its process, caches of the catalog, prepared plans. **Source**: a fresh one
has 1.3 MB of its own (measured on PostgreSQL 18), and it grows with tables and plans; judgement."""

SYSTEM_FRAC = 1 / 8
"""Share left to the operating system. **Source**: judgement; 512 MB of 4 GB."""

BUFFERS_FRAC, BUFFERS_LEAST_FRAC, BUFFERS_MOST_FRAC = 0.25, 0.15, 0.40
"""shared_buffers as a share of memory: proposed, and what is let be. **Source**: PostgreSQL documentation,
Resource Consumption: "25% of the memory", "unlikely that an allocation of more than 40%" works better; the
lower end is judgement."""

BUFFERS_TIMES_DATA, BUFFERS_ANYWAY = 4, 1 * GB
"""No more than so many times the database is proposed, and this much in any case. **Source**: judgement; what
holds everything twice is not touched, so there is room to grow."""

UPKEEP_FRAC = 1 / 32
"""maintenance_work_mem as a share of memory. **Source**: judgement; 128 MB of 4 GB, 1 GB of 32 GB."""

UPKEEP_ALL_FRAC = 1 / 4
"""What all vacuums and one index build together may take at most. **Source**: judgement."""

UPKEEP_LEAST, UPKEEP_MOST, UPKEEP_MOST_BEFORE_17 = 16 * MB, 2 * GB, 1 * GB
"""**Source**: before 17, VACUUM used no more than 1 GB (release notes of 17)."""

WORK_LEAST, WORK_MOST = 4 * MB, 64 * MB
"""work_mem that sessions are counted with, and the most that is proposed for all. **Source**: PostgreSQL's
default; judgement: a statement that needs more sets more for itself."""

FEWEST_SESSIONS = 5
_AUTOVACUUM_WORKERS = 3
_MANY_TABLES, _MANY_CORES, _MORE_WORKERS = 500, 8, 5
_WILD_MULTIPLIER, _MULTIPLIER = 8.0, 2.0


@dataclass(frozen=True, slots=True)
class Budget:
    """The settings that take memory, as they are or as they shall be.

    Args:
        shared_buffers_bytes: Taken at the start.
        sessions: max_connections.
        session_bytes: Each takes without doing anything, temp_buffers among it.
        work_mem_bytes: Of a sort.
        hash_multiplier: A hash table takes so many times as much.
        parallel_workers: max_parallel_workers; each may take as much as a session's statement.
        maintenance_bytes: Of an index build.
        autovacuum_bytes: Of one autovacuum worker.
        autovacuum_workers: At once.
        wal_buffers_bytes: Taken at the start.
    """

    shared_buffers_bytes: int
    sessions: int
    session_bytes: int
    work_mem_bytes: int
    hash_multiplier: float
    parallel_workers: int
    maintenance_bytes: int
    autovacuum_bytes: int
    autovacuum_workers: int
    wal_buffers_bytes: int = 16 * MB

    @property
    def fixed_bytes(self) -> int:
        """What is taken whatever sessions do."""
        upkeep = self.maintenance_bytes + self.autovacuum_workers * self.autovacuum_bytes
        return self.shared_buffers_bytes + self.wal_buffers_bytes + upkeep

    @property
    def statement_bytes(self) -> float:
        """A sort and a hash table at once in one process."""
        return self.work_mem_bytes * (1 + self.hash_multiplier)

    @property
    def total_bytes(self) -> int:
        """At worst: every session and every parallel worker sorts and hashes at once, and all vacuums run."""
        processes = self.sessions + self.parallel_workers
        return int(self.fixed_bytes + self.sessions * self.session_bytes + processes * self.statement_bytes)

    def told(self, machine: Machine) -> str:
        """Return the sum in words."""
        upkeep = self.maintenance_bytes + self.autovacuum_workers * self.autovacuum_bytes
        share = size(machine.share_bytes)
        whole = f"the {share} that are its half of the machine's memory" if machine.shared else share
        return (
            f"At worst: shared_buffers {size(self.shared_buffers_bytes)}"
            f" + {self.sessions} sessions x {size(self.session_bytes)}"
            f" + {self.sessions + self.parallel_workers} processes x {size(self.work_mem_bytes)} work_mem"
            f" x {1 + self.hash_multiplier:g} (a sort and a hash table)"
            f" + {size(upkeep)} for an index build and {self.autovacuum_workers} vacuums"
            f" + {size(self.wal_buffers_bytes)} WAL buffers = {size(self.total_bytes)}"
            f" of {whole}."
        )


def usable_bytes(machine: Machine) -> int:
    """Return what PostgreSQL may take at worst: its share without what the operating system needs."""
    return int(machine.share_bytes * (1 - SYSTEM_FRAC))


def present_budget(server: Server) -> Budget:
    """Return a server's settings as they are."""
    buffers = server.size_bytes("shared_buffers", 128 * MB)
    maintenance = server.size_bytes("maintenance_work_mem", 64 * MB)
    autovacuum = server.size_bytes("autovacuum_work_mem", -1)
    wal = server.size_bytes("wal_buffers", -1)
    return Budget(
        shared_buffers_bytes=buffers,
        sessions=int(server.number("max_connections", 100)),
        session_bytes=max(SESSION_BYTES, server.size_bytes("temp_buffers")),
        work_mem_bytes=server.size_bytes("work_mem", 4 * MB),
        hash_multiplier=server.number("hash_mem_multiplier", 1.0),
        parallel_workers=int(server.number("max_parallel_workers", 8)),
        maintenance_bytes=maintenance,
        autovacuum_bytes=maintenance if autovacuum < 0 else autovacuum,
        autovacuum_workers=int(server.number("autovacuum_max_workers", _AUTOVACUUM_WORKERS)),
        wal_buffers_bytes=min(buffers // 32, 16 * MB) if wal < 0 else wal,
    )


def fitting_budget(server: Server) -> Budget:
    """Return settings that fit the machine, as near to the present ones as that allows.

    The worst case of what is returned is never above `usable_bytes`; what is sane already stays.
    """
    machine, now = server.machine, present_budget(server)
    fit = replace(
        now,
        shared_buffers_bytes=_buffers(server, now),
        hash_multiplier=now.hash_multiplier if now.hash_multiplier <= _WILD_MULTIPLIER else _MULTIPLIER,
        parallel_workers=_parallel_workers(machine, now),
        autovacuum_workers=_autovacuum_workers(server, now),
        wal_buffers_bytes=min(now.wal_buffers_bytes, machine.share_bytes // 32),
    )
    fit = _with_upkeep(server, fit)
    if now.session_bytes > SESSION_BYTES and now.session_bytes * now.sessions > machine.share_bytes // 8:
        fit = replace(fit, session_bytes=SESSION_BYTES)
    fit = replace(fit, sessions=_sessions(server, fit))
    return replace(fit, work_mem_bytes=_work_mem(server, fit))


def most_work_mem_bytes(machine: Machine, budget: Budget) -> int:
    """Return the most that work_mem may be, everything else as the budget has it; at least 64 kB."""
    left = usable_bytes(machine) - budget.fixed_bytes - budget.sessions * budget.session_bytes
    processes = budget.sessions + budget.parallel_workers
    return max(int(left / (processes * (1 + budget.hash_multiplier))), 64 * KB)


def _buffers(server: Server, now: Budget) -> int:
    share, present = server.machine.share_bytes, now.shared_buffers_bytes
    holds_all = 0 < 2 * server.data_bytes <= present
    if present <= BUFFERS_MOST_FRAC * share and (present >= BUFFERS_LEAST_FRAC * share or holds_all):
        return present
    enough = max(BUFFERS_TIMES_DATA * server.data_bytes, BUFFERS_ANYWAY) if server.data_bytes else share
    return rounded(min(BUFFERS_FRAC * share, enough))


def _parallel_workers(machine: Machine, now: Budget) -> int:
    """Return the present number unless it is far from the number of cores."""
    return (
        now.parallel_workers if machine.cores <= now.parallel_workers <= 2 * machine.cores else machine.cores
    )


def _autovacuum_workers(server: Server, now: Budget) -> int:
    many = len(server.catalog.tables) >= _MANY_TABLES and server.machine.cores >= _MANY_CORES
    return max(now.autovacuum_workers, _MORE_WORKERS) if many else now.autovacuum_workers


def _with_upkeep(server: Server, fit: Budget) -> Budget:
    share = server.machine.share_bytes
    most = UPKEEP_MOST if server.catalog.major >= 17 else UPKEEP_MOST_BEFORE_17
    room = UPKEEP_ALL_FRAC * share / (fit.autovacuum_workers + 1)
    target = rounded(min(max(UPKEEP_FRAC * share, UPKEEP_LEAST), most, room))
    present = fit.maintenance_bytes
    kept = present if target / 2 <= present <= min(2 * target, room) else target
    own = server.size_bytes("autovacuum_work_mem", -1)
    follows = own < 0 or kept + own * fit.autovacuum_workers > UPKEEP_ALL_FRAC * share
    return replace(fit, maintenance_bytes=kept, autovacuum_bytes=kept if follows else own)


def _sessions(server: Server, fit: Budget) -> int:
    """Return the present number of connections, or what is expected, as far as memory reaches."""
    machine, wanted, needed = server.machine, fit.sessions, fit.sessions
    if machine.connections is not None:
        reserved = int(server.number("superuser_reserved_connections", 3)) + 10
        needed = -(-(machine.connections + reserved) // 10) * 10
        wanted = wanted if needed <= wanted <= 2 * max(needed, 50) else needed
    statement = WORK_LEAST * (1 + fit.hash_multiplier)
    left = usable_bytes(machine) - fit.fixed_bytes - fit.parallel_workers * statement
    room = int(left / (fit.session_bytes + statement))
    if wanted <= room:
        return wanted
    return min(needed, max(room // 5 * 5, FEWEST_SESSIONS))


def _work_mem(server: Server, fit: Budget) -> int:
    """Return the present value where it fits and nothing asks for more."""
    most, present = most_work_mem_bytes(server.machine, fit), fit.work_mem_bytes
    if present > most:
        return rounded(most)
    wanted = min(rounded(most), WORK_MOST, wanted_work_mem_bytes(server))
    return wanted if wanted >= 2 * present else present


def wanted_work_mem_bytes(server: Server) -> int:
    """Return how much the workload could use: as much as may be where nobody measured, else what it spills.

    A sort in memory takes two to three times what it writes to disk. **Source**: PostgreSQL documentation,
    Using EXPLAIN; the rows on disk are more compact.
    """
    measured = [s.counters for s in server.workload.statements if s.counters] if server.workload else []
    if not measured:
        return WORK_MOST
    spills = (each.temp_blks_written * 8 * KB / each.calls for each in measured if each.calls)
    return math.ceil(3 * max(spills, default=0.0) / MB) * MB
