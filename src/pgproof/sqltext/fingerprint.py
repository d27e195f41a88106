"""What makes two texts the same query."""

from __future__ import annotations

from functools import lru_cache

from pgproof.sqltext.faults import faults_as_parse_errors, refuse_nul
from pgproof.sqltext.tree import fingerprint_hex, normalized_text

_CACHE_ENTRIES = 16_384


@lru_cache(maxsize=_CACHE_ENTRIES)
def fingerprint(sql: str) -> str:
    """Identify a query by its structure.

    Literals, ``$n`` parameters, casts of either, the length of IN lists, white space, comments and the names
    of aliases do not count; tables, columns, operators and clauses do.

    Args:
        sql: One statement, or several that belong together.

    Returns:
        16 hexadecimal digits; the same on every machine with the same major of libpg_query.

    Raises:
        ParseError: The text does not parse.
    """
    refuse_nul(sql)
    with faults_as_parse_errors(sql):
        return fingerprint_hex(sql)


@lru_cache(maxsize=_CACHE_ENTRIES)
def normalise(sql: str) -> str:
    """Replace the constants of a text by ``$1``, ``$2``, ... the way pg_stat_statements shows it.

    The result is for people and for grouping: ``interval $1`` is not SQL a server accepts.

    Args:
        sql: One statement, or several.

    Returns:
        The text, otherwise unchanged; numbering continues after parameters that are there already.

    Raises:
        ParseError: The text does not parse.
    """
    refuse_nul(sql)
    with faults_as_parse_errors(sql):
        return normalized_text(sql)
