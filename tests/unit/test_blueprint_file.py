"""Blueprints as files: what is written is read again, and every mistake is told with its place."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pgproof.errors import ConfigError, ParseError, PgproofError, UsageError
from pgproof.frontends.blueprint_file import read_blueprint, write_blueprint
from pgproof.model.blueprint import Blueprint, Limits, LoadProfile, RacePlan, Target, Weights
from pgproof.model.change import (
    AnalyzeTable,
    CreateExtension,
    CreateIndex,
    CreateStatistics,
    DropIndex,
    SetSetting,
    SetStatisticsTarget,
    SetTableOption,
    SettingScope,
    StatisticsKind,
)
from pgproof.model.query import Query, StatementKind
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.variant import ExpectedStatement, Variant
from pgproof.model.workload import ParameterSet, Workload, WorkloadStatement
from pgproof.sqltext.fingerprint import fingerprint

ORDERS = RelationName("Sales Äpp", "order")
SQL = 'SELECT * FROM "Sales Äpp"."order" WHERE id = $1'
WORKLOAD = Workload(
    (
        WorkloadStatement(
            "by id",
            Query(fingerprint(SQL), SQL, StatementKind.SELECT, read_only=True),
            3,
            (ParameterSet(("7",)), ParameterSet((None,))),
        ),
    ),
    source="file",
)
BLUEPRINT = Blueprint(
    name="Größe: {braces} & 'quotes'",
    goal="faster\nsearch",
    workload=WORKLOAD,
    variants=(
        Variant(
            "one",
            "an index",
            (
                CreateExtension("pg_trgm"),
                CreateIndex(
                    ORDERS, "order by note", (IndexKey(column="note", opclass="gin_trgm_ops"),), method="gin"
                ),
                AnalyzeTable(ORDERS),
                CreateStatistics(
                    ORDERS, "order city zip", ("city", "Zip"), ("lower(note)",), (StatisticsKind.MCV,)
                ),
                CreateStatistics(ORDERS, "order_lower", (), ("lower(note)",)),
                SetStatisticsTarget(ORDERS, "Zip", 1000),
                SetTableOption(ORDERS, "autovacuum_vacuum_scale_factor", "0.02"),
                SetSetting("work_mem", "64MB"),
                SetSetting("search_path", '"Sales Äpp", public', SettingScope.DATABASE, "Shop's"),
                SetSetting("shared_buffers", "1GB", SettingScope.SYSTEM),
            ),
            why="because: yes",
            expected=(ExpectedStatement("by id", 0.0312), ExpectedStatement("no: longer {there}", 1.0)),
        ),
        Variant(
            "two",
            "one less",
            (
                DropIndex(
                    RelationName("Sales Äpp", "old index"),
                    ORDERS,
                    'CREATE INDEX "old index" ON "Sales Äpp"."order" USING btree (id)',
                ),
            ),
        ),
    ),
    weights=Weights(1, 2, 3),
    load=LoadProfile(clients=4, think_time_ms=1.5),
    limits=Limits(index_bytes=500, error_frac=0.1),
    race=RacePlan(time_limit_s=12.5, seed=9),
    targets=(Target("search", ("by id",), limit_ms=5.0),),
    notes=("mind the gap",),
)

MINIMAL = """\
workload: w.sql
variants:
- name: one
  changes:
  - CREATE INDEX i ON t (id)
