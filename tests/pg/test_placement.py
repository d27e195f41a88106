"""Where the server processes of a race run: all of them on the same processor, turn by turn."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pgproof.postgres.embedded import EmbeddedServer
from pgproof.stages.compete.measure import Lane
from pgproof.stages.compete.placement import Placement, find_server_process
from pgproof.testing.servers import temporary_database

pytestmark = [
    pytest.mark.pg,
    pytest.mark.skipif(
        len(getattr(os, "sched_getaffinity", lambda pid: ())(0)) < 2, reason="one processor, or not Linux"
    ),
]


@pytest.fixture
def lanes(pg_server: EmbeddedServer) -> Iterator[tuple[Lane, ...]]:
    with ExitStack() as held:
        dsns = [held.enter_context(temporary_database(pg_server)) for _ in range(3)]
        yield tuple(held.enter_context(Lane(f"arm {n}", dsn, 0)) for n, dsn in enumerate(dsns))


def pids_of(lanes: tuple[Lane, ...]) -> list[int]:
    pids = [lane.server_pid for lane in lanes if lane.server_pid is not None]
    assert len(pids) == len(lanes)
    return pids


def test_all_arms_take_a_turn_on_one_processor_and_all_get_their_turns(lanes: tuple[Lane, ...]) -> None:
    pids = pids_of(lanes)
    allowed = os.sched_getaffinity(pids[0])
    placement = Placement(pids, seed=1)
    assert placement.moves
    seen = set()
    for _ in range(40):
        placement.next_turn()
        places = {frozenset(os.sched_getaffinity(pid)) for pid in pids}
        assert len(places) == 1
        (place,) = places
        assert len(place) == 1
        seen |= place
    assert seen == allowed


def test_the_order_of_processors_follows_the_seed(lanes: tuple[Lane, ...]) -> None:
    pids = pids_of(lanes)
    orders = []
    for seed in (7, 7, 8):
        for pid in pids:
            os.sched_setaffinity(pid, os.sched_getaffinity(0))
        placement, order = Placement(pids, seed), []
        for _ in range(30):
            placement.next_turn()
            order.append(os.sched_getaffinity(pids[0]))
        orders.append(order)
    assert orders[0] == orders[1] != orders[2]


def test_a_process_that_ends_stops_nobody(lanes: tuple[Lane, ...]) -> None:
    pids = pids_of(lanes)
    placement = Placement(pids, seed=1)
    lanes[1].close()
    for _ in range(5):
        placement.next_turn()
    assert len(os.sched_getaffinity(pids[2])) == 1


def test_servers_elsewhere_are_left_alone() -> None:
    placement = Placement((), seed=1)
    placement.next_turn()
    assert not placement.moves


def test_only_the_process_of_this_very_session_is_found(lanes: tuple[Lane, ...]) -> None:
    session = lanes[0].session
    assert find_server_process(session.backend_pid, session.database) is not None
    assert find_server_process(session.backend_pid, lanes[1].session.database) is None
    assert find_server_process(os.getpid(), session.database) is None
    assert find_server_process(2**22 + 1, session.database) is None
