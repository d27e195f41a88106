"""Materialised views as changes, and partitionings, which are none."""

from dataclasses import replace
from pathlib import Path

import pytest

from pgproof.changes import (
    apply_steps,
    describe,
    effective_changes,
    kind_of,
    refusals,
    revert_steps,
    simulate_steps,
)
from pgproof.changes.materialized_view import refresh_sql
from pgproof.changes.partition import hypothetical_partitions_sql
from pgproof.errors import ConfigError, ParseError, UsageError
from pgproof.frontends.blueprint_file import read_blueprint, write_blueprint
from pgproof.model.blueprint import Blueprint
from pgproof.model.change import CreateIndex, CreateMaterializedView
from pgproof.model.partitioning import Partition, PartitionMethod, PartitionTable
from pgproof.model.relation import IndexKey, RelationKind, RelationName
from pgproof.model.variant import Variant
from pgproof.sqltext.ddl import parse_change
from tests.builders import catalog, column, index, statement, table, workload

VIEW = RelationName("public", "sums")
KEY = CreateIndex(VIEW, "sums_key", (IndexKey(column="status"),), unique=True)
SUMS = CreateMaterializedView(VIEW, "SELECT status, count(*) AS n FROM public.orders GROUP BY status", (KEY,))
ORDERS = table("orders", column("id"), column("status", "text"))
KNOWN = catalog(ORDERS)


def reasons(change: CreateMaterializedView, *earlier: CreateMaterializedView) -> str:
    return "\n".join(refusal.reason for refusal in refusals(change, KNOWN, earlier))


def test_its_steps() -> None:
    assert [step.sql for step in apply_steps(SUMS)] == [
        "CREATE MATERIALIZED VIEW public.sums AS"
        " SELECT status, count(*) AS n FROM public.orders GROUP BY status",
        "CREATE UNIQUE INDEX CONCURRENTLY sums_key ON public.sums USING btree (status)",
        "ANALYZE public.sums",
    ]
    assert [step.sql for step in revert_steps(SUMS)] == ["DROP MATERIALIZED VIEW public.sums"]
    steps = simulate_steps(SUMS)
    assert isinstance(steps, tuple)
    assert all(step.transactional for step in steps)
    assert not any(step.lock_mode.blocks_writes for step in apply_steps(SUMS)), "its tables go on"
    assert describe(SUMS) == "materialized view public.sums with 1 index"


def test_a_unique_index_on_columns_lets_readers_go_on_at_a_refresh() -> None:
    assert refresh_sql(SUMS) == "REFRESH MATERIALIZED VIEW CONCURRENTLY public.sums"
    for other in (
        replace(KEY, unique=False),
        replace(KEY, where="n > 3"),
        replace(KEY, keys=(IndexKey(expression="lower(status)"),)),
    ):
        assert refresh_sql(replace(SUMS, indexes=(other,))) == "REFRESH MATERIALIZED VIEW public.sums"


def test_it_may_be_made() -> None:
    assert refusals(SUMS, KNOWN) == ()
    assert effective_changes((SUMS,), KNOWN) == (SUMS,)


def test_it_is_so_where_the_same_columns_come_from_the_same_tables() -> None:
    there = replace(
        table("sums", column("status", "text"), column("n"), kind=RelationKind.MATVIEW),
        definition=" SELECT orders.status,\n    count(*) AS n\n   FROM orders\n  GROUP BY orders.status;",
    )
    keyed = index("sums", "status", unique=True, name="sums_key")
    assert effective_changes((SUMS,), catalog(ORDERS, there, indexes=[keyed])) == ()
    assert effective_changes((SUMS,), catalog(ORDERS, there)) == (SUMS,), "its index is missing"
    elsewhere = replace(there, definition="SELECT status, n FROM other")
    assert effective_changes((SUMS,), catalog(ORDERS, elsewhere, indexes=[keyed])) == (SUMS,)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (replace(SUMS, view=RelationName("public", "orders"), indexes=()), "public.orders is taken"),
        (replace(SUMS, view=RelationName("public", "x" * 64), indexes=()), "longer than 63 bytes"),
        (replace(SUMS, query="SELECT 1; SELECT 2"), "not valid SQL"),
        (replace(SUMS, query="SELEC 1"), "not valid SQL"),
        (replace(SUMS, query="DELETE FROM orders"), "not a SELECT"),
        (replace(SUMS, query="SELECT status, id FROM orders WHERE id = $1"), "without parameters"),
        (replace(SUMS, query="SELECT status FROM orders FOR UPDATE"), "not a SELECT"),
        (replace(SUMS, query="SELECT count(*), status, sum(id) AS count FROM orders"), "more than once"),
        (replace(SUMS, query="SELECT id FROM orders"), "gives no column status"),
        (replace(SUMS, indexes=(replace(KEY, table=ORDERS.relation),)), "is on public.orders"),
        (replace(SUMS, indexes=(KEY, KEY)), "sums_key is taken"),
    ],
)
def test_it_is_refused(change: CreateMaterializedView, words: str) -> None:
    assert words in reasons(change)


