"""From a YAML tree to dataclasses by their type hints; what doesn't fit becomes a problem with its place."""

from __future__ import annotations

import math
import types
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from functools import cache
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pgproof.frontends.blueprint.problems import CLOSE, Place, Problems, nearest
from pgproof.frontends.blueprint.ranges import Range, range_of
from pgproof.frontends.blueprint.yaml_tree import Listing, Mapping, Scalar, YamlTree

Path = tuple[str | int, ...]
"""From the top of the document: keys and 0-based positions."""

KIND = "kind"
"""The key that says which of several classes a mapping is."""


T = TypeVar("T")


class _Broken:
    """Stands for what could not be read; the problem is noted already."""


BROKEN: Final = _Broken()


@dataclass(slots=True)
class Decoder:
    """Reads values out of one document.

    Args:
        problems: Told what does not fit.
        trees: What was read, by its path; for problems that show only later.
        unmade: Why some kinds are known and yet can't be written, by their name.
        misspelt: Keys that were probably meant by some that there are not.
    """

    problems: Problems
    trees: dict[Path, YamlTree] = field(default_factory=dict)
    unmade: AbstractMapping[str, str] = field(default_factory=dict)
    misspelt: set[Path] = field(default_factory=set)
    _kept: dict[Path, tuple[int, ...]] = field(default_factory=dict)

    def read(self, tree: YamlTree, wanted: Any, path: Path = (), limits: Range | None = None) -> Any:
        """Read a value.

        Args:
            tree: What was written.
            wanted: A type hint: a dataclass, text, number, boolean, enumeration, list (``tuple[X, ...]``),
                mapping (``dict[str, X]``), or a union of such.
            path: Where it stands.
            limits: Of a number.

        Returns:
            The value; `BROKEN` where nothing can be made of it.
        """
        self.trees[path] = tree
        choices = _choices(wanted)
        if isinstance(tree, Mapping):
            return self._mapping(tree, choices, path)
        if isinstance(tree, Listing):
            return self._list(tree, choices, path)
        return self._scalar(tree, choices, path, limits or Range())

    def place(self, path: Path) -> Place:
        """Return where something stands, or what it would stand in."""
        while path not in self.trees and path:
            path = path[:-1]
        return self.trees[path].place

    def placed(self, values: Sequence[T], *path: str | int) -> Iterator[tuple[Path, T]]:
        """Yield the items of a list that was read with their paths: broken ones are not among them."""
        for number, value in zip(self._kept.get(path, range(len(values))), values, strict=True):
            yield (*path, number), value

    def _mapping(self, tree: Mapping, choices: tuple[Any, ...], path: Path) -> Any:
        classes = [choice for choice in choices if is_dataclass(choice)]
        if len(classes) > 1:
            return self._one_of(tree, classes, path)
        if classes:
            return self._record(tree, classes[0], path)
        for choice in choices:
            if get_origin(choice) is dict:
                value = get_args(choice)[1]
                read = {key.text: self.read(item, value, (*path, key.text)) for key, item in tree.entries}
                return {key: item for key, item in read.items() if item is not BROKEN}
        return self._refuse(tree.place, choices, path)

    def _one_of(self, tree: Mapping, classes: list[Any], path: Path) -> Any:
        """Read one of several classes, told apart by their key ``kind``."""
        by_kind = {kind_name(each): each for each in classes}
        given = next((item for key, item in tree.entries if key.text == KIND), None)
        if given is None:
            self.problems.add(
                tree.place, f"{_what(path)} has no kind.", f"Known kinds: {', '.join(by_kind)}."
            )
            return BROKEN
        name = given.text if isinstance(given, Scalar) else ""
        if name not in by_kind:
            told = self.unmade.get(name, f"{name!r} is no kind of change.")
            self.problems.add(given.place, told, nearest(name, tuple(by_kind)))
            return BROKEN
        return self._record(tree, by_kind[name], path)

    def _record(self, tree: Mapping, kind: Any, path: Path) -> Any:
        hints = field_types(kind)
        given: dict[str, Any] = {}
        for key, item in tree.entries:
            if key.text not in hints:
                told = f"{_what(path)} has no key {key.text!r}."
                self.problems.add(key.place, told, nearest(key.text, tuple(hints)))
                self.misspelt.add((*path, *get_close_matches(key.text, hints, n=1, cutoff=CLOSE)))
            elif not (isinstance(item, Scalar) and item.value is None):  # with nothing behind it: the default
                limits = range_of(kind, key.text)
                given[key.text] = self.read(item, hints[key.text], (*path, key.text), limits)
        broken = False
        for each in fields(kind):
            needed = each.default is MISSING and each.default_factory is MISSING
            if needed and each.name not in given and (*path, each.name) not in self.misspelt:
                message = f"{_what(path)} needs the key {each.name!r}."
                self.problems.add(tree.place, message, f"Write {each.name}: and its value.")
            broken = broken or (needed and given.get(each.name, BROKEN) is BROKEN)
        return BROKEN if broken else kind(**{k: v for k, v in given.items() if v is not BROKEN})

    def _list(self, tree: Listing, choices: tuple[Any, ...], path: Path) -> Any:
        for choice in choices:
            if get_origin(choice) is tuple:
                item_type = get_args(choice)[0]
                read = [self.read(item, item_type, (*path, n)) for n, item in enumerate(tree.items)]
                self._kept[path] = tuple(n for n, item in enumerate(read) if item is not BROKEN)
                return tuple(read[n] for n in self._kept[path])
        return self._refuse(tree.place, choices, path)

    def _scalar(self, tree: Scalar, choices: tuple[Any, ...], path: Path, limits: Range) -> Any:
        if tree.value is None:
            return self._refuse(tree.place, choices, path)
        if bool in choices and isinstance(tree.value, bool):
            return tree.value
        if not isinstance(tree.value, bool):
            if float in choices and isinstance(tree.value, int | float):
                return self._number(tree, tree.value, path, limits)
            if int in choices and isinstance(tree.value, int):
                return self._number(tree, tree.value, path, limits)
        for choice in choices:
            if isinstance(choice, type) and issubclass(choice, Enum):
                return self._member(tree, choice, path)
        if str in choices:
            return tree.text
        for choice in choices:
            if get_origin(choice) is Literal and tree.text in get_args(choice):
                return tree.text
        return self._refuse(tree.place, choices, path)

    def _number(self, tree: Scalar, number: Any, path: Path, limits: Range) -> Any:
        if limits.holds(number):
            return number
        wanted = str(limits) if math.isfinite(number) else "a number"
        self.problems.add(tree.place, f"{_what(path)} must be {wanted}, not {tree.text}.")
        return BROKEN

    def _member(self, tree: Scalar, kind: type[Enum], path: Path) -> Any:
        for member in kind:
            if member.value == tree.text:
                return member
        known = tuple(str(member.value) for member in kind)
        told = f"{_what(path)} must be one of {', '.join(known)}, not {tree.text!r}."
        self.problems.add(tree.place, told, nearest(tree.text, known) if len(known) > 1 else "")
        return BROKEN

    def _refuse(self, place: Place, choices: tuple[Any, ...], path: Path) -> Any:
        wanted = " or ".join(dict.fromkeys(_name(choice) for choice in choices if choice is not type(None)))
        self.problems.add(place, f"{_what(path)} must be {wanted}.", _recipe(choices, path))
        return BROKEN


