"""Tree to text."""

from __future__ import annotations

from pgproof.sqltext.faults import faults_as_parse_errors
from pgproof.sqltext.parse import Statement
from pgproof.sqltext.tree import Tree, deparse_message


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
