"""Workload files: what is read, what is refused, and the whole text of every refusal."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pgproof.errors import ConfigError, ParseError
from pgproof.model.query import Query, StatementKind
from pgproof.model.workload import (
    ParameterSet,
    ParameterSource,
    StatementCounters,
    Workload,
    WorkloadStatement,
)
from pgproof.stages.capture.files import load_spec, load_workload, parse_workload, save_workload
from pgproof.stages.capture.resolve import resolve_generators

GOOD = """\
version: 1
statements:
  - name: byUser
    weight: 3
    sql: |
      SELECT *
      FROM "Orders" o
      WHERE o."userId" = :user AND o.tags && :tags AND o.at::date < :until AND o.other = :user
    parameters:
      - [007, [a, null, 'b"c'], null]
      - {until: 2025-01-01, tags: [], user: yes}
  - name: ping
    sql: SELECT 1
  - name: later
    calls: 2.5
    sql: DELETE FROM t WHERE id = $1
"""


def test_yaml_with_named_placeholders_and_written_values() -> None:
    spec = parse_workload(GOOD, "w.yaml")
    by_user, ping, later = spec.statements
    assert by_user.placeholders == ("user", "tags", "until")
    assert 'o."userId" = $1 AND o.tags && $2 AND o.at::date < $3 AND o.other = $1' in by_user.query.sql
    assert by_user.parameter_sets == (
        ParameterSet(("007", '{"a",NULL,"b\\"c"}', None)),
        ParameterSet(("yes", "{}", "2025-01-01")),
    )
    assert by_user.calls == 3
    assert ping.parameter_sets == (ParameterSet(()),)
    assert later.parameter_sets == ()
    assert later.query.kind is StatementKind.DELETE
    assert not later.query.read_only


def test_statements_come_heaviest_first(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(GOOD, encoding="utf-8")
    workload = load_workload(path)
    assert [s.name for s in workload.statements] == ["byUser", "later", "ping"]
    assert workload.source == "file"


def test_json_spelling_of_the_same_file() -> None:
    text = '{"statements": [{"name": "a", "sql": "SELECT $1::int", "parameters": [["7"], [null]]}]}'
    (statement,) = parse_workload(text, "w.json").statements
    assert statement.parameter_sets == (ParameterSet(("7",)), ParameterSet((None,)))


def test_generators_draw_the_same_for_the_same_seed(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(
        "sets: 30\nstatements:\n- name: a\n  sql: SELECT * FROM t WHERE a = :a AND b = :b\n"
        "  parameters:\n    a: {zipf: [1, 100]}\n    b: {choice: {x: 9, y: 1}}\n",
        encoding="utf-8",
    )
    first, second, other = load_workload(path), load_workload(path), load_workload(path, seed=2)
    assert first == second
    assert first != other
    sets = first.statements[0].parameter_sets
    assert {given.values[1] for given in sets} == {"x", "y"}
    assert all(given.source is ParameterSource.GENERATED for given in sets)
    assert sum(given.weight for given in sets) == pytest.approx(30, abs=0.01)


def test_a_share_of_null_is_null_and_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    text = "sets: 20\nstatements:\n- name: a\n  sql: SELECT $1::text\n  parameters: {1: {choice: %s}}\n"
    for null in ("null", "~", "NULL"):
        path.write_text(text % f'{{7: 80, {null}: 15, "null": 5}}', encoding="utf-8")
        sets = load_workload(path).statements[0].parameter_sets
        assert {given.values[0] for given in sets} == {"7", None, "null"}
        assert sum(s.weight for s in sets if s.values[0] is None) == pytest.approx(3, abs=0.5)
    path.write_text(text % "{null: 1, ~: 2}", encoding="utf-8")
    with pytest.raises(ConfigError, match="choice has the key ~ twice"):
        load_workload(path)


def test_from_query_without_a_server_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(
        "statements:\n- name: a\n  sql: SELECT $1::int\n  parameters: {1: {from_query: SELECT 1}}\n",
        encoding="utf-8",
    )
    assert load_spec(path).needs_server
    with pytest.raises(ConfigError) as caught:
        load_workload(path)
    assert str(caught.value) == f"{path}: statement a takes values from the database (from_query)"
    assert caught.value.hint == "Name the database to ask, or write the values into the file."


def one(body: str) -> str:
    return f"statements:\n  - name: a\n{body}"


REFUSALS = {
    "unknown key of the file": (
        "statments: []\n",
        'w.yaml:1:1: a workload file has no key "statments"',
        'Did you mean "statements"? Known keys: name, sets, statements, version.',
    ),
    "unknown key of a statement": (
        one("    sqll: SELECT 1\n"),
        'w.yaml:3:5: a statement has no key "sqll"',
        'Did you mean "sql"? Known keys: calls, name, notes, parameters, sets, sql, weight.',
    ),
    "key twice": (
        one("    sql: SELECT 1\n    sql: SELECT 2\n"),
        'w.yaml:4:5: a statement has the key "sql" twice',
        "Keep one of them.",
    ),
    "no statement": (
        "version: 1\n",
        "w.yaml:1:1: the workload holds no statement",
        "Write at least one:\nstatements:\n  - name: getOrder\n    sql: SELECT * FROM orders WHERE id = $1\n"
        '    parameters: [["7"]]',
    ),
    "empty file": (
        "# nothing yet\n",
        "w.yaml: the file is empty",
        "Write statements into it (docs/reference/workload-file.md), or run pgproof capture.",
    ),
    "not YAML": (
        "statements: [\n",
        "w.yaml:2:1: this is not YAML: expected the node content, but found '<stream end>'",
        "Check indentation, and quote texts that hold ': ' or begin with one of % @ * & ! [ {.",
    ),
    "two statements of one name": (
        one("    sql: SELECT 1\n  - name: a\n    sql: SELECT 2\n"),
        'w.yaml:4:5: there are two statements named "a"',
        "Names must be unique in a workload.",
    ),
    "too few values": (
        one("    sql: SELECT $1::int, $2::int\n    parameters: [[1]]\n"),
        "w.yaml:4:18: the parameter set has 1 values, the statement has 2 placeholders",
        "Give one value for each placeholder, $1 first.",
    ),
    "a name is missing in a set": (
        one("    sql: SELECT :x::int, :y::int\n    parameters: [{x: 1}]\n"),
        "w.yaml:4:18: the parameter set lacks a value for :y",
        "Write null for NULL.",
    ),
    "a gap in the numbers": (
        one("    sql: SELECT $1::int, $3::int\n"),
        "w.yaml:3:10: placeholders must be numbered $1 to $2 without a gap",
        "",
    ),
    "both kinds of placeholder": (
        one("    sql: SELECT :a::int, $2::int\n"),
        "w.yaml:3:10: the statement mixes :name and $1 placeholders",
        "Use one kind of them.",
    ),
    "two weights": (
        one("    sql: SELECT 1\n    calls: 2\n    weight: 3\n"),
        'w.yaml:5:13: a statement has either "calls" or "weight"',
        "They mean the same: keep one.",
    ),
    "a weight of nothing": (
        one("    sql: SELECT 1\n    calls: 0\n"),
        "w.yaml:4:12: the weight must be a number above 0",
        "",
    ),
    "not a query": (
        one("    sql: VACUUM orders\n"),
        "w.yaml:3:10: a workload holds queries and changes of rows, not UTILITY",
        "Keep SELECT, INSERT, UPDATE, DELETE and MERGE; leave the rest out.",
    ),
    "unknown generator": (
        one("    sql: SELECT $1::int\n    parameters: {$1: {integer: [1, 2]}}\n"),
        'w.yaml:4:23: a generator has no key "integer"',
        'Did you mean "integers"? Known keys: choice, dates, from_query, integers, sequence, text, zipf.',
    ),
    "generator for no placeholder": (
        one("    sql: SELECT :user::int\n    parameters: {usr: {integers: [1, 2]}}\n"),
        "w.yaml:4:23: statement a has no placeholder :usr",
        "It has: :user.",
    ),
    "placeholder without a generator": (
        one("    sql: SELECT :x::int, :y::int\n    parameters: {x: {integers: [1, 2]}}\n"),
        "w.yaml:4:17: statement a has no values for :y",
        "Add a generator for it.",
    ),
    "from_query that writes": (
        one("    sql: SELECT :x::int\n    parameters: {x: {from_query: DELETE FROM t RETURNING id}}\n"),
        "w.yaml:4:34: from_query must be one SELECT that only reads",
        "",
    ),
    "range upside down": (
        one("    sql: SELECT :x::int\n    parameters: {x: {integers: [9, 1]}}\n"),
        "w.yaml:4:32: integers must be written [lowest, highest]",
        "",
    ),
}


@pytest.mark.parametrize(("text", "message", "hint"), REFUSALS.values(), ids=REFUSALS)
def test_refusal_says_where_and_what_to_do(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_workload(text, "w.yaml")
    assert str(caught.value) == message
    assert caught.value.hint == hint


PLACES = {
    "block": ("    sql: |\n      SELECT :long_name,\n        FROM t\n", "w.yaml:5:9"),
    "behind a name on the same line": ("    sql: SELECT :long_name, :other FORM t WHERE\n", "w.yaml:3:41"),
    "quoted": ("    sql: 'SELECT 1 FROM WHERE'\n", "w.yaml:3:25"),
    "not ASCII": ("    sql: SELECT 'é', FROM t\n", "w.yaml:3:22"),
}


@pytest.mark.parametrize(("body", "place"), PLACES.values(), ids=PLACES)
def test_unparsable_sql_is_placed_in_the_file(body: str, place: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_workload(one(body), "w.yaml")
    assert str(caught.value).startswith(f"{place}: syntax error")
    assert str(caught.value).count("syntax error") == 1


SCRIPT = """\
-- A header about nothing.
BEGIN;

