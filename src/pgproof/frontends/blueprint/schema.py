"""The JSON Schema of a blueprint file, made of the same classes as its reader."""

from __future__ import annotations

import math
import types
from dataclasses import is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from pgproof.frontends.blueprint.assemble import VERSION
from pgproof.frontends.blueprint.decode import KIND
from pgproof.frontends.blueprint.document import BlueprintDocument
from pgproof.frontends.blueprint.format import Key, keys_of, read_summary
from pgproof.frontends.blueprint.plain import plain_value
from pgproof.frontends.blueprint.ranges import Range

_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number"}


def blueprint_schema() -> dict[str, Any]:
    """Return the schema, with a definition for each kind of mapping.

    It can't say what lies between keys (a statement that the workload has, a name that is unique):
    ``pgproof blueprint check`` does.
    """
    definitions: dict[str, Any] = {}
    top = _record(BlueprintDocument, definitions)
    top["properties"]["version"]["enum"] = [VERSION, None]
    top["properties"]["variants"]["minItems"] = 1
    return {**top, "$defs": dict(sorted(definitions.items()))}


def _record(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    keys = keys_of(kind)
    schema: dict[str, Any] = {
        "type": "object",
        "description": read_summary(kind),
        "properties": {key.name: _property(key, definitions) for key in keys},
        "additionalProperties": False,
    }
    needed = [key.name for key in keys if key.needed]
    # which of several kinds of change it is can't be guessed
    needed += [key.name for key in keys if key.name == KIND and get_origin(key.type) is Literal]
    return {**schema, **({"required": needed} if needed else {})}


def _property(key: Key, definitions: dict[str, Any]) -> dict[str, Any]:
    schema = _value(key.type, key.limits, definitions)
    if not key.needed:
        schema = _also_null(schema)
    if key.meaning:
        schema["description"] = key.meaning
    default = None if key.needed else plain_value(key.default)
    if default not in (None, "", [], {}) and key.name != KIND:
        schema["default"] = default
    return schema


def _also_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Allow a key with nothing behind it, which has its default."""
    if "anyOf" in schema:
        return {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _value(wanted: Any, limits: Range, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, inside = get_origin(wanted), get_args(wanted)
    if origin in (Union, types.UnionType):
        options = [each for each in inside if each is not type(None)]
        schemas = [_value(each, limits, definitions) for each in options]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    if origin is tuple:
        return {"type": "array", "items": _value(inside[0], limits, definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _value(inside[1], limits, definitions)}
    if origin is Literal:
        return {"const": inside[0]}
    if is_dataclass(wanted):
        return _reference(wanted, definitions)
    if issubclass(wanted, Enum):
        return {"enum": [member.value for member in wanted]}
    return {"type": _NAMES[wanted], **(_limits(limits) if wanted in (int, float) else {})}


def _reference(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__.removesuffix("Document")
    if name not in definitions:
        definitions[name] = {}  # before its own keys are looked at, which may name it again
        definitions[name] = _record(kind, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _limits(limits: Range) -> dict[str, float]:
    low = {"minimum": limits.least} if limits.above is None else {"exclusiveMinimum": limits.above}
    return low if math.isinf(limits.below) else {**low, "exclusiveMaximum": limits.below}
