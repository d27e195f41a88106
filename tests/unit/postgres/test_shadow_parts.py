"""The parts of a shadow that need no server: dumps in pieces, mended statements, pages, what is kept."""

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from pgproof.errors import EmbeddedServerError
from pgproof.postgres.shadow import cache, extended, pages, script, standins
from pgproof.postgres.shadow.files import SEGMENT_PAGES, Extent, lay_out
from pgproof.postgres.shadow.planner_settings import choose_settings
from pgproof.postgres.template import keep_data_folder

DUMP = r"""--
-- PostgreSQL database dump
--

\restrict pgproof

SET standard_conforming_strings = on;
CREATE TABLE t (
    a text DEFAULT 'x;''y' NOT NULL, -- a comment; with semicolon
    "odd;name" int
);
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $_$
BEGIN
    RETURN 1; -- CREATE TABLE no;
END $_$;
CREATE FUNCTION g() RETURNS int BEGIN ATOMIC
 SELECT CASE WHEN true THEN 1 ELSE 2 END;
 SELECT 2;
END;
/* a block; */
CREATE RULE r AS ON DELETE TO t DO INSTEAD (SELECT 1; SELECT 2);
SELECT E'it\'s; so', $1, a$b$c FROM t;
COMMENT ON TABLE t IS 'CREATE TABLE x;';
\unrestrict pgproof
"""


def test_a_dump_is_cut_where_statements_end() -> None:
    statements = list(script.split_dump(DUMP))
    assert [statement.split()[:2] for statement in statements] == [
        ["SET", "standard_conforming_strings"],
        ["CREATE", "TABLE"],
        ["CREATE", "FUNCTION"],
        ["CREATE", "FUNCTION"],
        ["CREATE", "RULE"],
        ["SELECT", "E'it\\'s;"],
        ["COMMENT", "ON"],
    ]
    assert statements[3].endswith("SELECT 2;\nEND")
    assert statements[4].endswith("(SELECT 1; SELECT 2)")


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        ("CREATE TABLE t (a int)", True),
        ("CREATE SERVER s FOREIGN DATA WRAPPER w", False),
        ("CREATE USER MAPPING FOR x SERVER s", False),
        ("CREATE EVENT TRIGGER e ON login EXECUTE FUNCTION f()", False),
        ("ALTER TABLE public.t OWNER TO somebody", False),
        ("ALTER TABLE ONLY public.t ADD CONSTRAINT p PRIMARY KEY (a)", True),
        ("COMMENT ON TABLE t IS 'x'", False),
        ("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", False),
    ],
)
def test_what_reaches_out_or_decides_nothing_is_left_out(statement: str, wanted: bool) -> None:
    assert script.is_wanted(statement) is wanted


TABLE = """CREATE TABLE public.t (
    id uuid DEFAULT public.uuid_generate_v4() NOT NULL,
    sum int GENERATED ALWAYS AS (public.add(1, 2)) STORED,
    CONSTRAINT good CHECK (public.is_good(id))
)"""


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ("uuid_generate_v4", "    id uuid NOT NULL,\n    sum int GENERATED"),
        ("add(1", "    sum int,\n    CONSTRAINT"),
        ("is_good", "STORED\n)"),
    ],
)
def test_a_part_that_fails_is_taken_out_of_its_line(where: str, left: str) -> None:
    shorter = script.leave_out_at(TABLE, TABLE.index(where) + 1)
    assert left in shorter
    assert where not in shorter


def test_nothing_is_taken_out_where_there_is_nothing() -> None:
    assert (
        script.leave_out_at("CREATE TABLE t (\n    a nonsense\n)", 25)
        == "CREATE TABLE t (\n    a nonsense\n)"
    )
    assert script.leave_out_at("ALTER TABLE t ALTER a SET DEFAULT f()", 30).endswith("f()")
    assert script.leave_out_at(TABLE, 0) == TABLE


def refusal(sqlstate: str, message: str) -> Any:
    return SimpleNamespace(sqlstate=sqlstate, diag=SimpleNamespace(message_primary=message))


