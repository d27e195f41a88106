"""Partitions for large tables of which most statements want a stretch of time, or of a rising number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pgproof.model.catalog import Catalog
from pgproof.model.figures import percent, size
from pgproof.model.larger_change import Dismissed, LargerKind, PartitionCandidate
from pgproof.model.partitioning import Partition, PartitionMethod, PartitionTable
from pgproof.model.relation import Column, RelationKind, Table
from pgproof.model.workload import Workload
from pgproof.sqltext.mentions import mentions
from pgproof.sqltext.quote import truncate_identifier
from pgproof.sqltext.shape import Comparand, PredicateKind, QueryShape
from pgproof.sqltext.value_position import NUMBERS, TIMES, position_day, read_position
from pgproof.stages.propose.reading import ReadStatement, read_workload, table_of
from pgproof.stages.propose.shares import share_statements, tables_read

MIN_BYTES = 1 << 30
"""Smaller tables are not worth it. **Source**: judgement; the documentation (5.12.1) speaks of tables larger
than the server's memory, which is not known here."""

MIN_PARTITIONS_OF = 8
"""A partition takes at least this part of `MIN_BYTES`: not too many of them. **Source**: judgement."""

MAX_PARTITIONS = 48
"""Planning time and locks grow with each. **Source**: judgement; documentation 5.12.6 allows thousands."""

MOST_FRAC = 0.5
"""Of what is asked of a table, by weight, so much has to want a stretch of the key. **Source**: judgement."""

RISING = 0.9
"""Correlation from which a number is taken to rise with the rows. **Source**: judgement, as in the shadow."""

_LAST_YEAR = 9_990
_KIND = LargerKind.PARTITIONING
_WANTED = (PredicateKind.RANGE, PredicateKind.EQUALITY)
_KNOWN_VALUES = (Comparand.CONSTANT, Comparand.PARAMETER)


