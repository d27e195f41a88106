"""Blueprints as files: what is written is read again, and every mistake is told with its place."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from pgproof.errors import ConfigError
from pgproof.frontends.blueprint.reading import read_file
from pgproof.frontends.blueprint.starting import start_plain, write_start
from pgproof.frontends.blueprint.writing import EXAMPLES
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

INDEX = "CREATE INDEX i ON t (id)"
MINIMAL = f"""\
workload: w.sql
variants:
- name: one
  changes:
  - {INDEX}
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: this is not a blueprint."),
        ("- a list", "1:1: this is not a blueprint."),
        ("a: [", "1:5: not valid YAML: expected the node content, but found '<stream end>'."),
        ("variants:\n\t- name: a", "2:1: not valid YAML: found character '\\t' that cannot start any token."),
        (MINIMAL + "notes: [\x07]", "6:9: not valid YAML: the character U+0007 may not stand in a file."),
        ("variants:\n- {name: a, changes: [ANALYZE t]}", "1:1: a blueprint needs the key 'workload'."),
        ("workload: w.sql\nvariants: []", "2:11: no variant is listed."),
        ("workload: w.sql\nvariant: []", "2:1: a blueprint has no key 'variant'."),
        ("workload: lost.sql\nvariants: []", "1:11: {folder}/lost.sql: there is no such file"),
        (MINIMAL + "version: 2", "6:10: version 2 of the format is not known."),
        (MINIMAL + "gaol: x", "6:1: a blueprint has no key 'gaol'."),
        (MINIMAL + "goal: x\ngoal: y", "7:1: the key 'goal' is written twice, first in line 6."),
        (MINIMAL + "goal: !secret x", "6:7: the tag !secret has no meaning here."),
        (MINIMAL.replace("w.sql", "[w.sql]"), "1:11: workload must be a text."),
        ("workload: w.sql\nvariants: {a: 1}", "2:11: variants must be a list."),
        ("workload: w.sql\nvariants: [text]", "2:12: variants[1] must be a mapping (key: value)."),
        (MINIMAL.replace("one", "[one]"), "3:9: variants[1].name must be a text."),
        (MINIMAL.replace("one", "' '"), "3:9: a variant needs a name."),
        (MINIMAL.replace("one", "control"), "3:9: a variant can't be called 'control'."),
        (MINIMAL.replace("one", "canary"), "3:9: a variant can't be called 'canary'."),
        (
            MINIMAL + "- {name: one, changes: [ANALYZE t]}",
            "6:10: two variants are called 'one', the first in line 3.",
        ),
        (MINIMAL.replace("changes", "change"), "4:3: variants[1] has no key 'change'."),
        (MINIMAL.replace(f"\n  - {INDEX}", " []"), "4:12: variant 'one' changes nothing."),
        (MINIMAL.replace(INDEX, "{kind: drop_indexx}"), "5:12: 'drop_indexx' is no kind of change."),
        (MINIMAL.replace(INDEX, "{table: t}"), "5:5: variants[1].changes[1] has no kind."),
        (
            MINIMAL.replace(INDEX, "{kind: analyze, table: {name: t}}"),
            "5:28: variants[1].changes[1].table needs the key 'schema'.",
        ),
        (
            MINIMAL.replace(
                INDEX,
                "{kind: create_materialized_view, view: {schema: s, name: v}, query: SELECT FROM WHERE}",
            ),
            '5:5: syntax error at or near "WHERE"',
        ),
        (MINIMAL + "  expected: [0.5]", "6:13: variants[1].expected must be a mapping (key: value)."),
        (MINIMAL + "  expected: {a: -0.1}", "6:17: variants[1].expected.a must be at least 0, not -0.1."),
        (MINIMAL + "  expected: {a: much}", "6:17: variants[1].expected.a must be a number."),
        (MINIMAL + "  expected: {a: yes}", "6:17: variants[1].expected.a must be a number."),
        (MINIMAL + "  expected: {a: .nan}", "6:17: variants[1].expected.a must be a number, not .nan."),
        (MINIMAL + "load: 3", "6:7: load must be a mapping (key: value) or a list."),
        (MINIMAL + "load: []", "6:7: no load profile is listed."),
        (MINIMAL + "load: {client: 3}", "6:8: load has no key 'client'."),
        (MINIMAL + "load: {clients: two}", "6:17: load.clients must be a whole number."),
        (MINIMAL + "load: {clients: true}", "6:17: load.clients must be a whole number."),
        (MINIMAL + "load: {clients: 2.0}", "6:17: load.clients must be a whole number."),
        (MINIMAL + "load: {clients: 0}", "6:17: load.clients must be at least 1, not 0."),
        (MINIMAL + "load: {slice_s: 0}", "6:17: load.slice_s must be above 0, not 0."),
        (MINIMAL + "load: {rate: 0}", "6:14: load.rate must be above 0, not 0."),
        (MINIMAL + "load: {start: hot}", "6:15: load.start must be one of warm, cold, not 'hot'."),
        (MINIMAL + "load: [{name: a}, {}]", "6:19: of several load profiles each needs a name."),
        (MINIMAL + "load: [{name: a}, {name: a}]", "6:26: two load profiles are called 'a'."),
        (MINIMAL + "race: {seed: -1}", "6:14: race.seed must be at least 0, not -1."),
        (MINIMAL + "race: {time_limit_s: .inf}", "6:22: race.time_limit_s must be a number, not .inf."),
        (MINIMAL + "race: {time_limit_s: yes}", "6:22: race.time_limit_s must be a number."),
        (MINIMAL + "race: {confidence: 0.3}", "6:20: race.confidence must be from 0.5 to below 1, not 0.3."),
        (MINIMAL + "race: {min_rounds: 9}", "6:20: race.min_rounds must be at least 10, not 9."),
        (
            MINIMAL + "race: {min_rounds: 20, max_rounds: 19}",
            "6:36: max_rounds must be at least min_rounds, 20.",
        ),
        (
            MINIMAL + "weights: {tests: 0, p95: 0, simplicity: 0}",
            "6:10: one of the weights must be above 0.",
        ),
        (MINIMAL + "targets: [{title: x, statements: []}]", "6:11: target 'x' names no statement."),
        (
            MINIMAL + "targets: [{title: x, statements: [y]}]",
            "6:35: the workload has no statement 'y'.",
        ),
        (
            MINIMAL + "targets: [{title: x, statements: [select_50fde206], faster_frac: 1}]",
            "6:66: targets[1].faster_frac must be from 0 to below 1, not 1.",
        ),
        (MINIMAL + "mode: singel", "6:7: mode must be one of single, competition, not 'singel'."),
        (
            MINIMAL + "- {name: two, changes: [ANALYZE t]}\nmode: single",
            "7:7: mode single has one variant, not 2.",
        ),
        (MINIMAL + "work_items: [{title: x, variants: [on]}]", "6:36: this blueprint has no variant 'on'."),
        (MINIMAL + "budget: {tokens: -1}", "6:18: budget.tokens must be at least 0, not -1."),
        (MINIMAL + "merge: yes please", "6:8: merge must be true or false or a mapping (key: value)."),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        read_blueprint(path)
    assert raised.value.message == f"{path}:{message.format(folder=tmp_path)}"


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        ("p95 < -5 ms", "6:12: a limit of -5 ms can't be kept: no figure is below 0."),
        ("p59 < 5 ms", "6:12: no figure is called 'p59'."),
        ("p95 < 5", "6:12: p95 needs a unit."),
        ("p95 < 5 MB", "6:12: 'MB' is no unit of p95."),
        ("p95 < fast", "6:12: 'fast' is no limit."),
        ("p95 = 5 ms", "6:12: p95 is never exactly one value."),
        ("p95", "6:12: 'p95' is no threshold."),
        ("mean < 5 ms", "6:12: mean is measured for single statements only."),
        ("{check: p95 < 1 s, statements: [lost]}", "6:44: the workload has no statement 'lost'."),
        (
            "{check: errors = 0, statements: [select_50fde206]}",
            "6:44: errors is not measured for single statements.",
        ),
        ("{check: p95 < 1 s, profile: rush}", "6:40: there is no load profile 'rush'."),
        (
            "{check: build_time < 1 min, profile: rush}",
            "6:49: this figure has nothing to do with a load profile.",
        ),
        ("{check: p95 < 1 s, gates: yes}", "6:31: criteria[1] has no key 'gates'."),
        ("3", "6:12: '3' is no threshold."),
    ],
)
def test_a_threshold_that_is_none(criterion: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, MINIMAL + f"criteria: [{criterion}]")
    with pytest.raises(ConfigError) as raised:
        read_blueprint(path)
    assert raised.value.message == f"{path}:{message}"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("cache: {ttl_s: {lost: 60}}", "6:25: the workload has no statement 'lost'."),
        ("cache: {ttl_s: {select_50fde206: 0}}", "6:36: the TTL of 'select_50fde206' must be above 0."),
        ("cache: {ttl_s: {}}", "6:10: the cache names no statement."),
        (
            "cache: {ttl_s: {select_50fde206: 1}, url: 'redis://:pw@host'}",
            "6:45: a password stands in the file, where everybody who reads the blueprint sees it.",
        ),
        (
            "cache: {ttl_s: {select_50fde206: 1}, url: 'http://host'}",
            "6:45: a cache's url begins with redis://, rediss://, unix://.",
        ),
        ("refresh: [{view: public.v, every_s: 0}]", "6:39: every_s must be above 0."),
        ("refresh: [{view: a.b.c, every_s: 1}]", "6:20: 'a.b.c' is no name of a view."),
        ("statements: {lost: SELECT 1}", "6:22: the workload has no statement 'lost'."),
        (
            "statements: {select_50fde206: SELECT $1}",
            "6:33: this has 1 placeholders, and 'select_50fde206', which it replaces, has 0.",
        ),
        (
            "statements: {select_50fde206: DELETE FROM t}",
            "6:33: 'select_50fde206' is a select, and what replaces it is a delete.",
        ),
        ("statements: {select_50fde206: SELECT FROM WHERE}", '6:45: syntax error at or near "WHERE"'),
        ("patch: lost.diff", "6:10: the patch lost.diff can't be read: No such file or directory."),
        ("patch: w.sql", "6:10: w.sql holds no unified diff."),
    ],
)
def test_parts_of_a_variant_that_can_t_be(keys: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, MINIMAL + f"  {keys}")
    with pytest.raises(ConfigError) as raised:
        read_blueprint(path)
    assert raised.value.message == f"{path}:{message}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("CREATE INDXE i ON t (id)", '5:12: syntax error at or near "INDXE"'),
        ("|\n    CREATE INDEX i\n      OM t (id)", '7:7: syntax error at or near "OM"'),
        (">-\n    CREATE INDEX i\n    OM t (id)", '7:5: syntax error at or near "OM"'),
        ("CREATE INDEX i\n    OM t (id)", '6:5: syntax error at or near "OM"'),
        ("'CREATE INDEX i ON t ((a || ''x'')) WHEN b'", '5:41: syntax error at or near "WHEN"'),
        ("DROP TABLE t", "5:5: a change can't be this statement: DROP TABLE t"),
        (f"{INDEX}; DROP TABLE t", "5:5: There are 2 SQL statements where one is wanted"),
        ("''", "5:5: There is no SQL statement"),
    ],
)
def test_a_change_that_is_none(change: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, MINIMAL.replace(INDEX, change))
    with pytest.raises(ConfigError) as raised:
        read_blueprint(path)
    assert raised.value.message == f"{path}:{message}"


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = MINIMAL.replace(INDEX, "CREATE INDXE i ON t (id)") + (
        "- {name: control, changes: [ANALYZE t]}\nload: {clients: none}\ncriteria: [p95 < 5 ms, p95 < 6]\n"
    )
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        read_blueprint(path)
    assert raised.value.context["problems"] == [
        f'{path}:5:12: syntax error at or near "INDXE"',
        f"{path}:6:10: a variant can't be called 'control'.",
        f"{path}:7:17: load.clients must be a whole number.",
        f"{path}:8:24: p95 needs a unit.",
    ]
    assert raised.value.hint == f"3 more problems: pgproof blueprint check {path} shows all."


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    levels = "".join(
        f"- &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefghijkl")
    )
    path = written(tmp_path, f"notes:\n- &a [x]\n{levels}")
    with pytest.raises(ConfigError, match=r":\d+:\d+: the document has more than 200,000 entries"):
        read_blueprint(path)


