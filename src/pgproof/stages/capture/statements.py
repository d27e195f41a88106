"""What a server says its applications ask: pg_stat_statements, as a workload."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pgproof.errors import ConfigError, ParseError, UsageError
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.query import Query
from pgproof.model.workload import ParameterSet, StatementCounters, Workload, WorkloadStatement
from pgproof.postgres.session import Session
from pgproof.postgres.statistics import (
    StatementDelta,
    StatementSnapshot,
    StatementWindow,
    diff_snapshots,
    read_statement_snapshot,
)
from pgproof.sqltext.normalised import ASSUMED_FIELD, has_lost_field, inner_statement, mend_normalised
from pgproof.sqltext.parameters import parameter_numbers
from pgproof.sqltext.parse import parse_statement
from pgproof.stages.capture.declared import make_query
from pgproof.stages.capture.upkeep import is_upkeep, is_utility_text, list_relations

_TICK_S = 1.0
_FINGERPRINT_DIGITS = 8
LEAST_WRITE_CALLS = 2
"""A write that ran once since the counters were reset was a load or a migration, not the application's work.
A SELECT that ran once may be the monthly report, which is worth looking at. **Source**: judgement."""


def capture_statements(
    session: Session,
    *,
    window_s: float = 0.0,
    limit: int = 200,
    min_calls: float | None = None,
    progress: Progress = ignore_progress,
) -> Workload:
    """Read the statements of this database and what they cost.

    Statements of one shape are one entry, whatever their constants. Left out are utility statements,
    transaction control, and what only asks the server about itself (its catalog, its own functions).

    Args:
        session: On the database in question.
        window_s: Watch for so many seconds and take what happened in them; 0 takes everything since the
            counters were reset, at once.
        limit: Statements to keep, those with the most execution time, >= 1.
        min_calls: Leave out what was called less often, reads and writes; None leaves out only writes that
            ran once. What is left out is noted.
        progress: Told how far the window is.

    Returns:
        Most execution time first, without parameter values; the notes say what could not be seen.

    Raises:
        ConfigError: No statement of an application was seen.
        CapabilityMissing: pg_stat_statements can't be read; the hint says what to do.
        Unreachable, ServerError: As the server says.
    """
    delta = _watch(session, window_s, progress) if window_s > 0 else _since_reset(session)
    groups, losses = _group(delta.statements)
    groups.sort(key=lambda group: (-group.counters.total_ms, group.query.fingerprint))
    kept = [group for group in groups if group.counters.calls >= _least_calls(group, min_calls)]
    if not kept:
        raise _nothing_seen(session, window_s, left_out=len(groups))
    return Workload(
        statements=tuple(group.statement() for group in kept[:limit]),
        source="pg_stat_statements",
        captured_at=delta.to_at,
        window_s=delta.window_s if delta.window_s > 0 else None,
        server_version=str(session.value("SHOW server_version")).split(" ")[0],
        database=session.database,
        notes=(
            *delta.notes,
            *losses.notes(delta.statements),
            *_rare_notes([group for group in groups if group not in kept], min_calls),
            *_cut_notes(kept, limit),
        ),
    )


def _watch(session: Session, window_s: float, progress: Progress) -> StatementDelta:
    task = "watching the workload"
    before = read_statement_snapshot(session)
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < window_s:
        progress(task, elapsed, window_s)
        time.sleep(min(_TICK_S, window_s - elapsed))
    progress(task, window_s, window_s)
    return diff_snapshots(before, read_statement_snapshot(session))


def _since_reset(session: Session) -> StatementDelta:
    """Take the cumulative counters as one long window."""
    now = read_statement_snapshot(session)
    nothing = StatementSnapshot(
        taken_at=now.stats_reset_at or now.taken_at,
        database=now.database,
        entries=(),
        stats_reset_at=now.stats_reset_at,
        deallocations=now.deallocations,
    )
    since = f"{now.stats_reset_at:%Y-%m-%d %H:%M %Z}" if now.stats_reset_at else "an unknown moment"
    delta = diff_snapshots(nothing, now)
    notes = [f"Counters are cumulative since {since}: they tell nothing about when statements ran."]
    if now.deallocations:
        notes.append(
            f"pg_stat_statements threw out rare statements {now.deallocations} times since then; "
            "they are missing."
        )
    return replace(delta, notes=(*delta.notes, *notes))


@dataclass(slots=True)
class _Group:
    """Entries of one shape; the text of the one with the most execution time stands for all."""

    query: Query
    relation: str
    counters: StatementCounters
    text: str
    nested_ms: float = 0.0
    members: int = 1

    def add(self, window: StatementWindow) -> None:
        self.counters = _sum(self.counters, window.counters)
        self.members += 1
        if window.queryid not in self.query.queryids:
            self.query = replace(self.query, queryids=(*self.query.queryids, window.queryid))

    def statement(self) -> WorkloadStatement:
        notes = []
        if self.nested_ms > 0:
            notes.append("Runs inside a function: its time is also in the statement that calls the function.")
        if has_lost_field(self.text):
            notes.append(f"The field of extract() is not known: it is assumed to be {ASSUMED_FIELD}.")
        digits = self.query.fingerprint[:_FINGERPRINT_DIGITS]
        return WorkloadStatement(
            name="_".join(filter(None, (str(self.query.kind), self.relation, digits))),
            query=self.query,
            calls=self.counters.calls,
            parameter_sets=() if parameter_numbers(self.query.sql) else (ParameterSet(()),),
            counters=self.counters,
            notes=tuple(notes),
        )


@dataclass(slots=True)
class _Losses:
    """What could not become part of the workload."""

    without_text: list[StatementCounters] = field(default_factory=list)
    unparsable: list[StatementCounters] = field(default_factory=list)

    def notes(self, seen: Iterable[StatementWindow]) -> Iterable[str]:
        total_ms = sum(window.counters.total_ms for window in seen)
        for lost, why in (
            (self.without_text, "without text (raise pg_stat_statements.max or reset the counters)"),
            (self.unparsable, "whose text can't be read as SQL"),
        ):
            if lost:
                lost_ms = sum(counters.total_ms for counters in lost)
                calls = sum(counters.calls for counters in lost)
                share = lost_ms / total_ms if total_ms else 0.0
                noun = "statement" if len(lost) == 1 else "statements"
                yield (
                    f"{len(lost)} {noun} {why}: {calls:,.0f} calls and {lost_ms:,.0f} ms, "
                    f"{share:.1%} of all execution time, are missing."
                )


def _group(windows: Iterable[StatementWindow]) -> tuple[list[_Group], _Losses]:
    groups: dict[str, _Group] = {}
    losses = _Losses()
    for window in windows:
        if not window.text:
            losses.without_text.append(window.counters)
            continue
        try:
            statement = inner_statement(parse_statement(mend_normalised(window.text)))
        except (ParseError, UsageError):
            if not is_utility_text(window.text):
                losses.unparsable.append(window.counters)
            continue
        query = make_query(statement)
        if query is None or is_upkeep(statement):
            continue
        group = groups.get(query.fingerprint)
        if group is None:
            relations = list_relations(statement)
            query = replace(query, queryids=(window.queryid,))
            name = relations[0].name if relations else ""
            group = _Group(query, name, window.counters, window.text)
            groups[query.fingerprint] = group
        else:
            group.add(window)
        if not window.toplevel:
            group.nested_ms += window.counters.total_ms
    return list(groups.values()), losses


def _sum(one: StatementCounters, other: StatementCounters) -> StatementCounters:
    """Add two; the deviation of the whole can't be told from those of the parts alone and is dropped."""
    return StatementCounters(
        calls=one.calls + other.calls,
        total_ms=one.total_ms + other.total_ms,
        rows=one.rows + other.rows,
        shared_blks_hit=one.shared_blks_hit + other.shared_blks_hit,
        shared_blks_read=one.shared_blks_read + other.shared_blks_read,
        temp_blks_written=one.temp_blks_written + other.temp_blks_written,
        wal_bytes=one.wal_bytes + other.wal_bytes,
        stddev_ms=None,
    )


