"""Statistics, table options and settings as changes: their SQL, what is remembered, what is refused."""

from dataclasses import replace

import pytest

from pgproof.changes import (
    all_refusals,
    apply_steps,
    describe,
    effective_changes,
    race_refusals,
    refusals,
    revert_steps,
    simulate_steps,
)
from pgproof.errors import ConfigError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import (
    Change,
    CloneOnly,
    CreateStatistics,
    SetSetting,
    SetStatisticsTarget,
    SetTableOption,
    SettingScope,
    StatisticsKind,
)
from pgproof.model.relation import ExtendedStatistics, RelationName, Setting
from pgproof.sqltext.ddl import parse_change
from tests.builders import catalog, column, table

ORDERS = RelationName("public", "orders")
ALL = tuple(StatisticsKind)
BOTH = CreateStatistics(ORDERS, "orders_city_zip", ("city", "zip"), (), ALL)
SETTINGS = (
    Setting("work_mem", "4096", "kB"),
    Setting("random_page_cost", "4"),
    Setting("shared_buffers", "16384", "8kB", context="postmaster"),
    Setting("autovacuum_naptime", "60", "s", context="sighup", source="command line"),
    Setting("track_io_timing", "off", context="superuser"),
    Setting("block_size", "8192", context="internal"),
    Setting("archive_command", "", context="sighup"),
    Setting("search_path", "public", database_value='"$user", public', source="database"),
)


def known(*more: Setting, superuser: bool = True, **facts: object) -> Catalog:
    columns = (column("city", "text"), column("zip", "text"), column("doc", "json"))
    made = catalog(table("orders", *columns), settings=(*SETTINGS, *more))
    return replace(made, superuser=superuser, **facts)


def sql(change: Change, at: Catalog | None = None) -> list[str]:
    return [step.sql for step in apply_steps(change, at)]


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("CREATE STATISTICS orders_city_zip ON city, zip FROM orders", BOTH),
        (
            "CREATE STATISTICS IF NOT EXISTS s.x (mcv) ON (city), lower(zip) FROM s.orders",
            CreateStatistics(
                RelationName("s", "orders"), "x", ("city",), ("lower(zip)",), (StatisticsKind.MCV,)
            ),
        ),
        (
            "CREATE STATISTICS one ON (lower(city)) FROM orders",
            CreateStatistics(ORDERS, "one", (), ("lower(city)",)),
        ),
        ("ALTER TABLE orders ALTER zip SET STATISTICS 500", SetStatisticsTarget(ORDERS, "zip", 500)),
        ("ALTER TABLE orders SET (fillfactor = 70)", SetTableOption(ORDERS, "fillfactor", "70")),
        (
            "ALTER TABLE orders SET (autovacuum_enabled)",
            SetTableOption(ORDERS, "autovacuum_enabled", "true"),
        ),
        (
            "ALTER TABLE orders SET (autovacuum_analyze_scale_factor = 0.02)",
            SetTableOption(ORDERS, "autovacuum_analyze_scale_factor", "0.02"),
        ),
        ("ALTER SYSTEM SET jit = off", SetSetting("jit", "off", SettingScope.SYSTEM)),
        (
            'ALTER DATABASE "Shop" SET random_page_cost TO 1.1',
            SetSetting("random_page_cost", "1.1", SettingScope.DATABASE, "Shop"),
        ),
        (
            'ALTER DATABASE shop SET search_path = "A b", public',
            SetSetting("search_path", '"A b", public', SettingScope.DATABASE, "shop"),
        ),
    ],
)
def test_sql_of_a_blueprint_is_understood(text: str, change: Change) -> None:
    assert parse_change(text) == change
    assert parse_change(sql(change)[0]) == change, "and what we write, we read"


