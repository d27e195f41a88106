"""What synthetic data is made from, and how well it turned out."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgproof.model.relation import Constraint, Index, RelationName


@dataclass(frozen=True, slots=True)
class WholeStatistics:
    """All that ANALYZE noted of one column. Holds row values: never print any.

    Args:
        null_frac: Share of NULLs, 0 to 1.
        n_distinct: As in pg_stats: > 0 a count, < 0 minus the share of rows.
        avg_width_bytes: Average stored width.
        correlation: Physical against logical order, -1 to 1; None where not orderable.
        values: Most common ones in text form, most frequent first.
        freqs: Their shares, same order.
        bounds: Of the histogram, in the server's order.
        elements: Most common elements of arrays and tsvectors.
        element_freqs: Shares of the rows that hold each, same order.
        elements_a_row: Different elements of an array, on average; 0 for other types.
        range_bounds: Ranges whose lower ends, and whose upper ends, are two histograms; PostgreSQL 17 on.
        range_lengths: Histogram of the ranges' lengths.
        empty_frac: Share of empty ranges.
    """

    null_frac: float
    n_distinct: float
    avg_width_bytes: int
    correlation: float | None = None
    values: tuple[str, ...] = ()
    freqs: tuple[float, ...] = ()
    bounds: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    element_freqs: tuple[float, ...] = ()
    elements_a_row: float = 0.0
    range_bounds: tuple[str, ...] = ()
    range_lengths: tuple[float, ...] = ()
    empty_frac: float = 0.0


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column to be made.

    Args:
        name: As stored.
        number: attnum.
        type_name: ``format_type`` output.
        base_type: pg_type.typname, domains resolved ("int4", "_text").
        kind: pg_type.typtype of the base type: "b" base, "e" enumeration, "r" range, "m" multirange, "c" row.
        category: pg_type.typcategory of the base type.
        limit: Characters at most of a char(n) or varchar(n), bits of bit(n); 0 where there is no limit.
        scale: Digits behind the point of a numeric(p, s), of the seconds of a time(p); None where open.
        precision: Digits of a numeric(p, s); 0 where open.
        element: typname of an array's elements or a range's subtype, empty for others.
        labels: Of an enumeration, in order; of an array's elements where those are one.
        not_null: NULL is refused, by the column or its domain.
        default: Expression text, empty without one.
        generated: The server computes it, so no value may be given.
        code_point_order: Text is sorted by code point.
        statistics: None where never analysed or not readable.
    """

    name: str
    number: int
    type_name: str
    base_type: str
    kind: str = "b"
    category: str = ""
    limit: int = 0
    scale: int | None = None
    precision: int = 0
    element: str = ""
    labels: tuple[str, ...] = ()
    not_null: bool = False
    default: str = ""
    generated: bool = False
    code_point_order: bool = True
    statistics: WholeStatistics | None = None


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table with files of its own, or a partitioned one.

    Args:
        relation: Its name.
        columns: In attnum order.
        rows: That the planner counts on: rows a page at the last VACUUM or ANALYZE, times today's pages.
        pages: Length of its file in blocks of 8 KiB.
        visible_frac: Share of its pages all of whose rows everybody sees.
        analysed: Statistics of any of its columns are there.
        partitioned: Its rows lie in its partitions.
        parent: The partitioned table it is a partition of.
        strategy: How that one parts its rows ("range", "list", "hash"), empty without one.
        fillfactor: Percent; 100 where nothing is set.
    """

    relation: RelationName
    columns: tuple[SourceColumn, ...]
    rows: float
    pages: int
    visible_frac: float = 1.0
    analysed: bool = True
    partitioned: bool = False
    parent: RelationName | None = None
    strategy: str = ""
    fillfactor: int = 100

    def column(self, name: str) -> SourceColumn | None:
        """Return the column of that name, None when there is none."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class JointStatistics:
    """What CREATE STATISTICS found about several columns of a table. Holds row values: never print any.

    Args:
        relation: Of the object.
        table: It is about.
        columns: Their names, in attnum order.
        combinations: Most common ones, values in the order of ``columns``; None is NULL.
        freqs: Their shares, same order.
        distinct: How many combinations groups of columns have.
        dependencies: How far the columns of a group determine one more (the last), 0 to 1.
    """

    relation: RelationName
    table: RelationName
    columns: tuple[str, ...]
    combinations: tuple[tuple[str | None, ...], ...] = ()
    freqs: tuple[float, ...] = ()
    distinct: tuple[tuple[tuple[str, ...], float], ...] = ()
    dependencies: tuple[tuple[tuple[str, ...], float], ...] = ()


@dataclass(frozen=True, slots=True)
class SynthesisSource:
    """Everything that is read of a database to make synthetic data like it; no row is among it.

    Args:
        tables: By name; partitions and their parents too.
        constraints: Of all of them.
        indexes: Of all of them.
        joint: Contents of extended statistics, by name.
        notes: What could not be read, with the GRANT that would allow it; may be empty.
    """

    tables: tuple[SourceTable, ...]
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    joint: tuple[JointStatistics, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatementAgreement:
    """How alike one statement is planned in two databases.

    Args:
        name: Of the statement.
        shape_equal: Same nodes on the same relations by the same indexes, for every set of values.
        rows_factor: Worst disagreement of the rows that any same set of tables is expected to give, >= 1.
        about: Tables where that is, aliases joined by commas; empty where nothing was comparable.
    """

    name: str
    shape_equal: bool
    rows_factor: float
    about: str = ""


@dataclass(frozen=True, slots=True)
class PlanAgreement:
    """How alike a workload is planned in two databases.

    Args:
        statements: The worst first.
        shape_equal_frac: Share of statements with equal plan shapes, 0 to 1; None without a statement.
        rows_factor: Median over all expected row counts compared, larger by smaller; None without any.
        compared: How many row counts were compared.
        planned_on: Where the source's plans come from.
        skipped: Statements that could not be planned, each with the reason.
    """

    statements: tuple[StatementAgreement, ...]
    shape_equal_frac: float | None
    rows_factor: float | None
    compared: int
    planned_on: str
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MadeTable:
    """One table of a synthetic database.

    Args:
        relation: Its name.
        rows: Made.
        source_rows: That the source's statistics tell of.
        pages: Of its file; 0 where rows went into files of ours.
        source_pages: Of the source's file.
    """

    relation: RelationName
    rows: int
    source_rows: float
    pages: int = 0
    source_pages: int = 0


@dataclass(frozen=True, slots=True)
class Synthesis:
    """A synthetic database that was made.

    Args:
        database: Name of the source.
        destination: Where it is, safe to print.
        scale: Rows, of the source's.
        seed: Of all chance.
        masked: Values were replaced, too.
        tables: By name.
        rows: In all of them.
        generation_s: Making and loading rows, indexes left out.
        seconds: The whole.
        notes: What is not as in the source, the gravest first; may be empty.
        agreement: None where no plans were compared.
    """

    database: str
    destination: str
    scale: float
    seed: int
    masked: bool
    tables: tuple[MadeTable, ...]
    rows: int
    generation_s: float
    seconds: float
    notes: tuple[str, ...] = ()
    agreement: PlanAgreement | None = field(default=None)

    @property
    def rows_per_s(self) -> float:
        """Rows made and loaded a second, before indexes are built."""
        return self.rows / self.generation_s if self.generation_s > 0 else 0.0
