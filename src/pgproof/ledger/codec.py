"""Model values to JSON text and back, exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from pgproof.errors import ConfigError

T = TypeVar("T")


def to_json(value: object) -> str:
    """Write a model value, or a mapping or list of them, as compact JSON.

    Infinite and undefined numbers, which JSON lacks, are written as the strings "Infinity", "-Infinity" and
    "NaN", and read back as numbers.
    """
    kind: Any = type(value)
    plain = _adapter(kind).dump_python(value, mode="json")
    return json.dumps(_finite(plain), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def from_json(wanted: type[T], data: str | bytes | Mapping[str, Any]) -> T:
    """Read a model value back.

    Args:
        wanted: Its class.
        data: What `to_json` wrote, or that already parsed.

    Raises:
        ConfigError: It is not JSON, or not a value of that class; no part of the data is in the message.
    """
    try:
        plain = json.loads(data) if isinstance(data, (str, bytes)) else data
        kind: Any = wanted
        value: T = _adapter(kind).validate_python(plain)
    except json.JSONDecodeError as error:
        raise ConfigError(f"Not JSON at line {error.lineno}, column {error.colno}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top"
        raise ConfigError(
            f"Not a stored {wanted.__name__}: {first['msg']} at {place}",
            hint="It was written by another version of pgproof, or changed by hand.",
        ) from None
    return value


@lru_cache(maxsize=64)
def _adapter(wanted: Any) -> TypeAdapter[Any]:
    return TypeAdapter(wanted)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
