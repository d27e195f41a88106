"""Blueprints as Markdown: the document that people discuss, with the results where there are some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pgproof.changes import apply_steps, describe
from pgproof.errors import UsageError
from pgproof.frontends.blueprint.markdown_results import render_results
from pgproof.frontends.blueprint.plain import plain_change
from pgproof.frontends.report.figures import seconds
from pgproof.model.blueprint import Blueprint, LoadProfile, Target
from pgproof.model.change import Change
from pgproof.model.charter import Charter, Mode, WorkItem
from pgproof.model.criterion import Criterion, criterion_text
from pgproof.model.figures import percent, size
from pgproof.model.freshness import CachePolicy
from pgproof.model.merge import MergePlan
from pgproof.model.trial import Competition
from pgproof.model.variant import Variant


def render_markdown(blueprint: Blueprint, run: str = "", competition: Competition | None = None) -> str:
    """Return a blueprint as Markdown; parts with nothing to say are left out.

    Args:
        blueprint: What to show.
        run: Id of a competition of it.
        competition: What came of it; None where nobody raced it yet.

    Returns:
        Text with a final newline.
    """
    charter = blueprint.charter
    parts = [
        _head(blueprint),
        _section("Goal", blueprint.goal),
        _section("Target", "\n".join(_target(charter))),
        _section("Assumptions", _bullets(charter.assumptions)),
        _section("Clarifying Questions", _bullets(_questions(charter))),
        _section("Approach", _approach(blueprint)),
        _section("Work Items", "\n\n".join(_work_item(item) for item in charter.work_items)),
        _section("Risks & Mitigations", _risks(charter)),
        _section("Evaluation Criteria", _criteria(blueprint)),
        _section("Competition Scoring", _scoring(blueprint, run, competition)),
        _section("Budget", _bullets(_budget(blueprint))),
        _section("Merge Plan", _bullets(_merge(blueprint.merge))),
        _section("Rollback Plan", _fenced(charter.rollback, "bash")),
        _section("Artifacts", _bullets(charter.artifacts)),
        _section("Notes", _bullets(blueprint.notes)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text.strip()}" if text.strip() else ""


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {_indented(text)}" for text in texts)


def _indented(text: str) -> str:
    return text.strip().replace("\n", "\n  ")


def _fenced(text: str, language: str) -> str:
    if not text.strip():
        return ""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.strip()}\n{fence}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _head(blueprint: Blueprint) -> str:
    charter = blueprint.charter
    facts = {
        "Blueprint ID": f"`{_one_line(charter.id)}`" if charter.id else "",
        "Status": charter.status.value,
        "Mode": charter.mode.value,
        "Created": _one_line(charter.created),
        "Updated": _one_line(charter.updated),
    }
    lines = "\n".join(f"**{name}**: {value}  " for name, value in facts.items() if value)
    return f"# {_one_line(blueprint.name)}\n\n{lines}"


def _target(charter: Charter) -> Iterator[str]:
    target = charter.target
    if target.database:
        yield f"- Database: {target.database}"
    if target.min_version is not None:
        yield f"- PostgreSQL {target.min_version} or newer"
    if target.notes:
        yield f"- {_indented(target.notes)}"


def _questions(charter: Charter) -> Iterator[str]:
    for asked in charter.questions:
        told = [f"default: {asked.default}"] if asked.default else []
        told += [f"answer: {asked.answer}"] if asked.answer else []
        yield f"{asked.question} ({'; '.join(told)})" if told else asked.question


def _approach(blueprint: Blueprint) -> str:
    count = len(blueprint.variants)
    if blueprint.charter.mode is Mode.SINGLE:
        intro = "**Single Mode**: one approach, measured against the database as it is."
    else:
        approaches = "1 approach" if count == 1 else f"{count} approaches"
        intro = (
            f"**Competition Mode**: {approaches} on equal clones, measured in turns against the database "
            "as it is."
        )
    return "\n\n".join([intro, *(_variant(variant) for variant in blueprint.variants)])


def _variant(variant: Variant) -> str:
    named = f": {_one_line(variant.title)}" if variant.title != variant.name else ""
    heading = f"### Variant {_one_line(variant.name)}{named}"
    facts = [*variant.details, *(_capital(describe(change)) for change in variant.changes)]
    facts += [f"Sends another statement for {each.statement}" for each in variant.statements]
    facts += _caching(variant.cache)
    facts += [
        f"Refreshes {each.view} every {seconds(each.every_s)}{', concurrently' if each.concurrently else ''}"
        for each in variant.refreshes
    ]
    if variant.max_staleness_s is not None:
        facts.append(f"Answers may be {seconds(variant.max_staleness_s)} old")
    facts += [f"Applies the patch {variant.patch}"] if variant.patch else []
    sql = [f"{statement};" for change in variant.changes for statement in _sql_of(change)]
    sql += [f"-- {_one_line(each.statement)}\n{each.sql.strip()};" for each in variant.statements]
    why = variant.why.strip().replace("\n", "  \n")
    parts = [heading, why, _bullets(facts), _fenced("\n".join(sql), "sql")]
    return "\n\n".join(part for part in parts if part)


def _sql_of(change: Change) -> list[str]:
    plain = plain_change(change)
    if isinstance(plain, str):
        return [plain]
    try:
        return [step.sql for step in apply_steps(change)]
    except UsageError:
        return []  # it names no database, and takes the one it is made in


def _caching(cache: CachePolicy | None) -> list[str]:
    if cache is None:
        return []
    kept = ", ".join(f"{each.statement} for {seconds(each.ttl_s)}" for each in cache.statements)
    return [f"Caches {kept}"]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _work_item(item: WorkItem) -> str:
    word = "Variant" if len(item.variants) == 1 else "Variants"
    variants = f" ({word} {' & '.join(item.variants)})" if item.variants else ""
    facts = {
        "Files": ", ".join(item.files),
        "Diff Contract": item.contract,
        "Tests": ", ".join(item.tests),
    }
    lines = "  \n".join(f"**{name}**: {_one_line(value)}" for name, value in facts.items() if value)
    heading = f"### {_one_line(item.title)}{variants}"
    return "\n\n".join(part for part in (heading, lines, item.notes.strip()) if part)


def _risks(charter: Charter) -> str:
    told = []
    for each in charter.risks:
        mitigation = f"  \n**Mitigation**: {_one_line(each.mitigation)}" if each.mitigation else ""
        told.append(f"**Risk**: {_one_line(each.risk)}{mitigation}")
    return "\n\n".join(told)


def _criteria(blueprint: Blueprint) -> str:
    parts = {
        "Tests": _bullets(f"`{_one_line(command)}`" for command in blueprint.tests),
        "Metrics": _bullets(_criterion(each) for each in blueprint.criteria),
        "Targets": _bullets(_wanted(target) for target in blueprint.targets),
        "Gates": _bullets(_gates(blueprint)),
        "Load": _bullets(_load(load) for load in (blueprint.load, *blueprint.further_loads)),
    }
    return "\n\n".join(f"**{name}**:\n\n{text}" for name, text in parts.items() if text)


def _criterion(criterion: Criterion) -> str:
    named = f"{_one_line(criterion.title)}: " if criterion.title else ""
    return f"{named}{criterion_text(criterion)}{' (gate)' if criterion.gate else ''}"


def _wanted(target: Target) -> str:
    wishes = [f"95th percentile within {target.limit_ms:g} ms"] if target.limit_ms is not None else []
    wishes += [f"{percent(target.faster_frac, 1)} less time"] if target.faster_frac is not None else []
    return f"{_one_line(target.title)} ({', '.join(target.statements)}): {' and '.join(wishes) or 'measured'}"


def _gates(blueprint: Blueprint) -> Iterator[str]:
    limits = blueprint.limits
    yield "results equal to those of the database as it is"
    if limits.index_bytes is not None:
        yield f"at most {size(limits.index_bytes)} of new indexes"
    yield f"writes at most {percent(limits.write_slowdown_frac)} slower"
    yield f"no reading statement more than {percent(limits.statement_slowdown_frac)} slower"
    yield f"at most {percent(limits.error_frac, 1)} more errors" if limits.error_frac else "no more errors"


def _load(load: LoadProfile) -> str:
    named = f"{_one_line(load.name)}: " if load.name else ""
    arriving = f"{load.rate:g} statements a second" if load.rate is not None else ""
    clients = f"{load.clients:,} clients"
    if load.think_time_ms:
        clients += f" that think {load.think_time_ms:g} ms"
    text = f"{named}{arriving + ' over ' if arriving else ''}{clients}, {load.start.value} caches"
    for phase in load.phases:
        rate = f", {phase.rate:g} statements a second" if phase.rate is not None else ""
        asked = f", {phase.clients:,} clients" if phase.clients is not None else ""
        text += f"\n- {_one_line(phase.name) or 'phase'}: {seconds(phase.duration_s)}{asked}{rate}"
    return text


def _scoring(blueprint: Blueprint, run: str, competition: Competition | None) -> str:
    weights = blueprint.weights
    whole = weights.tests + weights.p95 + weights.simplicity
    shares = {
        "Tests": (weights.tests, "targets and criteria that are met; gates come before all points"),
        "Performance": (weights.p95, "95th percentile under load"),
        "Simplicity": (weights.simplicity, "statements, indexes, bytes: what somebody has to look after"),
    }
    listed = _bullets(
        f"{name}: {percent(points / whole)} ({what})" for name, (points, what) in shares.items()
    )
    parts = [f"### Weights\n\n{listed}"]
    if competition is not None:
        parts.append(render_results(run, competition))
    return "\n\n".join(parts)


def _budget(blueprint: Blueprint) -> Iterator[str]:
    budget = blueprint.budget
    if budget.tokens_a_step is not None:
        yield f"Max tokens per step: {budget.tokens_a_step} (per variant)"
    if budget.tokens is not None:
        yield f"Session token cap: {budget.tokens} (all variants combined)"
    if budget.time_estimate_s is not None:
        yield f"Time estimate: {seconds(budget.time_estimate_s)}"
    if budget.time_limit_s is not None:
        yield f"Time cap: {seconds(budget.time_limit_s)}"
    if budget.storage_bytes is not None:
        yield f"Storage cap: {size(budget.storage_bytes)}"


def _merge(merge: MergePlan) -> Sequence[str]:
    if merge == MergePlan():
        return ()
    told = ["The winner is merged without asking" if merge.auto else "People merge the winner"]
    told += [f"Committed on {merge.branch}"] if merge.branch else []
    told += [f"Merged into {merge.into}"] if merge.into else []
    return [*told, f"Migration: {merge.tool.value}{f' in {merge.folder}' if merge.folder else ''}"]
