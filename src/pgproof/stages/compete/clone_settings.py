"""Which of the target's settings the arms need, so that the planner decides there as it would at home."""

from __future__ import annotations

from collections.abc import Sequence

from pgproof.model.catalog import Catalog
from pgproof.model.relation import Setting
from pgproof.postgres.session import Row

# PostgreSQL 18 documentation, 19.7 "Query Planning" and 19.4 "Resource Consumption": what the planner reads.
_PLANNER_PREFIXES = ("enable_", "cpu_", "geqo", "jit", "parallel_", "min_parallel_")
_PLANNER = frozenset(
    {"seq_page_cost", "random_page_cost", "effective_cache_size", "default_statistics_target"}
    | {"constraint_exclusion", "cursor_tuple_fraction", "from_collapse_limit", "join_collapse_limit"}
    | {"plan_cache_mode", "recursive_worktable_factor", "work_mem", "hash_mem_multiplier", "temp_buffers"}
    | {"max_parallel_workers", "max_parallel_workers_per_gather", "max_worker_processes"}
    | {"maintenance_work_mem", "max_parallel_maintenance_workers", "effective_io_concurrency"}
)
# What decides how a statement is read and how its rows look (ALTER DATABASE and ALTER ROLE ... SET included).
_MEANING = frozenset(
    {"search_path", "DateStyle", "IntervalStyle", "TimeZone", "bytea_output", "array_nulls", "xmloption"}
    | {"default_text_search_config", "standard_conforming_strings", "extra_float_digits"}
    | {"transform_null_equals", "backslash_quote", "timezone_abbreviations"}
)
_OF_NOBODY = ("default", "override", "session", "client")


def settings_to_copy(catalog: Catalog) -> tuple[Setting, ...]:
    """Return the target's settings that decide plans or the meaning of a statement, by name.

    Only those that somebody set there (in its files, for the database or for the role), and always the number
    of connections it admits: the load must be refused where the target would refuse it.
    """
    return tuple(
        s
        for s in catalog.settings
        if s.name == "max_connections" or (s.source not in _OF_NOBODY and _matters(s.name))
    )


def split_accepted(wanted: Sequence[Setting], known: Sequence[Row]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Sort out what another server's version accepts.

    Args:
        wanted: The target's settings.
        known: Rows of the query ``accepted_settings`` on the other server.

    Returns:
        Name and value of those it accepts (in the setting's base unit), and the names of the others.
    """
    by_name = {row.name: row for row in known}
    accepted = {s.name: s.value for s in wanted if _accepts(by_name.get(s.name), s.value)}
    return accepted, tuple(s.name for s in wanted if s.name not in accepted)


def _matters(name: str) -> bool:
    return name in _PLANNER or name in _MEANING or name.startswith(_PLANNER_PREFIXES)


def _accepts(known: Row | None, value: str) -> bool:
    if known is None:
        return False
    if known.enumvals is not None:
        return value in known.enumvals
    if known.vartype in ("integer", "real"):
        return float(known.min_val) <= float(value) <= float(known.max_val)
    return True
