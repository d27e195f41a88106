"""Materialised views for statements that sum up large tables again and again."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pgproof.changes import refusals
from pgproof.errors import ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateMaterializedView
from pgproof.model.figures import percent
from pgproof.model.larger_change import Dismissed, LargerKind, ViewCandidate, ViewColumn
from pgproof.model.relation import RelationKind, RelationName, Table
from pgproof.model.workload import ParameterSet, ParameterSource, Workload, WorkloadStatement
from pgproof.sqltext.calls import FunctionName
from pgproof.sqltext.fingerprint import fingerprint
from pgproof.sqltext.parameters import bind_some
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.quote import truncate_identifier
from pgproof.sqltext.summary import StoredColumn, Summary, find_summaries
from pgproof.sqltext.summary_reading import ViewDefinition, define_view, read_from_view
from pgproof.stages.propose.immutable import is_built_in
from pgproof.stages.propose.reading import ReadStatement, read_workload, table_of
from pgproof.stages.propose.shares import share_statements
from pgproof.stages.propose.view_keys import find_telling_keys, judge_rows, unique_indexes
from pgproof.stages.propose.worth import pages_of

SHARE_FRAC = 0.02
"""Statements of a smaller share of the workload are left as they are. **Source**: judgement."""

MIN_PAGES = 1_000
"""Tables that are smaller together are summed up in milliseconds. **Source**: judgement; 8 MB."""

MAX_WRITES_A_READ = 1.0
"""Where tables are written more often than the view would be read, it is out of date at each reading.
**Source**: judgement."""

MAX_VIEWS = 5
"""**Source**: judgement: the planner is asked about the heaviest; nobody keeps more of them."""

_KIND = LargerKind.MATERIALIZED_VIEW
_TRUSTED = (ParameterSource.DECLARED, ParameterSource.LOG, ParameterSource.ACTIVITY)
_ZONED = frozenset({"date_trunc", "date_part", "extract", "timezone", "date", "to_char", "to_date"})
"""What they give may follow settings of the session that refreshes. **Source**: provolatile, pg_proc.dat."""
_HASH_DIGITS = 6
_KEYS_IN_NAME = 3
_ORDERED = "that depend on the order of rows"


@dataclass(frozen=True, slots=True)
class _Use:
    """A statement with one query in it that a view could hold.

    Args:
        statement: As captured.
        sql: Its text, parameters inside the view's query bound to the only values seen.
        numbers: The old number of each parameter left in it.
        summary: Of that query; free of parameters.
        fixed: Some were bound.
    """

    statement: WorkloadStatement
    sql: str
    numbers: tuple[int, ...]
    summary: Summary
    fixed: bool


def propose_views(
    catalog: Catalog, workload: Workload
) -> tuple[tuple[ViewCandidate, ...], tuple[Dismissed, ...]]:
    """Propose materialised views, and say why heavy statements that sum up get none.

    Args:
        catalog: Of the database.
        workload: Statements with their calls and, where known, values.

    Returns:
        Views, those of the heaviest statements first; statements left as they are, heaviest first.
    """
    reads = read_workload(catalog, workload)
    shares = share_statements(catalog, reads)
    writes = _write_calls(catalog, reads)
    uses: defaultdict[str, list[_Use]] = defaultdict(list)
    dismissed: list[Dismissed] = []
    for read in sorted(reads, key=lambda read: -shares[read.statement.name]):
        found = _uses_of(read, catalog)
        if isinstance(found, str):
            if found and shares[read.statement.name] >= SHARE_FRAC:
                dismissed.append(Dismissed(read.statement.name, _KIND, found))
            continue
        for use in found:
            uses[use.summary.source].append(use)
    candidates: list[ViewCandidate] = []
    for group in sorted(uses.values(), key=lambda group: -_share(group, shares)):
        share = _share(group, shares)
        reason = _why_not(group, catalog, writes)
        if share < SHARE_FRAC:
            continue
        if reason:
            dismissed += [Dismissed(name, _KIND, reason) for name in _names(group)]
        elif len(candidates) < MAX_VIEWS:
            candidates += _candidate(group, share, catalog)
    served = {reader.name for candidate in candidates for reader in candidate.readers}
    return tuple(candidates), tuple(d for d in dismissed if d.what not in served)


def _share(group: Sequence[_Use], shares: Mapping[str, float]) -> float:
    return sum(shares[name] for name in _names(group))


def _names(group: Sequence[_Use]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(use.statement.name for use in group))


def _uses_of(read: ReadStatement, catalog: Catalog) -> list[_Use] | str:
    """Return the queries of a statement that a view could hold, else why none; "" where it sums nothing."""
    statement = read.statement
    sums = any(level.aggregates or level.group_by for level in read.levels)
    if not statement.query.read_only or not sums:
        return ""
    if statement.counters is not None and statement.counters.calls < 2:
        return "it was called once"
    try:
        summaries = find_summaries(parse_statement(statement.query.sql), _lookup(catalog))
    except (ParseError, UsageError):
        return ""
    if not summaries:
        return (
            "no part of it is provably a plain sum over tables (it may have subqueries in its conditions,"
            f" grouping sets, DISTINCT, the clock, row-level security, or aggregates {_ORDERED})"
        )
    uses, reasons = [], []
    for summary in summaries:
        use = _fixed(statement, summary, catalog)
        unsteady = _unsteady(summary.functions, catalog)
        if unsteady:
            reasons.append(f"{unsteady} may answer differently each time")
        elif use is None:
            numbers = ", ".join(f"${number}" for number in summary.parameters)
            reasons.append(
                f"what it sums up depends on values that change from call to call ({numbers}), in columns it"
                " does not group by"
            )
        else:
            uses.append(use)
    return uses or reasons[0]


def _lookup(catalog: Catalog) -> _Lookup:
    return _Lookup(catalog)


@dataclass(frozen=True, slots=True)
class _Lookup:
    """Tells `pgproof.sqltext.summary` of tables whose rows everybody may see."""

    catalog: Catalog

    def __call__(self, schema: str | None, name: str, /) -> tuple[str, Sequence[str]] | None:
        table = self.catalog.find_table(name, schema)
        kinds = (RelationKind.TABLE, RelationKind.PARTITIONED)
        if table is None or table.kind not in kinds or table.row_security:
            return None
        return table.relation.schema, [column.name for column in table.columns]


def _fixed(statement: WorkloadStatement, summary: Summary, catalog: Catalog) -> _Use | None:
    """Bind the parameters inside the view's query, where every call seen has the same values."""
    values: dict[int, str | None] = {}
    for number in summary.parameters:
        seen = {
            one.values[number - 1]
            for one in statement.parameter_sets
            if one.source in _TRUSTED and number <= len(one.values)
        }
        known = all(one.source in _TRUSTED for one in statement.parameter_sets)
        if len(seen) != 1 or not known:
            return None
        values[number] = seen.pop()
    sql, numbers = bind_some(statement.query.sql, values)
    if not values:
        return _Use(statement, sql, numbers, summary, fixed=False)
    place = find_summaries(parse_statement(statement.query.sql), _lookup(catalog)).index(summary)
    bound = find_summaries(parse_statement(sql), _lookup(catalog))
    if len(bound) <= place or bound[place].parameters:
        return None
    return _Use(statement, sql, numbers, bound[place], fixed=True)


