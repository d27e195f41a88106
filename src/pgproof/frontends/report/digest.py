"""The recommended set on a screen or two: its indexes, what goes, what else could race, what stays heavy."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from pgproof.frontends.documents import AdviseDocument
from pgproof.frontends.report.choice import print_measured
from pgproof.frontends.report.figures import counted, percent, saving, size, times
from pgproof.frontends.report.statement_names import StatementNames
from pgproof.model.advice import ChoiceExplanation, DropExplanation, IndexExplanation, StatementOutlook
from pgproof.model.variant import Variant

_SHOWN_INDEXES = 10
_SHOWN_DROPS = 4
_SHOWN_HEAVY = 5


def print_digest(console: Console, advice: AdviseDocument, names: StatementNames) -> None:
    """Show what matters of advice in few lines; long lists end with a count.

    Args:
        console: Where.
        advice: What was found.
        names: Tells the text of statements whose names say nothing.
    """
    choice = advice.explanations.get(advice.recommended, ChoiceExplanation())
    sql = advice.sql.get(advice.recommended, ())
    _print_indexes(console, choice.indexes, sql, names)
    _print_drops(console, choice.drops, sql)
    recommended = [each for each in advice.estimates if each.variant == advice.recommended]
    for estimate in recommended:
        print_measured(console, estimate, advice.measured.get(estimate.variant))
    _print_others(console, advice)
    _print_heavy(console, choice, names)
    _print_review(console, advice, choice)


def _print_indexes(
    console: Console, indexes: Sequence[IndexExplanation], sql: Sequence[str], names: StatementNames
) -> None:
    """Show each index with its SQL and a line of figures, the one that saves most first."""
    if not indexes:
        return
    console.print("\n[bold]its indexes[/]")
    for statement in sql:
        if statement.startswith("CREATE EXTENSION"):
            _print_sql(console, statement)
    for index in indexes[:_SHOWN_INDEXES]:
        _print_sql(console, index.sql)
        figures = f"      {_figures(index)}"
        console.print(
            f"{escape(figures)}[dim]{escape(_helped(index, names, len(figures)))}[/]", soft_wrap=True
        )
    rest = indexes[_SHOWN_INDEXES:]
    if rest:
        known = [index.saved_frac for index in rest if index.saved_frac is not None]
        worth = f", none of which saves more than {saving(max(known))}" if len(known) == len(rest) else ""
        count = counted(len(rest), "more index", "more indexes")
        console.print(
            f"[dim]  ... and {count}, {size(sum(i.size.size_bytes for i in rest))}{worth}; -v shows all[/]"
        )
    analyzed = [statement for statement in sql if statement.startswith("ANALYZE")]
    if analyzed:
        shown = "; ".join(analyzed[:3])
        more = f"[dim]  ... and {len(analyzed) - 3} more[/]" if len(analyzed) > 3 else ""
        console.print(f"  [green]{escape(shown)};[/]{more}", soft_wrap=True)


def _figures(index: IndexExplanation) -> str:
    unknown = index.saved_frac is None
    facts = ["no time to ask what it saves" if unknown else f"saves {saving(index.saved_frac)}"]
    facts.append(size(index.size.size_bytes))
    if index.upkeep_frac >= 0.0005:
        facts.append(f"costs writes {percent(index.upkeep_frac)}")
    return ", ".join(facts)


def _helped(index: IndexExplanation, names: StatementNames, taken: int) -> str:
    """Name the statement that gains most, and what it is where its name doesn't say so."""
    if not index.statements:
        return ""
    first, more = index.statements[0], len(index.statements) - 1
    factor = times(first.without.value / first.after.value) if first.after.value > 0 else "all of it"
    named = f"; {first.statement} {factor}{f', {more} more' if more else ''}"
    text = names.introduce(first.statement, taken + len(named) + 2)
    return f"{named}: {text}" if text else named