@pytest.mark.parametrize(
    "text",
    [
        "CREATE STATISTICS ON city, zip FROM orders",
        "CREATE STATISTICS s ON city, zip FROM orders, customers",
        "CREATE STATISTICS other.s ON city, zip FROM orders",
        "ALTER TABLE orders ALTER zip SET STATISTICS -1",
        "ALTER TABLE orders ALTER zip SET STATISTICS 5, ALTER city SET STATISTICS 5",
        "ALTER TABLE orders ALTER zip SET NOT NULL",
        "ALTER TABLE orders SET (fillfactor = 70, parallel_workers = 3)",
        "ALTER TABLE orders SET (toast.autovacuum_enabled = off)",
        "ALTER TABLE orders RESET (fillfactor)",
        "ALTER INDEX i SET (fillfactor = 70)",
        "ALTER DATABASE shop RESET work_mem",
        "ALTER SYSTEM RESET ALL",
        "ALTER DATABASE shop SET work_mem TO DEFAULT",
    ],
)
def test_what_is_no_single_change_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ConfigError, match="can't be this statement"):
        parse_change(text)


def test_steps_name_what_they_do_and_how() -> None:
    assert sql(BOTH) == [
        "CREATE STATISTICS public.orders_city_zip (ndistinct, dependencies, mcv)"
        " ON city, zip FROM public.orders",
        "ANALYZE public.orders (city, zip)",
    ]
    system = apply_steps(SetSetting("shared_buffers", "1GB", SettingScope.SYSTEM), known())
    assert [(step.sql, step.transactional, step.repeatable) for step in system] == [
        ("ALTER SYSTEM SET shared_buffers = '1GB'", False, False),
        ("SELECT pg_catalog.pg_reload_conf()", True, True),
    ]
    assert "takes effect with its next restart" in system[1].purpose
    assert sql(SetSetting("shared_preload_libraries", "a, b", SettingScope.SYSTEM))[0] == (
        "ALTER SYSTEM SET shared_preload_libraries = 'a', 'b'"
    ), "one literal would be one library"


def test_a_database_must_be_known_by_name() -> None:
    change = SetSetting("work_mem", "64MB")
    assert sql(change, known()) == ["ALTER DATABASE shop SET work_mem = '64MB'"]
    with pytest.raises(UsageError, match="not known"):
        apply_steps(change)


def test_what_was_there_before_is_remembered_and_restored() -> None:
    before = known()
    change = SetSetting("search_path", "public")
    planned = effective_changes((change,), before)
    assert planned == (replace(change, previous='"$user", public'),)
    assert revert_steps(planned[0], before)[0].sql == (
        """ALTER DATABASE shop SET search_path = '$user', 'public'"""
    )
    (planned_memory,) = effective_changes((SetSetting("work_mem", "64MB"),), before)
    assert revert_steps(planned_memory, before)[0].sql == "ALTER DATABASE shop RESET work_mem"


def test_options_return_to_their_places_and_others_keep_their_new_values() -> None:
    before = replace(known().tables[0], options=("fillfactor=70", "parallel_workers=2"))
    (planned,) = effective_changes(
        (SetTableOption(ORDERS, "fillfactor", "90"),), replace(known(), tables=(before,))
    )
    now = replace(before, options=("parallel_workers=4", "fillfactor=90"))
    assert revert_steps(planned, replace(known(), tables=(now,)))[0].sql == (
        "ALTER TABLE public.orders SET (fillfactor = '70', parallel_workers = '4')"
    )


