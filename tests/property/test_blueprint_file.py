"""Any blueprint that is written is read back equal, with comments or without, and its schema takes it."""

import json
import tempfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgproof.frontends.blueprint.plain import plain_blueprint
from pgproof.frontends.blueprint.writing import render_blueprint
from pgproof.frontends.blueprint_file import read_blueprint, write_blueprint
from pgproof.frontends.schemas import render_schema
from pgproof.model.blueprint import Blueprint, Limits, LoadProfile, RacePlan, Target, Weights
from pgproof.model.budget import Budget
from pgproof.model.change import AnalyzeTable, Change, CreateIndex, DropIndex, SetSetting, SetTableOption
from pgproof.model.charter import Charter, Mode, Question, Risk, Status, TargetDatabase, WorkItem
from pgproof.model.criterion import OF_BUILD, Bound, Criterion, Metric, Unit
from pgproof.model.freshness import CachedStatement, CachePolicy, Refresh
from pgproof.model.load_phase import LoadPhase, Start
from pgproof.model.merge import MergePlan, MigrationTool
from pgproof.model.query import Query, StatementKind
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.variant import ExpectedStatement, ReplacedStatement, Variant
from pgproof.model.workload import Workload, WorkloadStatement

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
WORD = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda text: bool(text.strip()) and text not in ("control", "canary")
)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
NUMBER = st.floats(min_value=0, max_value=1e12, allow_nan=False)
POSITIVE = st.floats(min_value=1e-6, max_value=1e9)
COUNT = st.integers(min_value=1, max_value=10_000)
SCHEMA = jsonschema.Draft202012Validator(json.loads(render_schema("blueprint")))
STATEMENTS = ("by id", "größe: {x}", "null")


def statement(name: str) -> WorkloadStatement:
    sql = "SELECT * FROM orders WHERE id = $1"
    return WorkloadStatement(name, Query("0" * 16, sql, StatementKind.SELECT, read_only=True), 1.0)


