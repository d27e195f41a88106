"""What is wrong with a file: collected, so that all of it is told at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches

from pgproof.errors import ConfigError


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a file; both 1-based, columns in characters."""

    line: int
    column: int


TOP = Place(1, 1)
CLOSE = 0.5
"""How much a name has to be like another to be taken for it. **Source**: judgement."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that has to be changed in a file before it can be used.

    Args:
        place: Where.
        message: What is wrong, as one sentence.
        hint: What to write; may be empty.
    """

    place: Place
    message: str
    hint: str = ""


@dataclass(slots=True)
class Problems:
    """The problems of one file.

    Args:
        source: Name of the file.
    """

    source: str
    found: list[Problem] = field(default_factory=list)

    def add(self, place: Place, message: str, hint: str = "") -> None:
        """Note a problem; the same one at the same place is noted once."""
        problem = Problem(place, message, hint)
        if problem not in self.found:
            self.found.append(problem)

    def in_order(self) -> tuple[Problem, ...]:
        """Return all problems as they stand in the file; empty when it is good."""
        return tuple(sorted(self.found))

    def refuse(self) -> None:
        """Raise the first problem, with the number of the others.

        Raises:
            ConfigError: There is one; ``context["problems"]`` has all of them.
        """
        if not self.found:
            return
        first, *others = self.in_order()
        told = "" if not others else _count_others(len(others), self.source)
        raise ConfigError(
            place_text(self.source, first),
            hint="\n".join(part for part in (first.hint, told) if part),
            context={"problems": [place_text(self.source, problem) for problem in (first, *others)]},
        )


def place_text(source: str, problem: Problem) -> str:
    """Return a problem after the place where it stands: ``file:line:column: what is wrong``."""
    return f"{source}:{problem.place.line}:{problem.place.column}: {problem.message}"


def nearest(name: str, known: Collection[str]) -> str:
    """Return which name was perhaps meant, else which ones there are."""
    close = get_close_matches(name, known, n=1, cutoff=CLOSE)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known: {', '.join(known)}." if known else ""


def _count_others(count: int, source: str) -> str:
    others = "1 more problem" if count == 1 else f"{count} more problems"
    return f"{others}: pgproof blueprint check {source} shows all."
