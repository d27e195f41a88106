"""Read the conditions that a plan prints at its nodes.

They say more than the statement's text: views are gone, types are cast as the server casts them, and values
stand where placeholders were. They hold values of rows: never print them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pgproof.errors import ParseError
from pgproof.model.plan import Plan
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.quote import qualify, quote_identifier
from pgproof.sqltext.shape import ColumnLookup, Join, Predicate, SortKey
from pgproof.sqltext.walk import find_shapes

_SUBPLAN = re.compile(r"\((?:alternatives: |hashed )?(?:SubPlan|InitPlan)[^()]*\)(?:\.col\d+)?")
_ANY_SUBPLAN = re.compile(r"\b(?:ANY|ALL) \((?:[^()]*= NULL|(?:\([^()]*= NULL\)(?: AND )?)+)\)")
"""How EXPLAIN of PostgreSQL 17 and later writes ``x IN (subquery)``, once the subplan itself is replaced."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What texts of a plan say; relations are the plan's aliases.

    Args:
        predicates: On one relation each, in text order.
        joins: Between two relations.
        order: Sort keys.
    """

    predicates: tuple[Predicate, ...] = ()
    joins: tuple[Join, ...] = ()
    order: tuple[SortKey, ...] = ()


NOTHING = Conditions()


def read_conditions(
    columns_of: ColumnLookup, aliases: dict[str, str], condition: str, sort_keys: Iterable[str] = ()
) -> Conditions:
    """Read a condition and sort keys as EXPLAIN prints them with VERBOSE (every column with its alias).

    Args:
        columns_of: Tells the columns of tables.
        aliases: From `find_aliases`.
        condition: Filter, Hash Cond, Join Filter...; may be empty.
        sort_keys: May be empty.

    Returns:
        What was understood; nothing where the text is more than an expression (EXPLAIN prints a few things
        that are not SQL).
    """
    keys = ", ".join(sort_keys)
    text = _ANY_SUBPLAN.sub("NULL", _SUBPLAN.sub("NULL", condition))
    named = [
        f"{table} AS {quote_identifier(alias)}"
        for alias, table in aliases.items()
        if f"{quote_identifier(alias)}." in f"{text} {keys}"
    ]
    if not named:
        return NOTHING
    sql = f"SELECT 1 FROM {', '.join(named)}"
    sql += f" WHERE {text}" if text else ""
    sql += f" ORDER BY {keys}" if keys else ""

    try:
        shape = find_shapes(parse_statement(sql), columns_of)[0]
    except ParseError:
        return NOTHING
    return Conditions(shape.predicates, shape.joins, shape.order_by)


def find_aliases(plan: Plan) -> dict[str, str]:
    """Return what a plan's aliases stand for, as SQL; an alias that is no table stands for itself."""
    found: dict[str, str] = {}
    for node in plan.root.walk():
        if node.alias:
            table = qualify(node.schema or None, node.relation) if node.relation else ""
            found.setdefault(node.alias, table or quote_identifier(node.alias))
            if node.relation:  # partitions are o_1, o_2... where the statement and sort keys say o
                found.setdefault(bare_alias(node.alias), table)
    return found


def bare_alias(alias: str) -> str:
    """Return an alias without the number by which EXPLAIN tells equal ones apart."""
    return re.sub(r"_\d+\Z", "", alias)
