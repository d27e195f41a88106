"""Which of a target's settings a shadow's sessions take over, so that its planner decides as the target's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgproof.postgres.session import Row

# PostgreSQL 18, 19.4 "Resource Consumption" and 19.11 "Client Connection Defaults": what the planner reads
# besides everything under "Query Tuning", and what decides how a statement's text is understood.
_BESIDES = frozenset(
    {"work_mem", "hash_mem_multiplier", "temp_buffers", "max_parallel_workers_per_gather"}
    | {"max_parallel_workers", "parallel_leader_participation", "maintenance_work_mem"}
    | {"effective_io_concurrency", "maintenance_io_concurrency", "default_transaction_isolation"}
    | {"DateStyle", "IntervalStyle", "TimeZone", "timezone_abbreviations", "array_nulls", "xmloption"}
    | {"default_text_search_config", "standard_conforming_strings", "backslash_quote", "bytea_output"}
    | {"transform_null_equals", "quote_all_identifiers", "row_security"}
)
_CATEGORY = "Query Tuning"


def choose_settings(target: Mapping[str, str], known: Sequence[Row]) -> dict[str, str]:
    """Return what a session on the shadow has to set.

    Every value is taken, wherever it comes from: defaults differ between versions. What the shadow's version
    doesn't know, and what can't be changed in a session, is left out.

    Args:
        target: Name and value in base units, of every setting of the target.
        known: Rows of the query ``planner_settings`` on the shadow.
    """
    chosen = {}
    for row in known:
        matters = row.category.startswith(_CATEGORY) or row.name in _BESIDES
        if matters and row.name in target and _accepts(row, target[row.name]):
            chosen[row.name] = target[row.name]
    return chosen


def _accepts(known: Row, value: str) -> bool:
    if known.enumvals is not None:
        return value in known.enumvals
    if known.vartype in ("integer", "real"):
        return float(known.min_val) <= float(value) <= float(known.max_val)
    return True