def test_an_anchor_in_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r":1:8: an anchor \(&name\) holds itself"):
        read_blueprint(written(tmp_path, "notes: &a [*a]"))


def test_anchors_and_merge_keys_mean_what_they_say(tmp_path: Path) -> None:
    text = f"""\
workload: w.sql
variants:
- &one {{name: one, why: because, changes: [&index {INDEX}]}}
- {{<<: *one, name: two, changes: [*index, ANALYZE t]}}
"""
    one, two = read_blueprint(written(tmp_path, text)).variants
    assert (two.name, two.why, two.changes[0]) == ("two", "because", one.changes[0])


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="1:1: lists and mappings are nested too deeply"):
        read_blueprint(written(tmp_path, "[" * 100_000))


def test_a_file_of_ten_megabytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a blueprint may have 2,000,000"):
        read_blueprint(written(tmp_path, MINIMAL + "notes:\n" + "- note\n" * 1_500_000))


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    path = written(tmp_path, MINIMAL)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_blueprint(path).variants[0].name == "one"


def test_another_encoding_is_told_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, MINIMAL)
    path.write_bytes(path.read_bytes() + "goal: größer ".encode() + "größer".encode("latin-1"))
    with pytest.raises(ConfigError, match=r":6:16: the file is not UTF-8"):
        read_blueprint(path)