"""


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "blue print.yaml"
    workload_path = write_blueprint(BLUEPRINT, path)
    assert workload_path == tmp_path / "folder" / "blue print.workload.json"
    assert read_blueprint(path) == BLUEPRINT
    again = tmp_path / "second.yaml"
    write_blueprint(read_blueprint(path), again)
    assert again.read_text("utf-8").replace("second", "blue print") == path.read_text("utf-8")


def test_a_change_is_written_as_sql(tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    write_blueprint(replace(BLUEPRINT, variants=BLUEPRINT.variants[:1]), path)
    text = path.read_text("utf-8")
    assert "CREATE INDEX" in text
    assert "CONCURRENTLY" not in text, "how a change is applied is decided elsewhere"


def test_what_the_planner_expects_is_a_mapping_that_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    write_blueprint(BLUEPRINT, path)
    first, second = yaml.safe_load(path.read_text("utf-8"))["variants"]
    assert first["expected"] == {"by id": 0.0312, "no: longer {there}": 1.0}
    assert "expected" not in second
    assert [variant.expected for variant in read_blueprint(path).variants] == [
        BLUEPRINT.variants[0].expected,
        (),
    ]


def test_a_short_blueprint_takes_the_defaults(tmp_path: Path) -> None:
    read = read_blueprint(written(tmp_path, MINIMAL))
    assert (read.name, read.weights, read.load, read.limits, read.race) == (
        "b",
        Weights(),
        LoadProfile(),
        Limits(),
        RacePlan(),
    )
    assert read.variants[0].changes == (
        CreateIndex(RelationName("public", "t"), "i", (IndexKey(column="id"),)),
    )


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "w.sql").write_text("SELECT 1;", encoding="utf-8")
    path = tmp_path / "b.yaml"
    path.write_text(text, encoding="utf-8")
    return path


INDEX = "CREATE INDEX i ON t (id)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " is not a blueprint."),
        ("- a list", " is not a blueprint."),
        ("a: [", ":1:5: not valid YAML: expected the node content, but found '<stream end>'."),
        ("variants: [1]", ": 'workload' is missing or empty."),
        ("workload: w.sql\nvariants: []", ": 'variants' is missing or empty."),
        (MINIMAL + "version: 2", ": version 2 is not known."),
        (MINIMAL + "gaol: x", ": unknown key 'gaol'."),
        (MINIMAL.replace("w.sql", "[w.sql]"), ": workload must be a text."),
        ("workload: w.sql\nvariants: {a: 1}", ": 'variants' must be a list."),
        ("workload: w.sql\nvariants: [text]", ": each variant is a mapping with a name."),
        (MINIMAL.replace("one", "[one]"), ": the name of a variant must be a text."),
        (MINIMAL.replace("one", "control"), ": a variant can't be called 'control'."),
        (MINIMAL.replace("one", "canary"), ": a variant can't be called 'canary'."),
        (MINIMAL + "- {name: one, changes: [ANALYZE t]}", ": two variants are called 'one'."),
        (MINIMAL.replace("changes", "change"), ": variant 'one': unknown key 'change'."),
        (MINIMAL.replace(f"\n  - {INDEX}", " []"), ": variant 'one' changes nothing."),
        (
            MINIMAL.replace(INDEX, "{kind: drop_indexx}"),
            ": variant 'one': a change is one SQL statement as text, or a mapping with a known kind.",
        ),
        (
            MINIMAL + "  expected: [0.5]",
            ": variant 'one': expected must be a mapping of statements to shares of their cost.",
        ),
        *(
            (
                MINIMAL + f"  expected: {{a: {written}}}",
                f": variant 'one': expected: the share of 'a' must be a number from 0 on, not {read}.",
            )
            for written, read in (("-0.1", "-0.1"), ("much", "'much'"), ("yes", "True"), (".nan", "nan"))
        ),
        (MINIMAL + "load: 3", ": load must be a mapping."),
        (MINIMAL + "load: {client: 3}", ": load: unknown key 'client'."),
        (MINIMAL + "load: {clients: two}", ": load.clients: Input should be a valid integer."),
        (MINIMAL + "load: {clients: true}", ": load.clients: Input should be a valid integer."),
        (MINIMAL + "load: {clients: 0}", ": load.clients: must be at least 1, not 0."),
        (MINIMAL + "load: {slice_s: 0}", ": load.slice_s: must be above 0, not 0."),
        (MINIMAL + "race: {seed: -1}", ": race.seed: must be at least 0, not -1."),
        (MINIMAL + "race: {time_limit_s: .inf}", ": race.time_limit_s: must be above 0, not inf."),
        (MINIMAL + "race: {time_limit_s: yes}", ": race.time_limit_s: Input should be a valid number."),
        (MINIMAL + "race: {confidence: .nan}", ": race.confidence: must be at least 0, not nan."),
        (MINIMAL + "race: {confidence: 0.3}", ": race.confidence: must be from 0.5 to below 1, not 0.3."),
        (MINIMAL + "race: {min_rounds: 9}", ": race.min_rounds: must be at least 10, not 9."),
        (
            MINIMAL + "race: {min_rounds: 20, max_rounds: 19}",
            ": race.max_rounds: must be at least min_rounds, 20.",
        ),
        (
            MINIMAL + "weights: {tests: 0, p95: 0, simplicity: 0}",
            ": weights: one of the weights must be above 0.",
        ),
        (MINIMAL + "targets: [{title: x, statements: []}]", ": target 'x' names no statement."),
        (
            MINIMAL + "targets: [{title: x, statements: [y]}]",
            ": target 'x': the workload has no statement 'y'.",
        ),
    ],
)
def test_what_is_wrong_is_told(text: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        read_blueprint(path)
    assert raised.value.message == f"{path}{message}"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ("CREATE INDXE i ON t (id)", ParseError, "1:8: syntax error"),
        ("DROP TABLE t", ConfigError, "a change can't be this statement: DROP TABLE t"),
        (f"{INDEX}; DROP TABLE t", UsageError, "There are 2 SQL statements"),
        ("''", UsageError, "There is no SQL statement"),
    ],
)
def test_a_change_that_is_none(change: str, error: type[PgproofError], message: str, tmp_path: Path) -> None:
    path = written(tmp_path, MINIMAL.replace(INDEX, change))
    with pytest.raises(error) as raised:
        read_blueprint(path)
    assert message in raised.value.message
    assert f"{path}: variant 'one'" in raised.value.message
    assert raised.value.hint


def test_a_folder_that_can_t_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="can't be written: "):
        write_blueprint(BLUEPRINT, tmp_path / "file" / "b.yaml")
