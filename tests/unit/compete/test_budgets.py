"""Budgets of a blueprint, and what it may not ask for yet."""

from dataclasses import replace
from pathlib import Path

import pytest

from pgproof.errors import Refused, TrialFailed
from pgproof.model.blueprint import Blueprint, LoadProfile, RacePlan
from pgproof.model.budget import Budget
from pgproof.model.freshness import CachedStatement, CachePolicy, Refresh
from pgproof.model.merge import MergePlan
from pgproof.model.relation import RelationName
from pgproof.model.variant import ReplacedStatement, Variant
from pgproof.model.workload import Workload
from pgproof.stages.compete.allowance import within_budget
from pgproof.stages.compete.clones import check_disk
from pgproof.stages.compete.under_load import load_share_s
from pgproof.stages.compete.unsupported import find_unsupported, refuse_unsupported

BARE = Blueprint(
    "b",
    "",
    Workload((), "file"),
    (Variant("A", "a", ()), Variant("B", "b", ())),
    race=RacePlan(time_limit_s=60),
)


@pytest.mark.parametrize("limit_s", [None, 100.0, 1_000.0])
def test_a_budget_that_is_large_enough_changes_nothing(limit_s: float | None) -> None:
    blueprint = replace(BARE, budget=Budget(time_limit_s=limit_s))
    assert within_budget(blueprint, 40.0) == (blueprint, "")


def test_the_race_gets_what_is_left() -> None:
    cut, note = within_budget(replace(BARE, budget=Budget(time_limit_s=50)), 20.0)
    assert cut.race.time_limit_s == 30.0
    assert note == ("the race was cut from 60 s to 30 s: that is what the time budget of 50 s left of it")


def test_nothing_is_raced_when_nothing_is_left() -> None:
    with pytest.raises(TrialFailed) as raised:
        within_budget(replace(BARE, budget=Budget(time_limit_s=50)), 46.0)
    assert raised.value.message == (
        "The time budget of 50 s is used up: copying the database and building the variants took 46 s."
    )


def test_copies_stay_within_the_storage_budget(tmp_path: Path) -> None:
    check_disk(tmp_path, 1_000, 4, storage_bytes=10_000)
    with pytest.raises(TrialFailed, match="budget is too small: 4 copies of 1,000 kB need about"):
        check_disk(tmp_path, 1_024_000, 4, storage_bytes=4_000_000)


def test_every_profile_has_its_share_of_the_time() -> None:
    one = replace(BARE, load=LoadProfile(slice_s=1.0, slices=3), race=RacePlan(time_limit_s=1_000))
    two = replace(one, further_loads=(LoadProfile(name="x", slice_s=1.0, slices=3),))
    assert load_share_s(two, 4) == pytest.approx(2 * load_share_s(one, 4))
    assert load_share_s(replace(two, race=RacePlan(time_limit_s=10)), 4) == pytest.approx(4.0)


def test_what_is_run_is_not_refused() -> None:
    blueprint = replace(
        BARE, merge=MergePlan(into="main"), further_loads=(LoadProfile(name="x"),), budget=Budget(tokens=1)
    )
    assert find_unsupported(blueprint) == ()
    refuse_unsupported(blueprint)


def test_each_part_of_a_variant_is_named() -> None:
    full = replace(
        BARE.variants[1],
        statements=(ReplacedStatement("s", "SELECT 1"),),
        cache=CachePolicy((CachedStatement("s", 1.0),)),
        refreshes=(Refresh(RelationName("public", "v"), 1.0),),
        max_staleness_s=0.0,
        patch="a.diff",
    )
    blueprint = replace(BARE, variants=(BARE.variants[0], full))
    assert [told.partition(":")[0] for told in find_unsupported(blueprint)] == [
        "variant B, statements",
        "variant B, cache",
        "variant B, refresh",
        "variant B, max_staleness_s",
        "variant B, patch",
    ]
    with pytest.raises(Refused) as raised:
        refuse_unsupported(blueprint)
    assert raised.value.exit_code == 3
    assert len(raised.value.context["unsupported"]) == 5
