"""YAML (and so JSON) with places: every complaint names file, line and column."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

import yaml

from pgproof.errors import ConfigError

_NULL = "tag:yaml.org,2002:null"


def read_entries(text: str, source: str) -> Entry | None:
    """Read a YAML text into entries that know where they stand.

    Args:
        text: One YAML document.
        source: Name of the file, for messages.

    Returns:
        The document; None where there is nothing but comments.

    Raises:
        ConfigError: It is not YAML.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        raise ConfigError(
            f"{place}: this is not YAML: {error.problem or error.context}",
            hint="Check indentation, and quote texts that hold ': ' or begin with one of % @ * & ! [ {.",
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{source}: this is not YAML: {error}".splitlines()[0],
            hint="Save the file as plain UTF-8 text, without control characters.",
        ) from None
    return None if node is None else Entry(node, source, text)


@dataclass(frozen=True, slots=True)
class Entry:
    """A node of a YAML document.

    Args:
        node: The node.
        source: Name of the file.
        text: The whole document.
    """

    node: yaml.Node
    source: str
    text: str

    @property
    def place(self) -> str:
        """Where it starts: ``file:line:column``."""
        return f"{self.source}:{self.node.start_mark.line + 1}:{self.node.start_mark.column + 1}"

    @property
    def is_mapping(self) -> bool:
        """Whether it has keys."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_null(self) -> bool:
        """Whether it is null, or nothing was written."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == _NULL

    def fail(self, message: str, hint: str = "") -> NoReturn:
        """Raise a `ConfigError` about this place."""
        raise ConfigError(f"{self.place}: {message}", hint=hint)

    def mapping(self, what: str, known: Collection[str] | None = None) -> dict[str, Entry]:
        """Read keys and values.

        Args:
            what: What it describes, for messages ("a statement").
            known: Keys that may appear; None allows any.

        Raises:
            ConfigError: It is no mapping, or a key is unknown or there twice.
        """
        entries: dict[str, Entry] = {}
        for key, value in self._pairs(what):
            name = str(key.node.value)
            if known is not None and name not in known:
                key.fail(f'{what} has no key "{name}"', _nearest(name, known))
            if name in entries:
                key.fail(f'{what} has the key "{name}" twice', "Keep one of them.")
            entries[name] = value
        return entries

    def by_value(self, what: str) -> dict[str | None, Entry]:
        """Read a mapping whose keys are parameter values; the key ``null`` is NULL, ``"null"`` a text.

        Raises:
            ConfigError: It is no mapping, or a key is there twice.
        """
        entries: dict[str | None, Entry] = {}
        for key, value in self._pairs(what):
            if key.value() in entries:
                key.fail(f"{what} has the key {key.node.value or 'null'} twice", "Keep one of them.")
            entries[key.value()] = value
        return entries

    def _pairs(self, what: str) -> Iterator[tuple[Entry, Entry]]:
        if not isinstance(self.node, yaml.MappingNode):
            self.fail(f"{what} must be a mapping (key: value)", "Look at docs/reference/workload-file.md.")
        for key_node, value_node in self.node.value:
            key = Entry(key_node, self.source, self.text)
            if not isinstance(key_node, yaml.ScalarNode):
                key.fail("a key must be text")
            yield key, Entry(value_node, self.source, self.text)

    def items(self, what: str) -> list[Entry]:
        """Read a list's items in order; may be empty.

        Raises:
            ConfigError: It is no list.
        """
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail(f"{what} must be a list", "Begin each item with '- '.")
        return [Entry(node, self.source, self.text) for node in self.node.value]

    def word(self, what: str) -> str:
        """Read a text that may not be empty.

        Raises:
            ConfigError: It is missing, empty, or no text.
        """
        if not isinstance(self.node, yaml.ScalarNode) or self.is_null or not self.node.value.strip():
            self.fail(f"{what} must be a text")
        return str(self.node.value)

    def number(self, what: str, *, above: float | None = None) -> float:
        """Read a number.

        Args:
            what: Of what, for messages.
            above: It must be greater than this.

        Raises:
            ConfigError: It is none, or too small.
        """
        written = self.node.value if isinstance(self.node, yaml.ScalarNode) else ""
        try:
            number = float(written)
        except ValueError:
            self.fail(f"{what} must be a number")
        if above is not None and not above < number < float("inf"):
            self.fail(f"{what} must be a number above {above:g}")
        return number

    def whole(self, what: str) -> int:
        """Read a whole number.

        Raises:
            ConfigError: It is none.
        """
        number = self.number(what)
        if number != number or number in (float("inf"), float("-inf")) or number != int(number):
            self.fail(f"{what} must be a whole number")
        return int(str(self.node.value)) if str(self.node.value).lstrip("+-").isdigit() else int(number)

    def value(self) -> str | None:
        """Read a parameter value as it is written (``1.50``, ``007``); null is NULL, a list an array.

        Raises:
            ConfigError: It is a mapping.
        """
        if self.is_null:
            return None
        if isinstance(self.node, yaml.SequenceNode):
            return "{" + ",".join(_array_element(item.value()) for item in self.items("an array")) + "}"
        if not isinstance(self.node, yaml.ScalarNode):
            self.fail("a value must be a text, a number, null or a list", "Write JSON as a quoted text.")
        return str(self.node.value)

    def place_inside(self, offset: int) -> tuple[int, int]:
        """Find the line and column in the file of a character of this text; both 1-based.

        Exact for ``|`` blocks and texts on one line; elsewhere the place where the text starts.
        """
        mark = self.node.start_mark
        value = str(self.node.value)
        if isinstance(self.node, yaml.ScalarNode) and self.node.style == "|":
            lines = value[:offset].split("\n")
            first = self.text.split("\n")[mark.line + 1 : mark.line + 1 + value.count("\n") + 1]
            indent = min((len(line) - len(line.lstrip(" ")) for line in first if line.strip()), default=0)
            return mark.line + 1 + len(lines), indent + len(lines[-1]) + 1
        if isinstance(self.node, yaml.ScalarNode) and mark.line == self.node.end_mark.line:
            return mark.line + 1, mark.column + (1 if self.node.style in ("'", '"') else 0) + offset + 1
        return mark.line + 1, mark.column + 1


def _nearest(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f'Did you mean "{close[0]}"? ' if close else ""
    return f"{meant}Known keys: {', '.join(sorted(known))}."


def _array_element(value: str | None) -> str:
    """Write an element of an array literal; always quoted, so that NULL and '' stay different."""
    if value is None:
        return "NULL"
    if value.startswith("{") and value.endswith("}"):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