def _unsteady(functions: Sequence[FunctionName], catalog: Catalog) -> str:
    """Return the first function that is not known to give the same for the same, empty without."""
    for function in functions:
        built_in = function.schema in ("", "pg_catalog") and (
            is_built_in(function.name) or function.name in _ZONED
        )
        if not built_in and catalog.find_function(function.name, function.schema) is None:
            return f"{function.name}()"
    return ""


def _write_calls(catalog: Catalog, reads: Sequence[ReadStatement]) -> Mapping[RelationName, float]:
    """Return how often the workload writes to each table."""
    calls: defaultdict[RelationName, float] = defaultdict(float)
    for read in reads:
        for shape in read.levels:
            table = table_of(shape, shape.target.alias, catalog) if shape.target else None
            if table is not None:
                calls[table.relation] += read.statement.calls
    return calls


def _tables(group: Sequence[_Use], catalog: Catalog) -> list[Table]:
    found = [catalog.find_table(name, schema) for schema, name in group[0].summary.tables]
    return [table for table in found if table is not None]


def _why_not(group: Sequence[_Use], catalog: Catalog, writes: Mapping[RelationName, float]) -> str:
    tables = _tables(group, catalog)
    pages = sum(map(pages_of, tables))
    if pages < MIN_PAGES:
        return f"its tables have {pages:,.0f} pages: summed up in no time"
    reads = sum({use.statement.name: use.statement.calls for use in group}.values())
    written = sum(writes.get(table.relation, 0.0) for table in tables)
    if written > reads * MAX_WRITES_A_READ:
        return (
            f"its tables are written {written / reads:,.1f} times as often as it is called: a view would be"
            " out of date at each reading"
        )
    return ""