WORKLOAD = Workload(tuple(statement(name) for name in STATEMENTS), source="file")


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def many(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


NAMES = st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=3, unique=True).map(tuple)
RELATION = st.builds(RelationName, WORD, WORD)
CHANGE: st.SearchStrategy[Change] = st.one_of(
    st.builds(AnalyzeTable, RELATION),
    st.builds(
        CreateIndex,
        st.just(RelationName("public", "orders")),
        st.just("orders_idx"),
        st.just((IndexKey(column="größe"),)),
        unique=st.booleans(),
    ),
    st.builds(DropIndex, RELATION, RELATION, TEXT),
    st.builds(SetTableOption, st.just(RelationName("public", "t")), st.just("fillfactor"), st.just("80")),
    st.builds(SetSetting, st.just("work_mem"), st.just("64MB")),
)
VARIANT = st.builds(
    Variant,
    name=WORD,
    title=TEXT.filter(bool),
    changes=st.lists(CHANGE, min_size=1, max_size=2).map(tuple),
    why=TEXT,
    expected=st.dictionaries(WORD, NUMBER, max_size=2).map(
        lambda shares: tuple(ExpectedStatement(name, share) for name, share in shares.items())
    ),
    details=TEXTS,
    statements=st.sampled_from(
        ((), (ReplacedStatement("null", "SELECT id, 'a: b'\n FROM orders\tWHERE id = $1"),))
    ),
    cache=maybe(
        st.builds(
            CachePolicy,
            NAMES.flatmap(
                lambda names: st.tuples(*(st.builds(CachedStatement, st.just(n), POSITIVE) for n in names))
            ),
            st.sampled_from(("", "redis://cache:6379/0")),
        )
    ),
    refreshes=many(st.builds(Refresh, RELATION, POSITIVE, st.booleans())),
    max_staleness_s=maybe(NUMBER),
)
LOADS = st.lists(
    st.builds(
        LoadProfile,
        clients=COUNT,
        think_time_ms=NUMBER,
        slice_s=POSITIVE,
        slices=COUNT,
        name=WORD,
        rate=maybe(POSITIVE),
        phases=many(st.builds(LoadPhase, POSITIVE, TEXT, maybe(COUNT), maybe(POSITIVE))),
        start=st.sampled_from(Start),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda load: load.name,
)


@st.composite
def criteria(draw: st.DrawFn, loads: list[LoadProfile]) -> Criterion:
    metric = draw(st.sampled_from(Metric))
    bounds = [bound for bound in Bound if bound is not Bound.EXACTLY or metric.unit is Unit.COUNT]
    names: tuple[str, ...] = draw(NAMES) if metric.of_statements and draw(st.booleans()) else ()
    if metric is Metric.MEAN:
        names = draw(NAMES)
    of_load = not names and metric not in OF_BUILD
    return Criterion(
        metric,
        draw(st.sampled_from(bounds)),
        draw(NUMBER),
        names,
        draw(st.sampled_from(["", *(load.name for load in loads)])) if of_load else "",
        draw(st.booleans()),
        draw(TEXT),
    )


CHARTER = st.builds(
    Charter,
    id=TEXT,
    mode=st.just(Mode.COMPETITION),
    status=st.sampled_from(Status),
    created=TEXT,
    updated=TEXT,
    target=st.builds(TargetDatabase, TEXT, maybe(st.integers(13, 30)), TEXT),
    assumptions=TEXTS,
    questions=many(st.builds(Question, TEXT, TEXT, TEXT)),
    work_items=many(st.builds(WorkItem, TEXT, TEXTS, TEXTS, TEXT, notes=TEXT)),
    risks=many(st.builds(Risk, TEXT, TEXT)),
    rollback=TEXT,
    artifacts=TEXTS,
)


@st.composite
def blueprints(draw: st.DrawFn) -> Blueprint:
    loads = draw(LOADS)
    return Blueprint(
        name=draw(WORD),
        goal=draw(TEXT),
        workload=WORKLOAD,
        variants=tuple(draw(st.lists(VARIANT, min_size=1, max_size=2, unique_by=lambda v: v.name))),
        weights=draw(st.builds(Weights, POSITIVE, NUMBER, NUMBER)),
        targets=draw(many(st.builds(Target, TEXT, NAMES, maybe(NUMBER), maybe(st.floats(0, 0.99))))),
        load=loads[0],
        limits=draw(st.builds(Limits, maybe(COUNT), NUMBER, NUMBER, NUMBER)),
        race=draw(st.builds(RacePlan, POSITIVE, st.integers(10, 20), st.integers(20, 99), COUNT, COUNT)),
        notes=draw(TEXTS),
        criteria=draw(many(criteria(loads))),
        further_loads=tuple(loads[1:]),
        tests=draw(TEXTS),
        budget=draw(
            st.builds(Budget, maybe(NUMBER), maybe(NUMBER), maybe(COUNT), maybe(COUNT), maybe(COUNT))
        ),
        merge=draw(st.builds(MergePlan, st.booleans(), TEXT, TEXT, st.sampled_from(MigrationTool), TEXT)),
        charter=draw(CHARTER),
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(blueprints())
def test_what_is_written_is_read_back(blueprint: Blueprint) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "b.yaml")
        workload = write_blueprint(blueprint, path)
        assert read_blueprint(path) == blueprint
        path.write_text(
            render_blueprint(blueprint, workload.name, path.name, commented="by id"), encoding="utf-8"
        )
        again = read_blueprint(path)
    assert again == blueprint
    assert plain_blueprint(again, "w") == plain_blueprint(blueprint, "w")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(blueprints())
def test_the_schema_takes_what_is_written(blueprint: Blueprint) -> None:
    SCHEMA.validate(plain_blueprint(blueprint, "w"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("goal", 3),
        ("gaol", "x"),
        ("variants", []),
        ("variants", [{"title": "without a name"}]),
        ("variants", [{"name": "a", "changes": [{"kind": "drop_indexx"}]}]),
        ("variants", [{"name": "a", "changes": [{"index": {"schema": "s", "name": "i"}}]}]),
        ("load", {"clients": 0}),
        ("load", [{"slice_s": 0}]),
        ("race", {"confidence": 1}),
        ("criteria", [{"gate": True}]),
        ("mode", "singel"),
        ("version", 2),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(key: str, value: object) -> None:
    keys = {"workload": "w", "variants": [{"name": "a", "changes": ["ANALYZE t"]}]}
    SCHEMA.validate(keys)
    assert not SCHEMA.is_valid({**keys, key: value})
