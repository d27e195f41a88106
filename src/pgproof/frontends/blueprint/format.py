"""The format of a blueprint file as data: what a class of it says of its keys."""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from pgproof.frontends.blueprint.decode import field_types
from pgproof.frontends.blueprint.ranges import Range, range_of


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a mapping in a blueprint file.

    Args:
        name: As it is written.
        type: Type hint of its value.
        meaning: For people.
        needed: It may not be left out.
        default: What holds where it is left out; of no meaning where it is needed.
        limits: Of the number that it holds.
    """

    name: str
    type: Any
    meaning: str
    needed: bool
    default: Any
    limits: Range


def keys_of(kind: Any) -> tuple[Key, ...]:
    """Return the keys of a class of the file, in order."""
    meanings, types = read_meanings(kind), field_types(kind)
    return tuple(
        Key(
            each.name,
            types[each.name],
            meanings.get(each.name, ""),
            each.default is MISSING and each.default_factory is MISSING,
            _default(each),
            range_of(kind, each.name),
        )
        for each in fields(kind)
    )


def read_meanings(kind: Any) -> dict[str, str]:
    """Return what a class's docstring says of each field under Args, on one line each."""
    described = inspect.cleandoc(kind.__doc__ or "").partition("Args:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", described, re.MULTILINE)
    return {name: " ".join(meaning.split()).replace("``", "`") for name, meaning in found}


def read_summary(kind: Any) -> str:
    """Return the first line of a class's docstring."""
    return inspect.cleandoc(kind.__doc__ or "").splitlines()[0]


def _default(each: Field[Any]) -> Any:
    return each.default_factory() if each.default_factory is not MISSING else each.default
