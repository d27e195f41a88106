"""Writing names and values so that they mean what they say."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from pgproof.errors import UsageError
from pgproof.sqltext.tree import enum_name, scan_tokens

IDENTIFIER_MAX_BYTES = 63
"""Bytes of a name PostgreSQL keeps. **Source**: NAMEDATALEN - 1, src/include/pg_config_manual.h."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
_HASH_DIGITS = 8


@lru_cache(maxsize=4096)
def quote_identifier(name: str) -> str:
    """Write a name as SQL; bare only where PostgreSQL itself would leave it bare.

    **Source**: ``quote_identifier`` in src/backend/utils/adt/ruleutils.c: lower-case ASCII letters, digits
    and underscores, and not a keyword unless an unreserved one.

    Args:
        name: The name as the catalog holds it.

    Raises:
        UsageError: It is empty or holds a NUL character.
    """
    if not name or "\0" in name:
        raise UsageError("An identifier may not be empty or hold a NUL character", hint="Check the name.")
    if _PLAIN.match(name) and not _is_reserved(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def qualify(schema: str | None, name: str) -> str:
    """Write ``schema.name``; without a schema, the name alone."""
    return f"{quote_identifier(schema)}.{quote_identifier(name)}" if schema else quote_identifier(name)


def quote_literal(value: str | None) -> str:
    """Write a value as an untyped literal, which the server reads as the type its place asks for.

    **Source**: ``quote_literal_internal`` in src/backend/utils/adt/quote.c: a value with a backslash is
    written ``E'..'``, so that it means the same under any ``standard_conforming_strings``.

    Args:
        value: The value in its type's text form; ``None`` is written ``NULL``.

    Raises:
        UsageError: It holds a NUL character, which no type can store.
    """
    if value is None:
        return "NULL"
    if "\0" in value:
        raise UsageError("A value may not hold a NUL character", hint="Leave this parameter set out.")
    body = value.replace("'", "''")
    return "E'" + body.replace("\\", "\\\\") + "'" if "\\" in value else f"'{body}'"


def truncate_identifier(name: str, max_bytes: int = IDENTIFIER_MAX_BYTES, suffix: str = "") -> str:
    """Shorten a name to what PostgreSQL keeps, at a character border and still telling names apart.

    Args:
        name: Any name.
        max_bytes: Bytes of UTF-8 the result may have, suffix included.
        suffix: Put at the end in any case, e.g. ``"_idx"``.

    Returns:
        ``name + suffix`` where that fits; else the start of the name, ``_``, eight digits of its SHA-256 and
        the suffix.

    Raises:
        UsageError: There is no room for the digits and the suffix.
    """
    full = name + suffix
    if len(full.encode()) <= max_bytes:
        return full
    tail = "_" + hashlib.sha256(name.encode()).hexdigest()[:_HASH_DIGITS] + suffix
    room_bytes = max_bytes - len(tail.encode())
    if room_bytes < 1:
        raise UsageError(f"No room for a name in {max_bytes} bytes", hint="Use a shorter suffix.")
    return name.encode()[:room_bytes].decode(errors="ignore") + tail


def _is_reserved(name: str) -> bool:
    token = scan_tokens(name)[0]
    return enum_name("KeywordKind", token.keyword_kind) not in ("NO_KEYWORD", "UNRESERVED_KEYWORD")
