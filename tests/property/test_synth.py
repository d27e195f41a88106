"""Whatever statistics say: keys don't repeat, shares are kept, rows are the same again."""

import string
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pgproof.model.synthesis import SourceColumn, WholeStatistics
from pgproof.stages.synth.chance import ordered, permuted
from pgproof.stages.synth.columns import Demand, make_domain
from pgproof.stages.synth.spread import spread_of

TEXTS = st.text(string.ascii_letters + string.digits + " -_.@äß\\\t", max_size=14)
KNOWN_TEXTS = st.lists(TEXTS, min_size=1, max_size=30, unique=True)
KNOWN_NUMBERS = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30, unique=True)


@given(st.integers(1, 3_000), st.integers(0, 2**40))
def test_a_shuffle_is_one(size: int, seed: int) -> None:
    assert len(np.unique(permuted(np.arange(size, dtype=np.int64), size, seed))) == size


@given(st.integers(1, 3_000), st.floats(-1, 1), st.integers(0, 2**40))
def test_a_partial_shuffle_is_one(size: int, correlation: float, seed: int) -> None:
    found = ordered(np.arange(size, dtype=np.int64), size, correlation, seed)
    assert sorted(found.tolist()) == list(range(size))


@given(
    st.lists(st.tuples(st.integers(1, 50), st.floats(0.001, 10)), min_size=1, max_size=20),
    st.integers(1, 2_000),
)
def test_an_allotment_gives_away_every_row(pieces: list[tuple[int, float]], rows: int) -> None:
    first = np.cumsum([0, *(count for count, _ in pieces[:-1])])
    spread = spread_of(first, [count for count, _ in pieces], [mass for _, mass in pieces])
    codes, place, size = spread.allotted(rows).groups(np.arange(rows, dtype=np.int64))
    assert np.all(np.diff(codes) >= 0)
    assert np.all((place >= 0) & (place < size))
    assert all(int((codes == code).sum()) == size[codes == code][0] for code in np.unique(codes))


@settings(max_examples=60)
@given(KNOWN_TEXTS, st.integers(1, 1_500))
def test_texts_of_a_key_differ_and_hold_no_bare_tab(known: list[str], rows: int) -> None:
    statistics = WholeStatistics(0, -1, 12, 0.0, (), (), tuple(sorted(known)))
    column = SourceColumn("c", 1, "text", "text", category="S", statistics=statistics)
    domain = make_domain(column, Demand(rows=rows, unique=True))
    assert domain is not None
    texts = domain.ladder.texts(np.arange(domain.ladder.size, dtype=np.int64)).tolist()
    assert len(texts) == len(set(texts)) == rows
    assert not any(mark in text for text in texts for mark in "\t\n\r")


@settings(max_examples=60)
@given(KNOWN_NUMBERS, st.integers(1, 1_500))
def test_numbers_of_a_key_differ_and_rise(known: list[int], rows: int) -> None:
    statistics = WholeStatistics(0, -1, 4, 0.0, (), (), tuple(map(str, sorted(known))))
    column = SourceColumn("c", 1, "integer", "int4", category="N", statistics=statistics)
    domain = make_domain(column, Demand(rows=rows, unique=True))
    assert domain is not None
    numbers = list(map(int, domain.ladder.texts(np.arange(domain.ladder.size, dtype=np.int64)).tolist()))
    assert len(numbers) == rows
    assert all(left < right for left, right in pairwise(numbers))
