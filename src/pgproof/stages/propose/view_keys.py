"""The keys of a materialised view: which of them tell its rows apart, and how many rows that makes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex
from pgproof.model.estimate import Confidence
from pgproof.model.relation import IndexKey, RelationName, Table
from pgproof.sqltext.quote import truncate_identifier
from pgproof.sqltext.summary import StoredColumn, Summary
from pgproof.sqltext.summary_reading import ViewDefinition
from pgproof.stages.propose.types import BTREE_KEY_MAX_BYTES, width_bytes
from pgproof.stages.propose.worth import MAX_KEYS, primary_key


def find_telling_keys(
    definition: ViewDefinition, pinned: frozenset[str], catalog: Catalog
) -> tuple[StoredColumn, ...]:
    """Return columns that are different together in each row, no more of them than needed.

    Where a table's primary key is among the keys, the other keys of that table follow from it.

    Args:
        definition: Of the view.
        pinned: Expressions that statements ask one value of; they come first, for look-ups.
        catalog: Knows primary keys.

    Returns:
        At least one; of a view of one row its first column.
    """
    if not definition.keys:
        return definition.columns[:1]
    by_alias: defaultdict[str, set[str]] = defaultdict(set)
    for key in definition.keys:
        by_alias[_alias(key)].add(key.column)
    return tuple(
        sorted(
            (key for key in definition.keys if not _follows(key, by_alias[_alias(key)], catalog)),
            key=lambda key: key.expression not in pinned,
        )
    )


def _alias(key: StoredColumn) -> str:
    """Return the relation a plain column is written with; empty for an expression, and for one of USING."""
    return key.expression.rpartition(".")[0] if key.table else ""


def _follows(key: StoredColumn, beside: set[str], catalog: Catalog) -> bool:
    """Tell whether a key follows from a primary key beside it."""
    table = catalog.find_table(key.table[1], key.table[0]) if key.table and _alias(key) else None
    columns = set(primary_key(table, catalog)) if table else set()
    return bool(columns) and columns <= beside and key.column not in columns


def unique_indexes(
    view: RelationName, telling: Sequence[StoredColumn], catalog: Catalog
) -> Iterator[CreateIndex]:
    """Yield the index that REFRESH ... CONCURRENTLY needs; none where its entries might not fit.

    Args:
        view: It is on.
        telling: From `find_telling_keys`.
        catalog: Knows how wide columns are.
    """
    if len(telling) <= MAX_KEYS and sum(_width(key, catalog) for key in telling) <= BTREE_KEY_MAX_BYTES // 2:
        keys = tuple(IndexKey(column=key.name) for key in telling)
        yield CreateIndex(view, truncate_identifier(view.name, suffix="_key"), keys, unique=True)


def _width(key: StoredColumn, catalog: Catalog) -> float:
    table = catalog.find_table(key.table[1], key.table[0]) if key.table else None
    column = table.column(key.column) if table else None
    return width_bytes(column) if column is not None else 0


def judge_rows(
    definition: ViewDefinition, summaries: Sequence[Summary], tables: Sequence[Table], catalog: Catalog
) -> tuple[Confidence, str]:
    """Say how far the planner can know how many rows a view has, and how many of them are wanted.

    Args:
        definition: Of the view.
        summaries: Of the queries that would read it.
        tables: They read.
        catalog: Knows extended statistics.

    Returns:
        The confidence, and what it rests on.
    """
    keys = definition.keys
    if not keys:
        return Confidence.HIGH, "it has one row"
    if any(table.rows < 0 for table in tables):
        return Confidence.LOW, "a table was never analysed"
    columns = [table.column(key.column) for key in keys for table in tables if _is_of(key, table)]
    if any(key.table is None for key in keys) or any(c is None or c.statistics is None for c in columns):
        return Confidence.LOW, "the planner has no statistics of an expression it groups by, and guesses"
    if _guesses_combinations(definition, tables, catalog):
        return (
            Confidence.LOW,
            "the planner guesses how many combinations its keys have (CREATE STATISTICS (ndistinct) would"
            " tell)",
        )
    if any(summary.filters_sums for summary in summaries):
        return (
            Confidence.LOW,
            "of conditions on sums (HAVING) the planner knows nothing before the view is there and analysed",
        )
    if len(keys) == 1 and not summaries[0].conditions and len(tables) == 1:
        return Confidence.HIGH, "as many rows as its key has values, by the column's statistics"
    return Confidence.MEDIUM, "the planner's estimate of groups over conditions, joins or several columns"


def _guesses_combinations(definition: ViewDefinition, tables: Sequence[Table], catalog: Catalog) -> bool:
    """Tell whether several keys are of one table, which has no statistics of them together.

    **Source**: estimate_num_groups in src/backend/utils/adt/selfuncs.c clamps such guesses to a tenth of the
    rows.
    """
    for table in tables:
        columns = {key.column for key in definition.keys if _is_of(key, table)}
        known = [
            set(object_.columns)
            for object_ in catalog.statistics
            if object_.table == table.relation and "ndistinct" in object_.kinds
        ]
        unique = set(primary_key(table, catalog))
        if unique and unique <= columns:
            continue  # the planner knows that they are as many as the table's rows
        if len(columns) > 1 and not any(columns <= held for held in known):
            return True
    return False


def _is_of(key: StoredColumn, table: Table) -> bool:
    return key.table == (table.relation.schema, table.relation.name)