def test_two_of_one_name_are_refused() -> None:
    assert "public.sums is taken" in reasons(SUMS, SUMS)


def test_rows_behind_policies_are_not_kept_for_everybody() -> None:
    known = catalog(replace(ORDERS, row_security=True))
    (refusal,) = refusals(SUMS, known)
    assert "row-level security" in refusal.reason


def test_a_standby_has_none() -> None:
    assert "standby" in refusals(SUMS, replace(KNOWN, in_recovery=True))[0].reason


def test_as_sql() -> None:
    change = parse_change(
        "CREATE MATERIALIZED VIEW IF NOT EXISTS sums AS SELECT status FROM orders WITH DATA"
    )
    assert change == CreateMaterializedView(VIEW, "SELECT status FROM orders")
    with pytest.raises(ConfigError, match="are not supported"):
        parse_change("CREATE MATERIALIZED VIEW sums WITH (fillfactor = 70) AS SELECT 1")
    with pytest.raises(ConfigError, match="are not supported"):
        parse_change("CREATE MATERIALIZED VIEW sums AS SELECT 1 WITH NO DATA")
    with pytest.raises(ParseError):
        parse_change("CREATE MATERIALIZED VIEW sums AS SELEC 1")


@pytest.mark.parametrize("change", [SUMS, replace(SUMS, indexes=())])
def test_it_goes_through_a_blueprint(change: CreateMaterializedView, tmp_path: Path) -> None:
    variant = Variant("view", "a view", (change,))
    blueprint = Blueprint("b", "", workload(statement("SELECT 1", name="q")), (variant,))
    write_blueprint(blueprint, tmp_path / "b.yaml")
    (read,) = read_blueprint(tmp_path / "b.yaml").variants
    assert read.changes == (change,)


def test_a_blueprint_with_a_partitioning_is_refused_in_plain_words(tmp_path: Path) -> None:
    blueprint = Blueprint("b", "", workload(statement("SELECT 1", name="q")), (Variant("v", "", (SUMS,)),))
    path = tmp_path / "b.yaml"
    write_blueprint(blueprint, path)
    text = path.read_text().replace("create_materialized_view", "partition_table")
    path.write_text(text)
    with pytest.raises(ConfigError, match="priced by pgproof, not shipped"):
        read_blueprint(path)


SCHEME = PartitionTable(
    ORDERS.relation,
    "id",
    PartitionMethod.RANGE,
    (Partition("o_1", "0", "100"), Partition("o_2", "100"), Partition("rest", default=True)),
)


def test_a_partitioning_is_no_change() -> None:
    with pytest.raises(UsageError, match="priced by pgproof, not shipped"):
        kind_of(SCHEME)
    with pytest.raises(ConfigError, match="priced by pgproof, not shipped"):
        parse_change("CREATE TABLE orders_new (id int) PARTITION BY RANGE (id)")


def test_what_stands_in_the_tables_place_in_a_shadow() -> None:
    by_id = CreateIndex(ORDERS.relation, "i", (IndexKey(column="id"),), unique=True)
    by_status = CreateIndex(ORDERS.relation, "s", (IndexKey(column="status"),), unique=True)
    whole = RelationName("public", "whole")
    assert hypothetical_partitions_sql(SCHEME, whole, (by_id, by_status)) == (
        "ALTER TABLE public.orders RENAME TO whole",
        "CREATE TABLE public.orders (LIKE public.whole INCLUDING DEFAULTS INCLUDING GENERATED"
        " INCLUDING CONSTRAINTS) PARTITION BY RANGE (id)",
        "CREATE TABLE public.o_1 PARTITION OF public.orders FOR VALUES FROM ('0') TO ('100')",
        "CREATE TABLE public.o_2 PARTITION OF public.orders FOR VALUES FROM ('100') TO (MAXVALUE)",
        "CREATE TABLE public.rest PARTITION OF public.orders DEFAULT",
        "CREATE UNIQUE INDEX i ON public.orders USING btree (id)",
        "CREATE INDEX s ON public.orders USING btree (status)",
    )
    lists = replace(SCHEME, method=PartitionMethod.LIST, partitions=(Partition("a", values=("x'", "y")),))
    assert hypothetical_partitions_sql(lists, whole)[2].endswith("FOR VALUES IN ('x''', 'y')")
    hashes = replace(
        SCHEME, method=PartitionMethod.HASH, partitions=(Partition("h"), Partition("g", remainder=1))
    )
    assert hypothetical_partitions_sql(hashes, whole)[3].endswith("FOR VALUES WITH (MODULUS 2, REMAINDER 1)")
    with pytest.raises(UsageError, match="no partition"):
        hypothetical_partitions_sql(replace(SCHEME, partitions=()), whole)