@pytest.mark.parametrize(
    ("error", "sql"),
    [
        (refusal("42704", 'type "geo.Shape" does not exist'), 'CREATE TYPE geo."Shape"'),
        (refusal("42704", "type geo.shape[] does not exist"), "CREATE TYPE geo.shape;"),
        (refusal("42704", 'role "the boss" does not exist'), 'CREATE ROLE "the boss" NOLOGIN'),
        (refusal("3F000", 'schema "Tiger" does not exist'), 'CREATE SCHEMA "Tiger"'),
        (
            refusal("42704", 'collation "pg_catalog.de-x-icu" for encoding "UTF8" does not exist'),
            '"de-x-icu"',
        ),
    ],
)
def test_stand_ins_bear_the_missing_name(error: psycopg.Error, sql: str) -> None:
    (found,) = standins.find_stand_ins("CREATE TABLE t ()", error)
    assert sql in found.sql


def test_other_errors_have_no_stand_in() -> None:
    assert list(standins.find_stand_ins("CREATE TABLE t ()", refusal("42P07", "already exists"))) == []
    assert (
        standins.extension_of('CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public') == "uuid-ossp"
    )
    assert standins.extension_of("CREATE TABLE extension ()") == ""


META = bytes(24) + struct.pack("<IIIIII", 0x053162, 4, 0, 0, 0, 0) + bytes(8192 - 48)


@pytest.mark.parametrize("level", [0, 1, 2, 4])
def test_a_trunk_leads_from_the_root_to_the_leaf(level: int) -> None:
    leaf = b"leaf" + bytes(8192 - 4)
    image = pages.btree_pages(META, leaf, level)
    assert len(image) == (2 + level) * 8192
    magic, version, root, root_level, fast_root, fast_level = struct.unpack_from("<IIIIII", image, 24)
    assert (magic, version, fast_root, fast_level) == (0x053162, 4, root, level)
    assert root_level == level
    block = root
    for depth in range(level, 0, -1):
        page = image[block * 8192 : (block + 1) * 8192]
        assert struct.unpack_from("<IIIHH", page, 8176)[2:4] == (depth, 2 if depth == level else 0)
        (item,) = struct.unpack_from("<I", page, 24)
        high, low = struct.unpack_from("<HH", page, item & 0x7FFF)
        block = high << 16 | low
    assert block == 1
    assert image[8192:8196] == b"leaf"


@pytest.mark.parametrize(
    ("count", "key_bytes", "grew", "level"),
    [
        (2, 4, False, 0),
        (3, 4, False, 1),
        (275, 4, False, 1),
        (400, 4, False, 2),
        (400, 4, True, 1),
        (10**6, 30, False, 3),
    ],
)
def test_levels_of_trees(count: int, key_bytes: float, grew: bool, level: int) -> None:
    assert pages.btree_level(count, key_bytes, grew=grew) == level


def test_metapages_of_other_methods() -> None:
    gin = pages.gin_metapage(b"\7" * 8192, 100, 80, 19, 5000)
    assert struct.unpack_from("<IIIIqIIIxxxxq", gin, 24) == (2**32 - 1, 2**32 - 1, 0, 0, 0, 100, 80, 19, 5000)
    brin = bytes(24) + struct.pack("<IIII", 0xA8109CFA, 1, 128, 0) + bytes(8192 - 40)
    assert pages.brin_revmap_pages(brin, 128 * 1360) == 1
    assert pages.brin_revmap_pages(brin, 128 * 1360 + 1) == 2
    assert struct.unpack_from("<IIII", pages.brin_metapage(brin, 2), 24) == (0xA8109CFA, 1, 128, 2)


