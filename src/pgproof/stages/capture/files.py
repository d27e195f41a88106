"""Workload files: YAML written by hand, SQL scripts, JSON that a capture wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pgproof.errors import ConfigError, ParseError
from pgproof.model.workload import SetAside, Workload
from pgproof.sqltext.parameters import parameter_numbers
from pgproof.sqltext.parse import parse_statement
from pgproof.stages.capture.declared import read_declared
from pgproof.stages.capture.entries import Entry, read_entries
from pgproof.stages.capture.resolve import resolve_generators
from pgproof.stages.capture.scripts import read_script
from pgproof.stages.capture.spec import WorkloadSpec

CAPTURE_FORMAT = "pgproof-workload"
"""Value of the key ``format`` in what `save_workload` writes."""

CAPTURE_VERSION = 1
_WORKLOAD = TypeAdapter(Workload)
_ENDINGS = (".yaml", ".yml", ".json", ".sql")


def load_workload(path: Path | str, seed: int = 1) -> Workload:
    """Read a workload file whose values need no database.

    Args:
        path: ``.yaml`` or ``.yml``, ``.json``, or ``.sql``.
        seed: Of the generators in it.

    Returns:
        Its statements by falling number of calls; a captured workload exactly as it was saved.

    Raises:
        ConfigError: The file can't be read or used, or values have to come from a database (then `load_spec`
            and `resolve_generators` are the way).
        ParseError: No statement parses; line and column are those of the file.
    """
    return resolve_generators(None, load_spec(path), seed)


def load_spec(path: Path | str) -> WorkloadSpec:
    """Read a workload file, leaving generators undrawn.

    Raises:
        ConfigError: The file can't be read or used.
        ParseError: No statement parses; line and column are those of the file. One among others is set aside.
    """
    path = Path(path)
    return parse_workload(_read_text(path), path.name if not path.is_absolute() else str(path))


def parse_workload(text: str, source: str) -> WorkloadSpec:
    """Read the text of a workload file.

    Args:
        text: Its content.
        source: Its name; the ending decides how it is read.

    Raises:
        ConfigError, ParseError: As `load_spec`.
    """
    ending = Path(source).suffix.lower()
    if ending not in _ENDINGS:
        raise ConfigError(
            f"{source}: a workload file ends in {', '.join(_ENDINGS)}",
            hint="Rename it: the ending says how to read it.",
        )
    if ending == ".sql":
        return read_script(text, source)
    document = read_entries(text, source)
    if document is None:
        raise ConfigError(
            f"{source}: the file is empty",
            hint="Write statements into it (docs/reference/workload-file.md), or run pgproof capture.",
        )
    if document.is_mapping and any(key.value == "format" for key, _ in document.node.value):
        return _read_captured(text, document)
    return read_declared(document)


def save_workload(workload: Workload, path: Path | str) -> None:
    """Write a workload as JSON that `load_workload` reads back equal.

    The file holds parameter values, which may be personal data: it is made readable for its owner only.

    Raises:
        ConfigError: The name does not end in ``.json``, or the file can't be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".json":
        raise ConfigError(
            f"{path}: a captured workload is written as JSON", hint=f"Name it {path.stem}.json."
        )
    body = _WORKLOAD.dump_json(workload, indent=2).decode()
    head = f'{{\n  "format": "{CAPTURE_FORMAT}",\n  "version": {CAPTURE_VERSION},'
    try:
        path.touch(mode=0o600)
        path.chmod(0o600)  # it may have been there before
        path.write_text(head + body.removeprefix("{") + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: can't be written: {error.strerror}", hint="Name another place."
        ) from error


def _read_captured(text: str, document: Entry) -> WorkloadSpec:
    try:
        data = TypeAdapter(dict[str, object]).validate_json(text)
    except ValidationError as error:
        document.fail(f"this is not JSON: {error.errors()[0]['msg']}", "Save the capture again.")
    if data.pop("format", None) != CAPTURE_FORMAT:
        document.fail(
            f'the key "format" must be "{CAPTURE_FORMAT}"', "A hand-written file needs no such key."
        )
    if data.pop("version", None) != CAPTURE_VERSION:
        document.fail("a newer pgproof wrote this file", "Update pgproof, or capture again.")
    document.mapping("a captured workload", ("format", "version", *Workload.__dataclass_fields__))
    try:
        workload = _WORKLOAD.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        document.fail(f"{where}: {first['msg']}", "Capture again, or mend the file by hand.")
    workload = _parsable(workload, document)
    _check_statements(workload, document)
    return WorkloadSpec((), document.source, captured=workload)


def _parsable(workload: Workload, document: Entry) -> Workload:
    """Set aside the statements that don't parse."""
    faults: dict[str, ParseError] = {}
    for statement in workload.statements:
        try:
            parse_statement(statement.query.sql)
        except ParseError as error:
            faults[statement.name] = error
    if faults and len(faults) == len(workload.statements):
        name, first = next(iter(faults.items()))
        document.fail(f"statement {name} does not parse: {first.message}", first.hint)
    aside = (
        SetAside(name, f"{document.source}: it does not parse: {fault.message}", fault.hint)
        for name, fault in faults.items()
    )
    kept = tuple(statement for statement in workload.statements if statement.name not in faults)
    return replace(workload, statements=kept, set_aside=(*workload.set_aside, *aside))


def _check_statements(workload: Workload, document: Entry) -> None:
    if not workload.statements:
        document.fail("the workload holds no statement", "Capture again while the application is at work.")
    names: set[str] = set()
    for statement in workload.statements:
        if statement.name in names:
            document.fail(f'there are two statements named "{statement.name}"')
        names.add(statement.name)
        wanted = max(parameter_numbers(statement.query.sql), default=0)
        if any(len(values.values) != wanted for values in statement.parameter_sets):
            document.fail(f"statement {statement.name} has {wanted} placeholders; not every set has as many")
        if not statement.calls > 0:
            document.fail(f"statement {statement.name}: calls must be above 0")


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: there is no such file", hint="Check the path; pgproof capture --out FILE writes one."
        ) from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: this is a directory", hint="Name a workload file in it.") from None
    except OSError as error:
        raise ConfigError(
            f"{path}: can't be read: {error.strerror}", hint="Check its permissions."
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}:{line}: the file is not UTF-8", hint="Save it as UTF-8 (iconv -t UTF-8)."
        ) from None
