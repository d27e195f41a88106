"""Puts the driver's errors into plain words, with what to do about them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from pgproof.errors import CapabilityMissing, ServerError, Unreachable
from pgproof.postgres.dsn import mask
from pgproof.postgres.grants import Denial

INSUFFICIENT_PRIVILEGE = "42501"

UNDEFINED_TABLE = "42P01"

LACKING = frozenset({"42P01", "42883", "42704", "3F000", "42703", "42846", "0A000", "58P01", "42725"})
"""SQLSTATEs of what a statement needs and the database lacks: relation, function, type or operator, schema,
column, cast, feature, library. **Source**: documentation, appendix A."""


class _Refusal(NamedTuple):
    """How libpq or the server words a refused connection, and what we say instead.

    libpq hands out no SQLSTATE for a connection that did not come about, so its English words are matched; a
    server that speaks another language gets the general message with its own words.
    """

    pattern: re.Pattern[str]
    sqlstate: str
    message: str
    hint: str


def _refusal(pattern: str, sqlstate: str, message: str, hint: str) -> _Refusal:
    return _Refusal(re.compile(pattern, re.IGNORECASE | re.DOTALL), sqlstate, message, hint)


_REFUSALS = (
    _refusal(
        r"password authentication failed",
        "28P01",
        "The password for {address} is wrong, or the user does not exist.",
        "Give the password in PGPASSWORD or ~/.pgpass, and check the user name.",
    ),
    _refusal(
        r"no password supplied",
        "28P01",
        "{address} asks for a password and none was given.",
        "Put it into PGPASSWORD, ~/.pgpass or the connection string.",
    ),
    _refusal(
        r"no pg_hba\.conf entry",
        "28000",
        "{address} does not admit this user from this machine (no pg_hba.conf entry).",
        "Add a line to pg_hba.conf for this address, user and database and run SELECT pg_reload_conf(); "
        "if the entry asks for TLS, add sslmode=require to the connection string.",
    ),
    _refusal(
        r"(ident|peer|PAM|LDAP|GSSAPI|RADIUS|certificate|BSD|SSPI).{0,3} ?authentication failed",
        "28000",
        "{address} refused to authenticate this user.",
        "Check the user name, and the method in pg_hba.conf (peer needs a system user of that name).",
    ),
    _refusal(
        r'role "?.*"? (does not exist|is not permitted to log in)',
        "28000",
        "The user does not exist on {address}, or may not log in.",
        "Check the user name, or create it: CREATE ROLE name LOGIN.",
    ),
    _refusal(
        r'database "?.*"? does not exist',
        "3D000",
        "There is no such database on {address}.",
        "List the databases with psql -l; names are case-sensitive.",
    ),
    _refusal(
        r"permission denied for database",
        INSUFFICIENT_PRIVILEGE,
        "This user may not connect to {address}.",
        "GRANT CONNECT ON DATABASE name TO user;",
    ),
    _refusal(
        r"too many (clients|connections)|remaining connection slots|no more connections allowed",
        "53300",
        "{address} has no free connection.",
        "Wait, close idle connections, or raise max_connections (needs a restart).",
    ),
    _refusal(
        r"the database system is (starting up|shutting down|in recovery|not (yet )?accepting)",
        "57P03",
        "{address} is starting, stopping or recovering and takes no connections yet.",
        "Try again in a moment.",
    ),
    _refusal(
        r"SSL was required|server does not support SSL",
        "",
        "TLS is asked for, but {address} does not offer it.",
        "Use sslmode=prefer, or switch ssl on at the server.",
    ),
    _refusal(
        r"certificate verify failed|root certificate|SSL error|certificate",
        "",
        "The TLS certificate of {address} could not be verified or negotiated.",
        "Check sslmode, sslrootcert and the host name in the connection string.",
    ),
    _refusal(
        r"SSL.{0,20}required|SSL connection is required",
        "28000",
        "{address} demands TLS.",
        "Add sslmode=require to the connection string.",
    ),
    _refusal(
        r"failed to resolve host|could not translate host name|Name or service not known",
        "",
        "The host name in {address} can't be resolved.",
        "Check its spelling and the DNS of this machine.",
    ),
    _refusal(
        r"timeout expired|timed out",
        "",
        "{address} did not answer in time.",
        "A firewall may drop the packets, or the host is down. connect_timeout=30 waits longer.",
    ),
    _refusal(
        r"Connection refused|No such file or directory",
        "",
        "No server is running at {address}.",
        "Start it, or check host and port; listen_addresses must include this address.",
    ),
    _refusal(
        r"definition of service",
        "",
        "The service named in the connection string is not defined.",
        "Define it in ~/.pg_service.conf, or set PGSERVICEFILE.",
    ),
)


_DENIED = re.compile(r'permission denied for (?P<kind>[a-z ]+?)(?: "?(?P<name>.*?)"?)?\Z')
_UNKNOWN = re.compile(r'relation "(?P<name>.*)" does not exist\Z')
_OWNER = re.compile(r'must be owner of (?P<kind>[a-z ]+?) "?(?P<name>.*?)"?\Z')


def denial_of(error: psycopg.Error) -> Denial | None:
    """Return what a 42501 is about, None where the server's words don't tell (another language)."""
    match = _DENIED.match(error.diag.message_primary or "")
    return Denial(match["kind"], match["name"] or "") if match else None


def unknown_relation(error: psycopg.Error) -> str:
    """Return the name of a relation that the server does not find; empty where its words don't tell."""
    match = _UNKNOWN.match(error.diag.message_primary or "") if error.sqlstate == UNDEFINED_TABLE else None
    return match["name"] if match else ""


