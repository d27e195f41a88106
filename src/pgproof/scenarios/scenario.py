"""A scenario: a folder of this package with a schema, rows, a workload and what its owners want."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from importlib.resources import files

from pgproof.errors import UsageError
from pgproof.model.blueprint import Target
from pgproof.model.candidate import IndexBudget
from pgproof.stages.capture.files import parse_workload
from pgproof.stages.capture.spec import WorkloadSpec

_SCALE = re.compile(r"(?<![:\w]):scale\b")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A case that ships with the product.

    Args:
        name: Short; also of its folder and of the database it is loaded into.
        title: One line for humans.
        goal: What shall get better, in the owners' words.
        targets: What counts as success.
        budget: What the owners allow new indexes to take; None where they named no limit.
    """

    name: str
    title: str
    goal: str
    targets: tuple[Target, ...]
    budget: IndexBudget | None = None


def read_schema_sql(scenario: Scenario) -> str:
    """Return the script that makes the empty tables."""
    return _read_file(scenario.name, "schema.sql")


def render_data_sql(scenario: Scenario, scale: float = 1.0) -> str:
    """Return the script that fills the tables, always with the same rows.

    Args:
        scenario: Which one.
        scale: Its size; 1 is what its README names, > 0. Rows grow in proportion, down to a small minimum.

    Raises:
        UsageError: The scale is no positive number.
    """
    if not (math.isfinite(scale) and scale > 0):
        raise UsageError("The scale must be a number above 0", hint="1 is the size of the owners' database.")
    prelude = _read_file("prelude.sql")
    return f"{prelude}\n" + _SCALE.sub(f"{scale!r}::numeric", _read_file(scenario.name, "data.sql"))


def read_workload_spec(scenario: Scenario) -> WorkloadSpec:
    """Return its statements; their values are drawn from the loaded rows by ``resolve_generators``."""
    source = f"{scenario.name}/workload.yaml"
    return parse_workload(_read_file(scenario.name, "workload.yaml"), source)


def _read_file(*path: str) -> str:
    return files("pgproof.scenarios").joinpath(*path).read_text(encoding="utf-8")
