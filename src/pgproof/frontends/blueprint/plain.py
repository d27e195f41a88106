"""A blueprint as the plain lists and mappings of its file."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any

from pgproof import changes
from pgproof.frontends.blueprint.criterion_words import write_threshold
from pgproof.model.blueprint import Blueprint
from pgproof.model.change import (
    Change,
    CloneOnly,
    CreateIndex,
    CreateMaterializedView,
    DropIndex,
    SetSetting,
    SettingScope,
)
from pgproof.model.criterion import Criterion
from pgproof.model.freshness import CachePolicy, Refresh
from pgproof.model.merge import MergePlan
from pgproof.model.variant import Variant

ALWAYS = ("version", "name", "goal", "workload", "variants", "weights", "load", "limits", "race")
"""Keys that are written whatever they hold: what people look for first when they edit a file."""

_OPEN_LIMIT = "index_bytes"
"""Shown without a value as well: the limit that people set most."""


def plain_blueprint(blueprint: Blueprint, workload: str) -> dict[str, Any]:
    """Return the keys of a file, in its order; those with nothing to say are left out.

    Args:
        blueprint: What to write.
        workload: Name of the workload file.
    """
    charter = blueprint.charter
    loads = [_section(load) for load in (blueprint.load, *blueprint.further_loads)]
    keys = {
        "version": blueprint.version,
        "id": charter.id,
        "name": blueprint.name,
        "goal": blueprint.goal,
        "mode": charter.mode.value,
        "status": charter.status.value,
        "created": charter.created,
        "updated": charter.updated,
        "target": _short(charter.target),
        "assumptions": list(charter.assumptions),
        "questions": [_short(question) for question in charter.questions],
        "workload": workload,
        "variants": [_variant(variant) for variant in blueprint.variants],
        "work_items": [_short(item) for item in charter.work_items],
        "risks": [_short(risk) for risk in charter.risks],
        "criteria": [_criterion(criterion) for criterion in blueprint.criteria],
        "targets": [_short(target) for target in blueprint.targets],
        "tests": list(blueprint.tests),
        "weights": _section(blueprint.weights),
        "load": loads[0] if len(loads) == 1 else loads,
        "limits": _section(blueprint.limits),
        "race": _section(blueprint.race),
        "budget": _short(blueprint.budget),
        "merge": _merge(blueprint.merge),
        "rollback": charter.rollback,
        "artifacts": list(charter.artifacts),
        "notes": list(blueprint.notes),
    }
    unsaid = {"mode": "competition", "status": "draft"}
    return {
        key: value for key, value in keys.items() if key in ALWAYS or (value and value != unsaid.get(key))
    }


def plain_change(change: Change) -> Any:
    """Return a change as SQL; as a mapping where it holds what no single statement says."""
    if _is_more_than_sql(change):
        return {"kind": change.kind, **_short(change)}
    if isinstance(change, CreateIndex):
        steps = changes.simulate_steps(change)  # without CONCURRENTLY: how it is applied is decided elsewhere
        assert not isinstance(steps, CloneOnly)
        return steps[0].sql
    return changes.apply_steps(change)[0].sql  # an ANALYZE that follows goes without saying


def _is_more_than_sql(change: Change) -> bool:
    if isinstance(change, CreateMaterializedView):
        return bool(change.indexes)
    return isinstance(change, DropIndex) or (isinstance(change, SetSetting) and not _names_database(change))


def _names_database(change: SetSetting) -> bool:
    return change.scope is SettingScope.SYSTEM or bool(change.database)


def _variant(variant: Variant) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "name": variant.name,
        "title": variant.title,
        "why": variant.why,
        "details": list(variant.details),
        "changes": [plain_change(change) for change in variant.changes],
        "statements": {each.statement: each.sql for each in variant.statements},
        "cache": _cache(variant.cache) if variant.cache else None,
        "refresh": [_refresh(refresh) for refresh in variant.refreshes],
        "max_staleness_s": variant.max_staleness_s,
        "patch": variant.patch,
        "expected": {expected.statement: expected.cost_frac for expected in variant.expected},
    }
    return {key: value for key, value in keys.items() if value not in (None, "", [], {})}


def _cache(cache: CachePolicy) -> dict[str, Any]:
    ttl_s = {each.statement: each.ttl_s for each in cache.statements}
    return {"ttl_s": ttl_s, **({"url": cache.url} if cache.url else {})}


def _refresh(refresh: Refresh) -> dict[str, Any]:
    view = refresh.view
    dotted = "." in view.schema or "." in view.name
    return {**_short(refresh), "view": _short(view) if dotted else str(view)}


def _criterion(criterion: Criterion) -> Any:
    keys = {
        "title": criterion.title,
        "check": write_threshold(criterion),
        "statements": list(criterion.statements),
        "profile": criterion.profile,
        "gate": criterion.gate,
    }
    said = {key: value for key, value in keys.items() if value}
    return said["check"] if len(said) == 1 else said


def _merge(merge: MergePlan) -> Any:
    return True if merge == MergePlan(auto=True) else _short(merge)


def _section(section: Any) -> dict[str, Any]:
    """Return all numbers of a section, which shows people what there is, and what else is not the default."""
    said = _short(section)
    return {
        each.name: plain_value(getattr(section, each.name))
        for each in fields(section)
        if each.name in said or each.name == _OPEN_LIMIT or isinstance(each.default, int | float)
    }


def _short(value: Any) -> dict[str, Any]:
    """Return what differs from the defaults of a dataclass."""
    return {
        each.name: plain_value(getattr(value, each.name))
        for each in fields(value)
        if each.default is MISSING or getattr(value, each.name) != each.default
    }


def plain_value(value: Any) -> Any:
    """Return a value as lists, mappings, texts and numbers; of dataclasses, what is not the default."""
    if is_dataclass(value):
        return _short(value)
    if isinstance(value, tuple):
        return [plain_value(item) for item in value]
    return value.value if isinstance(value, Enum) else value
