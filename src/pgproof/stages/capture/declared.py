"""Hand-written workload files (YAML, or the same in JSON)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pgproof.errors import ParseError, UsageError
from pgproof.model.query import Query, StatementKind
from pgproof.model.workload import ParameterSet, SetAside
from pgproof.sqltext.fingerprint import fingerprint
from pgproof.sqltext.parameters import parameter_numbers
from pgproof.sqltext.parse import Statement, parse_statement
from pgproof.sqltext.placeholders import NumberedText, number_placeholders
from pgproof.stages.capture.entries import Entry
from pgproof.stages.capture.generator_keys import read_generator
from pgproof.stages.capture.generators import FromQuery
from pgproof.stages.capture.spec import DEFAULT_SETS, ParameterSpec, StatementSpec, WorkloadSpec

FORMAT_VERSION = 1
MAX_SETS = 1000
"""More sets than this would make a race measure nothing twice."""

_FILE_KEYS = ("version", "name", "sets", "statements")
_STATEMENT_KEYS = ("name", "sql", "calls", "weight", "parameters", "sets", "notes")
_EXAMPLE = (
    'statements:\n  - name: getOrder\n    sql: SELECT * FROM orders WHERE id = $1\n    parameters: [["7"]]'
)


def read_declared(document: Entry) -> WorkloadSpec:
    """Read a hand-written workload.

    Args:
        document: The whole file.

    Raises:
        ConfigError: A key, a value or the number of parameters is wrong.
        ParseError: No statement parses; line and column are those of the file. One among others is set aside.
    """
    keys = document.mapping("a workload file", _FILE_KEYS)
    if "version" in keys and keys["version"].whole("version") != FORMAT_VERSION:
        keys["version"].fail(f"this version of the format is not known; {FORMAT_VERSION} is")
    if "name" in keys:
        keys["name"].word("name")
    sets = _read_sets(keys["sets"]) if "sets" in keys else DEFAULT_SETS
    items = keys["statements"].items("statements") if "statements" in keys else []
    if not items:
        document.fail("the workload holds no statement", f"Write at least one:\n{_EXAMPLE}")
    statements: dict[str, StatementSpec] = {}
    faults: list[tuple[str, ParseError]] = []
    for item in items:
        try:
            statement = _read_statement(item, sets)
        except ParseError as error:
            faults.append((item.mapping("a statement")["name"].word("name").strip(), error))
            continue
        if statement.name in statements:
            item.fail(
                f'there are two statements named "{statement.name}"', "Names must be unique in a workload."
            )
        statements[statement.name] = statement
    if not statements:
        raise faults[0][1]
    aside = tuple(SetAside(name, error.message, error.hint) for name, error in faults)
    return WorkloadSpec(tuple(statements.values()), document.source, set_aside=aside)


def make_query(statement: Statement) -> Query | None:
    """Make the shape of a parsed statement; None where it is no query (SET, CREATE TABLE, BEGIN...)."""
    if statement.kind not in ("select", "insert", "update", "delete", "merge"):
        return None
    return Query(
        fingerprint=fingerprint(statement.text),
        sql=statement.text,
        kind=StatementKind(statement.kind),
        read_only=statement.is_read_only,
    )


def _read_statement(entry: Entry, sets: int) -> StatementSpec:
    keys = entry.mapping("a statement", _STATEMENT_KEYS)
    for wanted in ("name", "sql"):
        if wanted not in keys:
            entry.fail(f'a statement needs the key "{wanted}"', f"Like this:\n{_EXAMPLE}")
    name = keys["name"].word("name").strip()
    query, placeholders = _read_sql(keys["sql"])
    if "calls" in keys and "weight" in keys:
        keys["weight"].fail('a statement has either "calls" or "weight"', "They mean the same: keep one.")
    weight = keys.get("calls", keys.get("weight"))
    sets = _read_sets(keys["sets"]) if "sets" in keys else sets
    declared, generators = _read_parameters(keys.get("parameters"), name, placeholders)
    return StatementSpec(
        name=name,
        query=query,
        calls=weight.number("the weight", above=0) if weight else 1.0,
        placeholders=placeholders,
        parameter_sets=declared,
        generators=generators,
        sets=sets,
        weighted=weight is not None,
        notes=tuple(note.word("a note") for note in keys["notes"].items("notes")) if "notes" in keys else (),
    )


def _read_sets(entry: Entry) -> int:
    sets = entry.whole("sets")
    if not 1 <= sets <= MAX_SETS:
        entry.fail(f"sets must be between 1 and {MAX_SETS}")
    return sets


def _read_sql(entry: Entry) -> tuple[Query, tuple[str, ...]]:
    sql = entry.word("sql")
    numbered = NumberedText(sql, ())
    try:
        numbered = number_placeholders(sql)
        statement = parse_statement(numbered.sql)
    except ParseError as error:
        raise _in_file(error, entry, numbered) from None
    except UsageError as error:
        entry.fail(error.message, error.hint)
    query = make_query(statement)
    if query is None:
        entry.fail(
            f"a workload holds queries and changes of rows, not {statement.kind.upper()}",
            "Keep SELECT, INSERT, UPDATE, DELETE and MERGE; leave the rest out.",
        )
    numbers = parameter_numbers(query.sql)
    if numbered.names and len(numbers) != len(numbered.names):
        entry.fail("the statement mixes :name and $1 placeholders", "Use one kind of them.")
    if numbers != tuple(range(1, len(numbers) + 1)):
        entry.fail(f"placeholders must be numbered $1 to ${len(numbers)} without a gap")
    return query, numbered.names or tuple(map(str, numbers))


def _in_file(error: ParseError, entry: Entry, numbered: NumberedText) -> ParseError:
    """Move a parser's complaint to its place in the file."""
    lines = numbered.sql.split("\n")
    offset = sum(len(line) + 1 for line in lines[: error.line - 1]) + error.column - 1
    line, column = entry.place_inside(numbered.to_original(offset))
    message = error.message.removeprefix(f"line {error.line}, column {error.column}: ")
    return ParseError(message, line=line, column=column, source=entry.source, hint=error.hint)


