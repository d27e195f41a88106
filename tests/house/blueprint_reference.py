"""Writes docs/reference/blueprint-file.md from the classes that read the file."""

from __future__ import annotations

import types
from dataclasses import is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from pgproof import changes
from pgproof.frontends.blueprint.criterion_words import UNITS
from pgproof.frontends.blueprint.document import BlueprintDocument
from pgproof.frontends.blueprint.format import Key, keys_of, read_summary
from pgproof.frontends.blueprint.ranges import Range
from pgproof.model.criterion import OF_BUILD, Metric

KINDS = {kind.change for kind in changes.KINDS}
INTRODUCTION = """# Blueprint files

<!-- Written by `./dev reference` from the classes that read the file; edit those instead. -->

The input of `pgproof compete`: a YAML file that belongs in your git. `pgproof blueprint new` or `pgproof
advise` writes one; how to write and change it is in [write a blueprint](../howto/write-a-blueprint.md) and
[edit a blueprint](../howto/edit-a-blueprint.md). [schemas/blueprint.json](schemas/blueprint.json) is its
JSON Schema, for editors that complete and check YAML.

`pgproof blueprint check` reports all that is wrong at once, each with line and column: an unknown key, a
value of the wrong kind or out of range, a name that the workload doesn't have. `compete` refuses such a
file with exit code 2. A key with nothing behind it has its default. Anchors and merge keys (`<<`) of YAML
work.

Parts marked *not run yet* are read, checked, kept and shown; `compete` refuses a blueprint with one of them
before any work (exit code 3).
"""
NOT_RUN = {
    ("Blueprint", "tests"),
    ("Variant", "statements"),
    ("Variant", "cache"),
    ("Variant", "refresh"),
    ("Variant", "max_staleness_s"),
    ("Variant", "patch"),
    ("LoadProfile", "rate"),
    ("LoadProfile", "phases"),
    ("LoadProfile", "start"),
    ("MergePlan", "auto"),
}
"""What ``stages/compete/unsupported.py`` refuses; a test holds the two together."""

REMARKS = {
    "Variant": """
A change as text is one statement: `CREATE INDEX name ON table (...)` (INCLUDE, WHERE, UNIQUE, expressions,
operator classes, any method; not WITH, TABLESPACE or NULLS NOT DISTINCT), `CREATE EXTENSION name`, `ANALYZE
table`, `CREATE STATISTICS name (kinds) ON ... FROM table`, `ALTER TABLE table ALTER COLUMN column SET
STATISTICS n` (of that table alone, partitions keep theirs), `ALTER TABLE table SET (parameter = value)`,
`ALTER DATABASE name SET setting = value`, `ALTER SYSTEM SET setting = value`, or `CREATE MATERIALIZED VIEW
name AS SELECT`. A table without a schema is taken to be in `public`. CONCURRENTLY and IF NOT EXISTS are
read and forgotten. What a change replaces is read from the catalog when it is planned, and restored when it
is reverted. As a mapping it has a `kind`, and the keys of [that kind](#changes-as-mappings).
""",
    "Criterion": """
A threshold is `FIGURE BOUND LIMIT`: a figure of the table below, one of `<`, `<=`, `>`, `>=` (`=` for
counts alone), and a number with its unit. Of several statements the worst one counts; what was not measured
is missed. Those that are no gates are points for tests, beside the [targets](#target): a variant gets the
share that it meets. A gate that is missed disqualifies, on the figure as it was measured.
""",
    "Limits": """
Slowdowns fail a variant only when they are beyond doubt: the whole interval lies above the limit. The gates
`build` and `results-equal` have no key: they can't be loosened.
""",
    "LoadProfile": """
Clients work on one arm at a time, in turns. All turns of all profiles together get at most 40 % of
`race.time_limit_s`; what doesn't fit is cut, and a note says so. The first profile gives the figures of the
scoreboard; every further one needs a name.
""",
    "RacePlan": """
`--time-limit` and `--seed` of `compete` replace two of them for one run.
""",
    "Weights": """
Only ratios matter. `tests` are the targets and criteria that are met, `p95` is 100 for the fastest 95th
percentile under load and less in proportion, `simplicity` is for fewer statements, indexes and bytes; the
formula is in [score.py](../../src/pgproof/stages/compete/score.py).
""",
    "TargetDatabase": """
`compete` asks the database before any work, and refuses another one than is named here (exit code 3).
""",
    "Budget": """
`compete` cuts the race to what copies and builds leave of `time_limit_s`, and stops before any copy when
they would take more than `storage_bytes`.
""",
}


