"""A scenario: a folder of this package with a schema, rows, a workload and what its owners want."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from importlib.resources import files

from pgproof.errors import UsageError
from pgproof.model.blueprint import Target
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
    """

    name: str
    title: str
    goal: str
    targets: tuple[Target, ...]


SHOP = Scenario(
    name="shop",
    title="An order management system with 200,000 orders on two cores",
    goal="Order pages, search, dashboards and assignment fast again, with no answer changed",
    targets=(
        Target(
            "orders page",
            ("ordersPage", "ordersPageDeep", "ordersPageCount", "ordersUpdatedRecently", "orderSummaryPage"),
            limit_ms=2_000,
            faster_frac=0.8,
        ),
        Target(
            "search",
            ("searchByReference", "searchByCustomerName", "searchByPhone"),
            limit_ms=1_000,
            faster_frac=0.8,
        ),
        Target(
            "dashboard",
            ("dashboardByStatus", "dashboardStore", "dashboardDisputes", "ordersOfDay"),
            limit_ms=3_000,
            faster_frac=0.8,
        ),
        Target("assignment", ("assignmentQueue", "agentOpenOrders"), limit_ms=1_000, faster_frac=0.8),
        Target("getUserOrders", ("getUserOrders",), limit_ms=500, faster_frac=0.8),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (SHOP,)
"""All of them. A new one is a folder (schema.sql, data.sql, workload.yaml, README.md) and a line here."""


def load_scenario(name: str) -> Scenario:
    """Return the scenario of that name.

    Raises:
        UsageError: There is none.
    """
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    known = ", ".join(scenario.name for scenario in SCENARIOS)
    raise UsageError(f'There is no scenario "{name}"', hint=f"There is: {known}.")


def read_schema_sql(scenario: Scenario) -> str:
    """Return the script that makes the empty tables."""
    return _read(scenario, "schema.sql")


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
    return _SCALE.sub(f"{scale!r}::numeric", _read(scenario, "data.sql"))


def read_workload_spec(scenario: Scenario) -> WorkloadSpec:
    """Return its statements; their values are drawn from the loaded rows by ``resolve_generators``."""
    source = f"{scenario.name}/workload.yaml"
    return parse_workload(_read(scenario, "workload.yaml"), source)


def _read(scenario: Scenario, file: str) -> str:
    return files("pgproof.scenarios").joinpath(scenario.name, file).read_text(encoding="utf-8")
