"""Whatever a server is set to, what is proposed can't exhaust the machine's memory."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pgproof.model.machine import Machine, Storage
from pgproof.stages.propose.settings import propose_settings
from pgproof.stages.propose.settings.budget import present_budget
from pgproof.stages.propose.settings.server import Server
from tests.unit.propose.test_settings import _in_units, server_with

MB = 1024**2
MACHINES = st.builds(
    Machine,
    cores=st.integers(1, 256),
    memory_bytes=st.integers(512, 4 * 1024**2).map(lambda megabytes: megabytes * MB),
    storage=st.sampled_from(Storage),
    connections=st.none() | st.integers(1, 5000),
    shared=st.booleans(),
)
SETTINGS = st.fixed_dictionaries(
    {
        "shared_buffers": st.integers(16, 2**26),
        "work_mem": st.integers(64, 2**24),
        "hash_mem_multiplier": st.floats(1, 1000).map(lambda value: round(value, 1)),
        "maintenance_work_mem": st.integers(1024, 2**24),
        "autovacuum_work_mem": st.just(-1) | st.integers(1024, 2**24),
        "autovacuum_max_workers": st.integers(1, 50),
        "max_connections": st.integers(1, 20_000),
        "max_parallel_workers": st.integers(0, 1024),
        "temp_buffers": st.integers(100, 2**20),
        "wal_buffers": st.integers(4, 2**18),
    }
).map(lambda chosen: {name: str(value) for name, value in chosen.items()})


@settings(deadline=None)
@given(machine=MACHINES, values=SETTINGS)
def test_the_worst_case_fits_the_machine(machine: Machine, values: dict[str, str]) -> None:
    known = server_with(**values)
    found = {advice.name: advice.proposed for advice in propose_settings(known, machine)}
    taken = replace(
        known,
        settings=tuple(
            replace(each, value=_in_units(found[each.name], each)) if each.name in found else each
            for each in known.settings
        ),
    )
    assert present_budget(Server(taken, machine)).total_bytes <= machine.share_bytes