def render_blueprint_page() -> str:
    """The page: the file's keys, then those of each mapping in it, then the kinds of change."""
    named: dict[Any, None] = {}
    _collect(BlueprintDocument, named)
    sections = [kind for kind in named if kind not in KINDS and not _only_in_changes(kind, named)]
    parts = [INTRODUCTION, "## The file\n", table(BlueprintDocument)]
    for kind in sections:
        if kind is not BlueprintDocument:
            parts += [
                f"## {title(kind)}\n",
                f"{read_summary(kind)}\n",
                table(kind),
                REMARKS.get(title(kind), ""),
            ]
            parts += [figures()] if title(kind) == "Criterion" else []
    parts.append("## Changes as mappings\n\nThe fields of their classes, in the order of the class.\n")
    for kind in (*(each.change for each in changes.KINDS), *(k for k in named if _only_in_changes(k, named))):
        parts += [f"### {title(kind)}\n", f"{read_summary(kind)}\n", table(kind)]
    return "\n".join(part.strip("\n") + "\n" for part in parts if part)


def title(kind: Any) -> str:
    """What a mapping is called."""
    return str(kind.__name__).removesuffix("Document")


def figures() -> str:
    """The figures that a threshold can be about."""
    rows = ["| figure | of | units |", "|---|---|---|"]
    for metric in Metric:
        of = ["a load profile"] * metric.of_load + ["`statements`, in the race"] * metric.of_statements
        of += ["applying the variant"] * (metric in OF_BUILD)
        units = ", ".join(f"`{unit}`" for unit in UNITS[metric.unit] if unit) or "a plain number"
        rows.append(f"| `{metric.value}` | {'; or '.join(of)} | {units} |")
    return "\n".join(rows) + "\n"


def table(kind: Any) -> str:
    """The keys of a mapping."""
    rows = ["| key | holds | means | default |", "|---|---|---|---|"]
    rows += [row(title(kind), key) for key in keys_of(kind)]
    return "\n".join(rows) + "\n"


def row(owner: str, key: Key) -> str:
    """One key."""
    meaning = " ".join((key.meaning or ("which kind it is" if key.name == "kind" else "")).split())
    if (owner, key.name) in NOT_RUN:
        meaning = f"{meaning} *Not run yet.*"
    default = "needed" if key.needed or key.name == "kind" else default_of(key)
    cells = (f"`{key.name}`", words(key.type, key.limits), meaning.replace("|", "\\|"), default)
    return f"| {' | '.join(cells)} |"


def default_of(key: Key) -> str:
    """What holds where a key is left out; empty for nothing."""
    value = key.default.value if isinstance(key.default, Enum) else key.default
    if is_dataclass(value):
        return "the defaults of its keys"
    return (
        "" if value in (None, "", (), {}) else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    )


def words(wanted: Any, limits: Range) -> str:
    """A type in words, with links to the mappings that it names."""
    origin, inside = get_origin(wanted), get_args(wanted)
    if origin in (Union, types.UnionType):
        options = [each for each in inside if each is not type(None)]
        if any(each in KINDS for each in options):
            rest = [words(each, limits) for each in options if each not in KINDS]
            return " or ".join([*rest, "a [change](#changes-as-mappings)"])
        return " or ".join(words(each, limits) for each in options)
    if origin is tuple:
        return f"list: {words(inside[0], limits)}"
    if origin is dict:
        return f"mapping of names: {words(inside[1], limits)}"
    if origin is Literal:
        return f"`{inside[0]}`"
    if is_dataclass(wanted):
        return f"[{title(wanted)}](#{title(wanted).lower()})"
    if issubclass(wanted, Enum):
        return ", ".join(f"`{member.value}`" for member in wanted)
    plain = {str: "text", bool: "true or false", int: "whole number", float: "number"}[wanted]
    return f"{plain}, {limits}" if wanted in (int, float) else plain


def _collect(kind: Any, named: dict[Any, None]) -> None:
    """Note a mapping and those that it names, in the order of the file."""
    if kind in named:
        return
    named[kind] = None
    for key in keys_of(kind):
        for each in _classes(key.type):
            _collect(each, named)


def _classes(wanted: Any) -> list[Any]:
    if is_dataclass(wanted):
        return [wanted]
    return [found for each in get_args(wanted) for found in _classes(each)]


def _only_in_changes(kind: Any, named: dict[Any, None]) -> bool:
    """Is it named by changes alone (a relation's name, an index key)?"""
    if kind in KINDS or kind is BlueprintDocument:
        return False
    owners = [owner for owner in named if any(kind in _classes(key.type) for key in keys_of(owner))]
    return all(owner in KINDS or owner.__name__ in ("RefreshDocument",) for owner in owners)
