"""Settings that take memory: advice where the present ones waste it or could exhaust it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pgproof.model.figures import size
from pgproof.model.machine import Machine
from pgproof.model.setting_advice import SettingAdvice, TakesEffect
from pgproof.stages.propose.settings.budget import (
    BUFFERS_MOST_FRAC,
    SESSION_BYTES,
    Budget,
    fitting_budget,
    most_work_mem_bytes,
    present_budget,
    usable_bytes,
    wanted_work_mem_bytes,
)
from pgproof.stages.propose.settings.server import GB, MB, Server, advise, memory_text, rounded

CACHE_FRAC, CACHE_LEAST_FRAC, CACHE_MOST_FRAC = 0.75, 0.5, 0.9
"""effective_cache_size as a share of memory: proposed, and what is let be. **Source**: judgement, after
PostgreSQL documentation, Query Planning: shared buffers and the kernel's cache together."""

HUGE_FROM_BYTES = 8 * GB
"""shared_buffers from which huge pages matter. **Source**: judgement; two million entries of 4 kB in each
process's page table."""

_MEMORY = "PostgreSQL documentation, Resource Consumption: Memory"
_PLANNER = "PostgreSQL documentation, Query Planning: Planner Cost Constants"


def advise_memory(server: Server) -> Iterator[SettingAdvice]:
    """Yield advice on all that takes memory; what is proposed fits together, and with what stays."""
    now, fit = present_budget(server), fitting_budget(server)
    yield from _shared_buffers(server, now, fit)
    yield from _connections(server, now, fit)
    yield from _work_mem(server, now, fit)
    yield from _upkeep(server, now, fit)
    yield from _wild_values(server, now, fit)
    yield from _effective_cache(server)
    yield from _huge_pages(server, fit)


def _shared_buffers(server: Server, now: Budget, fit: Budget) -> Iterator[SettingAdvice]:
    if fit.shared_buffers_bytes == now.shared_buffers_bytes:
        return
    share = server.machine.share_bytes
    if now.shared_buffers_bytes > BUFFERS_MOST_FRAC * share:
        why = (
            "more than 40 % leaves too little to sessions and to the kernel's cache, which PostgreSQL"
            " relies on"
        )
    else:
        why = "a quarter of it keeps what is read often in reach"
        if server.data_bytes:
            why += f" (this database has {size(server.data_bytes)})"
    yield from advise(
        server,
        "shared_buffers",
        memory_text(fit.shared_buffers_bytes),
        reason=f"{_whose(server.machine)} memory is {size(share)}: {why}. {fit.told(server.machine)}",
        source=_MEMORY,
        risk="A restart empties the cache: the first minutes are slow.",
    )


def _whose(machine: Machine) -> str:
    return "PostgreSQL's half of the" if machine.shared else "The machine's"


def _connections(server: Server, now: Budget, fit: Budget) -> Iterator[SettingAdvice]:
    if fit.sessions == now.sessions:
        return
    fewer = fit.sessions < now.sessions
    expected = server.machine.connections
    if fewer:
        least = replace(fit, sessions=now.sessions, work_mem_bytes=4 * MB)
        told = (
            f"{now.sessions} sessions with the default 4 MB of work_mem could take more than there is."
            f" {least.told(server.machine)}"
            if least.total_bytes > usable_bytes(server.machine)
            else f"{expected} sessions are expected: the others only let a run-away application in."
        )
        told += f" {fit.told(server.machine)}" if "expected" not in told else ""
        risk = (
            "Where more sessions than that are open, new ones are refused: look at pg_stat_activity, and put"
            " a"
            " pooler in transaction mode in front."
        )
    else:
        told = f"{expected} sessions are expected and {now.sessions} are admitted. {fit.told(server.machine)}"
        risk = "Each session takes memory; a pooler in transaction mode in front needs fewer."
    yield from advise(
        server,
        "max_connections",
        str(fit.sessions),
        reason=told,
        source="PostgreSQL documentation, Connections and Authentication: max_connections",
        risk=risk,
    )


def _work_mem(server: Server, now: Budget, fit: Budget) -> Iterator[SettingAdvice]:
    if fit.work_mem_bytes == now.work_mem_bytes:
        return
    lower = fit.work_mem_bytes < now.work_mem_bytes
    if lower:
        danger = replace(fit, work_mem_bytes=now.work_mem_bytes)
        why = (
            f"All sessions together could take more memory than there is. {danger.told(server.machine)}"
            " Proposed:"
        )
        risk = (
            "Statements that need more spill to disk; let these set more for themselves (SET LOCAL work_mem)."
        )
    else:
        why = _why_more(server, fit)
        risk = "A statement with many sorts and hash tables takes it several times."
    yield from advise(
        server,
        "work_mem",
        memory_text(fit.work_mem_bytes),
        reason=f"{why} {fit.told(server.machine)}",
        source=_MEMORY,
        risk=risk,
        whole=lower,
    )