@cache
def field_types(kind: Any) -> dict[str, Any]:
    """Return the type hint of each field of a dataclass, in order."""
    hints = get_type_hints(kind)
    return {name: hints[name] for name in kind.__dataclass_fields__}


def kind_name(kind: Any) -> str:
    """Return what the key ``kind`` holds for a class."""
    return str(kind.__dataclass_fields__[KIND].default)


def _choices(wanted: Any) -> tuple[Any, ...]:
    """Return the members of a union, those of unions in it as well; another type alone."""
    if get_origin(wanted) in (Union, types.UnionType):
        return tuple(choice for each in get_args(wanted) for choice in _choices(each))
    return (wanted,)


def _what(path: Path) -> str:
    """Name a place for people: "load", "variants[2].changes[1]" with positions from 1 on."""
    if not path:
        return "a blueprint"
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _name(choice: Any) -> str:
    if is_dataclass(choice) or get_origin(choice) in (dict, AbstractMapping):
        return "a mapping (key: value)"
    if get_origin(choice) is tuple:
        return "a list"
    if get_origin(choice) is Literal:
        return " or ".join(map(repr, get_args(choice)))
    if isinstance(choice, type) and issubclass(choice, Enum):
        return f"one of {', '.join(str(member.value) for member in choice)}"
    return {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}[choice]


def _recipe(choices: tuple[Any, ...], path: Path) -> str:
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    if any(get_origin(choice) is tuple for choice in choices):
        return f"Begin each item on a line of its own with '- ', below '{key}:'."
    classes: list[Any] = [choice for choice in choices if is_dataclass(choice)]
    if len(classes) == 1:
        (only,) = classes
        return f"Its keys are: {', '.join(field_types(only))}."
    return ""