def _read_parameters(
    entry: Entry | None, name: str, placeholders: tuple[str, ...]
) -> tuple[tuple[ParameterSet, ...], tuple[ParameterSpec, ...]]:
    """Read values or generators: whichever is written."""
    if entry is None or entry.is_null:
        # Values can be filled in later, from live rows; a statement without placeholders is whole as it is.
        return (() if placeholders else (ParameterSet(()),)), ()
    if entry.is_list:
        sets = tuple(_read_set(item, placeholders) for item in entry.items("parameters"))
        if not sets and placeholders:
            entry.fail(f"statement {name} has no parameter set", "Leave the key out to have values sampled.")
        return sets or (ParameterSet(()),), ()
    return (), _read_generators(entry, placeholders, name)


def _read_set(entry: Entry, placeholders: tuple[str, ...]) -> ParameterSet:
    """A list of values in ``$1`` order, or a mapping by name."""
    if entry.is_mapping:
        named = entry.mapping(
            "a parameter set", (*placeholders, *(f"${p}" for p in placeholders if p.isdigit()))
        )
        values = {key.removeprefix("$"): item.value() for key, item in named.items()}
        for placeholder in placeholders:
            if placeholder not in values:
                entry.fail(
                    f"the parameter set lacks a value for {_shown(placeholder)}", "Write null for NULL."
                )
        return ParameterSet(tuple(values[placeholder] for placeholder in placeholders))
    items = entry.items("a parameter set")
    if len(items) != len(placeholders):
        entry.fail(
            f"the parameter set has {len(items)} values, the statement has {len(placeholders)} placeholders",
            "Give one value for each placeholder, $1 first.",
        )
    return ParameterSet(tuple(item.value() for item in items))


def _read_generators(entry: Entry, placeholders: tuple[str, ...], name: str) -> tuple[ParameterSpec, ...]:
    uses: list[ParameterSpec] = []
    fed: set[str] = set()
    for key, argument in entry.mapping("parameters").items():
        names = [part.removeprefix("$") for part in re.split(r"\s*,\s*", key.strip())]
        for wanted in names:
            if wanted not in placeholders:
                argument.fail(f"statement {name} has no placeholder {_shown(wanted)}", _listed(placeholders))
            if wanted in fed or names.count(wanted) > 1:
                argument.fail(f"{_shown(wanted)} is given values twice", "Keep one generator for it.")
        fed.update(names)
        generator = read_generator(argument)
        if len(names) > 1 and not isinstance(generator, FromQuery):
            argument.fail(
                "only from_query feeds several placeholders at once",
                "Give each placeholder a generator of its own.",
            )
        uses.append(ParameterSpec(tuple(map(placeholders.index, names)), generator))
    for missing in placeholders:
        if missing not in fed:
            entry.fail(f"statement {name} has no values for {_shown(missing)}", "Add a generator for it.")
    return tuple(uses)


def _shown(placeholder: str) -> str:
    return f"${placeholder}" if placeholder.isdigit() else f":{placeholder}"


def _listed(placeholders: Sequence[str]) -> str:
    return f"It has: {', '.join(map(_shown, placeholders))}." if placeholders else "It has none."
