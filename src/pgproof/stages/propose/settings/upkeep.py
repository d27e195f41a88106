"""Autovacuum, checkpoints and WAL."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.changes import refusals
from pgproof.model.change import SetTableOption
from pgproof.model.figures import size
from pgproof.model.machine import Storage
from pgproof.model.relation import RelationKind, Table
from pgproof.model.setting_advice import SettingAdvice, TakesEffect
from pgproof.stages.propose.settings.budget import fitting_budget, present_budget
from pgproof.stages.propose.settings.server import GB, MB, Server, advise, memory_text

BIG_TABLE_ROWS = 1_000_000
"""From here on a share of the rows is too many to wait for. **Source**: judgement; a fifth are 200,000."""

DUE_ROWS = 100_000
"""Dead or changed rows after which a big table is vacuumed or analysed. **Source**: judgement."""

LATE_FACTOR = 2.5
"""A table's own bar is lowered where it is so many times `DUE_ROWS`. **Source**: judgement."""

BUSY_COST_LIMIT, IDLE_COST_LIMIT = 1000, 200
"""Work between two naps of autovacuum: proposed for SSDs, and the default. **Source**: judgement: five times
the default still writes less than 200 MB/s."""

BIG_DATA_BYTES = 10 * GB
COMPLETION = 0.9
_CHECKPOINTS_KEPT = 3.0
_WAL_MOST_BYTES = 64 * GB
_LARGE_CORES, _LARGE_BYTES, _LARGE_WAL_BYTES = 8, 16 * GB, 4 * GB

_VACUUM = "PostgreSQL documentation, Routine Vacuuming: The Autovacuum Daemon"
_WAL = "PostgreSQL documentation, Reliability and the Write-Ahead Log: WAL Configuration"
_BARS = (
    ("autovacuum_vacuum_scale_factor", 0.2, "dead rows", "index-only scans and space suffer"),
    ("autovacuum_analyze_scale_factor", 0.1, "changed rows", "estimates suffer"),
)


def advise_upkeep(server: Server) -> Iterator[SettingAdvice]:
    """Yield advice on autovacuum, table by table where a table is big, and on checkpoints and WAL."""
    yield from _durability(server)
    yield from _autovacuum(server)
    for table in server.catalog.tables:
        if table.kind is RelationKind.TABLE and table.rows >= BIG_TABLE_ROWS and _is_changed(table):
            yield from _big_table(server, table)
    yield from _checkpoints(server)


def _durability(server: Server) -> Iterator[SettingAdvice]:
    for name, harm in (
        ("fsync", "after a crash of the machine the whole cluster may be damaged beyond repair"),
        ("full_page_writes", "a crash in the middle of writing a page damages it for good"),
    ):
        if server.catalog.setting(name) == "off":
            yield from advise(
                server,
                name,
                "on",
                reason=f"It is off: {harm}.",
                source="PostgreSQL documentation, Write Ahead Log: Settings",
                risk="Writes get slower, to what safe ones cost; where nobody needs the data after a crash,"
                " keep it off.",
            )


def _autovacuum(server: Server) -> Iterator[SettingAdvice]:
    if server.catalog.setting("autovacuum") == "off":
        yield from advise(
            server,
            "autovacuum",
            "on",
            reason="It is off: tables and indexes grow without end, and statistics go stale.",
            source=_VACUUM,
            risk="The first days it has much to catch up with.",
        )
    workers = fitting_budget(server).autovacuum_workers
    if workers != present_budget(server).autovacuum_workers:
        yield from advise(
            server,
            "autovacuum_max_workers",
            str(workers),
            reason=f"{len(server.catalog.tables):,} tables share {server.number('autovacuum_max_workers'):g}"
            " workers.",
            source=_VACUUM,
            risk="They share one cost limit: raise autovacuum_vacuum_cost_limit with them.",
        )
    limit = server.number("autovacuum_vacuum_cost_limit", -1)
    limit = server.number("vacuum_cost_limit", 200) if limit < 0 else limit
    late = [table.relation for table in server.catalog.tables if _is_late(server, table)]
    large = server.data_bytes >= BIG_DATA_BYTES
    if server.machine.storage is Storage.SSD and 0 < limit <= IDLE_COST_LIMIT and (late or large):
        why = f"{late[0]} has more than twice the dead rows that should have called it" if late else ""
        why = why or f"there are {size(server.data_bytes)} to look after"
        yield from advise(
            server,
            "autovacuum_vacuum_cost_limit",
            str(BUSY_COST_LIMIT),
            reason=f"Autovacuum naps as often as on turning disks, and {why}.",
            source=_VACUUM,
            risk="Vacuums read and write faster: watch the storage's limits on a cloud volume.",
        )


