"""Page cursors: the last row's sort values as a text that a client may hold but not change.

Signed, not secret: who holds a cursor can read the values. Where that matters, sort by something else or keep
the cursor on the server.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pgproof.errors import ConfigError, InvalidCursor
from pgproof.runtime.paginate import KeyValue, SortKey

VERSION = b"\x01"
"""First byte of a cursor; another layout takes another one."""

MIN_SECRET_BYTES = 16
"""Of a secret. Source: judgement; 128 bits, which nobody guesses."""

SIGNATURE_BYTES = 16
"""Of the HMAC-SHA256. Source: RFC 2104, section 5: half of the output, and no less than 80 bits."""

# Type -> the letter that stands for it, and its exact text form.
_WRITE: Mapping[type, tuple[str, Callable[[Any], object]]] = {
    type(None): ("n", lambda _: 0),
    bool: ("b", int),
    int: ("i", str),
    float: ("f", float.hex),
    Decimal: ("d", str),
    str: ("s", str),
    datetime: ("t", datetime.isoformat),
    date: ("D", date.isoformat),
    UUID: ("u", lambda value: value.hex),
}
_READ: Mapping[str, Callable[[Any], KeyValue]] = {
    "n": lambda _: None,
    "b": bool,
    "i": int,
    "f": float.fromhex,
    "d": Decimal,
    "s": str,
    "t": datetime.fromisoformat,
    "D": date.fromisoformat,
    "u": UUID,
}


def encode_cursor(
    keys: Sequence[SortKey], values: Sequence[KeyValue], secret: bytes, *, scope: str = ""
) -> str:
    """Write a cursor.

    Args:
        keys: The order it continues; it is good for this order only.
        values: Of the page's last row, one a key.
        secret: The application's own, at least 16 random bytes; the same in all its processes.
        scope: What else it must only be good for, such as the list's name with its filters, and the user.

    Returns:
        URL-safe text without padding.

    Raises:
        ConfigError: The secret is too short, or a value has a type that no cursor keeps.
    """
    _check_secret(secret)
    if len(keys) != len(values):
        raise ConfigError(f"The order has {len(keys)} sort keys, the row {len(values)} values.")
    written = [_write(key, value) for key, value in zip(keys, values, strict=True)]
    body = VERSION + json.dumps(written, separators=(",", ":")).encode()
    return _to_text(_sign(body, keys, secret, scope) + body)


def decode_cursor(
    keys: Sequence[SortKey],
    text: str,
    secret: bytes,
    *,
    scope: str = "",
    old_secrets: Sequence[bytes] = (),
) -> tuple[KeyValue, ...]:
    """Read a cursor.

    Args:
        keys: The order it must have been made for.
        text: From the client; anything.
        secret: The application's own.
        scope: As when it was made.
        old_secrets: Taken too, while a secret is being replaced.

    Returns:
        The values, one a key, each of the type it was written with. A time zone comes back as its offset.

    Raises:
        InvalidCursor: It is not a cursor that this application made for this order and scope.
        ConfigError: A secret is too short.
    """
    for one in (secret, *old_secrets):
        _check_secret(one)
    raw = _from_text(text)
    signature, body = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    # Compared before anything is read: what is unsigned never reaches a parser.
    signed = [hmac.compare_digest(signature, _sign(body, keys, s, scope)) for s in (secret, *old_secrets)]
    if not any(signed) or not body.startswith(VERSION):
        raise _invalid()
    return tuple(_READ[letter](value) for letter, value in json.loads(body[len(VERSION) :]))


def _write(key: SortKey, value: KeyValue) -> tuple[str, object]:
    kind = type(value)
    if kind not in _WRITE:
        raise ConfigError(
            f"A cursor can't keep the sort key {key.column}: its value is of type {kind.__name__}.",
            hint=f"It keeps {', '.join(sorted(k.__name__ for k in _WRITE if k is not type(None)))} and None.",
        )
    letter, write = _WRITE[kind]
    return letter, write(value)


def _sign(body: bytes, keys: Sequence[SortKey], secret: bytes, scope: str) -> bytes:
    """Return the signature over a cursor's body and everything it must only be good for."""
    order = [(k.table, k.column, k.ascending, k.nullable and k.sorts_nulls_first) for k in keys]
    bound_to = json.dumps([order, scope]).encode()
    message = len(bound_to).to_bytes(4, "big") + bound_to + body
    return hmac.digest(secret, message, hashlib.sha256)[:SIGNATURE_BYTES]


def _to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _from_text(text: str) -> bytes:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid() from error
    if _to_text(raw) != text:  # unused bits of the last letter: another text for the same bytes
        raise _invalid()
    return raw


def _check_secret(secret: bytes) -> None:
    if len(secret) < MIN_SECRET_BYTES:
        raise ConfigError(
            f"The secret for cursors has {len(secret)} bytes; anybody could guess it.",
            hint="Make one with secrets.token_bytes(32) and keep it where the application keeps passwords.",
        )


def _invalid() -> InvalidCursor:
    return InvalidCursor(
        "The page cursor is not one that was made for this list.", hint="Start again at the first page."
    )
