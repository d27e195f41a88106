"""Statistics that the planner lacks: ANALYZE, a closer look at a column, columns that belong together.

Nothing is proven here: `stages/estimate/statistics_check.py` tries each piece of advice on a clone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from pgproof.changes import effective_changes, refusals
from pgproof.model.catalog import Catalog
from pgproof.model.change import AnalyzeTable, CreateStatistics, SetStatisticsTarget, StatisticsKind
from pgproof.model.finding import Evidence
from pgproof.model.plan import Plan
from pgproof.model.relation import Column, RelationKind, RelationName, Table
from pgproof.model.statistics_advice import StatisticsAdvice
from pgproof.model.workload import Workload
from pgproof.sqltext.canonical import canonical_expression
from pgproof.sqltext.names import index_name
from pgproof.sqltext.shape import Operand
from pgproof.stages.propose.reading import ReadStatement, read_workload, table_of
from pgproof.stages.propose.statistics_plans import Clue, find_clues
from pgproof.stages.propose.statistics_skew import find_short_lists

STALE_FRAC = 0.2
"""Share of a table's rows changed since ANALYZE, beyond which its statistics mislead. **Source**: twice the
default ``autovacuum_analyze_scale_factor``."""

SETTLED = timedelta(minutes=1)
"""Counters of a table analysed more recently may still repeat changes that the ANALYZE saw. **Source**: they
come up to 10 s late (PGSTAT_IDLE_INTERVAL in pgstat.c), with room to spare."""

SMALL_TABLE_ROWS = 1000
"""Below this, a wrong estimate costs little. **Source**: judgement."""

MAX_TOGETHER = 4
"""Columns in one object; each more multiplies the combinations. **Source**: judgement."""

HIGH_TARGET = 1000
"""Target that is proposed first. **Source**: judgement; ten times the default, still quick to plan with."""

MAX_TARGET = 10_000
DEFAULT_TARGET = 100

_TOGETHER_SOURCE = "PostgreSQL documentation, 14.2.2 Extended Statistics"
_COLUMN_SOURCE = "PostgreSQL documentation, 14.2.1 Single-Column Statistics"
_ANALYZE_SOURCE = "PostgreSQL documentation, Routine Vacuuming: Updating Planner Statistics"


def propose_statistics(
    catalog: Catalog, workload: Workload, plans: Mapping[str, Sequence[Plan]]
) -> tuple[StatisticsAdvice, ...]:
    """Propose statistics for the tables that a workload reads.

    Args:
        catalog: Of the database.
        workload: What is asked of it.
        plans: By statement name, executed ones (EXPLAIN ANALYZE on a clone) or estimated ones; may lack
            statements. Without executed plans only results whose rows the server counted are judged.

    Returns:
        ANALYZE first, then the worst estimates first; no two with the same change. Nothing else is proposed
        for a table that needs ANALYZE: whether its estimates stay wrong is seen afterwards. What exists
        already, and what the server would refuse, is left out.
    """
    read = read_workload(catalog, workload)
    refresh = tuple(_refreshing(catalog, read))
    stale = {advice.change.table for advice in refresh}
    clues = [
        clue
        for clue in find_clues(catalog, workload.statements, plans)
        if clue.table.relation not in stale and clue.table.rows >= SMALL_TABLE_ROWS
    ]
    found = [advice for clue in clues for advice in _of_clue(catalog, clue)]
    found += [
        _target_advice(catalog, short.table, short.column, (short.statement,), short.evidence, short.words)
        for short in find_short_lists(catalog, read)
        if short.table.relation not in stale and _may_look_closer(catalog, short.table, short.column)
    ]
    return (*refresh, *_merged(advice for advice in found if _is_possible(catalog, advice)))


def _refreshing(catalog: Catalog, read: Iterable[ReadStatement]) -> Iterator[StatisticsAdvice]:
    """Yield ANALYZE for each table that was never analysed or changed much since, by name."""
    tables: dict[RelationName, Table] = {}
    statements: dict[RelationName, dict[str, None]] = {}
    for entry in read:
        for level in entry.levels:
            for relation in level.relations:
                table = table_of(level, relation.alias, catalog)
                for part in _leaves(catalog, table) if table else ():
                    tables[part.relation] = part
                    statements.setdefault(part.relation, {})[entry.statement.name] = None
    for name in sorted(tables):
        why = _why_stale(catalog, tables[name])
        if why is not None:
            reason, evidence = why
            yield StatisticsAdvice(
                AnalyzeTable(name), reason, (evidence,), _ANALYZE_SOURCE, tuple(statements[name])
            )


def _leaves(catalog: Catalog, table: Table) -> Iterator[Table]:
    yield table
    for part in catalog.partitions_of(table.relation):
        yield from _leaves(catalog, part)


def _why_stale(catalog: Catalog, table: Table) -> tuple[str, Evidence] | None:
    if table.kind is RelationKind.PARTITIONED:
        return _why_unseen(catalog, table)
    if table.kind not in (RelationKind.TABLE, RelationKind.MATVIEW):
        return None
    activity = table.activity
    live = activity.live_rows if activity else 0
    if table.rows < 0 and (live or table.size_bytes):
        return (
            f"{table.relation} was never analysed: the planner guesses how many rows its conditions leave.",
            Evidence("last ANALYZE", "never", "pg_class"),
        )
    changed = activity.mods_since_analyze if activity else 0
    last = activity.last_analyze_at if activity else None
    settled = last is None or catalog.read_at - last > SETTLED
    if table.rows >= 0 and settled and changed > STALE_FRAC * max(table.rows, SMALL_TABLE_ROWS):
        return (
            f"{changed:,} rows of {table.relation} changed since its statistics were taken, of"
            f" {table.rows:,.0f}.",
            Evidence("rows changed since ANALYZE", f"{changed:,}", "pg_stat_all_tables"),
        )
    return None


def _why_unseen(catalog: Catalog, table: Table) -> tuple[str, Evidence] | None:
    """Say that a partitioned table has no statistics of its own while its partitions have."""
    parts = [part for part in _leaves(catalog, table) if part is not table]
    seen = any(column.statistics for part in parts for column in part.columns)
    if not seen or any(column.statistics for column in table.columns):
        return None
    return (
        f"Autovacuum analyses the partitions of {table.relation}, never the whole: for joins and groups over"
        " several of them the planner guesses.",
        Evidence("statistics of the whole table", "none", "pg_stats"),
    )


def _of_clue(catalog: Catalog, clue: Clue) -> Iterator[StatisticsAdvice]:
    columns = tuple(o.column for o in clue.equal if o.column and not _is_constant(clue.table, o.column))
    expressions = tuple(
        operand.expression
        for operand in clue.equal
        if not operand.column and "$" not in operand.expression and not _is_indexed(catalog, clue, operand)
    )
    ranged = tuple(o.column for o in clue.ranged if o.column and o.column not in columns)
    members = len(columns) + len(expressions)
    if clue.grouped:
        if members >= 2:
            yield _together(catalog, clue, columns, expressions, (StatisticsKind.NDISTINCT,))
    elif members >= 2:
        kinds = (StatisticsKind.DEPENDENCIES, StatisticsKind.MCV)
        yield _together(catalog, clue, columns, expressions, kinds)
    elif members == 1 and ranged:
        yield _together(catalog, clue, (*columns, *ranged), expressions, (StatisticsKind.MCV,))
    if expressions and members == 1:
        yield _together(catalog, clue, (), expressions, ())
    if len(clue.equal) == 1 and columns:
        yield from _closer_look(catalog, clue, columns[0])


def _is_constant(table: Table, name: str) -> bool:
    """Whether every row has the same value, as in the key of a partition: there is nothing to combine."""
    column = table.column(name)
    return column is not None and column.statistics is not None and column.statistics.n_distinct == 1


def _is_indexed(catalog: Catalog, clue: Clue, operand: Operand) -> bool:
    """Whether an index keeps statistics of the expression already."""
    wanted = canonical_expression(operand.expression)
    return any(
        key.expression and canonical_expression(key.expression) == wanted
        for index in catalog.indexes_of(clue.table.relation)
        for key in index.keys
    )


def _together(
    catalog: Catalog,
    clue: Clue,
    columns: Sequence[str],
    expressions: Sequence[str],
    kinds: tuple[StatisticsKind, ...],
) -> StatisticsAdvice:
    chosen = tuple(sorted(columns[:MAX_TOGETHER]))
    texts = tuple(expressions[: MAX_TOGETHER - len(chosen)])
    name = _new_name(catalog, clue.table, chosen, texts)
    change = CreateStatistics(clue.table.relation, name, chosen, texts, kinds)
    what = "groups" if clue.grouped else "rows"
    members = ", ".join((*chosen, *texts))
    if len(chosen) + len(texts) == 1:
        told = f"the planner knows nothing of {members}, and guesses"
    else:
        told = f"the planner takes {members} for independent of each other"
    reason = (
        f"{clue.statement.name}: {clue.estimated_rows:,.0f} {what} were expected of {clue.table.relation} and"
        f" {clue.actual_rows:,.0f} came, {clue.factor:,.0f} times as many or as few: {told}."
    )
    return StatisticsAdvice(
        change, reason, _evidence(clue), _TOGETHER_SOURCE, (clue.statement.name,), clue.factor
    )


def _evidence(clue: Clue) -> tuple[Evidence, ...]:
    what = "groups" if clue.grouped else "rows"
    return (
        Evidence(f"{what} expected", f"{clue.estimated_rows:,.0f}", "EXPLAIN"),
        Evidence(f"{what} that came", f"{clue.actual_rows:,.0f}", clue.seen),
    )


def _closer_look(catalog: Catalog, clue: Clue, name: str) -> Iterator[StatisticsAdvice]:
    column = clue.table.column(name)
    if column is None or not _may_look_closer(catalog, clue.table, column):
        return
    what = "groups by" if clue.grouped else "looks for values of"
    words = (
        f"{clue.statement.name} {what} {name}: {clue.estimated_rows:,.0f} were expected and"
        f" {clue.actual_rows:,.0f} came; its statistics are too coarse"
    )
    advice = _target_advice(catalog, clue.table, column, (clue.statement.name,), _evidence(clue), words)
    yield replace(advice, error_factor=clue.factor)


def _may_look_closer(catalog: Catalog, table: Table, column: Column) -> bool:
    """Whether a higher target can change anything: there are values that the present one leaves out."""
    statistics = column.statistics
    if statistics is None or _target(catalog, column) >= MAX_TARGET:
        return False
    return statistics.distinct_rows(max(table.rows, 1.0)) > len(statistics.most_common_vals) + 1


def _target(catalog: Catalog, column: Column) -> int:
    if column.statistics_target is not None:
        return column.statistics_target
    return int(catalog.setting("default_statistics_target") or DEFAULT_TARGET)


def _target_advice(
    catalog: Catalog,
    table: Table,
    column: Column,
    statements: tuple[str, ...],
    evidence: tuple[Evidence, ...],
    words: str,
) -> StatisticsAdvice:
    present = _target(catalog, column)
    target = HIGH_TARGET if present < HIGH_TARGET else MAX_TARGET
    reason = f"{words}: {present} most common values are kept of {column.name}, and {target} can be."
    change = SetStatisticsTarget(table.relation, column.name, target)
    return StatisticsAdvice(change, reason, evidence, _COLUMN_SOURCE, statements)


def _new_name(catalog: Catalog, table: Table, columns: Sequence[str], expressions: Sequence[str]) -> str:
    taken = {found.relation.name for found in catalog.statistics}
    words = [*columns, *("expr" for _ in expressions)]
    name, number = index_name(table.relation.name, words, "stat"), 1
    while name in taken:
        number += 1
        name = index_name(table.relation.name, words, f"stat{number}")
    return name


def _is_possible(catalog: Catalog, advice: StatisticsAdvice) -> bool:
    """Whether it is not so already, and the server would let the owner do it."""
    change = advice.change
    return bool(effective_changes((change,), catalog)) and not refusals(change, catalog.of_owner)


def _merged(found: Iterable[StatisticsAdvice]) -> tuple[StatisticsAdvice, ...]:
    """Return one piece of advice a change, that of the worst estimate, with the statements of all."""
    by_change: dict[object, StatisticsAdvice] = {}
    for advice in found:
        key = _key(advice)
        other = by_change.get(key)
        by_change[key] = advice if other is None else _joined(other, advice)
    return tuple(sorted(by_change.values(), key=lambda each: -(each.error_factor or 1.0)))


def _key(advice: StatisticsAdvice) -> object:
    change = advice.change
    if isinstance(change, CreateStatistics):
        return (change.table, change.columns, change.expressions)
    return (type(change), change.table, getattr(change, "column", ""))


def _joined(one: StatisticsAdvice, other: StatisticsAdvice) -> StatisticsAdvice:
    worst = max(one, other, key=lambda each: each.error_factor or 1.0)
    change = worst.change
    if isinstance(one.change, CreateStatistics) and isinstance(other.change, CreateStatistics):
        kinds = (kind for kind in StatisticsKind if kind in (*one.change.kinds, *other.change.kinds))
        change = replace(one.change, kinds=tuple(kinds))
    statements = tuple(dict.fromkeys((*one.statements, *other.statements)))
    return replace(worst, change=change, statements=statements)
