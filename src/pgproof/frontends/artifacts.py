"""Files that commands leave behind in a folder the user names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pgproof.errors import ConfigError
from pgproof.frontends.blueprint_file import write_blueprint
from pgproof.frontends.cli.screen import render_json
from pgproof.frontends.competition_documents import CompetitionDocument
from pgproof.frontends.report.page import Page, render_page
from pgproof.model.blueprint import Blueprint
from pgproof.model.trial import ArmResult
from pgproof.pipeline import DemoResult, Raced


def write_artifacts(
    folder: Path, raced: Raced, document: CompetitionDocument, blueprint: Blueprint
) -> tuple[Path, ...]:
    """Write a competition's report, its result, its manifest and, with a winner, the migration.

    Args:
        folder: Made when missing; files of the same names are replaced.
        raced: What to report.
        document: The same as ``--json`` shows it.
        blueprint: What competed.

    Returns:
        The files, report first.

    Raises:
        ConfigError: The folder can't be written.
    """
    competition = raced.competition
    page = Page(run=raced.run, competition=competition, blueprint=blueprint)
    files = [
        write_text(folder / "report.html", render_page(page)),
        write_text(folder / "result.json", render_json(document)),
        write_text(folder / "manifest.json", json.dumps(raced.manifest, ensure_ascii=False) + "\n"),
    ]
    if competition.winner:
        files += write_migration_files(folder, *_migration(raced.run, competition.arm(competition.winner)))
    return tuple(files)


def write_migration_files(folder: Path, up_sql: str, down_sql: str) -> tuple[Path, ...]:
    """Write ``up.sql`` and ``down.sql``; see `write_artifacts` for errors."""
    return write_text(folder / "up.sql", up_sql), write_text(folder / "down.sql", down_sql)


def write_demo_artifacts(folder: Path, result: DemoResult) -> tuple[Path, ...]:
    """Write the demo's report, blueprint and migration; the report comes first; see `write_artifacts`."""
    page = Page(
        run=result.run,
        competition=result.competition,
        diagnosis=result.diagnosis,
        rollout=result.journey,
        effects=result.effects,
        blueprint=result.blueprint,
    )
    files = [write_text(folder / "report.html", render_page(page))]
    blueprint_path = folder / "blueprint.yaml"
    files += [blueprint_path, write_blueprint(result.blueprint, blueprint_path)]
    if result.competition.winner:
        winner = result.competition.arm(result.competition.winner)
        files += write_migration_files(folder, *_migration(result.run, winner))
    return tuple(files)


def _migration(run: str, winner: ArmResult) -> tuple[str, str]:
    header = f"-- pgproof run {run}, variant {_one_line(winner.name)}: {_one_line(winner.title)}\n"
    header += "-- One statement at a time, outside a transaction: CREATE INDEX CONCURRENTLY demands it.\n\n"

    def script(statements: tuple[str, ...]) -> str:
        return header + "".join(f"{statement};\n" for statement in statements)

    return script(winner.apply_sql), script(winner.revert_sql)


def _one_line(text: str) -> str:
    """Keep a name inside the comment it stands in."""
    return " ".join(text.split())


def write_text(path: Path, text: str) -> Path:
    """Write a file in UTF-8, making its folder where there is none; see `write_artifacts` for errors."""
    return _guarded(path, lambda: path.write_text(text, encoding="utf-8"))


def _guarded(path: Path, write: Callable[[], int]) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write()
    except OSError as error:
        raise ConfigError(
            f"{path} can't be written: {error.strerror}.", hint="Name another place that you may write to."
        ) from error
    return path
