"""Connection strings: reading them, pointing them elsewhere, and never showing what is secret in them."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from psycopg import Error, pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgproof.errors import UsageError

MASK = "***"

_SECRET_KEYWORDS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
# Each pattern rather hides too much than too little: a URL up to its last @, a value up to the next blank.
_URL_PASSWORD = re.compile(r"(\w://[^:@/?#\s'\"]*:)[^\s'\"]*@")
_KEY_VALUE = re.compile(
    r"((?:password|client_secret|scram_client_key|scram_server_key)[\"']?\s*[=]\s*)"
    r"('(?:[^'\\]|\\.)*'|(?:\\.|[^\s\\])+)",
    re.IGNORECASE,
)
_JSON_VALUE = re.compile(
    r"([\"']\w*password[\"']\s*:\s*)(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')", re.IGNORECASE
)
# Below this length a password is masked only where it stands as a word: it would tear other words apart.
_SHORT_SECRET = 4


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Hide every password in a text: in URLs, in key=value strings, and the given secrets anywhere.

    Args:
        text: A connection string, or a message that may hold one.
        secrets: Known passwords; also found percent-encoded.
    """
    text = _URL_PASSWORD.sub(rf"\g<1>{MASK}@", text)
    text = _KEY_VALUE.sub(rf"\g<1>{MASK}", text)
    text = _JSON_VALUE.sub(rf'\g<1>"{MASK}"', text)
    forms = {form for secret in secrets if secret for form in _spellings(secret)}
    for form in sorted(forms, key=len, reverse=True):
        pattern = re.escape(form)
        if len(form) < _SHORT_SECRET:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        text = re.sub(pattern, MASK, text)
    return text


def secrets_of(dsn: str) -> tuple[str, ...]:
    """Return the passwords of a connection string and the environment; empty if it can't be read."""
    try:
        given = conninfo_to_dict(dsn)
    except Error:
        return ()
    found = [str(given[keyword]) for keyword in _SECRET_KEYWORDS if given.get(keyword)]
    return (*found, *(value for keyword, value in libpq_defaults().items() if keyword in _SECRET_KEYWORDS))


def with_database(dsn: str, name: str) -> str:
    """Point a connection string at another database of the same server.

    Args:
        dsn: Any form libpq reads; empty means the environment.
        name: Name of the database, as stored in the catalog.

    Returns:
        A key=value string; it holds the password if ``dsn`` does.

    Raises:
        UsageError: ``dsn`` can't be read.
    """
    read_dsn(dsn)
    return make_conninfo(dsn, dbname=name)


def read_dsn(dsn: str) -> dict[str, str]:
    """Return the parameters a connection string gives, by libpq's keywords.

    Raises:
        UsageError: It can't be read. The driver's words are left out: they may quote the password.
    """
    try:
        return {keyword: str(value) for keyword, value in conninfo_to_dict(dsn).items() if value is not None}
    except Error:
        raise UsageError(
            "The connection string can't be read.",
            hint="Write it as postgresql://user@host:5432/database, as host=... dbname=... user=... or "
            "as service=NAME, or leave it empty and set PGHOST, PGUSER, PGDATABASE. In a URL, percent-encode "
            "special characters of the password (@ as %40, / as %2F).",
        ) from None


def without_secrets(dsn: str) -> str:
    """Return a connection string without its passwords, as a key=value string fit for an argument list.

    What is named explicitly beats a service file only there: the PG* variables of a program are weaker than
    the service they name.

    Raises:
        UsageError: ``dsn`` can't be read.
    """
    given = read_dsn(dsn)
    return make_conninfo(**{key: value for key, value in given.items() if key not in _SECRET_KEYWORDS})


def has_secret(dsn: str) -> bool:
    """Tell whether a connection string itself holds a password.

    Raises:
        UsageError: ``dsn`` can't be read.
    """
    return any(keyword in _SECRET_KEYWORDS for keyword in read_dsn(dsn))


def shell_argument(dsn: str, option: str = "") -> str:
    """Return what a command line needs to reach the same database again, with a space in front.

    Args:
        dsn: Any form libpq reads; empty means the PG* environment.
        option: That takes it, such as "--to"; empty for a plain argument.

    Returns:
        The connection string as it was given, quoted for a shell, without any passwords. Empty
        for the PG* environment, which serves the next command as well.

    Raises:
        UsageError: ``dsn`` can't be read.
    """
    if not dsn.strip():
        return ""
    word = _quote_for_shell(_without_password_in_url(dsn) if has_secret(dsn) else dsn)
    return f" {option} {word}" if option else f" {word}"


def _quote_for_shell(text: str) -> str:
    """Quote a word; in double quotes where it holds single ones and nothing that a shell would expand."""
    if "'" in text and not set(text) & set('"$`\\!'):
        return f'"{text}"'
    return shlex.quote(text)


def _without_password_in_url(dsn: str) -> str:
    """Leave out the passwords; a URL that is still one without them stays a URL."""
    plain = without_secrets(dsn)
    shorter = _URL_PASSWORD.sub(lambda found: found[1].removesuffix(":") + "@", dsn)
    same = "://" in shorter and not has_secret(shorter) and read_dsn(shorter) == read_dsn(plain)
    return shorter if same else plain


def address_of(dsn: str) -> str:
    """Say where a connection string points, safe to print: ``host:port/database`` as far as it tells."""
    given = {**libpq_defaults(), **read_dsn(dsn)}
    if "service" in given and "host" not in given:
        return f"service {given['service']}"
    host = given.get("host") or given.get("hostaddr") or "localhost"
    database = given.get("dbname") or given.get("user") or ""
    return f"{host}:{given.get('port') or '5432'}/{database}"


def libpq_defaults() -> dict[str, str]:
    """Return what libpq takes from PG* variables and its built-in defaults, by keyword."""
    return {o.keyword.decode(): o.val.decode() for o in pq.Conninfo.get_defaults() if o.val}


def libpq_environment(dsn: str, *, inherit: bool = True) -> dict[str, str]:
    """Turn a connection string into PG* variables, so that a password never stands in a command line.

    Args:
        dsn: Any form libpq reads.
        inherit: Keep this process's own PG* variables, right for a target that the user named.

    Returns:
        The environment for a libpq program such as pg_dump: this process's own, with the connection string's
        parameters on top. Parameters that have no variable (keepalives and the like) are left out.

    Raises:
        UsageError: ``dsn`` can't be read.
    """
    read_dsn(dsn)
    options = pq.Conninfo.parse(dsn.encode())
    given = {o.envvar.decode(): o.val.decode() for o in options if o.envvar and o.val is not None}
    own = {name: value for name, value in os.environ.items() if inherit or not name.startswith("PG")}
    return {**own, **given}


def _spellings(secret: str) -> tuple[str, ...]:
    escaped = secret.replace("\\", "\\\\").replace("'", "\\'")
    return (secret, quote(secret, safe=""), quote(secret), quote_plus(secret), escaped)
