"""Where the planner sees no difference, the more selective column leads."""

from dataclasses import replace

import pytest

from pgproof.model.candidate import Ambition, Correction, IndexCandidate, IndexSet, Selection
from pgproof.model.relation import Table
from pgproof.model.units import PlannerCost
from pgproof.stages.estimate.key_order import in_sensible_order
from pgproof.stages.estimate.select import make_goal
from tests.builders import catalog, column, table, workload
from tests.unit.estimate.test_choosing import PaperPlanner, Plans, candidate, uses

READ = "SELECT * FROM t WHERE tenant = 1 AND open AND kind = 2"
ALSO = "SELECT * FROM t WHERE open"
T = table(
    "t",
    column("open", "bool", distinct=2),
    column("tenant", distinct=5000),
    column("kind", distinct=7),
    column("gone_at", distinct=-0.1, nulls=0.9),
)
CANDIDATES = (
    candidate("flag_first", "open", "tenant"),
    candidate("tenant_first", "tenant", "open"),
    candidate("nulls_first", "gone_at", "tenant"),
    candidate("nulls_last", "tenant", "gone_at"),
    candidate("kind_tenant_open", "kind", "tenant", "open"),
    candidate("tenant_open_kind", "tenant", "open", "kind"),
    candidate("tenant_kind_open", "tenant", "kind", "open"),
    candidate("covering", "open", "tenant", include=("kind",)),
)


def settled(
    chosen: str,
    plans: Plans,
    sizes: dict[str, int] | None = None,
    known: Table = T,
    corrections: tuple[Correction, ...] = (),
) -> set[str]:
    candidates: tuple[IndexCandidate, ...] = CANDIDATES
    planner = PaperPlanner(plans, {c.name: 8192 for c in candidates} | (sizes or {}))
    goal = make_goal(planner, catalog(known), workload(*plans), candidates, corrections=corrections)
    one = IndexSet(Ambition.LEAN, (chosen,), PlannerCost(1), PlannerCost(1), 8192, PlannerCost(0))
    selection = Selection((one,), "", PlannerCost(1), PlannerCost(1))
    return set(in_sensible_order(goal, selection, catalog(known)).sets[0].names)


def equal_plans(*names: str, cost: float = 10.0) -> Plans:
    return {READ: {uses(): 1000.0, **{uses(name): cost for name in names}}}


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ("flag_first", "tenant_first"),
        ("tenant_first", "tenant_first"),
        ("nulls_first", "nulls_last"),
        ("kind_tenant_open", "tenant_kind_open"),
        ("tenant_open_kind", "tenant_kind_open"),
        ("covering", "covering"),
    ],
)
def test_on_a_tie_what_leaves_least_leads(chosen: str, wanted: str) -> None:
    assert settled(chosen, equal_plans(*(c.name for c in CANDIDATES))) == {wanted}


def test_what_a_statement_needs_is_left_as_it_is() -> None:
    plans = {**equal_plans("flag_first", "tenant_first"), ALSO: {uses(): 50.0, uses("flag_first"): 20.0}}
    assert settled("flag_first", plans) == {"flag_first"}


def test_a_larger_one_is_no_tie() -> None:
    plans = equal_plans("flag_first", "tenant_first")
    assert settled("flag_first", plans, {"tenant_first": 9000}) == {"flag_first"}


def test_a_flag_of_which_nothing_is_known_is_still_a_flag() -> None:
    unknown = replace(T, columns=tuple(replace(column, statistics=None) for column in T.columns))
    plans = equal_plans("flag_first", "tenant_first")
    assert settled("flag_first", plans, known=unknown) == {"tenant_first"}


def test_what_a_clone_taught_is_not_undone() -> None:
    plans = equal_plans("flag_first", "tenant_first")
    slow = Correction("q0", frozenset({"tenant_first"}), 3.0)
    assert settled("flag_first", plans, corrections=(slow,)) == {"flag_first"}