def _least_calls(group: _Group, min_calls: float | None) -> float:
    if min_calls is not None:
        return min_calls
    return 0.0 if group.query.read_only else LEAST_WRITE_CALLS


def _rare_notes(rare: list[_Group], min_calls: float | None) -> Iterable[str]:
    """Say what was left out because it ran too seldom."""
    if not rare:
        return
    calls = sum(group.counters.calls for group in rare)
    total_ms = sum(group.counters.total_ms for group in rare)
    verb = "was" if len(rare) == 1 else "were"
    left_out = f"{verb} left out ({calls:,.0f} calls, {total_ms:,.0f} ms)"
    if min_calls is None:
        what = "write that ran only once" if len(rare) == 1 else "writes that ran only once"
        yield f"{len(rare)} {what}, as loads and migrations do, {left_out}. --min-calls 1 keeps such writes."
    else:
        what = "statement" if len(rare) == 1 else "statements"
        yield f"{len(rare)} {what} with fewer than {min_calls:g} calls {left_out}."


def _cut_notes(kept: list[_Group], limit: int) -> Iterable[str]:
    cut_ms = sum(group.counters.total_ms for group in kept[limit:])
    total_ms = sum(group.counters.total_ms for group in kept)
    if len(kept) > limit:
        share = cut_ms / total_ms if total_ms else 0.0
        yield f"The {len(kept) - limit} lightest statements ({share:.1%} of execution time) were left out."


def _nothing_seen(session: Session, window_s: float, left_out: int) -> ConfigError:
    if left_out:
        noun = "statement" if left_out == 1 else "statements"
        return ConfigError(
            f"All {left_out} {noun} seen in database {session.database} ran too seldom to be a workload.",
            hint="Let the application work for a while, or keep them with --min-calls 1.",
        )
    if window_s > 0:
        return ConfigError(
            f"No application statement ran on {session.address} in {window_s:g} s.",
            hint="Capture while the application is at work, watch longer (--window), or use --window 0 for "
            "everything since the counters were reset.",
        )
    return ConfigError(
        f"pg_stat_statements holds no application statement of database {session.database}.",
        hint="Let the application work for a while, then capture again; check that the name of the database "
        "is the application's.",
    )
