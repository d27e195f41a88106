"""The catalog of a database that has everything, on every PostgreSQL at hand."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgproof.errors import ServerError
from pgproof.model.catalog import Catalog
from pgproof.model.relation import ConstraintKind, IndexKey, RelationKind, RelationName
from pgproof.postgres.catalog import read_catalog
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.postgres.session import Session, open_session
from pgproof.testing.servers import run_statement

pytestmark = pytest.mark.pg

NASTY = (Path(__file__).parent / "nasty.sql").read_text(encoding="utf-8")
ORDER = RelationName("Sélect", "order")
ITEM = RelationName("public", "item")


@pytest.fixture
def nasty(pg_server: EmbeddedServer, database: str) -> str:
    run_statement(pg_server, NASTY, str(conninfo_to_dict(database)["dbname"]))
    return database


@pytest.fixture
def catalog(nasty: str) -> Catalog:
    with open_session(nasty) as session:
        return read_catalog(session)


@pytest.fixture
def writer(nasty: str) -> Iterator[Session]:
    with open_session(nasty, read_only=False) as session:
        yield session


def test_the_database_as_a_whole(catalog: Catalog, pg_server: EmbeddedServer) -> None:
    assert catalog.major == pg_server.major
    assert catalog.version == pg_server.version
    assert (catalog.user, catalog.superuser, catalog.in_recovery) == ("postgres", True, False)
    assert catalog.search_path == ("public",)
    assert catalog.system_identifier.isdigit()
    assert catalog.notes == ()
    assert catalog.setting("block_size") == "8192"
    hstore = catalog.extension("hstore")
    assert hstore is not None
    assert (hstore.schema, hstore.trusted, bool(hstore.installed_version)) == ("public", True, True)
    pgcrypto = catalog.extension("pg_trgm")
    assert pgcrypto is not None
    assert not pgcrypto.installed_version


def test_relations_of_all_kinds_and_no_others(catalog: Catalog) -> None:
    assert [(str(table.relation), table.kind) for table in catalog.tables] == [
        ("Sélect.order", RelationKind.TABLE),
        ("public.a view", RelationKind.VIEW),
        ("public.bag", RelationKind.TABLE),
        ("public.event", RelationKind.PARTITIONED),
        ("public.event_2025", RelationKind.PARTITIONED),
        ("public.event_2025_rest", RelationKind.TABLE),
        ("public.event_2026", RelationKind.TABLE),
        ("public.guarded", RelationKind.TABLE),
        ("public.item", RelationKind.TABLE),
        ("public.note", RelationKind.TABLE),
        ("public.span", RelationKind.TABLE),
        ("public.summary", RelationKind.MATVIEW),
    ]


def test_columns(catalog: Catalog) -> None:
    order, item = catalog.find_table("order", "Sélect"), catalog.find_table("item")
    assert order is not None
    assert item is not None
    assert [(c.name, c.type_name, c.base_type, c.not_null) for c in order.columns] == [
        ("id", "bigint", "int8", True),
        ("camelCase", "text", "text", False),
        ('a "quoted" name', "numeric(10,2)", "numeric", False),
        ("made", "timestamp with time zone", "timestamptz", True),
        ("status", "text", "text", False),
        ("shout", "text", "text", False),
    ]
    by_name = {column.name: column for column in (*order.columns, *item.columns)}
    assert by_name["id"].identity == "always"
    assert by_name["camelCase"].collation == "C"
    assert by_name['a "quoted" name'].default == "1.5"
    assert (by_name["shout"].generated, by_name["shout"].default) == ("stored", "upper(status)")
    assert (by_name["qty"].type_name, by_name["qty"].base_type) == ("small", "int4")
    assert (by_name["tags"].base_type, by_name["feels"].base_type) == ("_text", "mood")
    assert by_name["extra"].default == '"made up"()'


@pytest.mark.pg(">= 18")
def test_virtual_columns(database: str) -> None:
    with open_session(database, read_only=False) as session:
        session.run("CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)")
        (table,) = read_catalog(session).tables
    assert [column.generated for column in table.columns] == ["", "virtual"]


def test_column_statistics(catalog: Catalog) -> None:
    order = catalog.find_table("order", "Sélect")
    event = catalog.find_table("event")
    assert order is not None
    assert event is not None
    status, ident = order.column("status"), order.column("id")
    assert status is not None and status.statistics is not None
    assert ident is not None and ident.statistics is not None
    assert status.statistics.most_common_vals == ("done", "new")
    assert status.statistics.most_common_freqs == pytest.approx((0.99, 0.01))
    assert (ident.statistics.n_distinct, ident.statistics.histogram_bounds[-1]) == (-1.0, "5000")
    day = event.column("at")
    assert day is not None and day.statistics is not None, "a partitioned table has those of its whole"
    assert day.statistics.distinct_rows(event.rows) == pytest.approx(400)


def test_long_histograms_are_thinned_and_keep_both_ends(writer: Session) -> None:
    writer.run('ALTER TABLE "Sélect"."order" ALTER id SET STATISTICS 1000')
    writer.run('ANALYZE "Sélect"."order"')
    order = read_catalog(writer).find_table("order", "Sélect")
    assert order is not None and order.columns[0].statistics is not None
    bounds = [int(bound) for bound in order.columns[0].statistics.histogram_bounds]
    assert len(bounds) == 101
    assert (bounds[0], bounds[-1]) == (1, 5000)
    steps = [high - low for low, high in pairwise(bounds)]
    assert max(steps) <= 2 * min(steps)


def test_sizes_of_partitions_add_up(catalog: Catalog) -> None:
    tables = {table.relation.name: table for table in catalog.tables}
    leaves = [tables["event_2025_rest"], tables["event_2026"]]
    assert [table.rows for table in leaves] == [1070.0, 930.0]
    assert tables["event"].rows == 2000
    assert tables["event"].size_bytes == sum(table.size_bytes for table in leaves) > 0
    assert tables["event"].pages == sum(table.pages for table in leaves) > 0
    assert (tables["event"].partition_key, tables["event_2025"].partition_key) == ("RANGE (at)", "LIST (k)")
    assert tables["event_2025_rest"].parent == RelationName("public", "event_2025")
    indexes = {index.relation.name: index for index in catalog.indexes}
    parts = [index for index in catalog.indexes if index.keys == (IndexKey("v"),)]
    assert {index.parent.name if index.parent else "" for index in parts} == {
        "",
        "event_v",
        "event_2025_v_idx",
    }
    assert indexes["event_v"].size_bytes == sum(
        index.size_bytes for index in parts if index.table.name in ("event_2025_rest", "event_2026")
    )


def test_tables_tell_more(catalog: Catalog) -> None:
    tables = {table.relation.name: table for table in catalog.tables}
    assert tables["item"].options == ("fillfactor=70",)
    assert tables["item"].activity is not None
    assert tables["item"].activity.inserts >= 0
    assert (tables["guarded"].row_security, tables["item"].row_security) == (True, False)
    assert "count(*)" in tables["a view"].definition
    assert (tables["a view"].activity, tables["a view"].size_bytes, tables["a view"].rows) == (None, 0, -1)
    assert {table.owner for table in catalog.tables} == {"postgres"}


def test_indexes_taken_apart(catalog: Catalog) -> None:
    indexes = {index.relation.name: index for index in catalog.indexes}
    made = indexes["keys of all kinds"]
    assert made.keys == (
        IndexKey(expression='lower("camelCase")', opclass="text_pattern_ops", collation="C"),
        IndexKey("made", descending=True, nulls_first=False),
        IndexKey("status", collation="POSIX", descending=True, nulls_first=True),
    )
    assert made.include == ("id",)
    assert made.predicate == "(status <> 'gone'::text)"
    assert (made.table, made.method, made.unique, made.valid) == (ORDER, "btree", False, True)
    assert made.definition.startswith('CREATE INDEX "keys of all kinds" ON "Sélect"."order" USING btree')
    primary = indexes["item_pkey"]
    assert primary.keys == (IndexKey("order_id"), IndexKey("line"))
    assert (primary.primary, primary.unique, primary.constraint) == (True, True, "item_pkey")
    assert (primary.clustered, primary.replica_identity) == (True, True)
    assert (indexes["span_during_excl"].method, indexes["span_during_excl"].constraint) == (
        "gist",
        "span_during_excl",
    )
    assert indexes["summary_status"].table == RelationName("public", "summary")


def test_an_invalid_index_is_told(writer: Session) -> None:
    writer.run("CREATE TABLE t (a int)")
    writer.run("INSERT INTO t VALUES (1), (1)")
    with pytest.raises(Exception, match="could not create unique index"):
        writer.run("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (a)")
    (index,) = read_catalog(writer).indexes_of(RelationName("public", "t"))
    assert (index.relation.name, index.valid) == ("broken", False)


def test_constraints(catalog: Catalog) -> None:
    found = {constraint.name: constraint for constraint in catalog.constraints}
    foreign = found["item_order_id_fkey"]
    assert (foreign.kind, foreign.columns) == (ConstraintKind.FOREIGN_KEY, ("order_id",))
    assert (foreign.references, foreign.referenced_columns) == (ORDER, ("id",))
    assert found["item_pkey"].columns == ("order_id", "line"), "in key order"
    assert found["span_room_key"].deferrable
    assert found["span_during_excl"].kind is ConstraintKind.EXCLUSION
    of_note = [c.name for c in catalog.constraints if c.table.name == "note"]
    assert of_note == ["note_event_at_event_k_fkey"], "not once more for each partition"


def test_extended_statistics(catalog: Catalog) -> None:
    (statistics,) = catalog.statistics
    assert str(statistics.relation) == "Sélect.dependent"
    assert (statistics.table, statistics.columns, statistics.kinds) == (
        ORDER,
        ("status", "shout"),
        ("dependencies",),
    )


def test_a_role_without_privileges_reads_what_it_may_and_is_told_the_rest(
    pg_server: EmbeddedServer, nasty: str, writer: Session
) -> None:
    run_statement(pg_server, 'CREATE ROLE "no Body" LOGIN')
    try:
        dsn = make_conninfo(nasty, user="no Body")
        with open_session(dsn) as session:
            catalog = read_catalog(session)
        assert len(catalog.tables) == 12
        assert not any(table.owned for table in catalog.tables)
        assert all(column.statistics is None for table in catalog.tables for column in table.columns)
        assert catalog.notes == (
            "The column statistics of 1 table in schema Sélect can't be read: values and selectivities are "
            'unknown there. GRANT USAGE ON SCHEMA "Sélect" TO "no Body"; '
            'GRANT SELECT ON ALL TABLES IN SCHEMA "Sélect" TO "no Body";',
            "The column statistics of 10 tables in schema public can't be read: values and selectivities are "
            'unknown there. GRANT SELECT ON ALL TABLES IN SCHEMA public TO "no Body";',
        )
        for note in catalog.notes:
            for grant in note.partition("there. ")[2].rstrip(";").split("; "):
                writer.run(grant)
        with open_session(dsn) as session:
            catalog = read_catalog(session)
        item = catalog.find_table("item")
        assert item is not None and item.columns[0].statistics is not None
        assert catalog.notes == (
            "Row-level security hides the column statistics of 1 table in schema public: values and "
            'selectivities are unknown there. ALTER ROLE "no Body" BYPASSRLS;',
        )
    finally:
        writer.run('DROP OWNED BY "no Body"')
        run_statement(pg_server, 'DROP ROLE "no Body"')


def test_an_exclusive_lock_is_not_waited_for_long(nasty: str, writer: Session) -> None:
    with writer.rolled_back():
        writer.run("LOCK TABLE item")
        with open_session(nasty, lock_timeout_ms=100) as session:
            with pytest.raises(ServerError, match="did not get its lock in time") as caught:
                read_catalog(session)
            assert caught.value.hint == "Another session holds the table; try again later."


def test_a_password_in_a_setting_is_masked(fresh_database: Callable[[], str]) -> None:
    with open_session(fresh_database(), read_only=False) as session:
        session.run("SET application_name = 'postgresql://a:hunter22@b/'")
        assert read_catalog(session).setting("application_name") == "postgresql://a:***@b/"
