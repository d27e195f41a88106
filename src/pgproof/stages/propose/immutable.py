"""Whether an expression may stand in an index."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pgproof.model.relation import Column
from pgproof.stages.propose.types import depends_on_time_zone, is_text

# fmt: off
_ALWAYS = frozenset(
    {
        "abs", "btrim", "ceil", "ceiling", "coalesce", "floor", "initcap", "left", "length", "char_length",
        "lower", "lpad", "ltrim", "md5", "mod", "nullif", "replace", "reverse", "right", "round", "rpad",
        "rtrim", "split_part", "strpos", "substr", "substring", "trim", "trunc", "upper", "sqrt", "div",
        "jsonb_extract_path", "jsonb_extract_path_text", "jsonb_array_length", "array_length", "cardinality",
        "octet_length", "ascii", "sign", "power"
    }
)
_TIMES = frozenset({"date_trunc", "date_part", "extract"})
_SAFE_CASTS = frozenset(
    {
        "text", "varchar", "character", "int", "int2", "int4", "int8", "integer", "smallint", "bigint",
        "numeric", "decimal", "uuid", "boolean", "bool", "float8", "double", "jsonb", "citext"
    }
)
# fmt: on
_OPERATORS = frozenset({"+", "-", "*", "/", "%", "||", "->", "->>", "#>", "#>>", "::"})
_OPERATOR = re.compile(r"[-+*/<>=~!@#%^&|`?]+|::")
_STRING = re.compile(r"'(?:[^']|'')*'")
_CALL = re.compile(r"([A-Za-z_][\w.]*)\s*\(")
_CAST = re.compile(r"::\s*\"?([A-Za-z_]\w*)|CAST\s*\(.+?\s+AS\s+\"?([A-Za-z_]\w*)", re.IGNORECASE)
_NOT_CALLS = frozenset({"in", "any", "all", "and", "or", "not", "when", "then", "else", "numeric", "varchar"})
_KEYWORD_VALUES = re.compile(
    r"\b(current_\w+|localtime\w*|session_user|user|at\s+time\s+zone)\b", re.IGNORECASE
)
_DATE_TYPES = frozenset(
    {"date", "timestamp", "timestamptz", "time", "timetz", "interval", "float4", "float8", "money"}
)


def may_be_indexed(expression: str, columns: Sequence[Column]) -> bool:
    """Tell whether an expression looks immutable, judged by an allow-list.

    What is not known to be immutable in PostgreSQL 13 to 18 is taken to be not: a function of the user's
    own, anything of a ``timestamptz`` that depends on the session's time zone, text made from dates.

    Args:
        expression: SQL with bare column names.
        columns: The columns it reads.
    """
    bare = _STRING.sub("''", expression)
    if _KEYWORD_VALUES.search(bare) or "$" in bare:
        return False
    calls = {name.removeprefix("pg_catalog.").lower() for name in _CALL.findall(bare)} - _NOT_CALLS
    casts = {(one or other).lower() for one, other in _CAST.findall(bare)}
    if not calls <= _ALWAYS | _TIMES or not casts <= _SAFE_CASTS | {"date"}:
        return False
    if set(_OPERATOR.findall(bare)) - _OPERATORS or any(depends_on_time_zone(column) for column in columns):
        return False
    if "||" in bare and not all(is_text(column) for column in columns):
        return False  # a number's or date's text form may depend on settings
    if any(column.base_type in _DATE_TYPES for column in columns):
        return not casts - {"date"}
    # A date out of text depends on DateStyle; the types below have no such cast.
    return "date" not in casts and not calls & _TIMES
