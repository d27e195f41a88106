"""What a check of a blueprint found, on a terminal: one line a problem, as compilers write it."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent

from rich.console import Console
from rich.markup import escape

from pgproof.frontends.blueprint.checking import BlueprintCheckDocument, Remark


def print_check(console: Console, document: BlueprintCheckDocument) -> None:
    """Show problems, objections of the database, and parts that are not run yet; then the sum of it."""
    _print_remarks(console, document.file, document.problems, "red")
    _print_remarks(console, document.file, document.objections, "yellow")
    for part in document.not_run:
        console.print(f"[yellow]not run yet[/] {escape(part)}", soft_wrap=True)
    if document.not_run:
        console.print(
            "  compete refuses a blueprint with these parts; --only races the variants without them"
        )
    if document.problems:
        console.print(
            f"{_count(len(document.problems), 'problem')} in {escape(document.file)}", soft_wrap=True
        )
        return
    what = f"{_count(len(document.variants), 'variant')}, {_count(document.statements, 'statement')}"
    console.print(f"{escape(document.file)} is a valid blueprint: {what}", soft_wrap=True)
    if document.asked:
        told = _count(len(document.objections), "objection") if document.objections else "nothing"
        console.print(f"the database has {told} against it", soft_wrap=True)


def _print_remarks(console: Console, file: str, remarks: Iterable[Remark], colour: str) -> None:
    for each in remarks:
        place = f"{file}:{each.line}:{each.column}"
        console.print(f"[{colour}]{escape(place)}[/]: {escape(each.message)}", soft_wrap=True)
        if each.hint:
            console.print(escape(indent(each.hint, "  ")), soft_wrap=True)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