def test_statistics_that_are_there_under_another_name_are_enough() -> None:
    there = ExtendedStatistics(
        RelationName("public", "theirs"), ORDERS, ("city", "zip"), ("ndistinct", "dependencies", "mcv"),
        "CREATE STATISTICS public.theirs ON city, zip FROM orders",
    )  # fmt: skip
    fewer = replace(there, kinds=("ndistinct",))
    assert effective_changes((BOTH,), known(statistics=(there,))) == ()
    assert effective_changes((BOTH,), known(statistics=(fewer,))) == (BOTH,)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (replace(BOTH, columns=("city",), kinds=()), "fewer than two columns"),
        (replace(BOTH, columns=("city", "city")), "one of them twice"),
        (replace(BOTH, kinds=()), "several members must have some"),
        (replace(BOTH, columns=("city", "doc")), "which has no order"),
        (replace(BOTH, columns=("city", "gone")), "has no column gone"),
        (replace(BOTH, name="é" * 40), "longer than 63 bytes"),
        (replace(BOTH, expressions=("lower(zip)) FROM orders; DROP TABLE orders --",)), "not valid SQL"),
        (SetStatisticsTarget(ORDERS, "city", 20_000), "is impossible"),
        (SetTableOption(ORDERS, "user_catalog_table", "true"), "lock out readers"),
        (SetSetting("work_men", "1GB"), "has no parameter work_men"),
        (SetSetting("archive_command", "true", SettingScope.SYSTEM), "runs a program or holds a secret"),
        (SetSetting("block_size", "8192", SettingScope.SYSTEM), "is fixed"),
        (SetSetting("shared_buffers", "1GB"), "can't be set for one database"),
        (SetSetting("work_mem", "1GB", SettingScope.DATABASE, "elsewhere"), "is about database elsewhere"),
        (SetSetting("autovacuum_naptime", "10s", SettingScope.SYSTEM), "server's command line"),
    ],
)
def test_dangers_are_refused(change: Change, reason: str) -> None:
    assert any(reason in refusal.reason for refusal in refusals(change, known()))


def test_who_may_not_set_it_is_told_who_may() -> None:
    reader = known(superuser=False, owns_database=False)
    refused = [
        refusals(SetSetting(*facts), reader)[0] for facts in (("work_mem", "1GB"), ("track_io_timing", "on"))
    ]
    assert refused[0].hint.startswith(
        "Let the database's owner or a superuser run:\n  ALTER DATABASE shop SET work_mem = '1GB';"
    )
    assert refused[1].reason == "track_io_timing is a superuser's to set, and role app is none."
    owner = known(superuser=False)
    assert refusals(SetSetting("work_mem", "1GB"), owner) == ()
    assert "is no superuser" in refusals(SetSetting("work_mem", "1GB", SettingScope.SYSTEM), owner)[0].reason


def test_a_managed_service_has_its_own_place_for_the_servers_settings() -> None:
    cloud = known(Setting("rds.extensions", "x"), superuser=False)
    refusal = refusals(SetSetting("shared_buffers", "1GB", SettingScope.SYSTEM), cloud)[0]
    assert refusal.reason.startswith("Amazon RDS or Aurora keeps the server's configuration itself")
    assert refusal.hint == "Set shared_buffers = 1GB in the DB parameter group."
    assert refusals(SetSetting("work_mem", "64MB"), cloud) == ()


def test_only_what_a_database_may_have_for_itself_is_raced() -> None:
    for_all = SetSetting("work_mem", "64MB", SettingScope.SYSTEM)
    assert all_refusals((for_all,), known()) == ()
    (refusal,) = race_refusals((SetSetting("work_mem", "64MB"), for_all, BOTH), known())
    assert "all arms share one server" in refusal.reason
    assert refusal.hint.endswith("ALTER DATABASE shop SET work_mem = '64MB';")
    (refusal,) = race_refusals((SetSetting("shared_buffers", "1GB", SettingScope.SYSTEM),), known())
    assert refusal.hint.startswith("Take it out of the variant")
    assert isinstance(simulate_steps(for_all), CloneOnly)


def test_each_is_told_in_one_line() -> None:
    assert [describe(change) for change in (BOTH, SetStatisticsTarget(ORDERS, "zip", 500))] == [
        "statistics orders_city_zip (ndistinct, dependencies, mcv) on city, zip of public.orders",
        "statistics target 500 for column zip of public.orders",
    ]
    assert describe(SetSetting("jit", "off")) == "jit = off for this database"
