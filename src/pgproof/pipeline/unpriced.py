"""Statements that can't be planned: named, each reason once, with the GRANT where only that is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from pgproof.errors import ConfigError
from pgproof.model.catalog import Catalog
from pgproof.model.finding import Skipped
from pgproof.model.relation import RelationName
from pgproof.model.workload import Workload
from pgproof.stages.estimate.relevance import find_tables

_NAMED = 5


def told_unpriced(
    skipped: Mapping[str, str], workload: Workload, catalog: Catalog, denied: Mapping[RelationName, str]
) -> tuple[str, ...]:
    """Say which statements have no price, and why.

    Args:
        skipped: The reason that the provider gave, by statement.
        workload: Their texts.
        catalog: Of the database; tells what stands behind views.
        denied: Tables that may not be read, each with what would allow it. Of those no statement reads,
            nothing is said.
    """
    tables_of = find_tables(catalog, list(denied))
    texts = {statement.name: statement.query.sql for statement in workload.statements}
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, reason in skipped.items():
        missing = [denied[table] for table in tables_of(texts.get(name, ""))]
        names["; ".join(missing) or reason].append(name)
    return tuple(f"{_some(those)} not priced: {reason}" for reason, those in names.items())


def demand_a_plan(
    workload: Workload,
    planned: Mapping[str, object],
    refusals: Sequence[Skipped],
    catalog: Catalog,
    denied: Mapping[RelationName, str],
) -> None:
    """Refuse a workload of which no statement can be planned.

    Args:
        workload: It.
        planned: Something for each statement that has a plan, by name.
        refusals: Why the others have none.
        catalog: Of the database.
        denied: Tables that may not be read, each with what would allow it.

    Raises:
        ConfigError: None has one.
    """
    if planned or not workload.statements:
        return
    tables_of = find_tables(catalog, list(denied))
    missing = {denied[table] for statement in workload.statements for table in tables_of(statement.query.sql)}
    first = next(iter(refusals), None)
    raise ConfigError(
        "None of the workload's statements can be planned"
        + (f": {first.reason}" if first and not missing else "."),
        hint="\n".join(sorted(missing)) or (first.hint if first else "") or "Check the names in them.",
    )


def _some(names: Sequence[str]) -> str:
    """Name some of several statements, with the verb that goes with them."""
    more = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{shown} {'is' if len(names) == 1 else 'are'}"
