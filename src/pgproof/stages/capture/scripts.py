"""SQL scripts as workloads: statements with literals, and comments that say more.

::

    -- name: getUserOrders
    -- calls: 120
    -- params: ["7", "open"]
    SELECT ... WHERE "userId" = $1 AND status = $2;

Directives stand right before their statement. ``params`` may be repeated; without it, the literals of the
statement become its parameter values, and statements of one shape become one statement with several sets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pgproof.errors import ConfigError, ParseError
from pgproof.model.query import Query
from pgproof.model.workload import ParameterSet, SetAside
from pgproof.sqltext.deparse import deparse
from pgproof.sqltext.lenient import Unparsed, parse_leniently
from pgproof.sqltext.parameters import literals_to_parameters, parameter_numbers
from pgproof.sqltext.parse import Statement, parse_statement
from pgproof.stages.capture.declared import make_query
from pgproof.stages.capture.spec import StatementSpec, WorkloadSpec

_DIRECTIVE = re.compile(r"^\s*--\s*(name|calls|weight|params)\s*:\s*(.*?)\s*$")
_SHORT_FINGERPRINT = 8


def read_script(text: str, source: str) -> WorkloadSpec:
    """Read a SQL script as a workload.

    Args:
        text: Statements separated by semicolons.
        source: Name of the file, for messages.

    Returns:
        One statement a shape, in order of first appearance; SET, BEGIN and the like are left out. What does
        not parse is set aside.

    Raises:
        ConfigError: There is no query in it, or a directive is wrong.
        ParseError: No query is left but what does not parse; line and column are those of the file.
    """
    lines = text.split("\n")
    groups: dict[tuple[str, str], StatementSpec] = {}
    faults: list[tuple[str, ParseError]] = []
    first_line = 0
    for statement in parse_leniently(text, source):
        notes = _read_directives(lines[first_line : statement.line - 1], first_line + 1, source)
        first_line = statement.line - 1 + statement.text.count("\n") + 1
        if isinstance(statement, Unparsed):
            faults.append((notes.name, statement.error))
            continue
        found = _read_one(statement, notes, source)
        if found is not None:
            key = (found.query.fingerprint, deparse(parse_statement(found.query.sql)))
            groups[key] = _merge(groups[key], found, notes.name, source) if key in groups else found
    if not groups and faults:
        raise faults[0][1]
    if not groups:
        raise ConfigError(
            f"{source}: the script holds no query",
            hint="Write the statements your application sends, separated by semicolons.",
        )
    aside = tuple(SetAside(name, error.message, error.hint) for name, error in faults)
    return WorkloadSpec(_with_unique_names(groups.values(), source), source, set_aside=aside)


@dataclass(slots=True)
class _Directives:
    name: str = ""
    calls: float | None = None
    params: list[tuple[str | None, ...]] = field(default_factory=list)


def _read_directives(lines: list[str], first: int, source: str) -> _Directives:
    found = _Directives()
    for number, line in enumerate(lines, first):
        match = _DIRECTIVE.match(line)
        if match is None:
            continue
        key, value = match.groups()
        where = f"{source}:{number}"
        if key == "name":
            found.name = value or _fail(where, "name must be a text")
        elif key == "params":
            found.params.append(_read_params(value, where))
        else:
            found.calls = _read_calls(value, where)
    return found


def _read_calls(value: str, where: str) -> float:
    try:
        calls = float(value)
    except ValueError:
        calls = 0.0
    return calls if 0 < calls < float("inf") else float(_fail(where, "calls must be a number above 0"))


def _read_params(value: str, where: str) -> tuple[str | None, ...]:
    try:
        items = json.loads(value, parse_float=str, parse_int=str)
    except json.JSONDecodeError:
        items = None
    if not isinstance(items, list) or any(isinstance(item, list | dict) for item in items):
        _fail(where, "params must be a JSON list of texts, numbers, true, false and null")
    return tuple(str(item).lower() if isinstance(item, bool) else item for item in items or ())


def _read_one(statement: Statement, notes: _Directives, source: str) -> StatementSpec | None:
    query = make_query(statement)
    if query is None:
        return None
    where = f"{source}:{statement.line}"
    numbers = parameter_numbers(query.sql)
    values = notes.params
    if numbers != tuple(range(1, len(numbers) + 1)):
        _fail(where, f"placeholders must be numbered $1 to ${len(numbers)} without a gap")
    if not numbers:
        if values and any(values):
            _fail(where, "the statement has params but no $1 placeholder")
        sql, literals = literals_to_parameters(query.sql)
        query, values = replace(query, sql=sql), [literals]
    for given in values:
        if numbers and len(given) != len(numbers):
            _fail(where, f"params gives {len(given)} values, the statement has {len(numbers)} placeholders")
    return StatementSpec(
        name=notes.name or _name_of(query),
        query=query,
        calls=notes.calls or 1.0,
        weighted=notes.calls is not None,
        placeholders=tuple(str(number) for number in parameter_numbers(query.sql)),
        parameter_sets=tuple(ParameterSet(given) for given in values),
    )


def _name_of(query: Query) -> str:
    return f"{query.kind}_{query.fingerprint[:_SHORT_FINGERPRINT]}"


def _merge(first: StatementSpec, second: StatementSpec, name: str, source: str) -> StatementSpec:
    """Join two statements of one shape; equal sets become one with their weights added."""
    if name and name != first.name:
        if first.name != _name_of(first.query):
            raise ConfigError(
                f'{source}: the statements "{first.name}" and "{name}" are the same but for their values',
                hint="Give them one name: they are one statement with several parameter sets.",
            )
        first = replace(first, name=name)
    weights: dict[tuple[str | None, ...], float] = {}
    for given in (*first.parameter_sets, *second.parameter_sets):
        weights[given.values] = weights.get(given.values, 0.0) + given.weight
    return replace(
        first,
        calls=first.calls + second.calls,
        weighted=first.weighted or second.weighted,
        parameter_sets=tuple(ParameterSet(values, weight=weight) for values, weight in weights.items()),
    )


def _with_unique_names(statements: Iterable[StatementSpec], source: str) -> tuple[StatementSpec, ...]:
    """Refuse a name the author gave twice; number ours: IN lists of any length share a fingerprint."""
    named: dict[str, StatementSpec] = {}
    for statement in statements:
        name, count = statement.name, 1
        while name in named:
            if statement.name != _name_of(statement.query):
                raise ConfigError(
                    f'{source}: two different statements are named "{statement.name}"',
                    hint="Names must be unique in a workload: rename one.",
                )
            count += 1
            name = f"{statement.name}_{count}"
        named[name] = replace(statement, name=name)
    return tuple(named.values())


def _fail(where: str, message: str) -> str:
    raise ConfigError(f"{where}: {message}", hint="Look at docs/reference/workload-file.md.")
