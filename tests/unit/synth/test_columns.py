"""A column's values have its type's form, its statistics' frequencies, and as many differ as should."""

from collections import Counter
from datetime import date

import numpy as np
import pytest

from pgproof.model.synthesis import SourceColumn, WholeStatistics
from pgproof.stages.synth.columns import Demand, Domain, make_domain
from pgproof.stages.synth.members import ColumnMember, Drawn, Unique


def drawn(domain: Domain, rows: int, *, exactly: bool = False) -> list[str]:
    member = ColumnMember("c", domain, domain.spread)
    codes = Drawn(member, rows, 5, exactly).codes(np.arange(rows, dtype=np.int64))[0]
    return [r"\N" if code < 0 else domain.ladder.texts(np.array([code]))[0] for code in codes.tolist()]


def column(base_type: str, statistics: WholeStatistics | None = None, **more: object) -> SourceColumn:
    category = {"text": "S", "varchar": "S", "bpchar": "S", "jsonb": "U", "uuid": "U"}.get(base_type, "N")
    facts = {"category": category, "statistics": statistics, **more}
    return SourceColumn("c", 1, base_type, base_type, **facts)  # type: ignore[arg-type] # facts by name


def made(column: SourceColumn, rows: int = 10_000, **demand: object) -> Domain:
    found = make_domain(column, Demand(rows=rows, **demand))  # type: ignore[arg-type] # demands by name
    assert found is not None
    return found


def test_frequencies_nulls_and_range_follow_the_statistics() -> None:
    bounds = tuple(str(100 + 50 * place) for place in range(21))
    statistics = WholeStatistics(0.2, 500, 4, 0.0, ("7", "8"), (0.3, 0.1), bounds)
    values = Counter(drawn(made(column("int4", statistics)), 20_000))
    assert values[r"\N"] / 20_000 == pytest.approx(0.2, abs=0.01)
    assert values["7"] / 20_000 == pytest.approx(0.3, abs=0.01)
    assert values["8"] / 20_000 == pytest.approx(0.1, abs=0.01)
    others = {int(value): count for value, count in values.items() if value not in (r"\N", "7", "8")}
    assert min(others) >= 100
    assert max(others) <= 1_100
    below = sum(count for value, count in others.items() if value < 600)
    assert below / sum(others.values()) == pytest.approx(0.5, abs=0.02)
    assert len(values) - 1 == pytest.approx(500, rel=0.03)


def test_a_key_of_whole_numbers_is_dense_and_complete() -> None:
    statistics = WholeStatistics(0, -1, 8, 1.0, (), (), (*(str(n) for n in range(1, 10_001, 100)), "10000"))
    domain = made(column("int8", statistics), unique=True)
    codes = Unique(ColumnMember("c", domain, domain.spread), 10_000, 1).codes(np.arange(10_000))[0]
    assert [int(text) for text in domain.ladder.texts(codes)] == list(range(1, 10_001))


def test_a_key_with_too_little_room_goes_on_behind_the_end() -> None:
    statistics = WholeStatistics(0, -1, 4, 1.0, (), (), ("1", "50", "100"))
    domain = made(column("int4", statistics), rows=300, unique=True)
    texts = domain.ladder.texts(np.arange(domain.ladder.size)).tolist()
    assert len(set(texts)) == 300
    assert {"1", "50", "100", "300"} <= set(texts)


@pytest.mark.parametrize(
    "bounds",
    (
        ("apple pie", "banana split", "cherry tart", "damson jam"),
        ("a", "ab", "abc", "abd"),
        ("user1@x.org", "user250@x.org", "user9@x.org"),
        ("näme 1", "näme 12", "näme 7", "Ü"),
        ("back\\slash", "new\nline", "tab\there"),
    ),
)
def test_texts_of_a_key_all_differ(bounds: tuple[str, ...]) -> None:
    statistics = WholeStatistics(0, -1, 12, 0.0, (), (), bounds)
    domain = made(column("text", statistics), rows=3_000, unique=True)
    texts = domain.ladder.texts(np.arange(domain.ladder.size)).tolist()
    assert len(texts) == len(set(texts)) == 3_000
    assert not any("\t" in text or "\n" in text for text in texts)


def test_a_limit_on_characters_is_kept() -> None:
    statistics = WholeStatistics(0, -1, 6, 0.0, (), (), ("ab", "cd", "efghij"))
    texts = made(column("varchar", statistics, limit=6), rows=2_000, unique=True).ladder
    assert max(map(len, texts.texts(np.arange(texts.size)).tolist())) <= 6


