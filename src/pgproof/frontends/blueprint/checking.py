"""What ``pgproof blueprint check`` has to say of a file."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.frontends.blueprint.problems import TOP, Place
from pgproof.frontends.blueprint.reading import BlueprintFile
from pgproof.pipeline import Objection, find_not_run


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a place of the file.

    Args:
        line: 1-based.
        column: 1-based, in characters.
        message: What is wrong.
        hint: What to write or do; may be empty.
    """

    line: int
    column: int
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class BlueprintCheckDocument:
    """What a check of a blueprint found.

    Args:
        file: Its name.
        problems: What is wrong with the file, in its order; nothing else is known while there are any.
        objections: What the database speaks against, in the order of the file.
        asked: A database was asked.
        not_run: Parts that a competition does not run yet, and refuses.
        variants: Names of the variants.
        statements: Statements of the workload.
    """

    file: str
    problems: tuple[Remark, ...]
    objections: tuple[Remark, ...]
    asked: bool
    not_run: tuple[str, ...]
    variants: tuple[str, ...]
    statements: int


def check_file(file: BlueprintFile, objections: tuple[Objection, ...], asked: bool) -> BlueprintCheckDocument:
    """Put together what is known of a file.

    Args:
        file: As it was read.
        objections: Of a database.
        asked: A database was asked.
    """
    blueprint = file.blueprint
    return BlueprintCheckDocument(
        file=str(file.path),
        problems=tuple(_remark(each.place, each.message, each.hint) for each in file.problems),
        objections=tuple(_remark(_place(file, each.path), each.message, each.hint) for each in objections),
        asked=asked and blueprint is not None,
        not_run=find_not_run(blueprint) if blueprint else (),
        variants=tuple(variant.name for variant in blueprint.variants) if blueprint else (),
        statements=len(blueprint.workload.statements) if blueprint else 0,
    )


def _remark(place: Place, message: str, hint: str) -> Remark:
    return Remark(place.line, place.column, message, hint)


def _place(file: BlueprintFile, path: tuple[str | int, ...]) -> Place:
    while path and path not in file.places:
        path = path[:-1]
    return file.places.get(path, TOP)