def _is_changed(table: Table) -> bool:
    activity = table.activity
    return activity is not None and activity.updates + activity.deletes + activity.inserts > 0


def _is_late(server: Server, table: Table) -> bool:
    if table.activity is None or table.kind is not RelationKind.TABLE or table.rows < 0:
        return False
    bar = 50 + _scale(server, table, *_BARS[0][:2]) * table.rows
    return table.activity.dead_rows > 2 * bar


def _scale(server: Server, table: Table, name: str, default: float) -> float:
    own = next((o.partition("=")[2] for o in table.options if o.startswith(f"{name}=")), None)
    return float(own) if own else server.number(name, default)


def _big_table(server: Server, table: Table) -> Iterator[SettingAdvice]:
    for name, default, what, harm in _BARS:
        present = _scale(server, table, name, default)
        due_rows = present * table.rows
        if due_rows <= LATE_FACTOR * DUE_ROWS:
            continue
        proposed = f"{max(DUE_ROWS / table.rows, 0.001):.3f}".rstrip("0")
        change = SetTableOption(table.relation, name, proposed)
        if refusals(change, server.catalog.of_owner):
            continue
        yield SettingAdvice(
            name=f"{table.relation}: {name}",
            present=f"{present:g}",
            proposed=proposed,
            reason=f"{table.relation} has {table.rows:,.0f} rows: autovacuum waits for {due_rows:,.0f}"
            f" {what}, until"
            f" then {harm}; it would come after about {DUE_ROWS:,}.",
            source=_VACUUM,
            risk="It is vacuumed more often, each time for less." if what == "dead rows" else "None known.",
            takes_effect=TakesEffect.AT_ONCE,
            place="the table: ALTER TABLE ... SET",
            change=change,
        )


def _checkpoints(server: Server) -> Iterator[SettingAdvice]:
    completion = server.number("checkpoint_completion_target", COMPLETION)
    if completion < COMPLETION:
        yield from advise(
            server,
            "checkpoint_completion_target",
            f"{COMPLETION:g}",
            reason=f"A checkpoint's writes are spread over {completion:g} of the time to the next one, and"
            " the default"
            f" since 14 is {COMPLETION:g}: writes come in bursts.",
            source=_WAL,
            risk="Recovery after a crash takes a little longer.",
        )
    present = server.size_bytes("max_wal_size", GB)
    wanted, why = _wanted_wal(server)
    if wanted > present:
        yield from advise(
            server,
            "max_wal_size",
            memory_text(wanted),
            reason=f"{why}: with {size(present)} checkpoints come before their time, and each makes the next"
            " change of"
            " every page write the whole page.",
            source=_WAL,
            risk=f"WAL takes up to {size(wanted)} of disk, and recovery after a crash takes longer.",
        )


def _wanted_wal(server: Server) -> tuple[int, str]:
    """Return the WAL of three checkpoints in whole GB as measured, else by the size of the machine."""
    workload, machine = server.workload, server.machine
    counted = [s.counters for s in workload.statements if s.counters] if workload else []
    wal_bytes = sum(each.wal_bytes for each in counted)
    if workload is not None and workload.window_s and wal_bytes:
        rate = wal_bytes / workload.window_s
        wanted = _CHECKPOINTS_KEPT * rate * server.number("checkpoint_timeout", 300)
        gigabytes = min(max(-(-int(wanted) // GB), 1), _WAL_MOST_BYTES // GB)
        return gigabytes * GB, f"The workload writes {rate / MB:.1f} MB of WAL a second"
    if counted or machine.cores < _LARGE_CORES or machine.memory_bytes < _LARGE_BYTES:
        return 0, ""
    return (
        _LARGE_WAL_BYTES,
        f"A machine of {machine.cores} cores can write a gigabyte in less than five minutes",
    )
