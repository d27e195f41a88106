"""Results on a terminal: short tables, the verdict in one sentence, what to do next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from shlex import quote
from textwrap import indent

from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax

from pgproof.frontends.competition_documents import StatementDocument, statement_documents
from pgproof.frontends.documents import RunDocument, SelfcheckDocument
from pgproof.frontends.report.figures import ms, percent, ratio_interval, times, yes_no
from pgproof.frontends.report.predictions import print_predictions
from pgproof.frontends.report.scoreboard import print_verdict
from pgproof.frontends.report.statement_names import StatementNames, one_line
from pgproof.frontends.report.tables import GAP, new_table, print_command, print_notes
from pgproof.model.catalog import Catalog
from pgproof.model.finding import STATEMENTS, Diagnosis, Finding, Severity, Skipped
from pgproof.model.rollout import Rollout, RolloutState, StatementEffect, TargetIdentity
from pgproof.model.trial import Competition
from pgproof.model.workload import Workload, WorkloadStatement
from pgproof.pipeline import DemoResult
from pgproof.postgres.dsn import shell_argument

_COLOURS = {Severity.HIGH: "bold red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan", Severity.INFO: "dim"}
_SHOWN_STATEMENTS = 12
_SHOWN_FINDINGS = 6
_SHOWN_CHARACTERS = 24
"""Of a statement's text, at least; more where the terminal has room."""


def print_workload(console: Console, workload: Workload, out: Path, dsn: str) -> None:
    """Show what was captured: the heaviest statements and what the capture could not see."""
    headings = ("statement", "calls", "total", "mean", "values", "text")
    table = new_table(*headings)
    rows = [_workload_row(statement) for statement in workload.statements[:_SHOWN_STATEMENTS]]
    # The text gives way, so that no figure does.
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    room = max(_SHOWN_CHARACTERS, console.width - sum(widths[:-1]) - GAP * len(widths))
    for *cells, sql in rows:
        table.add_row(*(escape(cell) for cell in (*cells, one_line(sql, room))))
    console.print(table)
    more = len(workload.statements) - _SHOWN_STATEMENTS
    if more > 0:
        console.print(f"... and {more} more")
    print_notes(console, workload.notes)
    told = f"{_count(len(workload.statements), 'statement')} from {workload.source}"
    console.print(f"{told} written to {escape(str(out))}", soft_wrap=True)
    print_command(console, "next", f"pgproof advise --workload {quote(str(out))}{shell_argument(dsn)}", dsn)


def _workload_row(statement: WorkloadStatement) -> tuple[str, ...]:
    counters = statement.counters
    return (
        statement.name,
        f"{counters.calls if counters else statement.calls:,.0f}",
        ms(counters.total_ms) if counters else "-",
        ms(counters.mean_ms) if counters else "-",
        _values(statement),
        statement.query.sql,
    )


def _values(statement: WorkloadStatement) -> str:
    sets = statement.parameter_sets
    if not sets:
        return "unknown"
    if not sets[0].values:
        return "needs none"
    return f"{len(sets)} {sets[0].source.value.replace('_', ' ')}"


def print_diagnosis(console: Console, catalog: Catalog, diagnosis: Diagnosis) -> None:
    """Show every finding with evidence and remedy, then what could not be looked at."""
    console.print(f"[bold]{escape(catalog.database)}[/] on PostgreSQL {escape(catalog.version)}")
    if not diagnosis.findings:
        left_out = ", but not everything could be checked" if diagnosis.skipped else ""
        console.print(f"Nothing found by {_count(len(diagnosis.checks), 'check')}{left_out}.")
    for finding in diagnosis.findings:
        _print_finding(console, finding)
    _print_skipped(console, diagnosis.skipped)
    print_notes(console, catalog.notes)


def _print_skipped(console: Console, skipped: Iterable[Skipped]) -> None:
    """Show what could not be looked at; checks that share a reason share its cure and a line."""
    checks: dict[tuple[str, str], list[str]] = {}
    for entry in skipped:
        checks.setdefault((entry.reason, entry.hint), []).append(entry.check)
    for (reason, hint), names in checks.items():
        waiting = [name for name in names if name != STATEMENTS] if STATEMENTS in names else []
        about = STATEMENTS if waiting else ", ".join(dict.fromkeys(names))
        console.print(f"[yellow]not checked[/] {escape(about)}: {escape(reason)}", soft_wrap=True)
        if hint:
            console.print(escape(indent(hint, "  ")), soft_wrap=True)
        if waiting:
            console.print(f"  These checks wait for it: {escape(', '.join(waiting))}", soft_wrap=True)


