"""What ``advise`` found, on a terminal: the decision first, then what it rests on; the rest on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote
from textwrap import indent

from rich.console import Console
from rich.markup import escape

from pgproof.changes import apply_steps
from pgproof.frontends.documents import AdviseDocument
from pgproof.frontends.report.beside import print_settings, print_statistics
from pgproof.frontends.report.choice import print_choice, print_drops, print_measured
from pgproof.frontends.report.decision import print_decision
from pgproof.frontends.report.digest import print_digest
from pgproof.frontends.report.larger_changes import print_larger_changes
from pgproof.frontends.report.statement_names import StatementNames
from pgproof.frontends.report.tables import print_command, print_notes
from pgproof.model.estimate import Estimate
from pgproof.postgres.dsn import shell_argument

_SHOWN_NOTES = 6
_INDENT = 6


def print_advice(console: Console, advice: AdviseDocument, dsn: str, *, everything: bool = False) -> None:
    """Show what to do, what it saves and costs, and why; about two screens, unless everything is wanted.

    Args:
        console: Where.
        advice: What was found.
        dsn: Of the database, for the command that comes next.
        everything: Show all variants with their SQL, every index and statement, and every reason.
    """
    names = StatementNames(advice.statements, console.width)
    print_decision(console, advice)
    if everything:
        _print_all(console, advice)
    else:
        print_digest(console, advice, names)
    wanted = ["; ".join(step.sql for step in apply_steps(each.change)) for each in advice.statistics]
    print_statistics(console, advice.statistics, advice.statistics_checks, wanted, everything=everything)
    print_settings(console, advice.settings, everything=everything)
    print_larger_changes(console, advice.larger, names, everything=everything)
    judged = advice.drops.notes if advice.drops and not everything else ()
    # Why there is nothing to recommend was said at the top.
    notes = advice.notes if advice.recommended else advice.notes[1:]
    _print_notes(console, (*notes, *judged), names, everything=everything)
    if everything:
        _print_texts(console, advice.statements, names)
    if advice.blueprint:
        console.print(f"\nblueprint written to {escape(advice.blueprint)}", soft_wrap=True)
        command = f"pgproof compete {quote(advice.blueprint)}{shell_argument(dsn, '--against')}"
        print_command(console, "next", command, dsn)
    else:
        console.print("No blueprint was written: there is nothing to race.")


def _print_all(console: Console, advice: AdviseDocument) -> None:
    """Show every variant with its SQL, then all that is known of the recommended one."""
    for variant in advice.variants:
        console.print(f"\n[bold]{escape(variant.name)}[/]: {escape(variant.title)}", soft_wrap=True)
        if variant.why:
            console.print(escape(indent(variant.why, "  ")), soft_wrap=True)
        for statement in advice.sql.get(variant.name, ()):
            console.print(f"    {escape(statement)};", style="green", soft_wrap=True)
    if advice.recommended in advice.explanations:
        console.print(f"\n[bold]why {escape(advice.recommended)}[/]")
        print_choice(console, advice.explanations[advice.recommended], everything=True)
    for estimate in _recommended_first(advice):
        print_measured(console, estimate, advice.measured.get(estimate.variant), everything=True)
    if advice.drops is not None:
        print_drops(console, advice.drops, everything=True)


def _recommended_first(advice: AdviseDocument) -> list[Estimate]:
    return sorted(advice.estimates, key=lambda estimate: estimate.variant != advice.recommended)


def _print_notes(console: Console, notes: Sequence[str], names: StatementNames, *, everything: bool) -> None:
    """Show notes, each with the text of the first statement it names whose text was not told yet."""
    if notes:
        console.print()
    for note in notes if everything else notes[:_SHOWN_NOTES]:
        print_notes(console, (note,))
        named = (names.introduce(word.rstrip(",:"), _INDENT) for word in note.split())
        text = "" if everything else next(filter(None, named), "")
        if text:
            console.print(f"{' ' * _INDENT}[dim]{escape(text)}[/]", soft_wrap=True)
    more = len(notes) - _SHOWN_NOTES
    if more > 0 and not everything:
        console.print(f"[dim]... and {more:,} more {'note' if more == 1 else 'notes'}; -v shows all[/]")


def _print_texts(console: Console, texts: Mapping[str, str], names: StatementNames) -> None:
    """Show what statements are whose names say nothing."""
    told = [(name, names.introduce(name, len(name) + 4)) for name in texts]
    for number, (name, text) in enumerate((name, text) for name, text in told if text):
        if number == 0:
            console.print("\n[bold]statements[/]")
        console.print(f"  {escape(name)}: [dim]{escape(text)}[/]", soft_wrap=True)
