"""Blueprints as YAML files: what ``advise`` writes, ``compete`` reads and people edit.

A change is written as SQL (``CREATE INDEX ...``), the workload as the name of a file beside the blueprint.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from pgproof import changes
from pgproof.errors import ConfigError, ParseError
from pgproof.model.blueprint import Blueprint, Limits, LoadProfile, RacePlan, Target, Weights
from pgproof.model.change import (
    Change,
    CloneOnly,
    CreateIndex,
    CreateMaterializedView,
    DropIndex,
    SetSetting,
    SettingScope,
)
from pgproof.model.partitioning import WHAT_IF_ONLY, PartitionTable
from pgproof.model.variant import CANARY, CONTROL, ExpectedStatement, Variant
from pgproof.model.workload import Workload
from pgproof.sqltext.ddl import parse_change
from pgproof.stages.capture.files import load_workload, save_workload

_HEADER = """\
# A pgproof blueprint: the variants that compete, on which workload, under which rules.
# Edit it, keep it in git, then: pgproof compete {name} --against DSN
"""
_SECTIONS: dict[str, type] = {"weights": Weights, "load": LoadProfile, "limits": Limits, "race": RacePlan}
_KEYS = ("version", "name", "goal", "workload", "variants", "targets", "notes", *_SECTIONS)
_KINDS_BY_NAME: dict[str, type[Any]] = {
    kind.change.__dataclass_fields__["kind"].default: kind.change for kind in changes.KINDS
}
_VARIANT_KEYS = ("name", "title", "why", "changes", "expected")


def write_blueprint(blueprint: Blueprint, path: Path) -> Path:
    """Write a blueprint and, beside it, its workload.

    Args:
        blueprint: What to write.
        path: Of the YAML file; an existing one is replaced.

    Returns:
        Path of the workload file.

    Raises:
        ConfigError: The folder can't be written.
    """
    workload_path = path.with_name(path.stem + ".workload.json")
    document: dict[str, Any] = {
        "version": blueprint.version,
        "name": blueprint.name,
        "goal": blueprint.goal,
        "workload": workload_path.name,
        "variants": [_variant_to_yaml(variant) for variant in blueprint.variants],
    }
    for section, kind in _SECTIONS.items():
        document[section] = TypeAdapter(kind).dump_python(getattr(blueprint, section), mode="json")
    if blueprint.targets:
        document["targets"] = TypeAdapter(tuple[Target, ...]).dump_python(blueprint.targets, mode="json")
    if blueprint.notes:
        document["notes"] = list(blueprint.notes)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_workload(blueprint.workload, workload_path)
        path.write_text(_HEADER.format(name=path.name) + text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path} can't be written: {error.strerror}.", hint="Name a file in a folder you may write to."
        ) from error
    return workload_path


def read_blueprint(path: Path) -> Blueprint:
    """Read a blueprint and the workload it names.

    Args:
        path: Of the YAML file.

    Returns:
        The blueprint, complete.

    Raises:
        ConfigError: The file is missing, is not YAML, or holds something that is not ours.
        ParseError: A change is not valid SQL.
    """
    document = _read_mapping(path)
    _refuse_unknown(document, _KEYS, str(path))
    for key in ("workload", "variants"):
        if not document.get(key):
            raise ConfigError(
                f"{path}: {key!r} is missing or empty.", hint="Let pgproof advise write a blueprint."
            )
    version = document.get("version", 1)
    if version != 1:
        raise ConfigError(f"{path}: version {version!r} is not known.", hint="This pgproof reads version 1.")
    variants = tuple(
        _variant_from_yaml(item, path) for item in _sequence(document["variants"], "variants", path)
    )
    _refuse_bad_names(variants, path)
    sections = {
        key: _section(document[key], f"{path}: {key}", kind)
        for key, kind in _SECTIONS.items()
        if key in document
    }
    workload = load_workload(path.parent / _text(document["workload"], f"{path}: workload"))
    return Blueprint(
        name=str(document.get("name") or path.stem),
        goal=str(document.get("goal") or ""),
        workload=workload,
        variants=variants,
        targets=_targets(document.get("targets", []), workload, path),
        notes=tuple(str(note) for note in _sequence(document.get("notes", []), "notes", path)),
        **sections,
    )


def _read_mapping(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path} can't be read: {error.strerror}.", hint="pgproof advise writes one."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not a text file in UTF-8.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigError(f"{where}: not valid YAML: {getattr(error, 'problem', error)}.") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path} is not a blueprint.", hint=f"Its keys are: {', '.join(_KEYS)}.")
    return document


def _refuse_unknown(mapping: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in mapping:
        if key not in known:
            close = get_close_matches(str(key), known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Known keys: {', '.join(known)}."
            raise ConfigError(f"{where}: unknown key {key!r}.", hint=hint)


def _sequence(value: Any, key: str, path: Path) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigError(f"{path}: {key!r} must be a list.")
    return value


def _text(value: Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ConfigError(f"{where} must be a text.")
    return str(value)


def _targets(value: Any, workload: Workload, path: Path) -> tuple[Target, ...]:
    known = tuple(statement.name for statement in workload.statements)
    targets = []
    for item in _sequence(value, "targets", path):
        where = f"{path}: target {item.get('title')!r}" if isinstance(item, dict) else f"{path}: targets"
        target: Target = _section(item, where, Target)
        if not target.statements:
            raise ConfigError(f"{where} names no statement.", hint="List names of the workload's statements.")
        for name in target.statements:
            if name not in known:
                close = get_close_matches(name, known, n=1)
                hint = f"Did you mean {close[0]!r}?" if close else "Names are those of the workload file."
                raise ConfigError(f"{where}: the workload has no statement {name!r}.", hint=hint)
        if target.faster_frac is not None and target.faster_frac >= 1:
            raise ConfigError(f"{where}.faster_frac: must be below 1, not {target.faster_frac:g}.")
        targets.append(target)
    return tuple(targets)


def _section(value: Any, where: str, kind: type) -> Any:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be a mapping.")
    _refuse_unknown(value, tuple(field.name for field in fields(kind)), where)
    try:
        # by way of JSON, whose strict rules take a list for a tuple but neither true nor "2" for a number
        section: Any = TypeAdapter(kind).validate_json(json.dumps(value, default=str), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{where}.{name}: {first['msg']}.") from error
    _refuse_out_of_range(section, where)
    return section


_AT_LEAST = {"clients": 1, "slices": 1, "min_rounds": 10, "max_rounds": 10, "statement_timeout_ms": 1}
_ABOVE_ZERO = ("slice_s", "time_limit_s")


def _refuse_out_of_range(section: Any, where: str) -> None:
    for field in fields(section):
        value = getattr(section, field.name)
        least = _AT_LEAST.get(field.name, 0)
        if value is None or not isinstance(value, int | float):
            continue
        if not least <= value < math.inf or (field.name in _ABOVE_ZERO and value <= 0):
            bar = "above 0" if field.name in _ABOVE_ZERO else f"at least {least}"
            raise ConfigError(f"{where}.{field.name}: must be {bar}, not {value:g}.")
    if isinstance(section, RacePlan) and not 0.5 <= section.confidence < 1:
        raise ConfigError(f"{where}.confidence: must be from 0.5 to below 1, not {section.confidence:g}.")
    if isinstance(section, RacePlan) and section.max_rounds < section.min_rounds:
        raise ConfigError(f"{where}.max_rounds: must be at least min_rounds, {section.min_rounds}.")
    if isinstance(section, Weights) and section.tests + section.p95 + section.simplicity == 0:
        raise ConfigError(f"{where}: one of the weights must be above 0.")


def _variant_to_yaml(variant: Variant) -> dict[str, Any]:
    written: dict[str, Any] = {
        "name": variant.name,
        "title": variant.title,
        "why": variant.why,
        "changes": [_change_to_yaml(change) for change in variant.changes],
    }
    if variant.expected:
        written["expected"] = {expected.statement: expected.cost_frac for expected in variant.expected}
    return written


def _change_to_yaml(change: Change) -> Any:
    if _is_more_than_sql(change):
        return TypeAdapter(type(change)).dump_python(change, mode="json")
    if isinstance(change, CreateIndex):
        steps = changes.simulate_steps(change)  # without CONCURRENTLY: how it is applied is decided elsewhere
        assert not isinstance(steps, CloneOnly)
        return steps[0].sql
    return changes.apply_steps(change)[0].sql  # an ANALYZE that follows goes without saying


def _is_more_than_sql(change: Change) -> bool:
    """Tell whether a change holds what no single statement of SQL says."""
    if isinstance(change, CreateMaterializedView):
        return bool(change.indexes)
    return isinstance(change, DropIndex) or (isinstance(change, SetSetting) and not _names_database(change))


def _names_database(change: SetSetting) -> bool:
    return change.scope is SettingScope.SYSTEM or bool(change.database)


def _variant_from_yaml(item: Any, path: Path) -> Variant:
    if not isinstance(item, dict) or not item.get("name"):
        raise ConfigError(
            f"{path}: each variant is a mapping with a name.", hint=f"Keys: {', '.join(_VARIANT_KEYS)}."
        )
    name = _text(item["name"], f"{path}: the name of a variant")
    where = f"{path}: variant {name!r}"
    _refuse_unknown(item, _VARIANT_KEYS, where)
    listed = _sequence(item.get("changes") or [], "changes", path)
    if not listed:
        raise ConfigError(
            f"{where} changes nothing.", hint="The control is added by the competition; list a change."
        )
    return Variant(
        name=name,
        title=str(item.get("title") or name),
        changes=tuple(_change_from_yaml(change, where) for change in listed),
        why=str(item.get("why") or ""),
        expected=_expected_from_yaml(item.get("expected") or {}, f"{where}: expected"),
    )


def _expected_from_yaml(value: Any, where: str) -> tuple[ExpectedStatement, ...]:
    """Read what the planner expects of a variant; the workload may have lost some of the statements since."""
    if not isinstance(value, dict):
        raise ConfigError(
            f"{where} must be a mapping of statements to shares of their cost.",
            hint="pgproof advise writes it; leave it out of variants of your own.",
        )
    for name, share in value.items():
        number = isinstance(share, int | float) and not isinstance(share, bool)
        if not number or not 0 <= share < math.inf:
            raise ConfigError(f"{where}: the share of {name!r} must be a number from 0 on, not {share!r}.")
    return tuple(ExpectedStatement(_text(name, where), float(share)) for name, share in value.items())


def _change_from_yaml(value: Any, where: str) -> Change:
    if isinstance(value, str):
        try:
            return parse_change(value, where)
        except ParseError as error:
            error.hint = error.hint or "Line and column count from the start of this change's text."
            raise
    kind = _KINDS_BY_NAME.get(str(value.get("kind"))) if isinstance(value, dict) else None
    if kind is not None:
        try:
            change: Change = TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            raise ConfigError(f"{where}: {value['kind']}: {error.errors()[0]['msg']}.") from error
        return change
    if isinstance(value, dict) and value.get("kind") == PartitionTable.__dataclass_fields__["kind"].default:
        raise ConfigError(f"{where}: {WHAT_IF_ONLY}", hint="Take it as advice, and plan the move yourself.")
    raise ConfigError(
        f"{where}: a change is one SQL statement as text, or a mapping with a known kind.",
        hint="For example: - CREATE INDEX orders_status_idx ON public.orders (status)\n"
        f"Kinds: {', '.join(_KINDS_BY_NAME)}.",
    )


def _refuse_bad_names(variants: tuple[Variant, ...], path: Path) -> None:
    seen: set[str] = set()
    for variant in variants:
        if variant.name in (CONTROL.name, CANARY.name):
            raise ConfigError(
                f"{path}: a variant can't be called {variant.name!r}.", hint="Choose another name."
            )
        if variant.name in seen:
            raise ConfigError(
                f"{path}: two variants are called {variant.name!r}.", hint="Names must be unique."
            )
        seen.add(variant.name)
