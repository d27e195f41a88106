"""Text and dangers of removing an index, installing an extension, refreshing statistics."""

from dataclasses import replace

import pytest

from pgproof.changes import apply_steps, effective_changes, refusals, revert_steps
from pgproof.errors import UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import AnalyzeTable, Change, CreateExtension, CreateIndex, DropIndex
from pgproof.model.relation import (
    Constraint,
    ConstraintKind,
    Extension,
    Index,
    IndexKey,
    RelationKind,
    RelationName,
)
from tests.unit.test_changes_index import CATALOG, ORDERS, TABLE, told, with_table

OLD = RelationName("public", "old")
DEFINITION = "CREATE INDEX old ON public.orders USING btree (id)"
DROP = DropIndex(OLD, ORDERS, DEFINITION)
INDEX = Index(OLD, ORDERS, "btree", (IndexKey(column="id"),), definition=DEFINITION)
FOREIGN_KEY = Constraint(
    "orders_fk", ORDERS, ConstraintKind.FOREIGN_KEY, ("id",), references=RelationName("public", "people")
)


def with_index(**facts: object) -> Catalog:
    return replace(CATALOG, indexes=(replace(INDEX, **facts),))


def test_dropped_and_rebuilt_without_blocking() -> None:
    assert told(DROP, with_index()) == []
    assert [step.sql for step in apply_steps(DROP)] == ["DROP INDEX CONCURRENTLY public.old"]
    assert [step.sql for step in revert_steps(DROP)] == [
        "CREATE INDEX CONCURRENTLY old ON public.orders USING btree (id)"
    ]
    assert effective_changes((DROP,), CATALOG) == (), "it is gone already"


@pytest.mark.parametrize(
    "definition",
    [
        "CREATE INDEX old ON ONLY public.orders USING btree (id)",
        "CREATE INDEX old ON public.orders USING btree (id); DROP TABLE orders",
        "DROP TABLE orders",
        "CREATE INDEX CONCURRENTLY old ON public.orders USING btree (id)",
    ],
)
def test_definition_that_can_not_be_rebuilt_is_refused(definition: str) -> None:
    change = replace(DROP, definition=definition)
    with pytest.raises(UsageError):
        revert_steps(change)
    assert any(
        "could not be rebuilt" in reason for reason, _ in told(change, with_index(definition=definition))
    )


@pytest.mark.parametrize(
    ("catalog", "expected"),
    [
        (
            with_index(primary=True, unique=True, constraint="orders_pkey"),
            (
                "Index public.old enforces the primary key of public.orders: without it, wrong rows"
                " could be stored.",
                "Keep it. Drop the constraint by hand if the rule itself is no longer wanted.",
            ),
        ),
        (
            with_index(unique=True, constraint="u"),
            (
                "Index public.old enforces constraint u of public.orders: without it, wrong rows could"
                " be stored.",
                "Keep it. Drop the constraint by hand if the rule itself is no longer wanted.",
            ),
        ),
        (
            with_index(unique=True),
            (
                "Index public.old is unique: without it, duplicate rows could be stored in public.orders.",
                "Keep it, even when no query reads it.",
            ),
        ),
        (
            with_index(replica_identity=True),
            (
                "Index public.old is the replica identity of public.orders: without it, UPDATE and"
                " DELETE of a"
                " published table fail.",
                "Choose another identity first:\n  ALTER TABLE public.orders REPLICA IDENTITY USING"
                " INDEX ...;",
            ),
        ),
        (
            with_index(clustered=True),
            (
                "Table public.orders is clustered on index public.old: CLUSTER would no longer know its"
                " order.",
                "If that is no longer wanted:\n  ALTER TABLE public.orders SET WITHOUT CLUSTER;",
            ),
        ),
        (
            with_index(parent=RelationName("public", "whole")),
            (
                "Index public.old is a part of partitioned index public.whole: the server will not drop"
                " it alone.",
                "Leave it, or drop the partitioned index by hand at a quiet hour.",
            ),
        ),
        (
            replace(with_index(), tables=(replace(TABLE, kind=RelationKind.PARTITIONED),)),
            (
                "Index public.old is on a partitioned table: dropping it blocks reads and writes of all"
                " partitions,"
                " and taking that back means to build it again on each of them.",
                "Drop it by hand at a quiet hour, after the competition has shown that nobody misses it.",
            ),
        ),
        (
            with_index(definition=DEFINITION + " WHERE (id > 3)"),
            (
                "Index public.old is no longer the one that was judged: its definition changed.",
                "The schema changed since the proposal: capture and advise again.",
            ),
        ),
        (
            replace(with_index(), constraints=(FOREIGN_KEY,)),
            (
                "Index public.old is the last one that supports foreign key orders_fk: without it, each"
                " DELETE or"
                " key UPDATE in public.people scans all of public.orders.",
                "Keep it, even when no query reads it: such scans are not counted as index scans by a query.",
            ),
        ),
        (
            replace(with_index(), tables=(replace(TABLE, owned=False),)),
            (
                "Role clerk does not own public.orders, so the server will not let it drop an index of it.",
                "Connect as the owner, or let a superuser grant the owning role to clerk.",
            ),
        ),
    ],
)
def test_danger_comes_first_then_the_recipe(catalog: Catalog, expected: tuple[str, str]) -> None:
    assert told(DROP, catalog) == [expected]


