"""Settings for three machines, and for what a workload was seen to do."""

import math
from dataclasses import replace

import pytest

from pgproof.changes import apply_steps, race_refusals, refusals
from pgproof.model.catalog import Catalog
from pgproof.model.change import SetSetting, SetTableOption, SettingScope
from pgproof.model.machine import Machine, Storage
from pgproof.model.relation import Setting
from pgproof.model.setting_advice import SettingAdvice, TakesEffect
from pgproof.model.statistics import TableActivity
from pgproof.model.workload import StatementCounters, Workload
from pgproof.stages.propose.settings import propose_settings
from pgproof.stages.propose.settings.budget import fitting_budget, present_budget
from pgproof.stages.propose.settings.server import Server, memory_text, rounded
from pgproof.stages.propose.tuning import settings_variant, statistics_variant
from tests.builders import catalog, column, statement, table, workload

KB, MB, GB = 1024, 1024**2, 1024**3
VPS = Machine(2, 4 * GB, Storage.SSD, 20, shared=True)
"""The machine of the order management system: two cores, 4 GB, the application on it too, a pool of 20."""
MIDDLE = Machine(8, 32 * GB, Storage.SSD)
LARGE = Machine(64, 256 * GB, Storage.SSD)

# name: value, unit, context, as a server of version 18 has them when nobody touched them
DEFAULTS = {
    "shared_buffers": ("16384", "8kB", "postmaster"),
    "huge_pages": ("try", "", "postmaster"),
    "huge_pages_status": ("off", "", "internal"),
    "temp_buffers": ("1024", "8kB", "user"),
    "work_mem": ("4096", "kB", "user"),
    "hash_mem_multiplier": ("2", "", "user"),
    "maintenance_work_mem": ("65536", "kB", "user"),
    "autovacuum_work_mem": ("-1", "kB", "sighup"),
    "wal_buffers": ("512", "8kB", "postmaster"),
    "max_connections": ("100", "", "postmaster"),
    "superuser_reserved_connections": ("3", "", "postmaster"),
    "effective_cache_size": ("524288", "8kB", "user"),
    "random_page_cost": ("4", "", "user"),
    "effective_io_concurrency": ("16", "", "user"),
    "max_worker_processes": ("8", "", "postmaster"),
    "max_parallel_workers": ("8", "", "user"),
    "max_parallel_workers_per_gather": ("2", "", "user"),
    "jit": ("on", "", "user"),
    "default_statistics_target": ("100", "", "user"),
    "autovacuum": ("on", "", "sighup"),
    "autovacuum_max_workers": ("3", "", "sighup"),
    "autovacuum_vacuum_cost_limit": ("-1", "", "sighup"),
    "autovacuum_vacuum_scale_factor": ("0.2", "", "sighup"),
    "autovacuum_analyze_scale_factor": ("0.1", "", "sighup"),
    "vacuum_cost_limit": ("200", "", "user"),
    "checkpoint_timeout": ("300", "s", "sighup"),
    "checkpoint_completion_target": ("0.9", "", "sighup"),
    "max_wal_size": ("1024", "MB", "sighup"),
    "fsync": ("on", "", "sighup"),
    "full_page_writes": ("on", "", "sighup"),
    "idle_in_transaction_session_timeout": ("0", "ms", "user"),
    "track_io_timing": ("off", "", "superuser"),
    "shared_preload_libraries": ("", "", "postmaster"),
}
ORDERS = table("orders", column("id"), rows=200_000, pages=120_000)
BIG = table("events", column("id"), rows=900_000, pages=9_000_000)


def server_with(*tables: object, superuser: bool = True, **values: str) -> Catalog:
    """A server with default settings but for some, in the settings' own units."""
    settings = [
        Setting(name, values.get(name, value), unit, context=context)
        for name, (value, unit, context) in DEFAULTS.items()
    ]
    return replace(catalog(*(tables or (ORDERS,)), settings=settings), superuser=superuser)


def proposed(known: Catalog, machine: Machine, asked: Workload | None = None) -> dict[str, SettingAdvice]:
    found = propose_settings(known, machine, asked)
    by_name = {advice.name: advice for advice in found}
    assert len(by_name) == len(found), "no two for the same setting"
    return by_name