def connection_failure(error: psycopg.Error, address: str, secrets: Sequence[str]) -> Unreachable:
    """Say in plain words why no connection came about.

    Args:
        error: The driver's.
        address: Where to, safe to print.
        secrets: Passwords in use, which must not show.
    """
    words = mask(str(error), secrets)
    if (known := find_refusal(words, address)) is not None:
        return known
    last_line = words.strip().splitlines()[-1] if words.strip() else "unknown reason"
    return Unreachable(
        f"No connection to {address}: {last_line}",
        sqlstate=error.sqlstate or "",
        hint="Check host, port, user and database of the connection string.",
        context={"address": address},
    )


def find_refusal(words: str, address: str) -> Unreachable | None:
    """Return what libpq's words about a refused connection mean, None for words that are not known.

    Args:
        words: Passwords masked.
        address: Where to, safe to print.
    """
    for refusal in _REFUSALS:
        if refusal.pattern.search(words):
            message = refusal.message.format(address=address)
            return Unreachable(
                message, sqlstate=refusal.sqlstate, hint=refusal.hint, context={"address": address}
            )
    return None


def statement_failure(error: psycopg.Error, what: str, *, hint: str = "") -> ServerError:
    """Say in plain words why a statement failed; no DETAIL and no quoted value, which may be row values.

    Args:
        error: The driver's.
        what: What was run ("the catalog query tables", "the statement").
        hint: For a denied privilege: the exact GRANT.
    """
    sqlstate = error.sqlstate or ""
    said = primary_message(error)
    if sqlstate == INSUFFICIENT_PRIVILEGE:
        return CapabilityMissing(f"Not allowed: {said}.", sqlstate=sqlstate, hint=hint or _owner_hint(error))
    if sqlstate.startswith("08") or sqlstate in ("57P01", "57P02", "57P03") or _is_lost(error):
        return Unreachable(
            f"The connection was lost while {what} ran: {said}.",
            sqlstate=sqlstate,
            hint="The server restarted, crashed or ended the session; see its log, then run this again.",
        )
    message, known_hint = _KNOWN.get(sqlstate, ("{what} failed: {said}.", ""))
    return ServerError(
        _sentence(message.format(what=what, said=said)), sqlstate=sqlstate, hint=hint or known_hint
    )


def primary_message(error: psycopg.Error) -> str:
    """Return the server's primary message without the values it may quote and the closing full stop."""
    sqlstate = error.sqlstate or ""
    said = (error.diag.message_primary or str(error)).strip().rstrip(".")
    if sqlstate.startswith("P0"):
        return "a function raised an exception (its words are left out: they may hold data)"
    if sqlstate.startswith("22") or not sqlstate:  # data exceptions quote the value
        return re.sub(r"([\"']).*\1", "(value left out)", said.splitlines()[0] if said else "")
    return said


_KNOWN = {
    "57014": (
        "{what} was stopped: {said}.",
        "It ran longer than statement_timeout, or somebody cancelled it. Allow it more time.",
    ),
    "55P03": (
        "{what} did not get its lock in time: {said}.",
        "Another session holds the table; try again later.",
    ),
    "42P01": (
        "{what} names a table that is not there, or not on the search path: {said}.",
        "Check name, schema and search_path; read the catalog again if it was dropped meanwhile.",
    ),
    "25006": (
        "{what} would write, and this session only reads: {said}.",
        "pgproof writes to clones and, in a rollout, by typed steps only.",
    ),
    "40P01": ("{what} was chosen as the victim of a deadlock: {said}.", "Try again."),
    "53200": ("{what} failed because the server ran out of memory: {said}.", ""),
    "53100": ("{what} failed because the server's disk is full: {said}.", "Free space on the server first."),
}


def _owner_hint(error: psycopg.Error) -> str:
    match = _OWNER.match(error.diag.message_primary or "")
    if match:
        return f"Connect as the owner of {match['kind']} {match['name']}, or as a member of the owning role."
    return "Connect as a role that has the privilege, or have it granted."


def _is_lost(error: psycopg.Error) -> bool:
    """Tell whether the connection went away under the statement; libpq gives no SQLSTATE then."""
    return isinstance(error, psycopg.OperationalError) and not error.sqlstate


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
