"""YAML text as a tree in which everything knows its place.

Nothing but text, numbers, booleans, null, lists and mappings; anchors and merge keys (``<<``) are resolved,
with a limit on what they may grow to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from pgproof.frontends.blueprint.problems import TOP, Place, Problems

MOST_CHARACTERS = 2_000_000
"""Of a file. **Source**: judgement; ``advise`` writes some 50 characters a statement and variant, so 10,000
statements fit."""

MOST_NODES = 200_000
"""Of a document with all aliases resolved: a few lines of nested aliases stand for billions."""

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_KINDS = ("null", "bool", "int", "float", "str", "timestamp", "merge", "value", "seq", "map")
_TAB = "found character '\\t'"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, a number, a boolean or null.

    Args:
        place: Where it begins.
        text: As written, without quotes.
        value: What YAML takes it for.
        plain: Without quotes, and not a block.
        raw: The characters of the file from its first to its last.
        style: Of PyYAML: None, "'", '"', "|" or ">".
    """

    place: Place
    text: str
    value: bool | int | float | str | None
    plain: bool = True
    raw: str = ""
    style: str | None = None

    def place_of(self, offset: int) -> Place:
        """Return where a character of the text stands in the file.

        Args:
            offset: 0-based, in ``text``.

        Returns:
            Exact but for texts in double quotes with escapes: there the place where the text begins.
        """
        if self.style == '"' and "\\" in self.raw:
            return self.place
        wanted = sum(not character.isspace() for character in self.text[:offset])
        for position, character in _content(self.raw, self.style):
            if character.isspace():
                continue
            if wanted == 0:
                return _move(self.place, self.raw[:position])
            wanted -= 1
        return self.place


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    place: Place
    items: tuple[YamlTree, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the file; no key twice."""

    place: Place
    entries: tuple[tuple[Scalar, YamlTree], ...]


YamlTree = Scalar | Listing | Mapping


def read_tree(data: bytes, problems: Problems) -> YamlTree | None:
    """Read a YAML file.

    Args:
        data: Its content; a byte order mark is fine.
        problems: Told what is wrong.

    Returns:
        The document; None where it can't be read, or holds nothing but comments.
    """
    text = _decode(data, problems)
    if text is None:
        return None
    if len(text) > MOST_CHARACTERS:
        problems.add(
            TOP,
            f"the file has {len(text):,} characters; a blueprint may have {MOST_CHARACTERS:,}.",
            "Statements and their values belong in the workload file that it names.",
        )
        return None
    node = _compose(text, problems)
    if node is None or not _is_small(node, problems):
        return None
    return _Reader(text, problems).tree(node)


def _decode(data: bytes, problems: Problems) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")  # all of it is good
        problems.add(_move(TOP, before), "the file is not UTF-8.", "Save it as UTF-8 (iconv -t UTF-8).")
        return None


def _compose(text: str, problems: Problems) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = str(error.problem or error.context)
        hint = "Check the indentation, and quote texts that hold ': ' or begin with one of % @ * & ! [ {."
        if told.startswith(_TAB):
            hint = "Indent with spaces: YAML takes no tabs there."
        problems.add(_place(mark) if mark else TOP, f"not valid YAML: {told}.", hint)
        return None
    except yaml.reader.ReaderError as error:
        character = error.character if isinstance(error.character, int) else ord(error.character[:1])
        problems.add(
            _move(TOP, text[: error.position]),
            f"not valid YAML: the character U+{character:04X} may not stand in a file.",
            'Leave it out, or write it as "\\x..", in double quotes.',
        )
        return None
    except RecursionError:
        problems.add(
            TOP, "lists and mappings are nested too deeply.", "A blueprint is at most six levels deep."
        )
        return None
    return node


def _is_small(root: yaml.Node, problems: Problems) -> bool:
    """Tell whether the document stays small when all its aliases are resolved; a loop of them never does."""
    sizes: dict[int, int] = {}
    waiting: list[tuple[yaml.Node, bool]] = [(root, False)]
    entered: set[int] = set()
    while waiting:
        node, all_known = waiting.pop()
        children = list(_children(node))
        if all_known:
            entered.discard(id(node))
            sizes[id(node)] = 1 + sum(sizes.get(id(child), 0) for child in children)
            if sizes[id(node)] > MOST_NODES:
                problems.add(
                    _place(node.start_mark),
                    f"the document has more than {MOST_NODES:,} entries once its aliases are resolved.",
                    "Write out what is meant.",
                )
                return False
        elif id(node) not in sizes:
            if id(node) in entered:
                problems.add(_place(node.start_mark), "an anchor (&name) holds itself.", "Write it out.")
                return False
            entered.add(id(node))
            waiting.append((node, True))
            waiting += [(child, False) for child in children]
    return True


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


class _Reader:
    """Turns PyYAML's nodes into ours."""

    def __init__(self, text: str, problems: Problems) -> None:
        self._text = text
        self._problems = problems
        self._values = yaml.SafeLoader("")

    def tree(self, node: yaml.Node) -> YamlTree:
        if node.tag.removeprefix(_TAG) not in _KINDS:
            tag = node.tag.replace(_TAG, "!!")
            self._problems.add(
                _place(node.start_mark), f"the tag {tag} has no meaning here.", "Leave it out."
            )
        if isinstance(node, yaml.SequenceNode):
            return Listing(_place(node.start_mark), tuple(self.tree(item) for item in node.value))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode) -> Mapping:
        own: dict[str, tuple[Scalar, YamlTree]] = {}
        merged: dict[str, tuple[Scalar, YamlTree]] = {}
        for key_node, value_node in node.value:
            value = self.tree(value_node)
            if key_node.tag == _MERGE:
                for one in value.items if isinstance(value, Listing) else (value,):
                    for entry in one.entries if isinstance(one, Mapping) else ():
                        merged.setdefault(entry[0].text, entry)
                continue
            key = self.tree(key_node)
            if not isinstance(key, Scalar):
                self._problems.add(key.place, "a key must be a text.")
            elif key.text in own:
                first = own[key.text][0].place
                message = f"the key {key.text!r} is written twice, first in line {first.line}."
                self._problems.add(key.place, message, "Keep one of them.")
            else:
                own[key.text] = (key, value)
        return Mapping(_place(node.start_mark), tuple({**merged, **own}.values()))

    def _scalar(self, node: yaml.ScalarNode) -> Scalar:
        place = _place(node.start_mark)
        value: Any = node.value
        kind = node.tag.removeprefix(_TAG)
        if kind in ("null", "bool", "int", "float"):
            try:
                value = self._values.construct_object(node)
            except (ValueError, ArithmeticError):
                self._problems.add(place, f"{node.value!r} is not a number.")
        elif node.style is None and _is_number(node.value):
            value = float(node.value)  # 1e3, which YAML 1.1 takes for a text
        raw = self._text[node.start_mark.index : node.end_mark.index]
        return Scalar(place, str(node.value), value, node.style is None, raw, node.style)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and not text[-1:].isspace()
    except ValueError:
        return False


def _content(raw: str, style: str | None) -> Iterator[tuple[int, str]]:
    """Yield the characters of a text in the file with their positions there, without what quotes it."""
    start, end = 0, len(raw)
    if style in ("'", '"'):
        start, end = 1, end - 1
    elif style in ("|", ">"):
        start = raw.find("\n") + 1
    doubled = False
    for position in range(start, end):
        character = raw[position]
        if style == "'" and character == "'" and not doubled:
            doubled = True  # '' stands for one
            continue
        doubled = False
        yield position, character


def _move(place: Place, text: str) -> Place:
    lines = text.count("\n")
    if not lines:
        return Place(place.line, place.column + len(text))
    return Place(place.line + lines, len(text) - text.rfind("\n"))


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)
