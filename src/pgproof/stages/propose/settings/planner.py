"""Settings that decide plans and how many cores one takes."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.model.figures import percent
from pgproof.model.machine import Storage
from pgproof.model.setting_advice import SettingAdvice
from pgproof.stages.propose.settings.budget import fitting_budget
from pgproof.stages.propose.settings.server import Server, advise

SSD_PAGE_COST, SSD_PAGE_COST_MOST = 1.1, 2.0
"""random_page_cost on SSDs: proposed, and what is let be. **Source**: PostgreSQL documentation, Planner Cost
Constants, which names 1.1 for solid-state drives; the upper end is judgement."""

HDD_PAGE_COST, HDD_PAGE_COST_LEAST = 4.0, 2.0
"""The same for turning disks. **Source**: the default, and judgement."""

SSD_CONCURRENCY = 200
"""effective_io_concurrency before PostgreSQL 18. **Source**: its documentation: hundreds for SSDs."""

SHORT_MS, SHORT_FRAC, SHORT_CALLS = 100.0, 0.95, 1000
"""A workload is of short statements where this share of at least so many calls takes less. **Source**:
judgement; compiling an expression takes some 10 ms for each function."""

_COSTS = "PostgreSQL documentation, Query Planning: Planner Cost Constants"
_ASYNC = "PostgreSQL documentation, Resource Consumption: Asynchronous Behavior"
_WORKER_PROCESSES_OF_OTHERS = 8


def advise_planner(server: Server) -> Iterator[SettingAdvice]:
    """Yield advice on costs of storage, parallel workers, compilation and the statistics target."""
    yield from _page_cost(server)
    yield from _io_concurrency(server)
    yield from _parallel(server)
    yield from _jit(server)
    yield from _statistics_target(server)


def _page_cost(server: Server) -> Iterator[SettingAdvice]:
    present, storage = server.number("random_page_cost", 4.0), server.machine.storage
    if storage is Storage.SSD and present > SSD_PAGE_COST_MOST:
        proposed, why = SSD_PAGE_COST, "on an SSD a random read costs hardly more than a sequential one"
    elif storage is Storage.HDD and present < HDD_PAGE_COST_LEAST:
        proposed, why = HDD_PAGE_COST, "on turning disks a random read costs many sequential ones"
    else:
        return
    yield from advise(
        server,
        "random_page_cost",
        f"{proposed:g}",
        reason=f"The planner takes a random page for {present:g} sequential ones: {why}.",
        source=_COSTS,
        risk="Plans change all over the workload: let it compete first.",
    )


def _io_concurrency(server: Server) -> Iterator[SettingAdvice]:
    present = server.number("effective_io_concurrency", 1)
    if server.catalog.major >= 18 or server.machine.storage is not Storage.SSD or present > 1:
        return
    yield from advise(
        server,
        "effective_io_concurrency",
        str(SSD_CONCURRENCY),
        reason="Bitmap heap scans ask for one page at a time, and an SSD serves hundreds of requests at"
        " once.",
        source=_ASYNC,
        risk="None known where data lies on local disks; systems without posix_fadvise refuse it.",
    )


def _parallel(server: Server) -> Iterator[SettingAdvice]:
    cores, fit = server.machine.cores, fitting_budget(server)
    gather = int(server.number("max_parallel_workers_per_gather", 2))
    if gather > max(cores // 2, 0):
        yield from advise(
            server,
            "max_parallel_workers_per_gather",
            str(cores // 2),
            reason=f"One statement may take {gather} workers beside its own process, and there are {cores}"
            " cores:"
            " others wait for it.",
            source=_ASYNC,
            risk="Long statements that run alone take longer.",
        )
    present = int(server.number("max_parallel_workers", 8))
    if fit.parallel_workers != present:
        yield from advise(
            server,
            "max_parallel_workers",
            str(fit.parallel_workers),
            reason=f"{present} workers may run at once on {cores} cores"
            + (", and each may take as much memory as a session." if present > cores else "."),
            source=_ASYNC,
            risk="Fewer statements run in parallel at once." if present > cores else "More memory at worst.",
            whole=True,
        )
    processes = int(server.number("max_worker_processes", 8))
    if processes < fit.parallel_workers:
        yield from advise(
            server,
            "max_worker_processes",
            str(fit.parallel_workers + _WORKER_PROCESSES_OF_OTHERS),
            reason=f"Parallel workers are taken from these {processes}, and so are those of replication and"
            f" extensions: {fit.parallel_workers} could not all start.",
            source=_ASYNC,
            risk="A standby must have at least as many: change it there first.",
        )


def _jit(server: Server) -> Iterator[SettingAdvice]:
    counted = [s.counters for s in server.workload.statements if s.counters] if server.workload else []
    calls = sum(each.calls for each in counted)
    if not server.is_on("jit") or calls < SHORT_CALLS:
        return
    short_frac = sum(each.calls for each in counted if each.mean_ms < SHORT_MS) / calls
    if short_frac < SHORT_FRAC:
        return
    yield from advise(
        server,
        "jit",
        "off",
        reason=f"{percent(short_frac, 1)} of {calls:,.0f} calls take less than {SHORT_MS:g} ms. Where a"
        " plan's cost is"
        " overestimated, compiling it takes longer than running it.",
        source="PostgreSQL documentation, Just-in-Time Compilation: When to JIT?",
        risk="Long analytical statements get slower: let it compete first, or leave it on for their role.",
    )


def _statistics_target(server: Server) -> Iterator[SettingAdvice]:
    present = int(server.number("default_statistics_target", 100))
    if present >= 100:
        return
    yield from advise(
        server,
        "default_statistics_target",
        "100",
        reason=f"ANALYZE keeps {present} common values of a column: estimates are coarser than by default.",
        source="PostgreSQL documentation, 14.2.1 Single-Column Statistics",
        risk="ANALYZE reads more rows. It is in force once tables are analysed.",
        whole=True,
    )
