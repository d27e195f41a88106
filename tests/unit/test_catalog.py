"""Look-ups of a catalog: they say what a search through its collections would say."""

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import UTC, datetime

from pydantic import TypeAdapter

from pgproof.model.catalog import Catalog
from pgproof.model.relation import (
    Column,
    Constraint,
    ConstraintKind,
    Extension,
    Index,
    IndexKey,
    RelationKind,
    RelationName,
    Setting,
    Table,
)

ORDERS, CUSTOMERS = RelationName("public", "orders"), RelationName("public", "customers")
ARCHIVED = RelationName("archive", "orders")
PART = RelationName("public", "orders_2026")


def table(relation: RelationName, *columns: str, parent: RelationName | None = None) -> Table:
    kind = RelationKind.TABLE
    return Table(
        relation, kind, tuple(Column(name, "text", "text", False) for name in columns), parent=parent
    )


def index(name: str, on: RelationName, parent: RelationName | None = None) -> Index:
    return Index(RelationName(on.schema, name), on, "btree", (IndexKey("id"),), parent=parent)


def catalog(search_path: Iterable[str] = ("public", "archive")) -> Catalog:
    to_customers = Constraint(
        "orders_customer_fkey", ORDERS, ConstraintKind.FOREIGN_KEY, ("customer",), references=CUSTOMERS
    )
    return Catalog(
        database="shop",
        version="18.6",
        version_num=180006,
        read_at=datetime(2026, 11, 20, tzinfo=UTC),
        search_path=tuple(search_path),
        user="app",
        superuser=False,
        in_recovery=False,
        stats_reset_at=None,
        tables=(
            table(ARCHIVED, "old"),
            table(CUSTOMERS, "id"),
            table(ORDERS, "id", "customer"),
            table(PART, "id", "customer", parent=ORDERS),
        ),
        indexes=(
            index("a", ORDERS),
            index("b", ORDERS),
            index("orders_2026_a", PART, parent=RelationName("public", "a")),
        ),
        constraints=(Constraint("orders_pkey", ORDERS, ConstraintKind.PRIMARY_KEY, ("id",)), to_customers),
        statistics=(),
        extensions=(Extension("pg_trgm", "1.6"),),
        settings=(Setting("work_mem", "4096", "kB"),),
    )


def test_a_name_without_a_schema_is_looked_for_along_the_search_path() -> None:
    for path, found in ((("public", "archive"), ORDERS), (("archive", "public"), ARCHIVED)):
        table = catalog(path).find_table("orders")
        assert table is not None
        assert table.relation == found
    assert catalog(("archive",)).find_table("customers") is None


def test_a_name_with_a_schema_is_looked_for_there_alone() -> None:
    table = catalog(("public",)).find_table("orders", "archive")
    assert table is not None
    assert table.relation == ARCHIVED
    assert catalog().find_table("customers", "archive") is None


def test_columns_are_named_in_their_order() -> None:
    assert catalog().column_names(None, "orders") == ("id", "customer")
    assert catalog().column_names("archive", "orders") == ("old",)
    assert catalog().column_names(None, "nothing") is None


def test_what_belongs_to_a_table_or_an_index() -> None:
    found = catalog()
    assert [i.relation.name for i in found.indexes_of(ORDERS)] == ["a", "b"]
    assert [c.name for c in found.constraints_of(ORDERS)] == ["orders_pkey", "orders_customer_fkey"]
    assert [c.name for c in found.foreign_keys_to(CUSTOMERS)] == ["orders_customer_fkey"]
    assert [t.relation for t in found.partitions_of(ORDERS)] == [PART]
    assert [i.relation.name for i in found.parts_of(RelationName("public", "a"))] == ["orders_2026_a"]
    for look_up in (found.indexes_of, found.constraints_of, found.foreign_keys_to, found.partitions_of):
        assert look_up(RelationName("public", "nothing")) == ()


def test_names_of_indexes_settings_and_extensions() -> None:
    found = catalog()
    assert found.find_index(RelationName("public", "b")) == index("b", ORDERS)
    assert found.find_index(RelationName("archive", "b")) is None
    assert found.relation_names("archive") == {"orders"}
    assert found.relation_names("public") == {"a", "b", "customers", "orders", "orders_2026", "orders_2026_a"}
    assert found.relation_names("nothing") == set()
    assert (found.setting("work_mem"), found.setting("nothing")) == ("4096", None)
    assert (found.extension("pg_trgm"), found.extension("nothing")) == (Extension("pg_trgm", "1.6"), None)


def test_look_ups_are_no_part_of_the_value() -> None:
    used, fresh = catalog(), catalog()
    used.find_table("orders")
    used.indexes_of(ORDERS)
    assert used == fresh
    assert repr(used) == repr(fresh)
    adapter = TypeAdapter(Catalog)
    assert adapter.dump_json(used) == adapter.dump_json(fresh)
    assert adapter.validate_json(adapter.dump_json(used)) == fresh
    assert {field.name for field in fields(used)} == set(vars(fresh))


def test_a_changed_copy_answers_for_itself() -> None:
    used = catalog()
    used.indexes_of(ORDERS)
    assert replace(used, indexes=()).indexes_of(ORDERS) == ()