def _why_more(server: Server, fit: Budget) -> str:
    spills = server.workload and any(
        s.counters and s.counters.temp_blks_written for s in server.workload.statements
    )
    if not spills:
        return "There is room for larger sorts and hash tables before they spill to disk."
    wanted, most = wanted_work_mem_bytes(server), most_work_mem_bytes(server.machine, fit)
    if wanted > most:
        return (
            f"Statements spill to disk (temp_blks_written); the worst would want about {size(wanted)}, which"
            " is too"
            " much for all: set it for that statement alone (SET LOCAL work_mem)."
        )
    return (
        f"Statements spill to disk (temp_blks_written), of which about {size(wanted)} would spare the worst."
    )


def _upkeep(server: Server, now: Budget, fit: Budget) -> Iterator[SettingAdvice]:
    if fit.maintenance_bytes != now.maintenance_bytes:
        higher = fit.maintenance_bytes > now.maintenance_bytes
        why = (
            "Index builds sort in it and VACUUM remembers dead rows in it"
            if higher
            else "Every autovacuum worker may take as much, and an index build besides"
        )
        yield from advise(
            server,
            "maintenance_work_mem",
            memory_text(fit.maintenance_bytes),
            reason=f"{why}. {fit.told(server.machine)}",
            source=_MEMORY,
            risk="Several index builds at once take it several times."
            if higher
            else "Index builds take longer; let a single one set more for itself.",
            whole=True,
        )
    own = server.size_bytes("autovacuum_work_mem", -1)
    if own >= 0 and fit.autovacuum_bytes != own:
        yield from advise(
            server,
            "autovacuum_work_mem",
            "-1",
            reason=f"{now.autovacuum_workers} workers with {size(own)} each are too much for this machine;"
            " without a"
            f" value of their own they take maintenance_work_mem. {fit.told(server.machine)}",
            source=_MEMORY,
            risk="Vacuums of tables with very many dead rows read the indexes more than once.",
        )


def _wild_values(server: Server, now: Budget, fit: Budget) -> Iterator[SettingAdvice]:
    if fit.hash_multiplier != now.hash_multiplier:
        yield from advise(
            server,
            "hash_mem_multiplier",
            f"{fit.hash_multiplier:g}",
            reason=f"One hash table may take {now.hash_multiplier:g} times work_mem, in every session."
            f" {fit.told(server.machine)}",
            source=_MEMORY,
            risk="Large hash tables spill to disk.",
            whole=True,
        )
    if fit.session_bytes != now.session_bytes:
        yield from advise(
            server,
            "temp_buffers",
            memory_text(SESSION_BYTES),
            reason=f"Every session that touches a temporary table may keep {size(now.session_bytes)} until it"
            " ends."
            f" {fit.told(server.machine)}",
            source=_MEMORY,
            risk="Large temporary tables are read from disk more often.",
            whole=True,
        )
    if fit.wal_buffers_bytes != now.wal_buffers_bytes:
        yield from advise(
            server,
            "wal_buffers",
            "-1",
            reason=f"{size(now.wal_buffers_bytes)} are more than a thirty-second of the memory.",
            source="PostgreSQL documentation, Write Ahead Log: Settings",
            risk="None known: the server then takes up to 16 MB.",
        )


def _effective_cache(server: Server) -> Iterator[SettingAdvice]:
    share, present = server.machine.share_bytes, server.size_bytes("effective_cache_size")
    if CACHE_LEAST_FRAC * share <= present <= CACHE_MOST_FRAC * share:
        return
    proposed = memory_text(rounded(CACHE_FRAC * share))
    yield from advise(
        server,
        "effective_cache_size",
        proposed,
        reason=f"The planner takes {size(present)} for what shared buffers and the kernel's cache hold"
        " together, and"
        f" {size(share)} of memory are there: index scans look {'dearer' if present < share else 'cheaper'}"
        " than"
        " they are. It takes no memory.",
        source=_PLANNER,
        risk="Plans may change: let it compete first.",
    )


def _huge_pages(server: Server, fit: Budget) -> Iterator[SettingAdvice]:
    if fit.shared_buffers_bytes < HUGE_FROM_BYTES or server.catalog.setting("huge_pages_status") == "on":
        return
    if (
        server.catalog.find_setting("huge_pages_status") is None
        and server.catalog.setting("huge_pages") == "on"
    ):
        return
    many = (
        "SHOW shared_memory_size_in_huge_pages says how many"
        if server.catalog.major >= 15
        else f"about {fit.shared_buffers_bytes // (2 * MB) + 200} of 2 MB"
    )
    yield SettingAdvice(
        name="huge pages",
        present=server.catalog.setting("huge_pages_status") or server.catalog.setting("huge_pages") or "",
        proposed="vm.nr_hugepages",
        reason=f"With {size(fit.shared_buffers_bytes)} of shared buffers every session keeps page tables of"
        " its own"
        f" for them; huge pages make these 512 times smaller ({many}).",
        source="PostgreSQL documentation, Managing Kernel Resources: Linux Huge Pages",
        risk="Memory that is reserved for them serves nothing else.",
        takes_effect=TakesEffect.RESTART,
        place="the kernel: sysctl vm.nr_hugepages, then restart PostgreSQL; on a managed service it is done"
        " for you",
    )
