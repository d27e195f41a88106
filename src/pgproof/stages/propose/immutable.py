"""Whether an expression may stand in an index, and of which type it is.

An index takes immutable expressions only. What is not known to be immutable in PostgreSQL 13 to 18 is taken
to be not: anything of a ``timestamptz`` that depends on the session's time zone, text made from dates.

**Source**: ``provolatile`` in src/include/catalog/pg_proc.dat, 13 to 18; a user's own functions from the
catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pgproof.model.catalog import Catalog
from pgproof.model.relation import Table
from pgproof.sqltext.term import Term, TermKind, read_term

NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8"})
TEXTS = frozenset({"text", "varchar", "bpchar", "name", "citext"})
UNKNOWN = "unknown"
"""The type of a string literal before its surroundings give it one."""

# fmt: off
_TEXT_FUNCTIONS = frozenset(
    {
        "btrim", "initcap", "left", "lower", "lpad", "ltrim", "md5", "overlay", "regexp_replace", "repeat",
        "replace", "reverse", "right", "rpad", "rtrim", "split_part", "substr", "substring", "translate",
        "upper"
    }
)
_LENGTHS = frozenset({"ascii", "bit_length", "char_length", "character_length", "length", "octet_length",
                      "position", "strpos"})
_NUMBER_FUNCTIONS = frozenset({"abs", "ceil", "ceiling", "div", "floor", "mod", "power", "round", "sign",
                               "sqrt", "trunc"})
_MIXING = frozenset({"coalesce", "greatest", "nullif"})
_TYPE_OF_NAME = {
    "int": "int4", "integer": "int4", "smallint": "int2", "bigint": "int8", "decimal": "numeric",
    "real": "float4", "double": "float8", "boolean": "bool", "character": "bpchar"
}
_COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">=", "IN", "= ANY", "<> ALL"})
_MATCHES = frozenset({"~~", "!~~", "~~*", "!~~*", "~", "!~", "~*", "!~*", "^@"})
_MOMENTS = frozenset({"now", "today", "tomorrow", "yesterday", "epoch", "allballs"})
# fmt: on
_CASTS: Mapping[str, frozenset[str]] = {
    "text": TEXTS | NUMBERS - {"float4", "float8"} | {"bool", "uuid", "jsonb", "inet", "cidr"},
    "int2": NUMBERS | {"text", "varchar", "jsonb"},
    "int4": NUMBERS | {"text", "varchar", "jsonb", "bool"},
    "int8": NUMBERS | {"text", "varchar", "jsonb"},
    "numeric": NUMBERS | {"text", "varchar", "jsonb"},
    "float8": NUMBERS | {"text", "varchar", "jsonb"},
    "float4": NUMBERS | {"text", "varchar", "jsonb"},
    "bool": frozenset({"bool", "text", "varchar", "int4", "jsonb"}),
    "uuid": frozenset({"uuid", "text", "varchar"}),
    "jsonb": frozenset({"jsonb", "text", "json"}),
    "citext": TEXTS,
    "date": frozenset({"date", "timestamp"}),
    "timestamp": frozenset({"date", "timestamp"}),
    "time": frozenset({"time", "timestamp"}),
    "inet": frozenset({"inet", "cidr", "text"}),
}
"""What each type can be made of without a look at a setting; a date out of text depends on DateStyle."""


def immutable_type(expression: str, table: Table, catalog: Catalog) -> str | None:
    """Return the base type of an expression that may stand in an index.

    Args:
        expression: SQL with bare column names.
        table: Whose columns it reads.
        catalog: Tells which of the user's functions are immutable.

    Returns:
        As `Column.base_type`, `UNKNOWN` for a string literal; ``None`` where the expression is not known to
        be immutable or its type is not.
    """
    term = read_term(expression)
    return None if term is None else _Reader(table, catalog).type_of(term)


class _Reader:
    """Reads terms over one table's columns."""

    def __init__(self, table: Table, catalog: Catalog) -> None:
        self._table = table
        self._catalog = catalog

    def type_of(self, term: Term) -> str | None:
        match term.kind:
            case TermKind.COLUMN:
                column = self._table.column(term.name)
                return None if column is None or column.generated == "virtual" else column.base_type
            case TermKind.LITERAL:
                return {"number": "numeric", "boolean": "bool"}.get(term.schema, UNKNOWN)
            case TermKind.NULL:
                return UNKNOWN
            case TermKind.COLLATE:
                return self.type_of(term.args[0])
            case TermKind.TEST | TermKind.LOGIC:
                return "bool" if self._all(term.args) is not None else None
        below = self._all(term.args)
        if below is None:
            return None
        return _READERS.get(term.kind, _nothing)(term, below, self._catalog)

    def _all(self, terms: Sequence[Term]) -> list[str] | None:
        types = [self.type_of(term) for term in terms]
        known = [found for found in types if found is not None]
        return known if len(known) == len(types) else None


