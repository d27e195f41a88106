"""Why these indexes, on a terminal, in full: what each does, what came second, what stays heavy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.markup import escape

from pgproof.frontends.report.figures import ms, percent, size, times
from pgproof.frontends.report.tables import new_table
from pgproof.model.advice import (
    ChoiceExplanation,
    DropExplanation,
    IndexExplanation,
    OutlookCase,
    StatementGain,
    StatementOutlook,
)
from pgproof.model.drop import DropCandidate, DropReview, IndexUpkeep, KeptIndex
from pgproof.model.estimate import Confidence, Estimate, IndexSize
from pgproof.model.paired import PairedTiming
from pgproof.model.units import PlannerCost

_SHOWN_INDEXES = 8
_SHOWN_STATEMENTS = 3
_SHOWN_OUTLOOKS = 5
_SHOWN_DROPS = 8
_SHOWN_TIMINGS = 8
_COLOURS = {OutlookCase.LEFT_OUT: "yellow", OutlookCase.UNKNOWN: "dim"}

_Item = TypeVar("_Item")


def print_choice(console: Console, choice: ChoiceExplanation, *, everything: bool = False) -> None:
    """Show why each index is in a set, what goes for it, and which statements no index helps.

    Args:
        console: Where.
        choice: Of one set.
        everything: Show every entry of long lists, and what sizes rest on.
    """
    _print_list(console, choice.indexes, _SHOWN_INDEXES, everything, "index", _print_index)
    if choice.drops:
        console.print("[bold]existing indexes that go[/]")
        _print_list(console, choice.drops, _SHOWN_DROPS, everything, "index", _print_drop)
    if choice.outlooks:
        share = f": {percent(choice.left_heavy_frac, 0)} of what is left" if choice.left_heavy_frac else ""
        console.print(f"[bold]statements that stay heavy[/]{share}")
        _print_list(console, choice.outlooks, _SHOWN_OUTLOOKS, everything, "statement", _print_outlook)


def print_drops(console: Console, review: DropReview, *, everything: bool = False) -> None:
    """Show which existing indexes may go, which may not and why, and what could not be judged.

    Args:
        console: Where.
        review: What came of looking for them.
        everything: Show every entry of long lists, and why others have to stay.
    """
    if review.candidates:
        freed = size(sum(drop.size_bytes for drop in review.candidates))
        count = _count(len(review.candidates), "existing index", "existing indexes")
        console.print(f"[bold]{count} may go[/], {freed}; the planner and a competition decide")
        _print_list(console, review.candidates, _SHOWN_DROPS, everything, "index", _print_candidate)
    if review.kept and everything:
        for kept in review.kept:
            _print_kept(console, kept)
    elif review.kept:
        count = _count(len(review.kept), "index that looks", "indexes that look")
        console.print(f"[dim]{count} superfluous must stay; -v says why[/]")
    for note in review.notes:
        console.print(f"[dim]note: {escape(note)}[/]", soft_wrap=True)


def print_measured(
    console: Console,
    estimate: Estimate,
    timings: Sequence[PairedTiming] | None,
    *,
    everything: bool = False,
) -> None:
    """Show what a variant did to each statement whose plan it changes, beside what the planner expected.

    Args:
        console: Where.
        estimate: What was expected of the variant.
        timings: What was measured; nothing is shown where nobody measured, or no plan changed.
        everything: Show every statement.
    """
    if not timings:
        return
    expected = {one.statement: one.before.saved_frac(one.after) for one in estimate.statements}
    table = new_table(f"{estimate.variant}, on a clone", "expected", "measured", "before", "after")
    ranked = sorted(timings, key=lambda timing: timing.after_ms - timing.before_ms)
    for timing in ranked if everything else ranked[:_SHOWN_TIMINGS]:
        table.add_row(
            escape(timing.statement),
            percent(-expected[timing.statement]) if timing.statement in expected else "-",
            percent(timing.factor - 1) + (" or less" if timing.was_capped else ""),
            ms(timing.before_ms),
            ms(timing.after_ms),
        )
    console.print(table)
    more = len(ranked) - _SHOWN_TIMINGS
    if more > 0 and not everything:
        console.print(f"[dim]  ... and {_count(more, 'more statement', 'more statements')}; -v shows all[/]")


def _print_list(
    console: Console,
    items: Sequence[_Item],
    shown: int,
    everything: bool,
    noun: str,
    show: Callable[[Console, _Item, bool], None],
) -> None:
    """Show the first of some items, and how many there are more."""
    for item in items if everything else items[:shown]:
        show(console, item, everything)
    more = len(items) - shown
    if more > 0 and not everything:
        plural = "indexes" if noun == "index" else f"{noun}s"
        console.print(f"[dim]  ... and {_count(more, f'more {noun}', f'more {plural}')}; -v shows all[/]")


def _print_index(console: Console, index: IndexExplanation, everything: bool) -> None:
    unknown = index.saved_frac is None
    facts = ["no time to tell what it saves" if unknown else f"saves {percent(index.saved_frac)}"]
    facts.append(_size(index.size))
    if index.upkeep_frac > 0:
        facts.append(f"costs writes {percent(index.upkeep_frac)}")
    if index.build_s is not None and index.build_s >= 1:
        facts.append(f"about {index.build_s:,.0f} s to build")
    console.print(f"[bold]{escape(index.index)}[/]  {', '.join(facts)}", soft_wrap=True)
    _line(console, index.sql, style="green")
    _print_gains(console, "helps", index.statements, everything)
    if index.supersedes:
        _line(console, f"makes superfluous: {', '.join(map(str, index.supersedes))}")
    if index.rival:
        _line(
            console, f"next best: {index.rival.index}, {size(index.rival.size_bytes)}: {index.rival.reason}"
        )
        if everything:
            _line(console, f"  {index.rival.sql}", style="dim")
    elif index.rival_note:
        _line(console, f"next best: none; {index.rival_note}")
    if everything:
        _line(console, f"why: {index.reason}")
        _line(console, f"size: {index.size.confidence.value} confidence; {index.size.reason}")


def _print_gains(console: Console, verb: str, gains: Sequence[StatementGain], everything: bool) -> None:
    shown = gains if everything else gains[:_SHOWN_STATEMENTS]
    more = len(gains) - len(shown)
    words = [_gain(gain) for gain in shown] + ([f"{more} more"] if more else [])
    if words:
        _line(console, f"{verb}: {'; '.join(words)}")


def _gain(gain: StatementGain) -> str:
    change = f"{_cost(gain.without)} to {_cost(gain.after)}"
    if gain.after < gain.without and gain.after.value > 0:
        change += f" ({times(gain.without.value / gain.after.value)})"
    return f"{gain.statement} {change}, {percent(gain.share_frac, 0)} of the cost"


def _print_outlook(console: Console, outlook: StatementOutlook, _: bool) -> None:
    share = "more than all others" if outlook.left_frac is None else percent(outlook.left_frac, 0)
    colour = _COLOURS.get(outlook.case)
    reason = f"[{colour}]{escape(outlook.reason)}[/]" if colour else escape(outlook.reason)
    console.print(f"  {escape(outlook.statement)} ({share}): {reason}", soft_wrap=True)


def _print_drop(console: Console, explained: DropExplanation, everything: bool) -> None:
    if explained.saved_frac is None:
        effect = "what that does to plans was not estimated"
    elif not explained.dearer:
        effect = "no statement's plan gets dearer"
    else:
        effect = f"{_count(len(explained.dearer), 'statement gets', 'statements get')} dearer"
    drop = explained.drop
    console.print(f"  {escape(drop.name)}, {size(drop.size_bytes)}: {effect}", soft_wrap=True)
    _print_gains(console, "dearer", explained.dearer, everything)


def _print_candidate(console: Console, drop: DropCandidate, everything: bool) -> None:
    console.print(
        f"  [bold]{escape(drop.name)}[/]  {size(drop.size_bytes)}, {drop.case.value}: {escape(drop.reason)}",
        soft_wrap=True,
    )
    for line in _upkeep(drop.upkeep):
        _line(console, f"  {line}")
    if everything:
        for fact in drop.evidence:
            _line(console, f"  {fact.label}: {fact.value} ({fact.source})", style="dim")


def _upkeep(upkeep: IndexUpkeep) -> Iterable[str]:
    if upkeep.statements:
        yield f"written to by {_some(upkeep.statements)}: {upkeep.rows:,.0f} entries in the workload"
    elif upkeep.counted_rows:
        yield f"{upkeep.counted_rows:,} entries written since the counters began"
    if upkeep.hot_prevented:
        yield f"without it, {_some(upkeep.hot_prevented)} could leave all indexes alone (HOT)"


def _print_kept(console: Console, kept: KeptIndex) -> None:
    console.print(f"[dim]stays[/] {escape(kept.reason)} [dim]({kept.case.value})[/]", soft_wrap=True)
    for line in kept.hint.splitlines():
        _line(console, line, style="dim")


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(f"    {escape(text)}", style=style, soft_wrap=True)


def _size(index: IndexSize) -> str:
    about = "" if index.confidence is Confidence.HIGH else "about "
    return f"{about}{size(index.size_bytes)}"


def _cost(cost: PlannerCost) -> str:
    return f"{cost.value:,.0f}" if cost.value >= 100 else f"{cost.value:.3g}"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN_STATEMENTS])
    more = len(names) - _SHOWN_STATEMENTS
    return f"{shown} and {more} more" if more > 0 else shown


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