def _print_finding(console: Console, finding: Finding) -> None:
    colour = _COLOURS[finding.severity]
    share = f" ({percent(finding.time_share_frac, 0)} of time)" if finding.time_share_frac is not None else ""
    title = f"\n[{colour}]{finding.severity.value:<6}[/] [bold]{escape(finding.title)}[/]{share}"
    console.print(title + f" [dim]{escape(finding.check)}[/]", soft_wrap=True)
    console.print(f"  {escape(finding.explanation)}", soft_wrap=True)
    for evidence in finding.evidence:
        console.print(
            f"  - {escape(evidence.label)}: {escape(evidence.value)} [dim]({escape(evidence.source)})[/]",
            soft_wrap=True,
        )
    console.print(f"  remedy: {escape(finding.remedy)}", soft_wrap=True)
    for sql in finding.remedy_sql:
        console.print(f"    {escape(sql)};", style="green", soft_wrap=True)
    if finding.refuted_by:
        console.print(f"  refuted by: {escape(finding.refuted_by)}", style="dim", soft_wrap=True)


def print_competition(
    console: Console,
    run: str,
    competition: Competition,
    dsn: str | None = None,
    texts: Mapping[str, str] | None = None,
) -> None:
    """Show the scoreboard, the verdict and every statement before and after.

    Args:
        console: Where.
        run: Its id.
        competition: What to show.
        dsn: The database, for the next command; None where nobody knows (the ledger keeps no addresses).
        texts: SQL of the statements by name; None where nobody knows.
    """
    console.print(
        f"\n[bold]{escape(competition.blueprint)}[/]  {competition.rounds} paired rounds, run {run}"
    )
    console.print(
        f"[dim]clones: {escape(competition.clone.method)}; {escape(competition.clone.reason)}[/]",
        soft_wrap=True,
    )
    print_verdict(console, competition)
    print_statements(console, statement_documents(competition), texts)
    print_predictions(console, competition)
    print_notes(console, (*competition.clone.notes, *competition.skipped, *competition.notes))
    if competition.winner:
        target = " --to DSN" if dsn is None else shell_argument(dsn, "--to")
        print_command(console, "next", f"pgproof deploy {run}{target} --dry-run", dsn or "")