def test_files_get_their_length_in_segments_without_room(tmp_path: Path) -> None:
    (tmp_path / "16384").write_bytes(b"x" * 8192)
    (tmp_path / "16385").write_bytes(META)
    given: list[str] = []
    extents = [
        Extent("16384", 2 * SEGMENT_PAGES + 5),
        Extent("16385", 1000, "btree", tree_level=2),
        Extent("16386", 0),
    ]
    (tmp_path / "16386").write_bytes(b"")
    lay_out(tmp_path, extents, lambda path: given.append(path.name))
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes == {
        "16384": 2**30,
        "16384.1": 2**30,
        "16384.2": 5 * 8192,
        "16385": 1000 * 8192,
        "16386": 0,
    }
    assert given == ["16384.1", "16384.2"]
    with (tmp_path / "16384").open("rb") as heap:
        assert heap.read(8193) == b"x" * 8192 + b"\0"
    assert sum(path.stat().st_blocks * 512 for path in tmp_path.iterdir()) < 2**20


def test_a_file_that_cannot_be_lengthened_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="could not be given its length") as caught:
        lay_out(tmp_path, [Extent("gone", 7)], lambda _: None)
    assert "file system that has them" in caught.value.hint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_a_full_disk_is_not_blamed_on_the_file_system(tmp_path: Path) -> None:
    (tmp_path / "16384").symlink_to("/dev/full")
    with pytest.raises(EmbeddedServerError, match="No space left") as caught:
        lay_out(tmp_path, [Extent("16384", 7, "btree")], lambda _: None)
    assert caught.value.hint.startswith("Free some space")


def test_extended_statistics_get_the_numbers_of_their_new_columns() -> None:
    packed = extended.pack_ndistinct('{"2, 4": 97, "2, -1": 5}', {2: 1, 4: 2})
    assert struct.unpack_from("<III", packed) == (0xA352BFA4, 1, 2)
    assert struct.unpack_from("<dihhdihh", packed, 12) == (97.0, 2, 1, 2, 5.0, 2, 1, -1)
    packed = extended.pack_dependencies('{"2, 4 => 5": 0.250000}', {2: 1, 4: 2, 5: 3})
    assert struct.unpack_from("<III", packed) == (0xB4549A2C, 1, 1)
    assert struct.unpack_from("<dhhhh", packed, 12) == (0.25, 3, 1, 2, 3)


def test_settings_that_decide_plans_are_taken_whatever_their_source() -> None:
    def known(name: str, category: str = "Query Tuning / Other", **facts: Any) -> Any:
        whole = {"vartype": "real", "min_val": "0", "max_val": "10", "enumvals": None, **facts}
        return SimpleNamespace(name=name, category=category, **whole)

    target = {
        "random_page_cost": "1.1",
        "work_mem": "4096",
        "port": "5432",
        "seq_page_cost": "99",
        "jit": "on",
    }
    rows = [
        known("random_page_cost"),
        known("work_mem", "Resource Usage / Memory", vartype="integer", min_val="64", max_val="2147483647"),
        known("log_statement", "Reporting and Logging"),
        known("seq_page_cost"),
        known("cpu_tuple_cost"),
        known("jit", vartype="bool", min_val=None, max_val=None),
    ]
    assert choose_settings(target, rows) == {"random_page_cost": "1.1", "work_mem": "4096", "jit": "on"}


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[str], Path]:
    cluster = tmp_path / "cluster"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("18")

    def keep_one(key: str) -> Path:
        place = cache.place_for(tmp_path, key)
        keep_data_folder(cluster, place)
        return place

    return keep_one


def test_the_shadows_used_last_are_kept(
    tmp_path: Path, keep: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "KEPT_MAX", 3)
    for number, key in enumerate(("a", "b", "c")):
        os.utime(keep(key), (time.time() - 100 + number,) * 2)
    with cache.kept_shadow(tmp_path, "a") as folder:
        assert folder == tmp_path / "shadows" / "a"
    keep("d")
    assert {path.name for path in (tmp_path / "shadows").iterdir() if path.is_dir()} == {"a", "c", "d"}


def test_a_shadow_without_its_mark_is_not_there(tmp_path: Path, keep: Callable[[str], Path]) -> None:
    folder = keep("a")
    (folder / "data" / "PG_VERSION").write_text("changed")
    with cache.kept_shadow(tmp_path, "a") as found:
        assert found is None
    with cache.kept_shadow(tmp_path, "never") as found:
        assert found is None
    assert cache.cache_key("a", "b") != cache.cache_key("ab", "")