-- name: getUserOrders
-- calls: 120
-- params: ["7", "open"]
-- params: [8, null]
SELECT * FROM orders WHERE "userId" = $1 AND status = $2;

select count(*) from orders where status = 'open';  SELECT count(*) FROM orders WHERE status='closed';
SELECT count(*)
FROM orders WHERE status = 'open';
COMMIT;
"""


def test_script_with_directives_and_literals() -> None:
    user, count = parse_workload(SCRIPT, "w.sql").statements
    assert user.name == "getUserOrders"
    assert user.calls == 120
    assert user.parameter_sets == (ParameterSet(("7", "open")), ParameterSet(("8", None)))
    assert count.name.startswith("select_")
    assert count.calls == 3
    assert {(given.values, given.weight) for given in count.parameter_sets} == {
        (("open",), 2.0),
        (("closed",), 1.0),
    }


SCRIPT_REFUSALS = {
    "nothing in it": ("-- just a comment\nBEGIN;\n", "w.sql: the script holds no query"),
    "calls": ("-- calls: many\nSELECT 1;", "w.sql:1: calls must be a number above 0"),
    "params": (
        "\n-- params: 7\nSELECT $1::int;",
        "w.sql:2: params must be a JSON list of texts, numbers, true, false and null",
    ),
    "too many": (
        "-- params: [1, 2]\nSELECT $1::int;",
        "w.sql:2: params gives 2 values, the statement has 1 placeholders",
    ),
    "params for literals": (
        "-- params: [1]\nSELECT 1;",
        "w.sql:2: the statement has params but no $1 placeholder",
    ),
    "one name for two": (
        "-- name: a\nSELECT 1;\n-- name: a\nSELECT 2 FROM t;",
        'w.sql: two different statements are named "a"',
    ),
    "two names for one": (
        "-- name: a\nSELECT * FROM t WHERE x = 1;\n-- name: b\nSELECT * FROM t WHERE x = 2;",
        'w.sql: the statements "a" and "b" are the same but for their values',
    ),
}


@pytest.mark.parametrize(("text", "message"), SCRIPT_REFUSALS.values(), ids=SCRIPT_REFUSALS)
def test_script_refusal(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_workload(text, "w.sql")
    assert str(caught.value) == message


def test_a_statement_that_does_not_parse_is_set_aside_with_its_place() -> None:
    spec = parse_workload("SELECT 1;\n-- name: wrong\nSELECT FROM WHERE;\nSELECT 2;\n", "w.sql")
    assert [statement.query.sql for statement in spec.statements] == ["SELECT 1", "SELECT 2"]
    (aside,) = spec.set_aside
    assert str(aside) == 'left out: w.sql:3:13: syntax error at or near "WHERE" (statement wrong)'
    assert resolve_generators(None, spec).set_aside == (aside,)


def test_a_script_of_which_nothing_parses_names_file_line_and_column() -> None:
    with pytest.raises(ParseError) as caught:
        parse_workload("SET x = 1;\n\nSELECT FROM WHERE;\n", "w.sql")
    assert str(caught.value).startswith("w.sql:3:13: syntax error")


def test_a_declared_statement_that_does_not_parse_is_set_aside() -> None:
    text = (
        "statements:\n- {name: good, sql: SELECT 1}\n- name: bad\n  sql: |\n    SELECT x FROM\n    WHERE y\n"
    )
    spec = parse_workload(text, "w.yaml")
    assert [statement.name for statement in spec.statements] == ["good"]
    assert [str(one) for one in spec.set_aside] == [
        'left out: w.yaml:6:5: syntax error at or near "WHERE" (statement bad)'
    ]


def test_a_captured_statement_that_does_not_parse_is_set_aside(tmp_path: Path) -> None:
    good = CAPTURED.statements[0]
    bad = replace(good, name="bad", query=replace(good.query, sql="SELEC"))
    path = tmp_path / "w.json"
    save_workload(replace(CAPTURED, statements=(good, bad)), path)
    workload = load_workload(path)
    assert workload.statements == (good,)
    (aside,) = workload.set_aside
    assert (aside.name, "syntax error" in aside.message) == ("bad", True)


CAPTURED = Workload(
    statements=(
        WorkloadStatement(
            name="select_0123",
            query=Query("0123456789abcdef", "SELECT $1::text", StatementKind.SELECT, True, (-5, 2**63 - 1)),
            calls=12.5,
            parameter_sets=(
                ParameterSet(("a\n\u2028é\\",), ParameterSource.SAMPLED_ROWS, 0.1),
                ParameterSet((None,), ParameterSource.STATISTICS),
            ),
            counters=StatementCounters(12.5, 0.1 + 0.2, 3, 4, 5, 6, 7, None),
            notes=("text truncated",),
        ),
    ),
    source="pg_stat_statements",
    captured_at=datetime(2025, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
    window_s=60.5,
    server_version="18.6",
    database="shöp",
    notes=("a note",),
)


def test_captured_workload_comes_back_equal_and_private(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    save_workload(CAPTURED, path)
    assert load_workload(path) == CAPTURED
    assert path.stat().st_mode & 0o077 == 0


def test_captured_workload_is_private_where_others_could_read_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    path.write_text("{}", encoding="utf-8")
    path.chmod(0o644)
    save_workload(CAPTURED, path)
    assert path.stat().st_mode & 0o077 == 0


def test_captured_workload_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    broken = {
        "calls must be above 0": replace(CAPTURED.statements[0], calls=0),
        "has 1 placeholders": replace(CAPTURED.statements[0], parameter_sets=(ParameterSet(("a", "b")),)),
        "does not parse": replace(
            CAPTURED.statements[0], query=replace(CAPTURED.statements[0].query, sql="SELEC")
        ),
    }
    for message, statement in broken.items():
        save_workload(replace(CAPTURED, statements=(statement,)), path)
        with pytest.raises(ConfigError, match=message):
            load_workload(path)


def test_captured_workload_of_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    save_workload(CAPTURED, path)
    path.write_text(
        path.read_text(encoding="utf-8").replace('"version": 1', '"version": 2'), encoding="utf-8"
    )
    with pytest.raises(ConfigError, match="a newer pgproof wrote this file"):
        load_workload(path)


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "latin.yaml").write_bytes("a: b\nname: é\n".encode("latin-1"))
    (tmp_path / "w.txt").write_text("SELECT 1", encoding="utf-8")
    for name, message in {
        "missing.yaml": "{}: there is no such file",
        "folder.yaml": "{}: this is a directory",
        "latin.yaml": "{}:2: the file is not UTF-8",
        "w.txt": "{}: a workload file ends in .yaml, .yml, .json, .sql",
    }.items():
        path = tmp_path / name
        with pytest.raises(ConfigError) as caught:
            load_workload(path)
        assert str(caught.value) == message.format(path)
        assert caught.value.hint


def test_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "w.sql"
    path.write_bytes(b"\xef\xbb\xbfSELECT 1")
    assert load_workload(path).statements[0].query.sql == "SELECT 1"
