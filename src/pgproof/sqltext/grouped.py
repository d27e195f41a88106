"""Parameters that must be one: what a query groups by stands once more in its select list."""

from __future__ import annotations

from collections.abc import Iterator

from pgproof.sqltext.expressions import expression_text
from pgproof.sqltext.faults import faults_as_parse_errors
from pgproof.sqltext.position import ByteText
from pgproof.sqltext.tree import (
    DepthFault,
    Message,
    SyntaxFault,
    is_set,
    kind_of,
    parse_messages,
    scan_tokens,
    token_name,
    unwrap,
    walk,
)

_CONSTANTS = ("SCONST", "ICONST", "FCONST", "TRUE_P", "FALSE_P")
_BARE = ("ParamRef", "A_Const", "ColumnRef")
"""Keys that tell nothing: a bare parameter may have stood for anything."""

Leaf = int | str
"""A parameter's number, or a constant as SQL text."""


def unify_grouped(sql: str) -> str:
    """Give equal expressions of a grouped query the same parameters, or the constant that is known.

    ``SELECT date_trunc($1, x) ... GROUP BY date_trunc($2, x)`` is refused by the server, which can't know
    that the parameters are equal. So expressions of the select list, HAVING and ORDER BY that equal one of
    GROUP BY but for parameters get its parameters. Where the text had constants, pg_stat_statements replaces
    only the first of the equal ones: ``SELECT trunc($1, x) ... GROUP BY trunc(2, x)`` tells what
    ``$1`` was. The same holds in a SELECT DISTINCT for what it is sorted by.

    Args:
        sql: One statement; one that does not parse comes back as it is.

    Returns:
        The text with parameters numbered without gaps, in the order of the old numbers.

    **Source**: PostgreSQL 15, parse_clause.c, findTargetlistEntrySQL99: an expression of ORDER BY or GROUP BY
    that equals an entry of the select list becomes that entry, so its own constants are never seen.
    """
    try:
        messages = parse_messages(sql)
    except (SyntaxFault, DepthFault):
        return sql
    same: dict[int, Leaf] = {}
    for message in messages:
        for node in walk(message):
            if kind_of(node) == "SelectStmt":
                for one, other in _pairs(node):
                    _join(same, one, other)
    return _rewrite(sql, same) if same else sql


def _pairs(select: Message) -> Iterator[tuple[Leaf, Leaf]]:
    """Yield leaves of one SELECT that must be the same."""
    keys = list(select.group_clause) or (list(select.sort_clause) if select.distinct_clause else [])
    elsewhere = [*select.target_list, *select.group_clause, *select.sort_clause]
    if is_set(select, "having_clause"):
        elsewhere.append(select.having_clause)
    candidates = [node for root in elsewhere for node in walk(root)]
    for key in keys:
        key = unwrap(unwrap(key).node if kind_of(key) == "SortBy" else key)
        if kind_of(key) in _BARE:
            continue
        shape, leaves = _read(key)
        for node in candidates if leaves else ():
            if kind_of(node) == kind_of(key):
                other_shape, others = _read(node)
                pairs = list(zip(leaves, others, strict=False))
                if shape == other_shape and not any(_differ(*pair) for pair in pairs):
                    yield from pairs


def _read(node: Message) -> tuple[str, list[Leaf]]:
    """Write an expression down with a mark for each leaf, and list the leaves."""
    text = ByteText(expression_text(node))
    pieces: list[str] = []
    leaves: list[Leaf] = []
    for token in scan_tokens(text.cut(0)):
        word, name = text.cut(token.start, token.end), token_name(token)
        if name == "PARAM":
            leaves.append(int(word.removeprefix("$")))
        elif name in _CONSTANTS:
            leaves.append(word)
        pieces.append("$" if name == "PARAM" or name in _CONSTANTS else word)
    return " ".join(pieces), leaves


def _differ(one: Leaf, other: Leaf) -> bool:
    return isinstance(one, str) and isinstance(other, str) and one != other


def _root(same: dict[int, Leaf], leaf: Leaf) -> Leaf:
    while isinstance(leaf, int) and leaf in same:
        leaf = same[leaf]
    return leaf


def _join(same: dict[int, Leaf], one: Leaf, other: Leaf) -> None:
    one, other = _root(same, one), _root(same, other)
    if one == other or (isinstance(one, str) and isinstance(other, str)):
        return
    if isinstance(one, int) and (isinstance(other, str) or other < one):
        same[one] = other
    elif isinstance(other, int):
        same[other] = one


def _rewrite(sql: str, same: dict[int, Leaf]) -> str:
    text = ByteText(sql)
    with faults_as_parse_errors(sql):
        tokens = [token for token in scan_tokens(sql) if token_name(token) == "PARAM"]
    roots = [_root(same, int(text.cut(token.start + 1, token.end))) for token in tokens]
    left = sorted({root for root in roots if isinstance(root, int)})
    pieces: list[str] = []
    end_of_last = 0
    for token, root in zip(tokens, roots, strict=True):
        word = root if isinstance(root, str) else f"${left.index(root) + 1}"
        pieces += [text.cut(end_of_last, token.start), word]
        end_of_last = token.end
    return "".join([*pieces, text.cut(end_of_last)])
