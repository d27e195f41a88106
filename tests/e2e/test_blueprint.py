"""Blueprints from the first line to the results: new, check, compete, show, report; and what is refused."""

import json
from pathlib import Path

import jsonschema
import psycopg
import pytest
import yaml

from pgproof.frontends.schemas import render_schema
from pgproof.postgres.embedded import EmbeddedServer
from pgproof.testing.servers import temporary_database
from tests.e2e.conftest import BY_CUSTOMER, OPEN, PAY, Command, load_shop, servers_left, use_shop

pytestmark = [pytest.mark.pg(">= 18"), pytest.mark.e2e]

WORKLOAD = f"""\
statements:
- name: byCustomer
  weight: 20
  sql: {BY_CUSTOMER.replace("%s", ":customer")!r}
  parameters:
    customer: {{from_query: 'SELECT "Id" FROM "Sales Äpp"."Customer" WHERE "Id" % 50 = 1'}}
- name: open
  weight: 4
  sql: {OPEN.replace("%s", "$1")!r}
  parameters: [["100"], ["500"]]
- name: pay
  weight: 4
  sql: {PAY.replace("%s", "$1")!r}
  parameters: [["1"], ["2"], ["3"]]
"""
BLUEPRINT = """\
id: 2026-11-20_orders
name: orders
goal: Orders of a customer at once
status: approved
target: {min_version: 14}
assumptions: [The shop has a few hundred customers]
questions:
- {question: "May counts be old?", default: no}
workload: workload.yaml
variants:
- name: A
  title: an index
  changes:
  - CREATE INDEX "byCustomer" ON "Sales Äpp"."order" ("customerId", id)
- name: B
  title: a cache
  changes:
  - CREATE INDEX "byCustomerToo" ON "Sales Äpp"."order" ("customerId")
  cache:
    ttl_s: {open: 60}
risks:
- {risk: The build blocks writes, mitigation: CREATE INDEX CONCURRENTLY}
criteria:
- p95 < 10 s
- {check: p50 < 5 s, profile: rush}
- {check: index_size < 1 kB, title: nearly no space}
- {check: p95 < 10 s, statements: [byCustomer], gate: true}
- errors = 0
load:
- {name: usual, clients: 2, slice_s: 0.5, slices: 2}
- {name: rush, clients: 4, think_time_ms: 5, slice_s: 0.5, slices: 2}
race: {time_limit_s: 12}
rollback: pgproof revert last
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "workload.yaml").write_text(WORKLOAD, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(BLUEPRINT, encoding="utf-8")
    return tmp_path


def test_a_competition_with_criteria(folder: Path, shop: str, pgproof: Command, home: Path) -> None:
    file = folder / "b.yaml"
    refused = pgproof("compete", file, "--against", shop)
    assert refused.code == 3
    assert refused.message == (
        "error: This blueprint asks for what a competition does not run yet: "
        "variant B, cache: a cache in front of statements.\n"
        "Nothing was done. Take these parts out, or race the variants without them: --only NAME."
    )
    assert servers_left(home) == []

    raced = pgproof("compete", file, "--against", shop, "--only", "A", "--out", folder / "out", "--json", "-")
    assert raced.code == 0, raced.err
    jsonschema.validate(raced.document, json.loads(render_schema("compete")))
    (arm,) = raced.document["variants"]
    found = {target["title"]: target for target in arm["targets"]}
    assert list(found) == [
        "p95 < 10000 ms",
        "p50 < 5000 ms under rush",
        "nearly no space: index_size < 1 kB",
        "p95 of byCustomer < 10000 ms",
        "errors = 0",
    ]
    assert [target["met"] for target in found.values()] == [True, True, False, True, True]
    space = found["nearly no space: index_size < 1 kB"]
    assert space["measured"] == arm["index_bytes"]
    assert space["over_frac"] == pytest.approx(arm["index_bytes"] / 1024 - 1)
    assert found["errors = 0"]["measured"] == 0
    assert found["p50 < 5000 ms under rush"]["measured"] == arm["further_loads"][0]["load"]["p50_ms"]
    assert found["p95 < 10000 ms"]["measured"] == arm["p95_ms"]
    assert [gate["passed"] for gate in arm["gates"] if gate["name"] == "criteria"] == [True]
    assert arm["score_parts"]["tests"] == pytest.approx(80.0)
    assert [target["met"] for target in raced.document["control"]["targets"]][0:2] == [True, True]
    assert "nearly no space" in raced.err and "MISSED" in raced.err

    page = (folder / "out" / "report.html").read_text("utf-8")
    for text in (
        "nearly no space",
        "MISSED",
        "The build blocks writes",
        "May counts be old?",
        "2026-11-20_orders",
    ):
        assert text in page

    run = raced.document["run"]
    shown = pgproof("blueprint", "show", file, "--run", run)
    assert shown.code == 0, shown.err
    assert f"Run `{run}`" in shown.out
    assert "**Blueprint ID**: `2026-11-20_orders`" in shown.out
    assert "| nearly no space: index_size < 1 kB |" in shown.out
    assert shown.out.count("### Variant ") == 2, "the file has both variants"
    assert pgproof("blueprint", "show", "--run", run).out.count("### Variant ") == 1

    again = pgproof("blueprint", "new", folder / "again.yaml", "--from-run", run)
    assert again.code == 0, again.err
    checked = pgproof("blueprint", "check", folder / "again.yaml", "--against", shop)
    assert checked.code == 0, checked.out
    assert "1 variant, 3 statements\nthe database has nothing against it" in checked.out


def test_a_gate_of_the_owners_disqualifies(folder: Path, shop: str, pgproof: Command) -> None:
    keys = yaml.safe_load(BLUEPRINT)
    keys |= {"criteria": [{"check": "index_size < 1 kB", "gate": True}], "variants": keys["variants"][:1]}
    keys["load"] = keys["load"][0]
    (folder / "gate.yaml").write_text(yaml.safe_dump(keys, allow_unicode=True), encoding="utf-8")
    raced = pgproof("compete", folder / "gate.yaml", "--against", shop, "--json", "-")
    assert raced.code == 0, raced.err
    (arm,) = raced.document["variants"]
    (gate,) = [gate for gate in arm["gates"] if not gate["passed"]]
    assert gate["name"] == "criteria"
    assert gate["evidence"].startswith("index_size < 1 kB: index_size is ")
    assert arm["score"] is None
    assert raced.document["verdict"]["winner"] is None


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("tests", ["pytest"], "tests: commands that have to succeed against each arm"),
        ("merge", True, "merge: committing and merging the winner"),
        (
            "load",
            {"rate": 5},
            "load, rate: statements that arrive whether or not others were answered (open loop)",
        ),
        ("load", {"phases": [{"duration_s": 1}]}, "load, phases: busy and quiet stretches"),
        ("load", {"start": "cold"}, "load, start: cold caches"),
    ],
)
def test_what_is_not_run_yet_is_refused(
    key: str, value: object, message: str, folder: Path, shop: str, pgproof: Command, home: Path
) -> None:
    keys = yaml.safe_load(BLUEPRINT)
    keys |= {"variants": keys["variants"][:1], "criteria": [], "load": {}, key: value}
    file = folder / "refused.yaml"
    file.write_text(yaml.safe_dump(keys, allow_unicode=True), encoding="utf-8")
    refused = pgproof("compete", file, "--against", shop)
    assert refused.code == 3
    assert refused.message.startswith(
        f"error: This blueprint asks for what a competition does not run yet: {message}."
    )
    assert servers_left(home) == []
    assert f"not run yet {message}" in pgproof("blueprint", "check", file).out


def test_another_database_is_refused(folder: Path, shop: str, pgproof: Command) -> None:
    keys = yaml.safe_load(BLUEPRINT) | {"target": {"database": "elsewhere"}}
    file = folder / "target.yaml"
    file.write_text(yaml.safe_dump(keys, allow_unicode=True), encoding="utf-8")
    refused = pgproof("compete", file, "--against", shop, "--only", "A")
    assert refused.code == 3
    assert refused.message.startswith("error: The blueprint is about database elsewhere, and this is ")


def test_check_asks_the_database(folder: Path, shop: str, pgproof: Command) -> None:
    text = BLUEPRINT.replace('"customerId", id)', '"customerid", id)').replace(
        '"Sales Äpp"."order" ("customerId")', "public.orders (id)"
    )
    (folder / "b.yaml").write_text(text, encoding="utf-8")
    (folder / "workload.yaml").write_text(
        WORKLOAD.replace("SELECT id, total", "SELECT id, totl"), encoding="utf-8"
    )
    checked = pgproof("blueprint", "check", folder / "b.yaml", "--against", shop, "--json", "-")
    assert checked.code == 1, checked.err
    jsonschema.validate(checked.document, json.loads(render_schema("blueprint-check")))
    found = [(each["line"], each["column"], each["message"]) for each in checked.document["objections"]]
    assert found[0][:2] == (14, 5)
    assert "has no column customerid" in found[0][2]
    assert found[1][:2] == (18, 5)
    assert found[1][2].startswith("There is no table public.orders")
    assert found[2][:2] == (9, 11)
    assert "byCustomer can't be explained" in found[2][2] and "totl" in found[2][2]
    assert checked.document["problems"] == []
    assert checked.document["not_run"] == ["variant B, cache: a cache in front of statements"]


def test_check_tells_all_problems_at_once(folder: Path, pgproof: Command) -> None:
    text = (
        BLUEPRINT.replace("p50 < 5 s", "p50 < 5").replace("errors = 0", "erors = 0").replace("ttl_s", "ttl")
    )
    (folder / "b.yaml").write_text(text, encoding="utf-8")
    checked = pgproof("blueprint", "check", folder / "b.yaml")
    assert checked.code == 2
    lines = [line for line in checked.out.splitlines() if line.startswith(str(folder))]
    assert lines == [
        f"{folder}/b.yaml:20:5: variants[2].cache has no key 'ttl'.",
        f"{folder}/b.yaml:25:11: p50 needs a unit.",
        f"{folder}/b.yaml:28:3: no figure is called 'erors'.",
    ]
    assert checked.out.splitlines()[-1] == f"3 problems in {folder}/b.yaml"


def test_new_writes_what_check_accepts(folder: Path, pgproof: Command) -> None:
    for name, arguments in {"plain": (), "named": ("--from", folder / "workload.yaml")}.items():
        file = folder / f"{name}.yaml"
        assert pgproof("blueprint", "new", file, *arguments).code == 0
        assert pgproof("blueprint", "check", file).code == 0
        again = pgproof("blueprint", "new", file, *arguments)
        assert again.code == 2
        assert f"{file}" in again.message and "--force" in again.message
        assert pgproof("blueprint", "new", file, *arguments, "--force").code == 0
    named = yaml.safe_load((folder / "named.yaml").read_text("utf-8"))
    assert named["workload"] == "workload.yaml"
    assert named["variants"][0]["changes"] == ['ANALYZE "Sales Äpp"."order"'], (
        "the table of the heaviest statement"
    )


def test_new_from_a_run_of_advise(folder: Path, shop: str, pgproof: Command) -> None:
    use_shop(shop)
    advised = pgproof("advise", shop, "--out", folder / "advised.yaml", "--json", "-")
    assert advised.code == 0, advised.err
    made = pgproof("blueprint", "new", folder / "new.yaml", "--from-run", advised.document["run"])
    assert made.code == 0, made.err
    checked = pgproof("blueprint", "check", folder / "new.yaml", "--json", "-")
    assert checked.document["variants"] == [each["name"] for each in advised.document["variants"]]


def test_the_commands_used_wrongly(folder: Path, shop: str, pgproof: Command) -> None:
    assert pgproof("blueprint").code == 2
    assert pgproof("blueprint", "show").message == (
        "error: Neither a file nor a run is named.\nWrite pgproof blueprint show FILE."
    )
    both = pgproof("blueprint", "new", folder / "x.yaml", "--from", "w.yaml", "--from-run", "last")
    assert both.message.startswith("error: --from and --from-run exclude each other.")
    lost = pgproof("blueprint", "check", folder / "lost.yaml")
    assert (lost.code, lost.message.splitlines()[0]) == (
        2,
        f"error: {folder}/lost.yaml can't be read: No such file or directory.",
    )
    unknown = pgproof("compete", folder / "b.yaml", "--against", shop, "--only", "A,Z")
    assert (unknown.code, unknown.message) == (
        2,
        "error: The blueprint has no variant 'Z'.\nIts variants: A, B.",
    )


def test_values_from_a_database_that_has_none(
    folder: Path, pgproof: Command, pg_server: EmbeddedServer
) -> None:
    with temporary_database(pg_server) as dsn:
        load_shop(dsn)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute('TRUNCATE "Sales Äpp"."Customer" CASCADE')
        checked = pgproof("blueprint", "check", folder / "b.yaml", "--against", dsn)
    assert checked.code == 1
    assert "the from_query of statement byCustomer gave no rows" in checked.out


BAD_FILES = {
    "syntax": (b"workload: [", ":1:12: not valid YAML"),
    "tabs": (b"workload: workload.yaml\nvariants:\n\t- name: a\n", ":3:1: not valid YAML: found character"),
    "type": (BLUEPRINT.encode() + b"weights: {tests: much}\n", ":34:18: weights.tests must be a number."),
    "missing": (b"workload: workload.yaml\n", ":1:1: a blueprint needs the key 'variants'."),
    "twice": (BLUEPRINT.replace("name: B", "name: A").encode(), ":15:9: two variants are called 'A'"),
    "negative": (BLUEPRINT.replace("< 10 s", "< -10 s", 1).encode(), ":24:3: a limit of -10 s can't be kept"),
    "kind": (
        b"workload: workload.yaml\nvariants: [{name: a, changes: [{kind: drop_table}]}]\n",
        ":2:39: 'drop_table' is no kind of change.",
    ),
    "large": (b"notes: [" + b"x, " * 4_000_000 + b"]\n", ":1:1: the file has "),
    "bomb": (
        b"a: &a [x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (n, n, b", ".join([b"*%c" % (n - 1)] * 9)) for n in range(98, 112)),
        ": the document has more than 200,000 entries once its aliases are resolved.",
    ),
    "latin": (b"goal: gr\xf6\xdfer\n", ":1:9: the file is not UTF-8."),
    "binary": (bytes(range(256)), ":2:118: the file is not UTF-8."),
    "empty": (b"", ":1:1: this is not a blueprint."),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_end_in_a_message_with_a_place(
    name: str, folder: Path, pgproof: Command, home: Path
) -> None:
    data, message = BAD_FILES[name]
    file = folder / "bad.yaml"
    file.write_bytes(data)
    checked = pgproof("blueprint", "check", file, "--json", "-")
    assert checked.code == 2, checked.err
    assert any(line.startswith(str(file)) and message in line for line in checked.err.splitlines()), (
        checked.err
    )
    assert checked.document["problems"]
    assert "Traceback" not in checked.err
    raced = pgproof("compete", file, "--against", "service=nowhere")
    assert raced.code == 2
    assert message in raced.message
    assert pgproof("blueprint", "show", file).code == 2
    assert servers_left(home) == []


def test_a_byte_order_mark_is_fine(folder: Path, pgproof: Command) -> None:
    file = folder / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + BLUEPRINT.encode())
    assert pgproof("blueprint", "check", file).code == 0
