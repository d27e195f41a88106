"""The first lines of advice: what to do, what it saves, what it costs, and how sure that is."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from pgproof.frontends.documents import AdviseDocument
from pgproof.frontends.report.figures import counted, duration, ms, percent, saving, size
from pgproof.model.advice import ChoiceExplanation
from pgproof.model.candidate import Proof
from pgproof.model.change import CreateIndex, DropIndex
from pgproof.model.estimate import Estimate
from pgproof.model.paired import PairedTiming
from pgproof.stages.estimate.select import WORTH_FRAC

_UNPROVEN_FRAC = 0.98
"""A bound from which on nothing is said to be proven. **Source**: judgement: it says that a set could save
all there is."""

_GAP_FRAC = 0.02
"""Gap between a set and the bound that more time might close. **Source**: judgement; twice what is felt."""


def print_decision(console: Console, advice: AdviseDocument) -> None:
    """Show the recommended variant in a few lines, or that there is none."""
    variant = next((v for v in advice.variants if v.name == advice.recommended), None)
    estimate = next((e for e in advice.estimates if e.variant == advice.recommended), None)
    if variant is None or estimate is None:
        console.print("\n[bold]No index is recommended.[/]")
        console.print(escape("".join(advice.notes[:1])), soft_wrap=True)
        return
    new = sum(isinstance(change, CreateIndex) for change in variant.changes)
    gone = sum(isinstance(change, DropIndex) for change in variant.changes)
    parts = [counted(new, "new index", "new indexes")] if new else []
    parts += [counted(gone, "existing index goes", "existing indexes go")] if gone else []
    console.print(f"\n[bold]recommended: {escape(variant.name)}[/], {', '.join(parts)}", soft_wrap=True)
    choice = advice.explanations.get(variant.name, ChoiceExplanation())
    facts = [("saves", _saves(estimate, choice)), ("costs", _costs(estimate, choice, new))]
    if advice.proof is not None:
        facts.append(("proof", _proof(advice.proof, choice)))
    if advice.measured:
        facts.append(("measured", _measured(advice.measured.get(variant.name))))
    for label, fact in facts:
        console.print(f"  {label:<9}{escape(fact)}", soft_wrap=True)


def _saves(estimate: Estimate, choice: ChoiceExplanation) -> str:
    by = "the time it took on the server" if estimate.weighted_by == "time" else "its calls"
    saved = f"{saving(estimate.saved_frac)} of the workload's planner cost, each statement weighted by {by}"
    aside = _aside(choice)
    return f"{saved}; of the cost without {aside}, {saving(_net_frac(choice))}" if aside else saved


def _costs(estimate: Estimate, choice: ChoiceExplanation, new: int) -> str:
    parts = []
    if new:
        built = sum(index.build_s or 0.0 for index in choice.indexes)
        build = f" and about {duration(built)} to build" if built >= 1 else ""
        parts.append(f"{size(estimate.index_bytes)}{build}")
        upkeep = sum(index.upkeep_frac for index in choice.indexes)
        writes = f"{percent(upkeep)} of that cost" if upkeep else "nothing"
        parts.append(f"{writes} for the workload's writes")
    freed = sum(explained.drop.size_bytes for explained in choice.drops)
    if freed:
        parts.append(f"{size(freed)} of old indexes are freed")
    return "; ".join(parts) or "nothing"


def _proof(proof: Proof, choice: ChoiceExplanation) -> str:
    """Say how much better any other set could be: net of upkeep and of a step an index, as the bound is."""
    seconds = f"{proof.planner_calls:,} questions to the planner, {proof.seconds:.1f} s"
    gap_frac = proof.bound_frac - proof.saved_frac
    if proof.bound_frac >= _UNPROVEN_FRAC and gap_frac > _GAP_FRAC:
        return f"none: the time was up before more could be ruled out; try a longer --time-limit ({seconds})"
    bound = f"any set within the limits saves at most {percent(proof.bound_frac)}, this one"
    told = f"{bound} {saving(proof.saved_frac)}: upkeep and {percent(WORTH_FRAC, 3)} an index taken off"
    if proof.best_frac - proof.saved_frac > _GAP_FRAC:
        told += (
            f"; {saving(proof.best_frac)} would take {counted(proof.best_indexes, 'index', 'indexes')} and"
            f" {size(proof.best_bytes)}, which was not thought worth it"
        )
    if _aside(choice):
        told += f", {_aside(choice)} left out"
    longer = proof.bound_frac - max(proof.best_frac, proof.saved_frac) > _GAP_FRAC
    return f"{told} ({seconds}{'; a longer --time-limit may close the gap' if longer else ''})"


def _measured(timings: tuple[PairedTiming, ...] | None) -> str:
    if timings is None:
        return "not this set: see the notes"
    if not timings:
        return "on a clone, no statement got another plan"
    before, after = sum(t.before_ms for t in timings), sum(t.after_ms for t in timings)
    clock = "server CPU" if all(t.clock == "cpu" for t in timings) else "wall time"
    count = counted(len(timings), "statement got another plan", "statements got another plan")
    return (
        f"on a clone, {count}; one call of each took {ms(before)} ({clock}), now {ms(after)};"
        " none is more than 15 % slower"
    )


def _aside(choice: ChoiceExplanation) -> str:
    """Name the statements that the choice leaves out, since they would hide all others."""
    return ", ".join(outlook.statement for outlook in choice.outlooks if outlook.left_frac is None)


def _net_frac(choice: ChoiceExplanation) -> float | None:
    return choice.indexes[0].set_frac if choice.indexes else None
