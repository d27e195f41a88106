"""Values that stand in a statement's text, or that its parameter sets bring."""

from __future__ import annotations

from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.shape import Comparand, Predicate


def literal_values(predicate: Predicate) -> tuple[str, ...]:
    """Return the text forms of a predicate's literals, as pg_stats writes them.

    Returns:
        One value, several for IN and BETWEEN; empty where the other side is anything but plain literals: a
        call such as ``now()``, a parameter, a subquery.
    """
    if predicate.comparand is not Comparand.CONSTANT:
        return ()
    return tuple(item for item in predicate.items if isinstance(item, str))


def known_values(predicate: Predicate, statement: WorkloadStatement) -> tuple[tuple[str, float], ...]:
    """Return the values a predicate is seen with, each with its weight.

    Literals of the text, and the values that the statement's parameter sets give to its parameters.

    Returns:
        In text order, then in the order of the parameter sets; empty where nothing is known (also for NULL).
    """
    found: list[tuple[str, float]] = []
    for item in predicate.items:
        if isinstance(item, str):
            found.append((item, 1.0))
            continue
        for parameters in statement.parameter_sets:
            value = parameters.values[item - 1] if item <= len(parameters.values) else None
            if value is not None:
                found.append((value, parameters.weight))
    return tuple(found)
