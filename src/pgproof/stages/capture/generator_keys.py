"""How generators are spelled in a workload file."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from pgproof.errors import ParseError
from pgproof.sqltext.parse import parse_script
from pgproof.stages.capture.entries import Entry
from pgproof.stages.capture.generators import (
    Choice,
    Dates,
    FromQuery,
    Generator,
    Integers,
    Sequence,
    Text,
    Zipf,
)


def read_generator(entry: Entry) -> Generator:
    """Read one generator: a mapping with one key that names its kind.

    Args:
        entry: ``{integers: [1, 100]}``, ``{choice: [open, closed]}``...

    Raises:
        ConfigError: No such kind, or its arguments are wrong.
    """
    keys = entry.mapping("a generator", _READERS)
    if len(keys) != 1:
        entry.fail("a generator must have exactly one key", f"One of {', '.join(sorted(_READERS))}.")
    kind, argument = next(iter(keys.items()))
    return _READERS[kind](argument)


def _read_choice(entry: Entry) -> Choice:
    """``[a, b, null]``, or ``{a: 80, null: 20}`` with shares."""
    if entry.is_mapping:
        shares = entry.by_value("choice")
        values: tuple[str | None, ...] = tuple(shares)
        weights = tuple(share.number("a share", above=0) for share in shares.values())
    else:
        values = tuple(item.value() for item in entry.items("choice"))
        weights = (1.0,) * len(values)
    if not values:
        entry.fail("choice must offer at least one value")
    return Choice(values, weights)


def _read_integers(entry: Entry) -> Integers:
    low, high = _two(entry, "integers", "[lowest, highest]")
    bounds = low.whole("the lowest"), high.whole("the highest")
    if bounds[0] > bounds[1]:
        entry.fail("integers must be written [lowest, highest]")
    return Integers(*bounds)


def _read_zipf(entry: Entry) -> Zipf:
    """``[1, 1000]``, or ``[1, 1000, 1.2]`` with an exponent."""
    items = entry.items("zipf")
    if len(items) not in (2, 3):
        entry.fail("zipf must be [hottest, coldest] or [hottest, coldest, exponent]")
    low, high = items[0].whole("the hottest"), items[1].whole("the coldest")
    if low > high:
        entry.fail("zipf must be written [hottest, coldest]: numbers that ascend")
    return Zipf(low, high, items[2].number("the exponent", above=0) if len(items) == 3 else 1.0)


def _read_dates(entry: Entry) -> Dates:
    start, end = _two(entry, "dates", "[first, last]")
    bounds = _moment(start), _moment(end)
    if bounds[0] > bounds[1]:
        entry.fail("dates must be written [first, last]")
    return Dates(*bounds, whole_days=all(len(item.word("a date").strip()) == 10 for item in (start, end)))


def _read_text(entry: Entry) -> Text:
    pattern = entry.word("text")
    without_classes = re.sub(r"\\.|\[[^\]]+\](\{\d{1,4}\})?", "", pattern, flags=re.DOTALL)
    if "[" in without_classes or "\\" in without_classes:
        entry.fail(
            "text has a '[' that is not closed, or a backslash at its end",
            r'Write "CMD-[0-9]{6}"; a literal bracket is "\[".',
        )
    return Text(pattern)


def _read_sequence(entry: Entry) -> Sequence:
    """``1``, or ``[1, 10]`` with a step."""
    if not entry.is_list:
        return Sequence(entry.whole("sequence"))
    start, step = _two(entry, "sequence", "[start, step]")
    if step.whole("the step") == 0:
        step.fail("the step may not be 0")
    return Sequence(start.whole("the start"), step.whole("the step"))


def _read_query(entry: Entry) -> FromQuery:
    sql = entry.word("from_query")
    try:
        statements = parse_script(sql)
    except ParseError as error:
        entry.fail(f"from_query does not parse: {error.message}", error.hint)
    if len(statements) != 1 or statements[0].kind != "select" or not statements[0].is_read_only:
        entry.fail("from_query must be one SELECT that only reads")
    return FromQuery(statements[0].text)


_READERS: dict[str, Callable[[Entry], Generator]] = {
    "choice": _read_choice,
    "integers": _read_integers,
    "zipf": _read_zipf,
    "dates": _read_dates,
    "text": _read_text,
    "sequence": _read_sequence,
    "from_query": _read_query,
}


def _two(entry: Entry, what: str, form: str) -> tuple[Entry, Entry]:
    items = entry.items(what)
    if len(items) != 2:
        entry.fail(f"{what} must be {form}")
    return items[0], items[1]


def _moment(entry: Entry) -> datetime:
    try:
        return datetime.fromisoformat(entry.word("a date").strip())
    except ValueError:
        entry.fail("a date must be written 2025-03-31 or 2025-03-31 14:00:00")
