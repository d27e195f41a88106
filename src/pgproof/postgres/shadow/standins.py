"""What takes the place of a type, a collation, a role or a schema that a shadow's server lacks. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from pgproof.sqltext.quote import qualify, quote_identifier

_UNDEFINED_OBJECT = "42704"
_UNDEFINED_SCHEMA = "3F000"
_TYPE = re.compile(r'^type "?(?P<name>.+?)(?:\[\])*"? does not exist')
_COLLATION = re.compile(r'collation "(?P<name>.+)" for encoding ".*" does not exist')
_ROLE = re.compile(r'role "(?P<name>.+)" does not exist')
_SCHEMA = re.compile(r'schema "(?P<name>.+)" does not exist')
_NEW_COLLATION = re.compile(r"CREATE COLLATION (?P<name>\S+|\"[^\"]*\"\.\"[^\"]*\") \(", re.IGNORECASE)
_NEW_EXTENSION = re.compile(
    r'CREATE EXTENSION (?:IF NOT EXISTS )?(?P<name>"(?:[^"]|"")+"|\S+)', re.IGNORECASE
)
# A base type that takes any text and any type modifier, and has no operator: a statement that does more with
# it than to fetch it fails, rather than to be planned by the rules of another type.
_BASE_TYPE = """\
CREATE TYPE {name};
CREATE FUNCTION {prefix}_in(cstring) RETURNS {name} AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION {prefix}_out({name}) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION {prefix}_mod(cstring[]) RETURNS integer AS 'array_ndims' LANGUAGE internal IMMUTABLE STRICT;
CREATE TYPE {name}
       (INPUT = {prefix}_in, OUTPUT = {prefix}_out, TYPMOD_IN = {prefix}_mod, STORAGE = extended)"""


@dataclass(frozen=True, slots=True)
class StandIn:
    """Something made in the place of what is missing.

    Args:
        sql: Makes it; one or more statements.
        note: What a reader must know; empty where it changes no plan.
        replaces: The failed statement itself is done with it.
    """

    sql: str
    note: str = ""
    replaces: bool = False


def extension_of(statement: str) -> str:
    """Return the extension a statement would create, empty if it is another statement."""
    match = _NEW_EXTENSION.match(statement)
    return match["name"].rstrip(";").strip('"').replace('""', '"') if match else ""


def find_stand_ins(statement: str, error: psycopg.Error) -> Iterator[StandIn]:
    """Yield what would let a failed statement succeed; mostly nothing.

    Args:
        statement: Of a dump.
        error: The server's, with its message in English.
    """
    collation = _NEW_COLLATION.match(statement)
    if collation:
        yield _collation(collation["name"], replaces=True)
        return
    message = error.diag.message_primary or ""
    if error.sqlstate == _UNDEFINED_SCHEMA and (found := _SCHEMA.search(message)):
        yield StandIn(f"CREATE SCHEMA {quote_identifier(found['name'])}")
    elif error.sqlstate != _UNDEFINED_OBJECT:
        return
    elif found := _TYPE.search(message):
        yield _base_type(found["name"])
    elif found := _COLLATION.search(message):
        schema, _, name = found["name"].rpartition(".")
        yield _collation(qualify(schema or "pg_catalog", name))
    elif found := _ROLE.search(message):
        yield StandIn(f"CREATE ROLE {quote_identifier(found['name'])} NOLOGIN")


def _base_type(shown: str) -> StandIn:
    schema, _, name = shown.rpartition(".")
    # The prefix is digits and letters only, so that "_in" can stand behind it without a quote between.
    prefix = qualify(schema or None, "pgproof_" + hashlib.sha256(name.encode()).hexdigest()[:12])
    return StandIn(
        _BASE_TYPE.format(name=qualify(schema or None, name), prefix=prefix),
        f"type {shown}: it is unknown here; its columns can be fetched, but not searched",
    )


def _collation(name: str, *, replaces: bool = False) -> StandIn:
    return StandIn(
        f"SET allow_system_table_mods = on; CREATE COLLATION {name} (provider = libc, locale = 'C.UTF-8')",
        f"collation {name}: unknown here, text under it is compared by code point",
        replaces,
    )