def _nothing(_term: Term, _types: list[str], _catalog: Catalog) -> str | None:
    return None


def _cast(term: Term, types: list[str], _catalog: Catalog) -> str | None:
    target = _TYPE_OF_NAME.get(term.name, term.name)
    (source,) = types
    if source == target:
        return target
    if source == UNKNOWN:
        return target if _is_fixed_literal(term.args[0].name, target) else None
    if target in TEXTS - {"citext", "name"}:
        return target if source in _CASTS["text"] else None
    return target if source in _CASTS.get(target, ()) else None


def _is_fixed_literal(text: str, target: str) -> bool:
    """Tell whether a string means the same whenever and by whomever it is read."""
    if target in ("date", "timestamp", "timestamptz", "time", "timetz") and text.strip().lower() in _MOMENTS:
        return False
    return target not in ("timestamptz", "timetz") or text.rstrip().endswith(("Z", "+00", "+00:00", "UTC"))


def _call(term: Term, types: list[str], catalog: Catalog) -> str | None:
    name, first = term.name, types[0] if types else ""
    if term.schema not in ("", "pg_catalog") or not is_built_in(name):
        function = catalog.find_function(name, term.schema)
        return (function.returns or None) if function else None
    if name in _TEXT_FUNCTIONS:
        return "text" if first in TEXTS or first == UNKNOWN else None
    if name in _LENGTHS:
        return "int4" if first in TEXTS | {"bytea", "tsvector"} else None
    if name in _NUMBER_FUNCTIONS:
        return "numeric" if all(found in NUMBERS for found in types) else None
    if name in _MIXING:
        return _shared(types)
    return _OTHER_CALLS[name](term, types)


def is_built_in(name: str) -> bool:
    """Tell whether a function is one of the server's own that are immutable for some types at least."""
    known = (_TEXT_FUNCTIONS, _LENGTHS, _NUMBER_FUNCTIONS, _MIXING, _OTHER_CALLS)
    return any(name in functions for functions in known)


def _taken_apart(term: Term, types: list[str]) -> str | None:
    """Read date_trunc, extract and date_part: of a timestamp they are immutable, of a timestamptz not."""
    if len(types) != 2:
        return None
    if term.name == "date_trunc":
        return types[1] if types[1] in ("timestamp", "interval") else None
    if types[1] in ("timestamp", "date", "time", "interval"):
        return "numeric" if term.name == "extract" else "float8"
    return None


def _zoned(term: Term, types: list[str]) -> str | None:
    """Read ``created AT TIME ZONE 'UTC'``: with the zone named, no setting decides."""
    if len(types) != 2 or term.args[0].kind is not TermKind.LITERAL:
        return None
    return {"timestamptz": "timestamp", "timestamp": "timestamptz"}.get(types[1])


def _searchable(term: Term, types: list[str]) -> str | None:
    """Read to_tsvector: with the configuration named it is immutable; without, it depends on a setting."""
    if len(types) != 2 or not _is_literal(term.args[0]):
        return None
    return "tsvector" if types[1] in TEXTS or types[1] in ("jsonb", "json", UNKNOWN) else None


def _is_literal(term: Term) -> bool:
    return term.kind is TermKind.LITERAL or (term.kind is TermKind.CAST and _is_literal(term.args[0]))