def _print_drops(console: Console, drops: Sequence[DropExplanation], sql: Sequence[str]) -> None:
    """Show the existing indexes that go with the set, as it stands in its SQL."""
    if not drops:
        return
    freed = size(sum(explained.drop.size_bytes for explained in drops))
    console.print(f"\n[bold]existing indexes that go with it[/], {freed}")
    statements = [statement for statement in sql if statement.startswith("DROP INDEX")]
    for explained, statement in list(zip(drops, statements, strict=False))[:_SHOWN_DROPS]:
        _print_sql(console, statement)
        dearer = counted(len(explained.dearer), "statement gets dearer", "statements get dearer")
        effect = f"; {dearer}" if explained.dearer else ""
        console.print(f"      {escape(explained.drop.reason)}{effect}", soft_wrap=True)
    _print_more(console, len(drops) - _SHOWN_DROPS, "index", "indexes")


def _print_others(console: Console, advice: AdviseDocument) -> None:
    """Show the other variants, a line each."""
    others = [variant for variant in advice.variants if variant.name != advice.recommended]
    if others:
        console.print("\n[bold]the other variants[/], in the blueprint too")
    width = max((len(variant.name) for variant in others), default=0)
    for variant in others:
        line = f"{variant.name:<{width}}  {_promise(advice, variant)}{variant.title}"
        console.print(f"  {escape(line)}", soft_wrap=True)


def _promise(advice: AdviseDocument, variant: Variant) -> str:
    """Return what is expected of a variant, and whether it was tried where others were."""
    for estimate in advice.estimates:
        if estimate.variant == variant.name:
            tried = "" if variant.name in advice.measured or not advice.measured else "not tried; "
            return f"saves {saving(estimate.saved_frac)} for {size(estimate.index_bytes)}; {tried}"
    return ""


def _print_heavy(console: Console, choice: ChoiceExplanation, names: StatementNames) -> None:
    """Show the statements that stay heavy, and whether any index would help."""
    if not choice.outlooks:
        return
    share = (
        f", {percent(choice.left_heavy_frac, 0)} of the cost that is left" if choice.left_heavy_frac else ""
    )
    console.print(f"\n[bold]statements that stay heavy[/]{share}")
    for outlook in choice.outlooks[:_SHOWN_HEAVY]:
        _print_outlook(console, outlook, names)
    _print_more(console, len(choice.outlooks) - _SHOWN_HEAVY, "statement", "statements")


def _print_outlook(console: Console, outlook: StatementOutlook, names: StatementNames) -> None:
    share = "more than all others" if outlook.left_frac is None else percent(outlook.left_frac, 0)
    console.print(f"  {escape(outlook.statement)} ({share}): {escape(outlook.reason)}", soft_wrap=True)
    text = names.introduce(outlook.statement, 6)
    if text:
        console.print(f"      [dim]{escape(text)}[/]", soft_wrap=True)


def _print_review(console: Console, advice: AdviseDocument, choice: ChoiceExplanation) -> None:
    """Say in a line what other existing indexes were looked at."""
    if advice.drops is None:
        return
    going = {explained.drop.name for explained in choice.drops}
    others = [drop for drop in advice.drops.candidates if drop.name not in going]
    lines = []
    if others:
        count = counted(len(others), "other existing index looks", "other existing indexes look")
        lines.append(
            f"{count} superfluous ({size(sum(drop.size_bytes for drop in others))}), but plans use them"
        )
    if advice.drops.kept:
        count = counted(len(advice.drops.kept), "index that looks", "indexes that look")
        lines.append(f"{count} superfluous must stay")
    if lines:
        console.print(f"\n[dim]{'; '.join(lines)}; -v says why[/]", soft_wrap=True)


def _print_sql(console: Console, statement: str) -> None:
    console.print(f"  {escape(statement)};", style="green", soft_wrap=True)


def _print_more(console: Console, more: int, one: str, many: str) -> None:
    if more > 0:
        console.print(f"[dim]  ... and {counted(more, f'more {one}', f'more {many}')}; -v shows all[/]")