def values(found: dict[str, SettingAdvice]) -> dict[str, str]:
    return {name: advice.proposed for name, advice in found.items()}


def counted(**counters: float) -> Workload:
    facts = {"calls": 10_000, "total_ms": 50_000, "rows": 10_000} | counters
    one = replace(statement("SELECT 1"), counters=StatementCounters(**facts))
    return replace(workload(one), window_s=600.0)


def test_a_small_machine_that_the_application_shares() -> None:
    assert values(proposed(server_with(), VPS)) == {
        "shared_buffers": "512MB",
        "max_connections": "40",
        "effective_cache_size": "1536MB",
        "random_page_cost": "1.1",
        "max_parallel_workers_per_gather": "1",
        "max_parallel_workers": "2",
        "pool size": "5",
        "idle_in_transaction_session_timeout": "10min",
        "track_io_timing": "on",
        "shared_preload_libraries": "pg_stat_statements",
    }


def test_a_middle_machine() -> None:
    found = values(proposed(server_with(BIG), MIDDLE))
    assert found["shared_buffers"] == "8GB"
    assert found["effective_cache_size"] == "24GB"
    assert found["maintenance_work_mem"] == "1GB"
    assert found["work_mem"] == "48MB"
    assert found["max_wal_size"] == "4GB"
    assert found["pool size"] == "17"
    assert found["huge pages"] == "vm.nr_hugepages"
    assert not {"max_connections", "max_parallel_workers", "max_parallel_workers_per_gather"} & set(found)


def test_a_large_machine() -> None:
    found = values(proposed(server_with(BIG), LARGE))
    assert (found["shared_buffers"], found["work_mem"]) == ("64GB", "64MB")
    assert (found["max_parallel_workers"], found["max_worker_processes"]) == ("64", "72")
    assert found["maintenance_work_mem"] == "2GB"
    before_17 = replace(server_with(), version_num=160004)
    assert values(proposed(before_17, LARGE))["maintenance_work_mem"] == "1GB", "VACUUM took no more"


@pytest.mark.parametrize("machine", [VPS, MIDDLE, LARGE])
def test_who_took_the_advice_gets_none_again(machine: Machine) -> None:
    known = server_with(huge_pages_status="on")
    found = proposed(known, machine)
    settings = tuple(
        replace(setting, value=_in_units(found[setting.name].proposed, setting))
        if setting.name in found
        else setting
        for setting in known.settings
    )
    again = proposed(replace(known, settings=settings), replace(machine, connections=5))
    assert set(again) <= {"max_connections"}, "fewer sessions are expected now"