def test_values_that_a_database_would_have_to_give(tmp_path: Path) -> None:
    path = written(tmp_path, MINIMAL.replace("w.sql", "w.yaml"))
    (tmp_path / "w.yaml").write_text(
        "statements:\n- name: a\n  sql: SELECT $1\n  parameters: {'1': {from_query: SELECT 1}}\n",
        encoding="utf-8",
    )
    file = read_file(path)
    assert (file.problems, file.blueprint is not None) == ((), True)
    assert file.spec is not None and file.spec.needs_server
    with pytest.raises(ConfigError, match="takes values from the database"):
        read_blueprint(path)


def test_a_folder_that_can_t_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="can't be written: "):
        write_blueprint(BLUEPRINT, tmp_path / "file" / "b.yaml")


@pytest.mark.parametrize("key", EXAMPLES)
def test_every_example_of_a_new_blueprint_is_valid(key: str, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    write_start(start_plain(path), replacing=False)
    text = path.read_text("utf-8")
    before, found, after = text.partition(f"\n# {key}:")
    assert found, "it is shown"
    example, end, rest = after.partition("\n\n")
    uncommented = re.sub(r"^# ", "", f"# {key}:{example}", flags=re.MULTILINE)
    path.write_text(f"{before}\n{uncommented}{end}{rest}", encoding="utf-8")
    assert read_file(path).problems == ()
    assert yaml.safe_load(path.read_text("utf-8"))[key], "it says something"


def test_a_file_that_advise_wrote_before_means_what_it_meant(tmp_path: Path) -> None:
    text = """\
# A pgproof blueprint: the variants that compete, on which workload, under which rules.
# Edit it, keep it in git, then: pgproof compete b.yaml --against DSN
version: 1
name: indexes for shop
goal: less time for the workload of shop
workload: w.sql
variants:
- name: lean
  title: 1 index
  why: serves select_50fde206
  changes:
  - CREATE INDEX orders_status_idx ON public.orders USING btree (status) INCLUDE (total) WHERE
    (status = 'new')
  - kind: set_setting
    name: work_mem
    value: 64MB
    scope: database
    database: ''
    previous: null
  expected:
    select_50fde206: 0.25
weights:
  tests: 50.0
  p95: 30.0
  simplicity: 20.0
load:
  clients: 2
  think_time_ms: 0.0
  slice_s: 1.0
  slices: 3
limits:
  index_bytes: null
  write_slowdown_frac: 0.5
  statement_slowdown_frac: 0.2
  error_frac: 0.0
race:
  time_limit_s: 90.0
  min_rounds: 10
  max_rounds: 300
  statement_timeout_ms: 60000
  seed: 1
  confidence: 0.95
targets:
- title: search
  statements:
  - select_50fde206
  limit_ms: 100.0
  faster_frac: null
notes:
- the planner was asked
"""
    read = read_blueprint(written(tmp_path, text))
    orders = RelationName("public", "orders")
    new = "status = 'new'"
    index = CreateIndex(
        orders, "orders_status_idx", (IndexKey(column="status"),), include=("total",), where=new
    )
    assert read == Blueprint(
        name="indexes for shop",
        goal="less time for the workload of shop",
        workload=read.workload,
        variants=(
            Variant(
                "lean",
                "1 index",
                (index, SetSetting("work_mem", "64MB")),
                "serves select_50fde206",
                (ExpectedStatement("select_50fde206", 0.25),),
            ),
        ),
        targets=(Target("search", ("select_50fde206",), limit_ms=100.0),),
        notes=("the planner was asked",),
    )
