"""Tree to text."""

from __future__ import annotations

from pgproof.sqltext.faults import faults_as_parse_errors
from pgproof.sqltext.parse import Statement
from pgproof.sqltext.tree import Message, Tree, deparse_message, new_message


def deparse(parsed: Statement | Tree) -> str:
    """Write a parsed statement in the parser's own spelling: one line, no comments, canonical casts.

    Two texts that deparse equally mean the same.

    Args:
        parsed: What `parse_statement` gave, or its tree.

    Returns:
        SQL without a trailing semicolon.

    Raises:
        ParseError: The deparser does not know the statement's form.
    """
    tree = parsed.tree if isinstance(parsed, Statement) else parsed
    with faults_as_parse_errors(""):
        return deparse_message(tree.message)


def expression_text(node: Message) -> str:
    """Return the SQL text of an expression's node: deparsed as the only column of a SELECT."""
    select = new_message("SelectStmt")
    target = select.target_list.add().res_target
    target.val.CopyFrom(node)
    return deparse_message(select).removeprefix("SELECT ").strip()