def _in_units(value: str, setting: Setting) -> str:
    units = {"kB": KB, "8kB": 8 * KB, "MB": MB}
    if setting.unit not in units or not value[0].isdigit():
        return value if value != "10min" else "600000"
    number, unit = int(value.rstrip("GMkB")), value.lstrip("0123456789")
    return str(number * {"GB": GB, "MB": MB, "kB": KB}[unit] // units[setting.unit])


def test_the_sum_is_shown_and_right() -> None:
    reason = proposed(server_with(), VPS)["max_connections"].reason
    assert reason == (
        "100 sessions with the default 4 MB of work_mem could take more than there is."
        " At worst: shared_buffers 512 MB + 100 sessions x 8.0 MB + 102 processes x 4.0 MB work_mem x 3 (a"
        " sort and a hash table) + 256 MB for an index build and 3 vacuums + 4.0 MB WAL buffers = 2.7 GB"
        " of the 2.0 GB that are its half of the machine's memory."
        " At worst: shared_buffers 512 MB + 40 sessions x 8.0 MB + 42 processes x 4.0 MB work_mem x 3 (a sort"
        " and a hash table) + 256 MB for an index build and 3 vacuums + 4.0 MB WAL buffers = 1.6 GB"
        " of the 2.0 GB that are its half of the machine's memory."
    )


def test_memory_that_could_run_out_is_taken_back_for_the_whole_server() -> None:
    found = proposed(server_with(work_mem=str(256 * KB)), replace(VPS, shared=False))
    advice = found["work_mem"]
    assert advice.present == "256MB"
    assert "could take more memory than there is" in advice.reason
    assert isinstance(advice.change, SetSetting)
    assert advice.change.scope is SettingScope.SYSTEM
    assert advice.trial == SetSetting("work_mem", advice.proposed), "one database of it can be raced"
    fit = fitting_budget(Server(server_with(work_mem=str(256 * KB)), replace(VPS, shared=False)))
    assert fit.total_bytes <= 4 * GB * 7 / 8


def test_more_work_mem_only_where_statements_spill() -> None:
    assert "work_mem" not in proposed(server_with(), MIDDLE, counted())
    spilling = proposed(server_with(), MIDDLE, counted(temp_blks_written=10_000 * 1000))["work_mem"]
    assert spilling.proposed == "24MB", "three times the 8 MB that a call writes"
    assert "spill to disk" in spilling.reason
    huge = proposed(server_with(), MIDDLE, counted(temp_blks_written=10_000 * 100_000))["work_mem"]
    assert "too much for all" in huge.reason


def test_a_database_that_fits_twice_needs_no_more_buffers() -> None:
    small = table("small", column("id"), pages=1000)
    assert "shared_buffers" not in proposed(server_with(small), MIDDLE)
    middling = table("middling", column("id"), pages=120_000)
    assert proposed(server_with(middling), LARGE)["shared_buffers"].proposed == "3584MB", "not 64 GB"


def test_storage_decides_what_a_random_page_costs() -> None:
    def cost(storage: Storage, present: str) -> str | None:
        found = proposed(server_with(random_page_cost=present), replace(MIDDLE, storage=storage))
        return found["random_page_cost"].proposed if "random_page_cost" in found else None

    assert [cost(Storage.SSD, each) for each in ("4", "2", "1")] == ["1.1", None, None]
    assert [cost(Storage.HDD, each) for each in ("4", "1.1")] == [None, "4"]
    assert [cost(Storage.UNKNOWN, each) for each in ("4", "1.1")] == [None, None]


def test_requests_at_once_before_asynchronous_reads_came() -> None:
    old = replace(server_with(effective_io_concurrency="1"), version_num=150012)
    assert proposed(old, MIDDLE)["effective_io_concurrency"].proposed == "200"
    assert "effective_io_concurrency" not in proposed(server_with(), MIDDLE)


def test_short_statements_are_not_worth_compiling() -> None:
    assert proposed(server_with(), MIDDLE, counted())["jit"].trial == SetSetting("jit", "off")
    assert "jit" not in proposed(server_with(), MIDDLE, counted(total_ms=10_000 * 500.0))
    assert "jit" not in proposed(server_with(), MIDDLE), "nobody measured"


def test_wal_as_measured() -> None:
    wal = proposed(server_with(), MIDDLE, counted(wal_bytes=600 * 10.0 * MB))["max_wal_size"]
    assert wal.proposed == "9GB"
    assert wal.reason.startswith("The workload writes 10.0 MB of WAL a second")
    assert wal.takes_effect is TakesEffect.RELOAD
    assert "max_wal_size" not in proposed(server_with(), MIDDLE, counted(wal_bytes=600 * 0.1 * MB))


def test_big_tables_get_bars_of_their_own() -> None:
    busy = TableActivity(updates=5, live_rows=20_000_000)
    big = replace(table("big", column("id"), rows=20e6), activity=busy)
    found = proposed(server_with(big), MIDDLE)
    advice = found["public.big: autovacuum_vacuum_scale_factor"]
    assert (advice.present, advice.proposed) == ("0.2", "0.005")
    assert advice.change == SetTableOption(big.relation, "autovacuum_vacuum_scale_factor", "0.005")
    assert "waits for 4,000,000 dead rows" in advice.reason
    own = replace(big, options=("autovacuum_vacuum_scale_factor=0.01",))
    assert "public.big: autovacuum_vacuum_scale_factor" not in proposed(server_with(own), MIDDLE)
    still = replace(big, activity=TableActivity(live_rows=20_000_000))
    assert not any(name.startswith("public.big") for name in proposed(server_with(still), MIDDLE))


def test_autovacuum_that_falls_behind() -> None:
    late = replace(ORDERS, activity=TableActivity(dead_rows=100_000, updates=1))
    found = proposed(server_with(late), MIDDLE)
    assert found["autovacuum_vacuum_cost_limit"].proposed == "1000"
    assert proposed(server_with(autovacuum="off"), MIDDLE)["autovacuum"].proposed == "on"
    many = [table(f"t{number}", column("id")) for number in range(600)]
    assert proposed(server_with(*many), MIDDLE)["autovacuum_max_workers"].proposed == "5"


def test_what_puts_data_at_risk_or_lags_behind_the_defaults() -> None:
    known = server_with(fsync="off", checkpoint_completion_target="0.5", default_statistics_target="10")
    found = values(proposed(known, MIDDLE))
    assert (found["fsync"], found["checkpoint_completion_target"], found["default_statistics_target"]) == (
        "on",
        "0.9",
        "100",
    )


def test_libraries_that_are_loaded_stay() -> None:
    known = server_with(shared_preload_libraries="auto_explain")
    advice = proposed(known, MIDDLE)["shared_preload_libraries"]
    assert advice.proposed == "auto_explain, pg_stat_statements"
    assert advice.takes_effect is TakesEffect.RESTART
    assert advice.change is not None
    assert apply_steps(advice.change)[0].sql == (
        "ALTER SYSTEM SET shared_preload_libraries = 'auto_explain', 'pg_stat_statements'"
    )


def test_a_managed_service_is_told_its_place_and_keeps_what_a_database_may_set() -> None:
    cloud = server_with(superuser=False)
    cloud = replace(cloud, settings=(*cloud.settings, Setting("cloudsql.iam_authentication", "off")))
    found = proposed(cloud, MIDDLE)
    assert found["shared_buffers"].change is None
    assert found["shared_buffers"].place == "the instance's database flags of Google Cloud SQL"
    own = found["random_page_cost"].change
    assert own == SetSetting("random_page_cost", "1.1")
    assert refusals(own, cloud) == ()
    for advice in found.values():
        if isinstance(advice.change, SetSetting):
            assert refusals(advice.change, cloud) == (), advice.name


@pytest.mark.parametrize("machine", [VPS, MIDDLE, LARGE])
def test_each_says_all_there_is_to_say(machine: Machine) -> None:
    for advice in proposed(server_with(fsync="off"), machine).values():
        assert all((advice.reason, advice.source, advice.risk, advice.place, advice.proposed)), advice
        if isinstance(advice.change, SetSetting):
            assert refusals(advice.change, server_with()) == (), advice.name
        if advice.trial is not None:
            assert advice.trial.scope is SettingScope.DATABASE


def test_memory_is_written_as_people_write_it() -> None:
    sizes = (64 * KB, 4 * MB, 1536 * MB, 8 * GB)
    assert [memory_text(size) for size in sizes] == ["64kB", "4MB", "1536MB", "8GB"]
    assert [rounded(size * MB) // MB for size in (5.9, 17, 47, 1500, 8191)] == [5, 16, 40, 1280, 7168]
    assert rounded(100 * KB) == 64 * KB


def test_the_present_sum_counts_each_session_once() -> None:
    now = present_budget(Server(server_with(), MIDDLE))
    assert now.fixed_bytes == 128 * MB + 4 * MB + 4 * 64 * MB
    assert now.total_bytes == now.fixed_bytes + 100 * 8 * MB + 108 * 3 * 4 * MB
    assert math.isclose(now.statement_bytes, 12 * MB)


def test_what_plans_react_to_competes_as_one_variant() -> None:
    variant = settings_variant(propose_settings(server_with(BIG), MIDDLE))
    assert variant is not None
    assert [change.name for change in variant.changes if isinstance(change, SetSetting)] == [
        "work_mem",
        "effective_cache_size",
        "random_page_cost",
    ]
    assert race_refusals(variant.changes, server_with()) == ()
    assert "random_page_cost 4 -> 1.1: The planner takes" in variant.why
    assert settings_variant(()) is None
    assert statistics_variant(()) is None


def test_what_outranks_the_advice_or_waits_already_is_told() -> None:
    known = server_with(BIG)
    settings = tuple(
        replace(each, source="user", pending_restart=each.context == "postmaster") for each in known.settings
    )
    found = proposed(replace(known, settings=settings), MIDDLE)
    assert found["work_mem"].place.endswith(
        "role app has a value of its own (ALTER ROLE ... SET), which outranks both"
    )
    assert "waits for a restart already" in found["shared_buffers"].risk
    assert "waits for a restart already" not in found["work_mem"].risk
