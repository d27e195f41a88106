"""Scenarios: what ships, and that nothing in it gives the answer away."""

import re
from pathlib import Path

import pytest

import pgproof.scenarios
from pgproof.errors import UsageError
from pgproof.scenarios import (
    SCENARIOS,
    Scenario,
    load_scenario,
    read_schema_sql,
    read_workload_spec,
    render_data_sql,
)
from pgproof.sqltext.parse import parse_script

FOLDER = Path(pgproof.scenarios.__file__).parent
ALL = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)


@ALL
def test_scripts_parse_and_the_scale_is_filled_in(scenario: Scenario) -> None:
    assert parse_script(read_schema_sql(scenario))
    data = render_data_sql(scenario, 0.25)
    assert parse_script(data)
    assert "0.25::numeric" in data
    assert ":scale" not in data


@ALL
def test_nothing_hints_at_the_cure(scenario: Scenario) -> None:
    """Indexes that the owners already had may be made, on one column each; nobody speaks of others."""
    text = (read_schema_sql(scenario) + render_data_sql(scenario)).lower()
    there = re.compile(r'^create index \w+ on \w+ \("?\w+"?\);$', re.MULTILINE)
    assert not re.search(r"\bindex|gin_trgm|pg_trgm|materialized|partition", there.sub("", text))
    spoken = re.findall(r"(?:--|#).*", f"{text}{(FOLDER / scenario.name / 'workload.yaml').read_text()}")
    assert not re.search(r"missing|unused|redundant|stale|autovacuum|slow", " ".join(spoken))


@ALL
def test_rows_do_not_depend_on_the_clock_or_on_chance(scenario: Scenario) -> None:
    text = render_data_sql(scenario).lower()
    assert not re.search(
        r"\b(now|random|clock_timestamp|gen_random_uuid|current_(date|time|timestamp))\b", text
    )


@ALL
def test_targets_name_statements_of_the_workload(scenario: Scenario) -> None:
    statements = {statement.name for statement in read_workload_spec(scenario).statements}
    wanted = {name for target in scenario.targets for name in target.statements}
    assert wanted <= statements


@ALL
def test_workload_reads_and_writes_and_orders_are_total_but_for_some(scenario: Scenario) -> None:
    statements = read_workload_spec(scenario).statements
    assert any(statement.query.kind.writes for statement in statements)
    assert any(statement.query.read_only for statement in statements)
    limited = [s.query.sql for s in statements if "LIMIT" in s.query.sql and "ORDER BY" in s.query.sql]
    loose = [sql for sql in limited if not re.search(r"\bid( DESC)?\s+LIMIT", sql)]
    assert 1 <= len(loose) <= len(limited) / 4


def test_unknown_scenario() -> None:
    with pytest.raises(UsageError) as caught:
        load_scenario("shopp")
    assert str(caught.value) == 'There is no scenario "shopp"'
    assert caught.value.hint == "There is: shop, directory, platform, proposals."


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_scale_must_be_a_number_above_0(scale: float) -> None:
    with pytest.raises(UsageError, match="The scale must be a number above 0"):
        render_data_sql(load_scenario("shop"), scale)
