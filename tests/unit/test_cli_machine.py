"""``--machine`` as people write it."""

import pytest

from pgproof.errors import UsageError
from pgproof.frontends.cli.machine import parse_machine
from pgproof.model.machine import Machine, Storage

GB = 1024**3


@pytest.mark.parametrize(
    ("text", "machine"),
    [
        ("2cpu,4GB,ssd", Machine(2, 4 * GB, Storage.SSD)),
        (" 4 GB , 2 vCPUs ", Machine(2, 4 * GB)),
        ("8cores,32GiB,nvme,200 connections", Machine(8, 32 * GB, Storage.SSD, 200)),
        ("1core,512mb,hdd,connections=20,shared", Machine(1, GB // 2, Storage.HDD, 20, shared=True)),
        ("64 CPU, 1.5TB RAM, unknown", Machine(64, 1536 * GB)),
    ],
)
def test_parts_in_any_order(text: str, machine: Machine) -> None:
    assert parse_machine(text) == machine


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--machine '' does not say the cores."),
        ("4GB", "--machine '4GB' does not say the cores."),
        ("2cpu,ssd", "--machine '2cpu,ssd' does not say the memory."),
        ("2cpu,4GB,floppy", "--machine: 'floppy' is not understood."),
        ("2cpu,4", "--machine: '4' is not understood."),
        ("2cpu,4GB,-1cpu", "--machine: '-1cpu' is not understood."),
        ("2cpu,4GB,8GB", "--machine names its memory twice: '8GB' is the second."),
        ("0cpu,4GB", "--machine: 0 cores and 4.0 GB are too little to run a server on."),
        ("2cpu,64MB", "--machine: 2 cores and 64.0 MB are too little to run a server on."),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_machine(text)
    assert caught.value.message == message
    assert caught.value.hint
