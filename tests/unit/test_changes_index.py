"""Text and dangers of building an index."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pgproof.changes import apply_steps, describe, effective_changes, refusals, render_sql, revert_steps
from pgproof.changes.index import partition_index_name
from pgproof.errors import ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CreateExtension, CreateIndex, DropIndex, LockMode
from pgproof.model.relation import Column, Extension, Index, IndexKey, RelationKind, RelationName, Table
from pgproof.model.statistics import ColumnStatistics

ORDERS = RelationName("public", "orders")


def column(name: str, base_type: str = "int4", width_bytes: int = 4) -> Column:
    return Column(name, base_type, base_type, not_null=False, statistics=ColumnStatistics(0, -1, width_bytes))


TABLE = Table(
    ORDERS,
    RelationKind.TABLE,
    (
        column("id"),
        column("note", "text", 30),
        column("blob", "text", 2500),
        column("doc", "json"),
        column("place", "point"),
    ),
)
CATALOG = Catalog(
    database="shop",
    version="15.20",
    version_num=150020,
    read_at=datetime(2026, 11, 20, tzinfo=UTC),
    search_path=("public",),
    user="clerk",
    superuser=False,
    in_recovery=False,
    stats_reset_at=None,
    tables=(TABLE,),
    indexes=(),
    constraints=(),
    statistics=(),
    extensions=(Extension("pg_trgm", available_version="1.6", trusted=True),),
    settings=(),
)


def create(*columns: str, **facts: object) -> CreateIndex:
    keys = tuple(IndexKey(column=name) for name in columns)
    return CreateIndex(ORDERS, **{"name": "i", "keys": keys, **facts})


def with_table(**facts: object) -> Catalog:
    return replace(CATALOG, tables=(replace(TABLE, **facts),))


def told(
    change: Change, catalog: Catalog = CATALOG, earlier: tuple[Change, ...] = ()
) -> list[tuple[str, str]]:
    return [(refusal.reason, refusal.hint) for refusal in refusals(change, catalog, earlier)]


def test_good_index_is_built_without_blocking_and_dropped_without_blocking() -> None:
    change = create("id")
    assert told(change) == []
    (build,) = apply_steps(change, CATALOG)
    assert build.sql == "CREATE INDEX CONCURRENTLY i ON public.orders USING btree (id)"
    assert (build.lock_mode, build.transactional) == (LockMode.SHARE_UPDATE_EXCLUSIVE, False)
    assert build.creates == RelationName("public", "i")
    (drop,) = revert_steps(change, CATALOG)
    assert drop.sql == "DROP INDEX CONCURRENTLY public.i"
    assert drop.drops == RelationName("public", "i")


def test_index_on_an_expression_is_followed_by_analyze() -> None:
    change = CreateIndex(ORDERS, "i", (IndexKey(expression="lower(note)"),))
    assert render_sql(apply_steps(change, CATALOG)) == (
        "-- build index public.i on public.orders\n"
        "CREATE INDEX CONCURRENTLY i ON public.orders USING btree ((lower(note)));\n\n"
        "-- refresh statistics of public.orders\n"
        "ANALYZE public.orders;\n"
    )


def test_name_with_a_line_break_stays_in_its_comment() -> None:
    text = render_sql(apply_steps(create("id", name="a\nDROP TABLE orders; --")))
    assert text.splitlines()[0] == "-- build index public.a DROP TABLE orders; -- on public.orders"


@pytest.mark.parametrize(
    "where", ["id > 1); DROP TABLE orders; --", "id > 1) ; SELECT (1", "1 = 1 /*", "", "id >"]
)
def test_text_that_is_more_than_an_expression_is_refused(where: str) -> None:
    change = create("id", where=where)
    if not where:
        assert told(change) == []
        return
    with pytest.raises((ParseError, UsageError)):
        apply_steps(change)
    (reason, _), *_ = told(change)
    assert reason.startswith("The definition of index i is not valid SQL: ")


def test_partitioned_table_is_built_level_by_level() -> None:
    tables = (
        replace(TABLE, kind=RelationKind.PARTITIONED),
        Table(RelationName("a", "p1"), RelationKind.TABLE, TABLE.columns, parent=ORDERS),
        Table(RelationName("a", "p2"), RelationKind.PARTITIONED, TABLE.columns, parent=ORDERS),
        Table(RelationName("b", "p2x"), RelationKind.TABLE, TABLE.columns, parent=RelationName("a", "p2")),
    )
    catalog = replace(CATALOG, tables=tables)
    assert [(step.sql, step.lock_mode.value) for step in apply_steps(create("id"), catalog)] == [
        ("CREATE INDEX i ON ONLY public.orders USING btree (id)", "share"),
        ("CREATE INDEX CONCURRENTLY i_p1 ON a.p1 USING btree (id)", "share update exclusive"),
        ("ALTER INDEX public.i ATTACH PARTITION a.i_p1", "access exclusive"),
        ("CREATE INDEX i_p2 ON ONLY a.p2 USING btree (id)", "share"),
        ("CREATE INDEX CONCURRENTLY i_p2x ON b.p2x USING btree (id)", "share update exclusive"),
        ("ALTER INDEX a.i_p2 ATTACH PARTITION b.i_p2x", "access exclusive"),
        ("ALTER INDEX public.i ATTACH PARTITION a.i_p2", "access exclusive"),
    ]
    (drop,) = revert_steps(create("id"), catalog)
    assert (drop.sql, drop.lock_mode) == ("DROP INDEX public.i", LockMode.ACCESS_EXCLUSIVE)
    assert "blocks reads and writes" in drop.purpose


def test_foreign_partition_is_refused() -> None:
    foreign = Table(RelationName("public", "far"), RelationKind.FOREIGN, TABLE.columns, parent=ORDERS)
    catalog = replace(CATALOG, tables=(replace(TABLE, kind=RelationKind.PARTITIONED), foreign))
    assert told(create("id"), catalog) == [
        (
            "Partition public.far of public.orders is a foreign table: an index over all partitions"
            " could never"
            " be complete.",
            "Build the index on each local partition instead.",
        )
    ]
    with pytest.raises(UsageError, match="foreign table"):
        apply_steps(create("id"), catalog)


def test_names_of_partition_indexes_fit_and_differ() -> None:
    long = "é" * 31
    names = {partition_index_name(long, RelationName("s", f"part_{number}")) for number in range(50)}
    assert len(names) == 50
    assert all(len(name.encode()) <= 63 for name in names)


@pytest.mark.parametrize(
    ("change", "catalog", "expected"),
    [
        (
            create("id"),
            replace(CATALOG, in_recovery=True),
            (
                "The server is a standby: nothing can be changed there.",
                "Connect to the primary; the change reaches the standby by itself.",
            ),
        ),
        (
            create("id"),
            replace(CATALOG, tables=()),
            (
                "There is no table public.orders in database shop, or it is not visible to role clerk.",
                "The schema changed since the proposal: capture and advise again.",
            ),
        ),
        (
            create("id"),
            with_table(kind=RelationKind.VIEW),
            ("public.orders is a view: pgproof cannot build an index on it.", "Choose the tables below it."),
        ),
        (
            create("gone"),
            CATALOG,
            (
                "Table public.orders has no column gone.",
                "The schema changed since the proposal: capture and advise again.",
            ),
        ),
        (
            create("id"),
            with_table(owned=False, owner="Boss"),
            (
                "Role clerk does not own public.orders, so the server will not let it build an index on it.",
                "Connect as Boss, the owner. Or let a superuser make clerk a member of that role:\n"
                '  GRANT "Boss" TO clerk;',
            ),
        ),
        (
            create("id", name="orders"),
            CATALOG,
            ("The name public.orders is taken by a table.", "Give the index another name."),
        ),
        (
            create("id", name="é" * 32),
            CATALOG,
            (
                f"The name {'é' * 32} is longer than 63 bytes: the server would cut it, and pgproof would"
                f" not find"
                " its index again.",
                "Choose a shorter name.",
            ),
        ),
        (
            create("id", where="note < now()::text"),
            CATALOG,
            (
                "now gives another result tomorrow, or under another setting, so the server refuses it in an"
                " index (i).",
                "Compare with a constant, or index the bare column.",
            ),
        ),
        (
            create("doc"),
            CATALOG,
            (
                "Column doc of public.orders has type json, which has no order: a btree index on it is"
                " impossible.",
                "Index an expression over it, or use gist or gin with an operator class.",
            ),
        ),
        (
            create("note", method="gin"),
            CATALOG,
            (
                "Column note of public.orders has type text, for which gin has no default operator class.",
                "Name one (gin_trgm_ops of pg_trgm for text), or install btree_gin before this index.",
            ),
        ),
        (
            create("blob"),
            CATALOG,
            (
                "Column blob of public.orders is 2500 bytes wide on average: a btree entry holds at most"
                " 2704, so the"
                " build or a later INSERT would fail.",
                "Index a hash or a prefix of it (an expression), or use a hash index.",
            ),
        ),
        (
            CreateIndex(ORDERS, "i", (IndexKey(column="note", opclass="gin_trgm_ops"),), method="gin"),
            CATALOG,
            (
                "Operator class gin_trgm_ops comes with extension pg_trgm, which is not installed in shop.",
                "Put the installation of pg_trgm before this index in the same variant.",
            ),
        ),
        (
            create("id"),
            replace(CATALOG, indexes=(Index(RelationName("public", "i"), ORDERS, "btree", (), valid=False),)),
            (
                "An INVALID index public.i was left on public.orders by a build that failed: it serves"
                " no query, may"
                " slow every write, and is in the way.",
                "If no build is running, remove it first:\n  DROP INDEX CONCURRENTLY public.i;",
            ),
        ),
        (
            create("id"),
            replace(CATALOG, indexes=(Index(RelationName("public", "i"), ORDERS, "hash", ()),)),
            (
                "The name public.i is taken by another index, on public.orders.",
                "Give the new index another name, or drop the old one in an earlier change.",
            ),
        ),
    ],
)
def test_danger_comes_first_then_the_recipe(
    change: CreateIndex, catalog: Catalog, expected: tuple[str, str]
) -> None:
    assert told(change, catalog) == [expected]


def test_changes_before_it_count() -> None:
    trigram = CreateIndex(ORDERS, "i", (IndexKey(column="note", opclass="gin_trgm_ops"),), method="gin")
    assert told(trigram, earlier=(CreateExtension("pg_trgm"),)) == []
    taken = Index(RelationName("public", "i"), ORDERS, "hash", ())
    catalog = replace(CATALOG, indexes=(taken,))
    assert told(create("id"), catalog, (DropIndex(taken.relation, ORDERS, ""),)) == []
    (reason, _) = told(create("id"), earlier=(create("note"),))[0]
    assert reason == "Two changes of the same variant make an index named public.i."


@pytest.mark.parametrize(
    "text",
    [
        "note = 'now()'",
        "note = 'current_date'",
        "renown(note) = 1",
        "snow > 1",
        '"random" > 1',
        "my.now() > 1",
    ],
)
def test_immutable_text_is_not_taken_for_volatile(text: str) -> None:
    assert told(create("id", where=text)) == []


@pytest.mark.parametrize(
    ("planned", "printed"),
    [
        ("lower(note)", "lower((note)::text)"),
        ("note = 'a (b)::text'", "(note = 'a (b)::text'::text)"),
        ("id > 3 AND note IS NULL", "((id > 3) AND (note IS NULL))"),
        ("cost > 1.5", "(cost > 1.5::numeric(10,2))"),
        ("at > '2026-01-01'", "(at > '2026-01-01 '::timestamp without time zone)".replace(" '::", "'::")),
    ],
)
def test_index_that_is_there_under_another_name_is_left_out(planned: str, printed: str) -> None:
    change = create("id", where=planned)
    there = Index(RelationName("public", "other"), ORDERS, "btree", change.keys, predicate=printed)
    assert effective_changes((change,), replace(CATALOG, indexes=(there,))) == ()


@pytest.mark.parametrize(
    "facts",
    [
        {"predicate": "note = 'b'"},
        {"unique": True},
        {"method": "hash"},
        {"include": ("note",)},
        {"valid": False},
        {"ready": False},
        {"table": RelationName("public", "others")},
        {"keys": (IndexKey(column="id", descending=True),)},
        {"keys": (IndexKey(column="id"), IndexKey(column="note"))},
        {"keys": (IndexKey(column="id", opclass="int4_minmax_ops"),)},
    ],
)
def test_index_that_differs_in_one_part_is_not_the_same(facts: dict[str, object]) -> None:
    change = create("id", where="note = 'a'")
    same = Index(
        RelationName("public", "other"), ORDERS, "btree", change.keys, predicate="(note = 'a'::text)"
    )
    assert effective_changes((change,), replace(CATALOG, indexes=(same,))) == ()
    other = replace(same, **facts)
    assert effective_changes((change,), replace(CATALOG, indexes=(other,))) == (change,)


def test_described_in_one_line() -> None:
    change = CreateIndex(
        ORDERS,
        "i",
        (IndexKey(column="note", opclass="gin_trgm_ops"),),
        method="gin",
        where="id > 3",
        include=("id",),
    )
    assert describe(change) == (
        "create index i on public.orders using gin (note gin_trgm_ops) include (id) where id > 3"
    )