def print_statements(
    console: Console, statements: Iterable[StatementDocument], texts: Mapping[str, str] | None = None
) -> None:
    """Show each statement before, after, how many times faster, and whether its rows are equal.

    Args:
        console: Where.
        statements: In order.
        texts: SQL by name, shown beside names that say nothing.
    """
    rows = tuple(statements)
    headings = ["statement", "before", "after", "ratio", "rows equal"]
    lines = [
        [row.name, ms(row.before_ms), ms(row.after_ms), times(row.ratio), yes_no(row.rows_equal)]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    names = StatementNames(texts or {}, console.width)
    told = [names.introduce(row.name, sum(widths) + GAP * (len(widths) + 1)) for row in rows]
    table = new_table(*headings, *(["text"] if any(told) else []))
    for line, text in zip(lines, told, strict=True):
        table.add_row(*map(escape, line), *([escape(text)] if any(told) else []))
    console.print(table)
    notes = [f"{row.name}: {row.note}" for row in rows if row.rows_equal is not True and row.note]
    print_notes(console, notes)


def print_deploy_plan(
    console: Console, target: TargetIdentity, variant: str, sql: Iterable[str], notes: Iterable[str]
) -> None:
    """Show what deploy is about to do, and to what."""
    where = f"database {target.database} at {target.address}, PostgreSQL {target.server_version}"
    console.print(f"deploy [bold]{escape(variant)}[/] to {escape(where)}", soft_wrap=True)
    for statement in sql:
        console.print(
            Syntax(statement + ";", "sql", theme="ansi_dark", background_color="default", word_wrap=True)
        )
    print_notes(console, notes)


def print_rollout(
    console: Console,
    rollout: Rollout,
    effects: Collection[StatementEffect],
    notes: Iterable[str],
    dsn: str,
) -> None:
    """Show where a rollout stands, its effect on the target, and how to undo it there."""
    colour = "red" if rollout.state is RolloutState.FAILED else "green"
    console.print(f"rollout {escape(rollout.id)}: [{colour}]{rollout.state.value}[/]")
    if rollout.valid_indexes:
        console.print(f"  valid indexes: {escape(', '.join(rollout.valid_indexes))}", soft_wrap=True)
    if rollout.reverted_schema_equal is not None:
        console.print(f"  schema byte-equal to before: {yes_no(rollout.reverted_schema_equal)}")
    rows = [
        StatementDocument(
            effect.statement,
            effect.before_ms or 0,
            effect.after_ms,
            effect.speedup,
            effect.rows_equal,
            effect.note,
        )
        for effect in effects
        if effect.before_ms is not None
    ]
    if rows:
        console.print("  on the target:")
        print_statements(console, rows)
    not_run = [f"{effect.statement}: {effect.note}" for effect in effects if effect.before_ms is None]
    print_notes(console, (*not_run, *notes))
    if rollout.state is RolloutState.APPLIED:
        print_command(console, "undo", f"pgproof revert {rollout.id}{shell_argument(dsn, '--to')}", dsn)


def print_demo(console: Console, result: DemoResult) -> None:
    """Show the demo: what hurt, who won, what it did on the target, and every statement before and after."""
    console.print(
        f"[bold]{escape(result.title)}[/], scale {result.scale:g}, PostgreSQL {result.server_version}"
    )
    findings = result.diagnosis.findings
    console.print(f"\n[bold]check[/]: {_count(len(findings), 'finding')}; the heaviest:")
    for finding in findings[:_SHOWN_FINDINGS]:
        share = (
            f" ({percent(finding.time_share_frac, 0)} of time)" if finding.time_share_frac is not None else ""
        )
        console.print(
            f"  [{_COLOURS[finding.severity]}]{finding.severity.value:<6}[/] {escape(finding.title)}{share}"
        )
    console.print("\n[bold]compete[/]")
    print_verdict(console, result.competition)
    if result.rollout:
        _print_shipped(console, result)
    console.print("\n[bold]statements[/], control against winner, on clones under the same load")
    print_statements(console, statement_documents(result.competition))
    print_predictions(console, result.competition)
    console.print(f"done in {result.seconds:.0f} s; run {result.run}")


def _print_shipped(console: Console, result: DemoResult) -> None:
    console.print("\n[bold]deploy and revert[/], while a reader and a writer were at work")
    for statement in result.sql:
        console.print(f"    {escape(statement)};", style="green", soft_wrap=True)
    shipped = result.rollout
    if shipped:
        console.print(f"  valid indexes after deploy: {len(shipped.valid_indexes)}")
    if result.reverted:
        equal = yes_no(result.reverted.reverted_schema_equal)
        console.print(f"  schema after revert byte-equal to before: {equal}")
    log = result.application
    if log:
        asked = f"{log.reads:,} reads and {log.writes:,} writes, {log.errors} errors"
        console.print(f"  the application meanwhile: {asked}, slowest statement {ms(log.worst_ms)}")


def print_selfcheck(console: Console, document: SelfcheckDocument) -> None:
    """Show what this host can measure."""
    table = new_table("arm", "time vs control", "interval", "verdict")
    for arm in document.comparisons:
        verdict = arm.verdict.value if arm.verdict else "-"
        table.add_row(escape(arm.name), percent(arm.time_ratio), ratio_interval(arm.interval), verdict)
    console.print(table)
    effect = percent(document.detectable_effect_frac)
    console.print(
        f"In {document.seconds:.0f} s and {document.rounds} rounds, differences from {effect} on show here."
    )
    if document.winner:
        console.print(
            f"[bold red]An identical arm won ({escape(document.winner)}): don't trust verdicts here.[/]"
        )
    else:
        console.print("[green]No identical arm won, as it should be.[/]")
    print_notes(console, document.notes)


def print_runs(console: Console, runs: Iterable[RunDocument]) -> None:
    """Show what the ledger remembers."""
    table = new_table("run", "kind", "when", "name")
    for line in runs:
        table.add_row(line.run, line.kind, line.created_at, escape(line.name))
    console.print(table if table.row_count else "The ledger is empty. pgproof demo is a good start.")


def print_artifacts(console: Console, files: Iterable[Path]) -> None:
    """Name the files that were written."""
    for file in files:
        console.print(f"written: {escape(str(file))}", soft_wrap=True)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
