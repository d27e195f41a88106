"""Values that stand in a statement's text, or that its parameter sets bring."""

from __future__ import annotations

import re

from pgproof.model.workload import WorkloadStatement
from pgproof.sqltext.shape import Comparand, Predicate, PredicateKind

_CAST = r"(?:::[\w\s\".\[\](),]+)?"
_STRING = re.compile(rf"'((?:[^']|'')*)'{_CAST}\Z")
_NUMBER = re.compile(rf"(-?\d+(?:\.\d+)?){_CAST}\Z")
_BOOLEAN = re.compile(rf"(true|false){_CAST}\Z", re.IGNORECASE)
_ITEM = re.compile(r"'(?:[^']|'')*'(?:::[\w\s\"]+)?|[^,']+")
_PARAMETER = re.compile(rf"\(?\$(\d+)\)?{_CAST}\Z")


def literal_values(predicate: Predicate) -> tuple[str, ...]:
    """Return the text forms of a predicate's literals, as pg_stats writes them.

    Returns:
        One value, several for IN; empty where the other side is anything but plain literals: a call such as
        ``now()``, an array, a parameter, a subquery.
    """
    if predicate.comparand is not Comparand.CONSTANT or predicate.constant is None:
        return ()
    if predicate.kind is PredicateKind.IN and predicate.operator == "IN":
        items = [item.strip() for item in _ITEM.findall(predicate.constant) if item.strip()]
    else:
        items = [predicate.constant]
    values = [_literal_value(item) for item in items]
    known = tuple(value for value in values if value is not None)
    return known if len(known) == len(values) else ()


def known_values(predicate: Predicate, statement: WorkloadStatement) -> tuple[tuple[str, float], ...]:
    """Return the values a predicate is seen with, each with its weight.

    Literals of the text, else the values that the statement's parameter sets give to its one parameter.

    Returns:
        In the order of the parameter sets; empty where nothing is known (also for NULL).
    """
    literals = literal_values(predicate)
    if literals:
        return tuple((value, 1.0) for value in literals)
    match = _PARAMETER.match(predicate.constant or "")
    if match is None:
        return ()
    place = int(match.group(1)) - 1
    found = (
        (parameters.values[place], parameters.weight)
        for parameters in statement.parameter_sets
        if place < len(parameters.values)
    )
    return tuple((value, weight) for value, weight in found if value is not None)


def _literal_value(text: str) -> str | None:
    if match := _STRING.match(text):
        return match.group(1).replace("''", "'")
    if match := _NUMBER.match(text):
        return match.group(1)
    if match := _BOOLEAN.match(text):
        return match.group(1)[0].lower()
    return None
