"""Columns that an expression or a predicate reads."""

from __future__ import annotations

import re

from pgproof.sqltext.quote import quote_identifier

_STRING = re.compile(r"'(?:[^']|'')*'")


def mentions(text: str, column: str) -> bool:
    """Tell whether an expression written by us reads a column.

    Args:
        text: SQL with bare, correctly quoted column names.
        column: Its name as the catalog has it.
    """
    name = re.escape(quote_identifier(column))
    return re.search(rf'(?<![\w"]){name}(?![\w"])', _STRING.sub("''", text)) is not None