def test_words_that_many_values_share_stay() -> None:
    words = ("alpha green one", "beta green two", "delta red three", "gamma red four", "kappa green five")
    statistics = WholeStatistics(0, -1, 16, 0.0, (), (), words)
    values = drawn(made(column("text", statistics), rows=5_000), 5_000)
    assert sum("green" in value for value in values) / 5_000 == pytest.approx(0.6, abs=0.1)


def test_codes_keep_their_shape() -> None:
    values = tuple(f"AB-{number:04d}" for number in range(0, 4_000, 40))
    texts = drawn(made(column("text", WholeStatistics(0, -1, 8, 0.0, (), (), values))), 500)
    assert all(len(text) == 7 and text.startswith("AB-") and text[3:].isdigit() for text in texts)


def test_uuids_stay_uuids_and_known_ones_are_among_them() -> None:
    chance = np.random.default_rng(3)
    values = tuple(sorted(str_uuid(chance.bytes(16)) for _ in range(101)))
    ladder = made(column("uuid", WholeStatistics(0, -1, 16, 0.0, (), (), values)), unique=True).ladder
    texts = set(ladder.texts(np.arange(ladder.size)).tolist())
    assert len(texts) == 10_000
    assert set(values) <= texts
    assert all(len(text) == 36 and text[8] == "-" for text in texts)


def str_uuid(found: bytes) -> str:
    digits = found.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def test_long_texts_are_as_wide_as_on_average() -> None:
    statistics = WholeStatistics(0, -1, 2_004, 0.0, (), (), ("short one", "short two"))
    values = drawn(made(column("text", statistics), rows=200), 200)
    assert sum(map(len, values)) / 200 == pytest.approx(2_000, rel=0.1)


def test_documents_stay_documents() -> None:
    import json

    values = ('{"k": 10, "v": "one"}', '{"k": 25, "v": "two \\u00e4"}', '{"k": 99, "v": "three"}')
    statistics = WholeStatistics(0, -1, 20, None, (), (), values)
    for text in drawn(made(column("jsonb", statistics), rows=500), 500):
        assert set(json.loads(text.replace("\\\\", "\\"))) == {"k", "v"}


def test_dates_lie_between_known_ones_and_endless_ones_stay() -> None:
    bounds = ("2020-01-01", "2020-06-01", "2021-01-01", "infinity")
    statistics = WholeStatistics(0, 300, 4, 0.0, (), (), bounds)
    values = set(drawn(made(column("date", statistics, category="D")), 5_000))
    days = [date.fromisoformat(value) for value in values - {"infinity"}]
    assert "infinity" in values
    assert min(days) >= date(2020, 1, 1)
    assert max(days) <= date(2021, 1, 1)


def test_a_foreign_key_takes_only_values_that_are_there() -> None:
    parent = made(
        column("int4", WholeStatistics(0, -1, 4, 1.0, (), (), ("10", "2000", "40000"))),
        rows=1_000,
        unique=True,
        named=("2000", "77"),
    )
    statistics = WholeStatistics(0.1, 200, 4, 0.0, ("77",), (0.5,), ("10", "2000", "40000"))
    child = made(column("int4", statistics), target=parent.ladder)
    values = Counter(drawn(child, 10_000))
    there = set(parent.ladder.texts(np.arange(parent.ladder.size)).tolist())
    assert set(values) - {r"\N"} <= there
    assert values["77"] / 10_000 == pytest.approx(0.5, abs=0.02)
    assert len(values) - 1 == pytest.approx(200, abs=20)


def test_a_table_that_grew_since_its_statistics_has_new_values_behind_the_old_ones() -> None:
    statistics = WholeStatistics(0, -0.5, 4, 0.0, ("7",), (0.1,), ("1", "50", "100"))
    values = Counter(drawn(made(column("int4", statistics)), 10_000, exactly=True))
    assert len(values) == pytest.approx(5_000, rel=0.02)
    assert values["7"] / 10_000 == pytest.approx(0.1, abs=0.01)
    assert max(map(int, values)) == pytest.approx(5_000, rel=0.02)
    partition = Counter(drawn(made(column("int4", statistics), within=True), 10_000, exactly=True))
    assert max(map(int, partition)) <= 100


def test_what_is_listed_in_a_check_is_all_there_is() -> None:
    check = "CHECK ((c = ANY (ARRAY['new'::text, 'it''s'::text])))"
    assert set(drawn(made(column("text"), checks=(check,)), 200)) == {"new", "it's"}


def test_an_unknown_type_has_no_values() -> None:
    assert make_domain(column("geometry", category="U"), Demand(rows=10)) is None