def propose_partitions(
    catalog: Catalog, workload: Workload, *, min_bytes: int = MIN_BYTES
) -> tuple[tuple[PartitionCandidate, ...], tuple[Dismissed, ...]]:
    """Propose partitionings, and say why other large tables get none.

    Args:
        catalog: Of the database.
        workload: Statements with their calls.
        min_bytes: Size from which a table is looked at.

    Returns:
        Largest tables first.
    """
    large = [table for table in catalog.tables if _is_large(table, min_bytes)]
    if not large:
        return (), ()
    reads = read_workload(catalog, workload)
    shares = share_statements(catalog, reads)
    candidates: list[PartitionCandidate] = []
    dismissed: list[Dismissed] = []
    for table in sorted(large, key=lambda table: -table.size_bytes):
        found = _propose(table, reads, shares, catalog, min_bytes // MIN_PARTITIONS_OF)
        if isinstance(found, PartitionCandidate):
            candidates.append(found)
        elif found:
            dismissed.append(Dismissed(str(table.relation), _KIND, found))
    return tuple(candidates), tuple(dismissed)


def _is_large(table: Table, min_bytes: int) -> bool:
    return table.kind is RelationKind.TABLE and table.parent is None and table.size_bytes >= min_bytes


def _propose(
    table: Table,
    reads: Sequence[ReadStatement],
    shares: Mapping[str, float],
    catalog: Catalog,
    least_bytes: int,
) -> PartitionCandidate | str:
    """Return a candidate, or why there is none; empty where no statement is about the table."""
    about = [read for read in reads if _is_about(read, table, catalog)]
    weight = sum(shares[read.statement.name] for read in about)
    if not about or weight <= 0:
        return ""
    if table.row_security:
        return "it has row-level security, whose policies would have to be written anew"
    wanted: defaultdict[str, float] = defaultdict(float)
    for read in about:
        for name in _stretches(read, table, catalog):
            wanted[name] += shares[read.statement.name]
    suitable = [name for name in wanted if _is_key(table.column(name))]
    if not suitable:
        return "no statement asks for a stretch of a time, or of a number that rises with its rows"
    name = max(sorted(suitable), key=lambda name: wanted[name])
    if wanted[name] <= weight * MOST_FRAC:
        return (
            f"only {percent(wanted[name] / weight, 0)} of what is asked of it wants a stretch of {name}: the"
            " rest would have to look into every partition"
        )
    column = table.column(name)
    scheme = _scheme(table, column, least_bytes) if column else None
    if scheme is None:
        return f"the statistics of {name} don't tell from where to where it goes"
    return PartitionCandidate(
        scheme=scheme,
        statements=tuple(read.statement.name for read in about),
        reason=f"{size(table.size_bytes)}; {percent(wanted[name] / weight, 0)} of what is asked of it wants a"
        f" stretch of {name}",
        cautions=tuple(_cautions(table, catalog)),
    )


def _is_about(read: ReadStatement, table: Table, catalog: Catalog) -> bool:
    written = [
        table_of(shape, shape.target.alias, catalog) for shape in read.levels if shape.target is not None
    ]
    found = (*tables_read(read, catalog), *(target for target in written if target is not None))
    return any(one.relation == table.relation for one in found)


def _stretches(read: ReadStatement, table: Table, catalog: Catalog) -> set[str]:
    """Return the columns of a table that a statement limits to a value or a stretch, wherever it reads it."""
    per_read = [
        _limited(shape, alias)
        for shape in read.levels
        for alias in [relation.alias for relation in shape.relations] + _target(shape)
        if (found := table_of(shape, alias, catalog)) is not None and found.relation == table.relation
    ]
    return set[str].intersection(*per_read) if per_read else set()


def _target(shape: QueryShape) -> list[str]:
    known = {relation.alias for relation in shape.relations}
    return [shape.target.alias] if shape.target is not None and shape.target.alias not in known else []


def _limited(shape: QueryShape, alias: str) -> set[str]:
    return {
        predicate.operand.column
        for predicate in shape.predicates
        if predicate.operand.relation == alias
        and predicate.operand.column
        and predicate.kind in _WANTED
        and predicate.comparand in _KNOWN_VALUES
        and not (predicate.in_or or predicate.negated)
    }


def _is_key(column: Column | None) -> bool:
    """Tell whether a column is a time, or a whole number that rises from row to row."""
    if column is None or column.statistics is None or column.generated:
        return False
    if column.base_type in TIMES:
        return True
    correlation = column.statistics.correlation
    return column.base_type in NUMBERS and column.base_type.startswith("int") and (correlation or 0) >= RISING


@dataclass(frozen=True, slots=True)
class _Step:
    """A way to cut a line.

    Args:
        words: What one piece spans.
        limits: Where pieces begin and end, from the first needed to the last, as texts.
    """

    words: str
    limits: tuple[str, ...]


def _scheme(table: Table, column: Column, least_bytes: int) -> PartitionTable | None:
    statistics = column.statistics
    texts = (*statistics.most_common_vals, *statistics.histogram_bounds) if statistics else ()
    places = [read_position(column.base_type, text) for text in texts]
    known = [place for place in places if place is not None]
    if len(known) < 2 or len(known) < len(places):
        return None
    most = max(min(MAX_PARTITIONS, table.size_bytes // max(least_bytes, 1)), 2)
    cut = _cut_times if column.base_type in TIMES else _cut_numbers
    steps = cut(column.base_type, min(known), max(known))
    step = next((step for step in steps if 2 < len(step.limits) <= most + 1), None)
    if step is None:
        return None
    name = table.relation.name
    pieces = tuple(
        Partition(truncate_identifier(name, suffix=f"_p{number}"), lower, upper)
        for number, (lower, upper) in enumerate(zip(step.limits, step.limits[1:], strict=False), start=1)
    )
    rest = Partition(truncate_identifier(name, suffix="_rest"), default=True)
    return PartitionTable(
        table.relation, column.name, PartitionMethod.RANGE, (*pieces, rest), step=step.words
    )


def _cut_times(base_type: str, low: float, high: float) -> Iterator[_Step]:
    """Yield ways to cut a stretch of time, the finest first."""
    try:
        first, last = position_day(low), position_day(high)
    except (ValueError, OverflowError):
        return
    if last.year > _LAST_YEAR:
        return
    ways: tuple[tuple[str, Callable[[date], date], Callable[[date], date]], ...] = (
        ("1 day", lambda day: day, lambda day: day + timedelta(days=1)),
        ("1 week", lambda day: day - timedelta(days=day.weekday()), lambda day: day + timedelta(days=7)),
        ("1 month", lambda day: day.replace(day=1), lambda day: _months_on(day, 1)),
        ("3 months", lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1), _quarter_on),
        ("1 year", lambda day: day.replace(month=1, day=1), lambda day: _months_on(day, 12)),
    )
    for words, begin, on in ways:
        limits = [begin(first)]
        while limits[-1] <= last and len(limits) <= MAX_PARTITIONS + 2:
            limits.append(on(limits[-1]))
        yield _Step(words, tuple(_time_text(base_type, day) for day in limits))


def _quarter_on(day: date) -> date:
    return _months_on(day, 3)


def _months_on(day: date, months: int) -> date:
    month = day.month - 1 + months
    return date(day.year + month // 12, month % 12 + 1, 1)


def _time_text(base_type: str, day: date) -> str:
    clock = {"timestamp": " 00:00:00", "timestamptz": " 00:00:00+00"}.get(base_type, "")
    return day.isoformat() + clock


def _cut_numbers(_: str, low: float, high: float) -> Iterator[_Step]:
    """Yield ways to cut a stretch of whole numbers in round steps, the finest first."""
    width = 1
    while width < high - low + 1:
        for factor in (1, 2, 5):
            step = width * factor
            first = int(low // step) * step
            count = int((high - first) // step) + 1
            if 1 < count <= MAX_PARTITIONS:
                yield _Step(f"{step:,}", tuple(str(first + step * n) for n in range(count + 1)))
        width *= 10


def _cautions(table: Table, catalog: Catalog) -> Iterator[str]:
    referring = sorted({str(key.table) for key in catalog.foreign_keys_to(table.relation)})
    if referring:
        yield f"foreign keys of {', '.join(referring)} need a unique index that has the partition key in it"
    views = [
        str(view.relation)
        for view in catalog.tables
        if view.kind is RelationKind.VIEW and mentions(view.definition, table.relation.name)
    ]
    if views:
        yield f"priced without the views over it, which would have to be made anew: {', '.join(views)}"
    yield "partitions to come have to be made before their rows do, by a job of yours or an extension"