def test_foreign_key_is_content_with_another_index() -> None:
    other = replace(
        INDEX, relation=RelationName("public", "wide"), keys=(IndexKey(column="id"), IndexKey(column="note"))
    )
    catalog = replace(CATALOG, indexes=(INDEX, other), constraints=(FOREIGN_KEY,))
    assert told(DROP, catalog) == []
    assert told(DROP, catalog, (DropIndex(other.relation, ORDERS, ""),)) != [], "unless that goes as well"
    for useless in ({"valid": False}, {"predicate": "id > 3"}, {"keys": (IndexKey(column="note"),)}):
        assert told(DROP, replace(catalog, indexes=(INDEX, replace(other, **useless)))) != []
    coming = CreateIndex(ORDERS, "new", (IndexKey(column="id"),))
    assert told(DROP, replace(with_index(), constraints=(FOREIGN_KEY,)), (coming,)) == []


def _with_extension(extension: Extension | None, *, superuser: bool = False) -> Catalog:
    return replace(CATALOG, extensions=(extension,) if extension else (), superuser=superuser)


@pytest.mark.parametrize(
    ("change", "catalog", "expected"),
    [
        (
            CreateExtension("vector"),
            _with_extension(None),
            (
                "The server has no extension vector to install: its files are missing.",
                "Install the operating system package that brings it on the server"
                " (postgresql-15-pgvector on Debian"
                " and Ubuntu; on a managed service, look it up in the list of supported extensions).",
            ),
        ),
        (
            CreateExtension("pageinspect", "Tools"),
            _with_extension(Extension("pageinspect", available_version="1.9")),
            (
                "Extension pageinspect is not a trusted one, and role clerk is no superuser: the server"
                " will not let"
                " it install the extension.",
                'Let a superuser run, in database shop:\n  CREATE EXTENSION pageinspect SCHEMA "Tools";',
            ),
        ),
        (
            AnalyzeTable(ORDERS, ("gone",)),
            CATALOG,
            (
                "Table public.orders has no column gone.",
                "The schema changed since the proposal: capture and advise again.",
            ),
        ),
        (
            AnalyzeTable(ORDERS),
            with_table(kind=RelationKind.VIEW),
            (
                "public.orders is a view: pgproof cannot refresh statistics of it.",
                "Choose the tables below it.",
            ),
        ),
    ],
)
def test_dangers_of_the_other_kinds(change: Change, catalog: Catalog, expected: tuple[str, str]) -> None:
    assert told(change, catalog) == [expected]


def test_extension_may_be_installed_by_who_may() -> None:
    untrusted = Extension("pageinspect", available_version="1.9")
    assert refusals(CreateExtension("pageinspect"), _with_extension(untrusted, superuser=True)) == ()
    assert refusals(CreateExtension("pg_trgm"), CATALOG) == ()


def test_installed_extension_is_left_out() -> None:
    installed = Extension("pg_trgm", installed_version="1.6", available_version="1.6")
    assert effective_changes((CreateExtension("pg_trgm"),), _with_extension(installed)) == ()
    assert effective_changes((CreateExtension("pg_trgm"),), CATALOG) == (CreateExtension("pg_trgm"),)


def test_extension_goes_without_cascade_and_statistics_stay() -> None:
    assert [step.sql for step in revert_steps(CreateExtension("Pg-X"))] == ['DROP EXTENSION "Pg-X"']
    assert [step.sql for step in apply_steps(AnalyzeTable(ORDERS, ("id", "Note")))] == [
        'ANALYZE public.orders (id, "Note")'
    ]
    assert revert_steps(AnalyzeTable(ORDERS)) == ()
