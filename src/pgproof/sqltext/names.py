"""Names that a text implies: of a select list's columns, and of indexes we make."""

from __future__ import annotations

from collections.abc import Sequence

from pgproof.sqltext.quote import truncate_identifier
from pgproof.sqltext.tree import Message, enum_name, kind_of, strings, unwrap

_FIXED_NAMES = {
    "CaseExpr": "case",
    "CoalesceExpr": "coalesce",
    "A_ArrayExpr": "array",
    "RowExpr": "row",
    "GroupingFunc": "grouping",
}
_UNNAMED = "?column?"


def index_name(table: str, columns: Sequence[str], suffix: str = "idx") -> str:
    """Make a name for an index, as PostgreSQL would: ``orders_customer_id_idx``.

    Args:
        table: Without schema and quotes.
        columns: Column names; for an expression a word that describes it.
        suffix: Last part.

    Returns:
        At most 63 bytes; a name that had to be cut stays unique by a hash.
    """
    return truncate_identifier("_".join([table, *columns]), suffix=f"_{suffix}")


def output_name(target: Message) -> str:
    """Name the column a select-list item gives.

    **Source**: ``FigureColname`` in src/backend/parser/parse_target.c.

    Args:
        target: A ``ResTarget``.
    """
    target = unwrap(target)
    return str(target.name) or _implied_name(target.val) or _UNNAMED


def _implied_name(node: Message) -> str:
    node = unwrap(node)
    kind = kind_of(node)
    match kind:
        case "ColumnRef":
            names = strings(node.fields)
            return names[-1] if names else ""
        case "FuncCall":
            return strings(node.funcname)[-1]
        case "A_Indirection":
            names = strings(node.indirection)
            return names[-1] if names else _implied_name(node.arg)
        case "TypeCast":
            return _implied_name(node.arg) or strings(node.type_name.names)[-1]
        case "CollateClause":
            return _implied_name(node.arg)
        case "SubLink":
            return _sublink_name(node)
        case "MinMaxExpr":
            return enum_name("MinMaxOp", node.op).removeprefix("IS_").lower()
        case "SQLValueFunction":
            return enum_name("SQLValueFunctionOp", node.op).removeprefix("SVFOP_").removesuffix("_N").lower()
        case "A_Expr" if enum_name("A_Expr_Kind", node.kind) == "AEXPR_NULLIF":
            return "nullif"
    return _FIXED_NAMES.get(kind, "")


def _sublink_name(node: Message) -> str:
    match enum_name("SubLinkType", node.sub_link_type):
        case "EXISTS_SUBLINK":
            return "exists"
        case "ARRAY_SUBLINK":
            return "array"
        case "EXPR_SUBLINK":
            select = unwrap(node.subselect)
            return (
                output_name(select.target_list[0])
                if kind_of(select) == "SelectStmt" and select.target_list
                else ""
            )
    return ""