_OTHER_CALLS: Mapping[str, Callable[[Term, list[str]], str | None]] = {
    "date_trunc": _taken_apart,
    "date_part": _taken_apart,
    "extract": _taken_apart,
    "timezone": _zoned,
    "to_tsvector": _searchable,
    "setweight": lambda _term, types: "tsvector" if types[:1] == ["tsvector"] else None,
    "date": lambda _term, types: "date" if types in (["timestamp"], ["date"]) else None,
    "jsonb_extract_path_text": lambda _term, types: "text" if types[0] == "jsonb" else None,
    "jsonb_extract_path": lambda _term, types: "jsonb" if types[0] == "jsonb" else None,
    "jsonb_array_length": lambda _term, types: "int4" if types[0] == "jsonb" else None,
    "jsonb_typeof": lambda _term, types: "text" if types[0] == "jsonb" else None,
    "array_length": lambda _term, types: "int4" if types[0].startswith("_") else None,
    "cardinality": lambda _term, types: "int4" if types[0].startswith("_") else None,
    "host": lambda _term, types: "text" if types[0] in ("inet", "cidr") else None,
    "array": lambda _term, types: f"_{shared}" if (shared := _shared(types)) else None,
}


def _operator(term: Term, types: list[str], _catalog: Catalog) -> str | None:
    name = term.name
    if name in _COMPARISONS:
        if "timestamptz" in types and not all(map(_is_fixed_moment, term.args)):
            return None
        return "bool" if _comparable(types, by_element=name.endswith(("ANY", "ALL"))) else None
    if name in _MATCHES:
        return "bool" if all(found in TEXTS or found == UNKNOWN for found in types) else None
    if name in ("->", "#>", "->>", "#>>") and types[0] in ("jsonb", "json", "hstore"):
        plain = name.endswith(">>") or types[0] == "hstore"
        return "text" if plain else types[0]
    if name == "||":
        return _joined(types)
    if name in ("@>", "<@", "?", "?|", "?&", "&&") and types[0] == "jsonb":
        return "bool"
    return _arithmetic(name, types)


def _is_fixed_moment(term: Term) -> bool:
    return term.kind is not TermKind.LITERAL or _is_fixed_literal(term.name, "timestamptz")


def _joined(types: list[str]) -> str | None:
    if all(found in TEXTS or found == UNKNOWN for found in types):
        return "text"  # a number's or date's text form may depend on settings
    return types[0] if types[0] == types[-1] and types[0] in ("jsonb", "tsvector") else None


def _arithmetic(name: str, types: list[str]) -> str | None:
    if all(found in NUMBERS for found in types):
        kinds = set(types) - {"numeric"}
        if name in ("+", "-", "*", "/", "%", "^"):
            return kinds.pop() if len(kinds) == 1 else "numeric"
        return kinds.pop() if name in ("&", "|", "#", "<<", ">>") and len(kinds) == 1 else None
    if name not in ("+", "-"):
        return None
    match sorted(types):
        case ["date", "int2" | "int4" | "numeric"]:
            return "date"
        case ["date", "date"]:
            return "int4"
        case ["interval", "timestamp"] | ["date", "interval"]:
            return "timestamp"
        case ["timestamp", "timestamp"] | ["timestamptz", "timestamptz"] | ["interval", "interval"]:
            return "interval"
    return None


def _comparable(types: list[str], *, by_element: bool) -> bool:
    """Tell whether a comparison is immutable: timestamps with a time zone only among themselves."""
    if by_element:
        return types[-1] == UNKNOWN or types[-1].removeprefix("_") == types[0] or (
            types[0] in TEXTS and types[-1].removeprefix("_") in TEXTS
        )  # fmt: skip
    return _shared(types) is not None or set(types) <= {"date", "timestamp", UNKNOWN}


def _shared(types: list[str]) -> str | None:
    """Return the one type that all have in common; string literals have any."""
    kinds = dict.fromkeys(found for found in types if found != UNKNOWN)
    if len(kinds) <= 1:
        return next(iter(kinds), UNKNOWN)
    for family, name in ((NUMBERS, "numeric"), (TEXTS, "text")):
        if family.issuperset(kinds):
            return name
    return None


def _case(_term: Term, types: list[str], _catalog: Catalog) -> str | None:
    return _shared(types[1:])


_READERS: Mapping[TermKind, Callable[[Term, list[str], Catalog], str | None]] = {
    TermKind.CAST: _cast,
    TermKind.CALL: _call,
    TermKind.OPERATOR: _operator,
    TermKind.CASE: _case,
}