def _candidate(group: Sequence[_Use], share: float, catalog: Catalog) -> Iterator[ViewCandidate]:
    definition = define_view([use.summary for use in group])
    pinned = frozenset(text for use in group for text in use.summary.pinned)
    telling = find_telling_keys(definition, pinned, catalog)
    view = _view_name(definition, telling, _tables(group, catalog))
    readers = tuple(_readers(group, definition, view, catalog))
    change = CreateMaterializedView(view, definition.sql, tuple(unique_indexes(view, telling, catalog)))
    if not readers or refusals(change, catalog.of_owner):
        return
    confidence, reason = judge_rows(
        definition, [use.summary for use in group], _tables(group, catalog), catalog
    )
    yield ViewCandidate(
        change=change,
        columns=tuple(map(_view_column, definition.columns)),
        readers=readers,
        reason=f"{_some(_names(group))} sum up the same rows, {percent(share, 0)} of the workload",
        cautions=tuple(_cautions(group, change)),
        confidence=confidence,
        confidence_reason=reason,
    )


def _view_column(column: StoredColumn) -> ViewColumn:
    table = RelationName(*column.table) if column.table else None
    return ViewColumn(column.name, column.is_key, table, column.column)


def _view_name(
    definition: ViewDefinition, telling: Sequence[StoredColumn], tables: Sequence[Table]
) -> RelationName:
    """Name a view after its largest table and its keys; the same definition gets the same name."""
    largest = max(tables, key=pages_of).relation
    keys = [column.name for column in telling][:_KEYS_IN_NAME]
    words = "_".join([largest.name, *(("by", *keys) if definition.keys else ("summed",))])
    digits = hashlib.sha256(definition.sql.encode()).hexdigest()[:_HASH_DIGITS]
    return RelationName(largest.schema, truncate_identifier(words, max_bytes=59, suffix=f"_{digits}"))


def _readers(
    group: Sequence[_Use], definition: ViewDefinition, view: RelationName, catalog: Catalog
) -> Iterator[WorkloadStatement]:
    done = set()
    for use in group:
        name = use.statement.name
        sql = read_from_view(use.sql, definition, (view.schema, view.name), _lookup(catalog))
        if sql is None or name in done:
            continue
        done.add(name)
        text, left = bind_some(sql, {})
        numbers = [use.numbers[number - 1] for number in left]
        sets = tuple(
            replace(one, values=tuple(one.values[number - 1] for number in numbers))
            for one in use.statement.parameter_sets
            if all(number <= len(one.values) for number in numbers)
        )
        query = replace(use.statement.query, sql=text, fingerprint=fingerprint(text))
        yield replace(use.statement, query=query, parameter_sets=_merged(sets))


def _merged(sets: Sequence[ParameterSet]) -> tuple[ParameterSet, ...]:
    """Take sets together that have become equal, since parameters are gone."""
    weights: defaultdict[tuple[str | None, ...], float] = defaultdict(float)
    for one in sets:
        weights[one.values] += one.weight
    first = {one.values: one for one in reversed(sets)}
    return tuple(replace(first[values], weight=weight) for values, weight in weights.items())


def _cautions(group: Sequence[_Use], change: CreateMaterializedView) -> Iterator[str]:
    yield (
        "its answers are those of the last refresh, never newer: only for statements whose readers may see"
        " yesterday's figures"
    )
    yield "the statements have to be changed in the application: pgproof neither does that nor tests it"
    if any(use.fixed for use in group):
        yield (
            "it holds the answer for the values seen in the workload alone: a call with others must keep the"
            " statement as it is"
        )
    elif group[0].summary.conditions:
        yield "the constants in its WHERE are part of it: a statement with others can't read it"
    if not change.indexes:
        yield "its keys are too wide for a unique index, so everybody who reads it waits for each refresh"
    zoned = sorted({f.name for use in group for f in use.summary.functions if f.name in _ZONED})
    if zoned:
        yield f"{', '.join(zoned)} may follow the TimeZone and other settings of the session that refreshes"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
