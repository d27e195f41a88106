"""Blueprints as text: YAML that people edit, with or without comments."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import yaml

from pgproof.frontends.blueprint.document import BlueprintDocument, VariantDocument
from pgproof.frontends.blueprint.format import read_meanings
from pgproof.frontends.blueprint.plain import plain_blueprint
from pgproof.model.blueprint import Blueprint

WIDTH = 100
_RARE_LINE_ENDS = frozenset("\r\x85\u2028\u2029")
_HEADER = """\
# A pgproof blueprint: the variants that compete, on which workload, under which rules.
# Edit it, keep it in git, then: pgproof compete {name} --against DSN
"""
_VARIANT_KEYS = f"Keys of a variant: {', '.join(VariantDocument.__dataclass_fields__)}."
_EXAMPLE_STATEMENT = "listUsers"
EXAMPLES: dict[str, str] = {
    "id": "2026-11-20_user-listing",
    "created": "2026-11-20",
    "target": "{database: app, min_version: 14}",
    "assumptions": "\n- The user table has about a million rows",
    "questions": '\n- {question: "How old may a count be?", default: 5 minutes}',
    "work_items": "\n- {title: Pages by cursor, files: [app/users.py], tests: [tests/test_users.py]}",
    "risks": "\n- {risk: The index build takes long, mitigation: Build it at night}",
    "criteria": "\n- p95 < 100 ms\n- throughput > 500 /s\n- {check: index_size < 200 MB, gate: true}",
    "targets": "\n- {title: user listing, statements: [listUsers], limit_ms: 100, faster_frac: 0.8}",
    "tests": "\n- pytest tests/performance",
    "budget": "{time_limit_s: 3600, storage_bytes: 20000000000}",
    "merge": "{into: main, tool: alembic, folder: migrations/versions}",
    "rollback": "|\n  pgproof revert last --to service=app",
    "artifacts": "\n- migrations/003_users.sql",
    "notes": "\n- Ask the operators before the load test",
}
"""What to write behind a key, for starting files."""


def render_blueprint(blueprint: Blueprint, workload: str, file_name: str, *, commented: str = "") -> str:
    """Return a blueprint as YAML text.

    Args:
        blueprint: What to write.
        workload: Name of its workload file.
        file_name: Its own, for the command in the header.
        commented: Name of a statement for examples: say above each key what it means, and show the others as
            comments. Empty writes no comments.
    """
    keys = plain_blueprint(blueprint, workload)
    text = _HEADER.format(name=file_name)
    if not commented:
        return text + _dump(keys)
    meanings = read_meanings(BlueprintDocument)
    for key in BlueprintDocument.__dataclass_fields__:
        meaning = f"{meanings[key]} {_VARIANT_KEYS}" if key == "variants" else meanings[key]
        comment = "\n".join(f"# {line}" for line in wrap(meaning, WIDTH - 2))
        if key in keys:
            text += f"\n{comment}\n{_dump({key: keys[key]})}"
        elif key in EXAMPLES:
            example = f"{key}: {EXAMPLES[key]}".replace(": \n", ":\n").replace(_EXAMPLE_STATEMENT, commented)
            text += f"\n{comment}\n" + "".join(f"# {line}\n" for line in example.splitlines())
    return text


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and those with rare line ends so that they stay."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None
    if not _RARE_LINE_ENDS.isdisjoint(text):
        style = '"'
    elif "\n" in text.rstrip("\n"):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _dump(keys: dict[str, Any]) -> str:
    written: str = yaml.dump(keys, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return written
