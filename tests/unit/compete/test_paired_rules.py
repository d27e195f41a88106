"""When pairs of executions are enough, and what they say."""

import pytest

from pgproof.stages.compete.paired import CLEAR_FACTOR, _Pair, _Seen, _sum_up, _Taken


def taken(cpu_ms: float | None, wall_ms: float | None = None, *, is_capped: bool = False) -> _Taken:
    return _Taken(wall_ms if wall_ms is not None else (cpu_ms or 0.0) + 1.0, cpu_ms, is_capped)


def pairs(*times: tuple[float, float]) -> list[_Pair]:
    return [_Pair(taken(before), taken(after)) for before, after in times]


@pytest.mark.parametrize(
    ("times", "is_settled", "is_slower"),
    [
        # One, or two that don't lie far away, say nothing.
        ([(100, 300)], False, False),
        ([(100, 150), (100, 150)], False, False),
        ([(100, 205), (100, 230)], True, True),
        # Slower beyond noise, and not.
        ([(100, 131), (101, 130), (99, 128), (100, 131), (100, 130)], True, True),
        ([(100, 90), (100, 170), (100, 110), (100, 160), (100, 85)], False, False),
        ([(100, 108), (100, 104)], False, False),
        ([(100, 108), (100, 104), (100, 101)], True, False),
        # Surely slower, surely by less than what may be lost.
        ([(100, 105), (101, 104), (99, 106), (100, 105), (100, 104), (100, 105)], True, False),
        ([(100, 99), (101, 100), (99, 99), (100, 101), (100, 99), (100, 100)], True, False),
    ],
)
def test_slower_is_said_beyond_noise_only(
    times: list[tuple[float, float]], is_settled: bool, is_slower: bool
) -> None:
    seen = _Seen(pairs(*times))
    assert (seen.is_settled, seen.is_slower) == (is_settled, is_slower)


def test_the_work_of_the_server_counts_not_the_time_that_passed() -> None:
    noisy = [_Pair(taken(100, 110), taken(101, 900)) for _ in range(6)]
    seen = _Seen(noisy)
    assert not seen.by_wall
    assert not seen.is_slower


@pytest.mark.parametrize(
    "pair",
    [
        _Pair(taken(100, 200), taken(90, 600), is_parallel=True),
        _Pair(taken(None, 200), taken(None, 600)),
        _Pair(taken(1, 200), taken(1, 600, is_capped=True)),  # it waited
    ],
)
def test_where_the_work_is_not_known_the_time_that_passed_counts(pair: _Pair) -> None:
    found = _sum_up("q", [pair] * 7)
    assert (found.clock, found.before_ms, found.after_ms) == ("wall", 200, 600)


def test_what_was_stopped_at_work_is_judged_by_its_work() -> None:
    stopped = _Pair(taken(100, 110), taken(CLEAR_FACTOR * 100 + 50, 330, is_capped=True))
    found = _sum_up("q", [stopped] * 3)
    assert (found.clock, found.is_slower, found.is_capped) == ("cpu", True, True)


def test_the_first_pair_counts_only_where_it_is_the_only_one() -> None:
    cold = _Pair(taken(500), taken(100))
    assert _sum_up("q", [cold]).before_ms == 500
    found = _sum_up("q", [cold, *pairs(*[(100, 104)] * 5)])
    assert (found.before_ms, found.after_ms, found.pairs) == (100, 104, 6)
    assert found.interval is not None
    assert found.interval.low <= found.factor <= found.interval.high
