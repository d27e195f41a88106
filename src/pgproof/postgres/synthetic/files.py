"""Synthetic rows as files, for a server that can't be reached from here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pgproof.errors import ConfigError, Refused
from pgproof.model.progress import Progress
from pgproof.postgres.synthetic.copying import Content
from pgproof.postgres.synthetic.facts import FORMAT
from pgproof.postgres.synthetic.schema import Schema
from pgproof.sqltext.quote import qualify, quote_identifier, quote_literal

_SCRIPT = "load.sql"


def demand_empty_folder(folder: Path) -> None:
    """Make a folder, and refuse one that holds anything.

    Raises:
        Refused: It does.
        ConfigError: It can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Refused(f"The folder {folder} is not empty.", hint="Name a new one.")
    except OSError as error:
        raise ConfigError(f"{folder} can't be used: {error.strerror}.") from error


def write_files(
    folder: Path, schema: Schema, contents: Sequence[Content], analysed: Sequence[str], progress: Progress
) -> None:
    """Write schema, rows and a script that loads them with psql; all are removed again after a failure.

    Args:
        folder: Empty.
        schema: Of the source.
        contents: Rows of each table.
        analysed: Quoted names of tables to analyse.
        progress: Told the rows written.

    Raises:
        ConfigError: The disk is full, or the folder can't be written.
    """
    try:
        _write(folder, schema, contents, analysed, progress)
    except OSError as error:
        _clear(folder)
        raise ConfigError(
            f"{folder} can't be written: {error.strerror}.", hint="Free some space, or name another folder."
        ) from error
    except BaseException:
        _clear(folder)
        raise


def _write(
    folder: Path, schema: Schema, contents: Sequence[Content], analysed: Sequence[str], progress: Progress
) -> None:
    total, done = sum(content.rows for content in contents), 0
    (folder / "before.sql").write_text(schema.before, encoding="utf-8")
    (folder / "after.sql").write_text(schema.after, encoding="utf-8")
    lines = [
        "-- Loads made-up rows into an empty database: psql -v ON_ERROR_STOP=1 -d DATABASE -f load.sql",
        "\\i before.sql",
        *(f"SET {quote_identifier(name)} = {quote_literal(value)};" for name, value in FORMAT.items()),
    ]
    for number, content in enumerate(contents, start=1):
        name = f"{number:05d}.copy"
        task = f"writing rows of {content.relation}"
        with (folder / name).open("wb") as file:
            for rows, piece in content.pieces:
                file.write(piece)
                done += rows
                progress(task, done, total)
        columns = ", ".join(map(quote_identifier, content.columns))
        table = qualify(content.relation.schema, content.relation.name)
        lines.append(f"\\copy {table} ({columns}) FROM {quote_literal(name)}")
    lines += ["\\i after.sql", *(f"ANALYZE {name};" for name in analysed)]
    (folder / _SCRIPT).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
