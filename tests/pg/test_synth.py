"""Synthetic data of a database with every kind of column and key, on every PostgreSQL at hand."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from pgproof.config import Settings
from pgproof.errors import Refused, ServerError
from pgproof.model.relation import RelationName
from pgproof.model.synthesis import Synthesis
from pgproof.pipeline import SynthesisWishes, synthesised
from pgproof.postgres.embedded import EmbeddedServer

pytestmark = pytest.mark.pg

ZOO = (Path(__file__).parent / "synth_zoo.sql").read_text(encoding="utf-8")
OBJECTS = """\
SELECT 'index ' || c.oid::regclass || ' ' || i.indisvalid
  FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
 WHERE c.relnamespace::regnamespace::text !~ '^pg_'
 UNION ALL
SELECT 'constraint ' || k.conname || ' of '
       || coalesce(nullif(k.conrelid, 0)::regclass::text, k.contypid::regtype::text)
       || CASE WHEN k.convalidated OR k.contypid <> 0 THEN '' ELSE ' NOT VALID' END
  FROM pg_constraint AS k
 WHERE k.connamespace::regnamespace::text !~ '^pg_|information_schema'
 UNION ALL
SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
 UNION ALL
SELECT 'statistics ' || stxname FROM pg_statistic_ext
 ORDER BY 1"""
CONTENT = """\
SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} AS t"""
TABLES = (
    '"Sélect"."order"',
    '"Sélect".line',
    "delivery",
    "person",
    "membership",
    "event",
    "bucket",
    "tied",
    "dog",
)


def rows(dsn: str, sql: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(sql, values).fetchall()  # type: ignore[arg-type] # our own text


def value(dsn: str, sql: str) -> object:
    return rows(dsn, sql)[0][0]


def make(dsn: str, to: str, home: Path, **wishes: object) -> Synthesis:
    asked = SynthesisWishes(to=to, compare=False, **wishes)  # type: ignore[arg-type] # wishes by name
    with synthesised(Settings(home=home), dsn, asked) as made:
        return made.synthesis


@pytest.fixture
def zoo(fresh_database: Callable[[], str]) -> str:
    dsn = fresh_database()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(ZOO)  # type: ignore[arg-type] # our own text
    return dsn


def test_a_copy_has_all_that_its_source_has_and_as_many_rows(
    zoo: str, fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    copy = fresh_database()
    synthesis = make(zoo, copy, tmp_path)
    # The shape of a domain's values is not known to statistics; what is wrong is told.
    assert [note for note in synthesis.notes if "never analysed" not in note] == [
        "domain public.code: some rows violate code_check"
    ]
    there, here = ({str(row[0]) for row in rows(dsn, OBJECTS)} for dsn in (zoo, copy))
    assert there == here
    for table in synthesis.tables:
        if table.relation != RelationName("public", "unseen"):
            assert table.rows == pytest.approx(table.source_rows, rel=1e-6)
    assert value(copy, 'SELECT count(*) FROM "Sélect".line') == value(
        zoo, 'SELECT count(*) FROM "Sélect".line'
    )
    assert value(copy, "SELECT count(*) FROM bucket_1") != 0
    assert value(copy, "SELECT count(*) FROM summary") != 0
    assert set(rows(copy, "SELECT DISTINCT status FROM unseen")) == {("new",), ("done",)}


def test_no_row_of_the_source_is_read(zoo: str, fresh_database: Callable[[], str], tmp_path: Path) -> None:
    copy = fresh_database()
    with psycopg.connect(zoo, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        connection.execute("SELECT pg_stat_statements_reset()")
        connection.execute("SELECT pg_stat_reset()")
    make(zoo, copy, tmp_path)
    asked = rows(
        zoo,
        "SELECT query FROM pg_stat_statements AS s JOIN pg_database AS d ON d.oid = s.dbid"
        " WHERE d.datname = current_database()",
    )
    assert len(asked) > 10
    names = (
        "order",
        "line",
        "delivery",
        "person",
        "membership",
        "event",
        "bucket",
        "animal",
        "dog",
        "tied",
        "team",
    )
    for (query,) in asked:
        words = str(query).replace('"', " ").split()
        reads = [word for before, word in pairwise(words) if before in ("FROM", "JOIN", "COPY")]
        assert not {name.split(".")[-1] for name in reads} & set(names), query
    scanned = rows(zoo, "SELECT relname FROM pg_stat_user_tables WHERE seq_scan + coalesce(idx_scan, 0) > 0")
    assert scanned == []


def test_statistics_of_the_copy_are_those_of_the_source(
    zoo: str, fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    copy = fresh_database()
    make(zoo, copy, tmp_path)
    facts = (
        "SELECT schemaname, tablename, attname, inherited, null_frac, n_distinct, avg_width,"
        " most_common_freqs[1] FROM pg_stats WHERE schemaname IN ('public', 'Sélect')"
        " AND tablename NOT IN ('summary', 'unseen') AND attname NOT IN ('payload', 'raw', 'outline')"
    )
    there, here = ({row[:4]: row[4:] for row in rows(dsn, facts)} for dsn in (zoo, copy))
    assert there.keys() == here.keys()
    counts = {str(row[0]): float(str(row[1])) for row in rows(zoo, "SELECT relname, reltuples FROM pg_class")}
    wrong = []
    for column, (null_frac, n_distinct, width, freq) in there.items():
        other = here[column]
        if abs(null_frac - other[0]) > 0.05 or abs(width - other[2]) > max(4, width / 2):
            wrong.append((column, "nulls or width", null_frac, other[0], width, other[2]))
        total = max(counts.get(str(column[1]), 1.0), 1.0)
        if not 0.5 < _distinct(n_distinct, total) / _distinct(other[1], total) < 2:
            wrong.append((column, "n_distinct", n_distinct, other[1]))
        if freq is not None and freq > 0.2 and (other[3] is None or abs(freq - other[3]) > 0.05):
            wrong.append((column, "frequency", freq, other[3]))
    assert wrong == []


def _distinct(shown: float, total: float) -> float:
    return max(shown if shown > 0 else -shown * total, 1.0)


def test_what_depends_on_each_other_still_does(
    zoo: str, fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    copy = fresh_database()
    make(zoo, copy, tmp_path)
    combinations = "SELECT count(DISTINCT (city, zip, kind)) FROM tied"
    assert float(str(value(copy, combinations))) == pytest.approx(
        float(str(value(zoo, combinations))), rel=0.2
    )
    assert value(copy, 'SELECT count(*) FROM "Sélect"."order" WHERE starts > ends') == 0
    assert value(copy, 'SELECT count(*) FROM "Sélect"."order" WHERE shout <> upper("camelCase")') == 0
    nextval = "SELECT nextval(pg_get_serial_sequence('\"Sélect\".\"order\"', 'id'))"
    assert int(str(value(copy, nextval))) > 6_000


def test_the_same_seed_makes_the_same_rows(
    zoo: str, fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    copies = [fresh_database() for _ in range(3)]
    for copy, seed in zip(copies, (7, 7, 8), strict=True):
        make(zoo, copy, tmp_path, seed=seed, scale=0.2)
    for table in TABLES:
        one, same, other = (value(copy, CONTENT.format(table)) for copy in copies)
        assert one == same
        assert one != other


def test_masked_copies_hold_nothing_that_can_be_read(
    zoo: str, fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    copy = fresh_database()
    make(zoo, copy, tmp_path, masked=True)
    for table, words in (
        ('"Sélect"."order"', "näme|there|value|word1"),
        ("person", "user|example"),
        ("tied", "k1"),
    ):
        assert value(copy, f"SELECT count(*) FROM {table} AS t WHERE t::text ~ '{words}'") == 0
    bosses = "SELECT count(DISTINCT login) FROM person"
    assert value(copy, bosses) == value(zoo, bosses)


def test_a_database_that_holds_anything_is_refused(
    zoo: str, fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    other = fresh_database()
    rows_before = "CREATE TABLE mine AS SELECT 1 AS a"
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute(rows_before)
    with pytest.raises(Refused, match=r"is not empty, it holds public\.mine"):
        make(zoo, other, tmp_path)
    with pytest.raises(Refused, match="is the source itself"):
        make(zoo, zoo, tmp_path)
    assert rows(other, "SELECT a FROM mine") == [(1,)]


def test_a_type_that_nobody_can_make_is_named_and_refused_before_anything_is_made(
    fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    source, copy = fresh_database(), fresh_database()
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE t (a int, b pg_snapshot, c pg_snapshot NOT NULL, d pg_snapshot DEFAULT '1:1:')"
        )
        connection.execute("INSERT INTO t SELECT i, '1:1:', '1:1:' FROM generate_series(1, 50) AS i")
        connection.execute("ANALYZE")
        with pytest.raises(Refused, match=r"public\.t\.c \(pg_snapshot\)"):
            make(source, copy, tmp_path)
        assert rows(copy, "SELECT relname FROM pg_stat_user_tables") == []
        connection.execute("ALTER TABLE t ALTER COLUMN c DROP NOT NULL")
    notes = " ".join(make(source, copy, tmp_path).notes)
    assert "public.t.b: no pg_snapshot can be made, so it is NULL everywhere" in notes
    assert "public.t.d: no pg_snapshot can be made, so it holds its default everywhere" in notes
    assert rows(copy, "SELECT count(*), count(b), count(d) FROM t") == [(50, 0, 50)]


@pytest.mark.parametrize("keep", (False, True))
def test_a_stop_on_the_way_leaves_nothing_unless_told(
    zoo: str, fresh_database: Callable[[], str], tmp_path: Path, keep: bool
) -> None:
    copy = fresh_database()

    def stop(task: str, done: float = 0, total: float = 0) -> None:
        if task.startswith("making rows of public.membership"):
            raise KeyboardInterrupt

    wishes = SynthesisWishes(to=copy, compare=False, keep=keep)
    with pytest.raises(KeyboardInterrupt), synthesised(Settings(home=tmp_path), zoo, wishes, progress=stop):
        pass
    left = rows(
        copy, "SELECT oid::regclass FROM pg_class WHERE relnamespace::regnamespace::text ~ 'public|S'"
    )
    assert bool(left) == keep
    if not keep:
        make(zoo, copy, tmp_path)  # it is empty again, extensions and schemas included


def test_files_load_into_an_empty_database(
    zoo: str, pg_server: EmbeddedServer, fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    copy, folder = fresh_database(), tmp_path / "files"
    with synthesised(Settings(home=tmp_path), zoo, SynthesisWishes(out=folder, scale=0.1)) as made:
        expected = {str(table.relation): table.rows for table in made.synthesis.tables}
    script = (folder / "load.sql").read_text(encoding="utf-8")
    absolute = script.replace("FROM '0", f"FROM '{folder}/0").replace("\\i ", f"\\i {folder}/")
    (folder / "load.sql").write_text(absolute, encoding="utf-8")
    pg_server.run_tool(
        "psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", copy, "-f", str(folder / "load.sql")]
    )
    assert value(copy, 'SELECT count(*) FROM "Sélect".line') == expected["Sélect.line"]
    with (
        pytest.raises(Refused, match="is not empty"),
        synthesised(Settings(home=tmp_path), zoo, SynthesisWishes(out=folder)),
    ):
        pass


def test_a_role_that_may_not_create_anything_is_told_so(
    zoo: str, fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    copy = fresh_database()
    with psycopg.connect(copy, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS pgproof_nobody")
        connection.execute("CREATE ROLE pgproof_nobody LOGIN")
    try:
        with pytest.raises(ServerError, match="may not create"):
            make(zoo, f"{copy} user=pgproof_nobody", tmp_path)
    finally:
        with psycopg.connect(copy, autocommit=True) as connection:
            connection.execute("DROP ROLE pgproof_nobody")
