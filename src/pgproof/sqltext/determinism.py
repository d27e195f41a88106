"""Whether a query's rows, and their order, follow from the data alone."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.tree import Message, is_set, kind_of, strings, walk

_COLLECTING = frozenset(
    [
        "array_agg",
        "string_agg",
        "json_agg",
        "jsonb_agg",
        "json_object_agg",
        "jsonb_object_agg",
        "xmlagg",
        "json_agg_strict",
        "jsonb_agg_strict",
    ]
)
_BY_POSITION = frozenset(["row_number", "ntile", "lag", "lead", "first_value", "last_value", "nth_value"])


@dataclass(frozen=True, slots=True)
class Determinism:
    """What a query leaves open.

    Args:
        sorted: The whole result has an ORDER BY.
        limited: The whole result has a LIMIT, FETCH or OFFSET.
        skips: It has an OFFSET, so it is cut off at its start, too.
        order_dependent: Constructs whose value depends on the order in which rows happen to arrive, unless an
            ORDER BY inside them is total; in text order, each once: "LIMIT", "DISTINCT ON", "TABLESAMPLE", or
            a function's name.
        rows_open: How many rows come, or are changed, may depend on that order, too: such a construct stands
            in a subquery, in a WITH, or in a statement that writes.
    """

    sorted: bool
    limited: bool
    skips: bool
    order_dependent: tuple[str, ...]
    rows_open: bool = False


def read_determinism(sql: str) -> Determinism:
    """Read from a query's text what its result leaves open.

    Args:
        sql: One statement.

    Raises:
        ParseError: The text does not parse.
        UsageError: It does not hold exactly one statement.
    """
    message = parse_statement(sql).tree.message
    is_select = kind_of(message) == "SelectStmt"
    found = dict.fromkeys(name for node in walk(message) if (name := _order_dependence(node)))
    return Determinism(
        sorted=is_select and bool(message.sort_clause),
        limited=is_select and _is_limited(message),
        skips=is_select and is_set(message, "limit_offset"),
        order_dependent=tuple(found),
        rows_open=bool(found) and _is_order_dependent_inside(message),
    )


def _is_order_dependent_inside(message: Message) -> bool:
    """Tell whether something below the statement itself depends on the order of rows."""
    inner = (node for node in walk(message) if node is not message and kind_of(node) == "SelectStmt")
    return any(_order_dependence(node) for select in inner for node in walk(select))


def _is_limited(select: Message) -> bool:
    return is_set(select, "limit_count") or is_set(select, "limit_offset")


def _order_dependence(node: Message) -> str:
    match kind_of(node):
        case "SelectStmt":
            if _is_limited(node):
                return "LIMIT"
            # a plain DISTINCT is one empty entry in the grammar
            named = any(kind_of(entry) != "Node" for entry in node.distinct_clause)
            return "DISTINCT ON" if named else ""
        case "RangeTableSample":
            return "TABLESAMPLE"
        case "FuncCall":
            name = strings(node.funcname)[-1]
            if name in _COLLECTING or (name in _BY_POSITION and is_set(node, "over")):
                return name
    return ""
