"""``--machine``: what the server runs on, as people write it."""

from __future__ import annotations

import re
from dataclasses import replace

from pgproof.errors import UsageError
from pgproof.model.figures import size
from pgproof.model.machine import Machine, Storage

LEAST_BYTES = 512 * 1024**2

_CORES = re.compile(r"(\d+)\s*(?:v?cpus?|v?cores?)")
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([mgt])i?b?(?:\s*ram)?")
_CONNECTIONS = re.compile(r"(\d+)\s*(?:conns?|connections?|clients?)|connections?=(\d+)")
_UNITS = {"m": 1024**2, "g": 1024**3, "t": 1024**4}
_STORAGE = {
    "ssd": Storage.SSD,
    "nvme": Storage.SSD,
    "hdd": Storage.HDD,
    "disk": Storage.HDD,
    "unknown": Storage.UNKNOWN,
}
_HINT = (
    "For example: --machine 2cpu,4GB,ssd. In any order: cores (2cpu), memory (4GB), storage (ssd or hdd), the"
    " connections expected (50connections), and `shared` where the application runs on the same machine."
)


def parse_machine(text: str) -> Machine:
    """Read what ``--machine`` was given: ``2cpu,4GB,ssd``, ``8 cores, 32GB, nvme, 200 connections``.

    Args:
        text: Parts in any order, commas between them. Cores and memory are needed.

    Raises:
        UsageError: A part is not understood, comes twice, or is missing; or the machine is too small.
    """
    facts: dict[str, object] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, value = _read(part)
        if name in facts:
            raise UsageError(f"--machine names its {name} twice: {part!r} is the second.", hint=_HINT)
        facts[name] = value
    for name in ("cores", "memory"):
        if name not in facts:
            raise UsageError(f"--machine {text!r} does not say the {name}.", hint=_HINT)
    machine = Machine(int(str(facts["cores"])), int(str(facts["memory"])))
    if machine.cores < 1 or machine.memory_bytes < LEAST_BYTES:
        raise UsageError(
            f"--machine: {machine.cores} cores and {size(machine.memory_bytes)} are too little to run a"
            " server on.",
            hint=f"At least one core and {size(LEAST_BYTES)}.",
        )
    storage = facts.get("storage")
    connections = facts.get("connections")
    return replace(
        machine,
        storage=storage if isinstance(storage, Storage) else Storage.UNKNOWN,
        connections=connections if isinstance(connections, int) else None,
        shared="sharing" in facts,
    )


def _read(part: str) -> tuple[str, object]:
    """Return what a part is about, and its value."""
    word = part.lower()
    if word in _STORAGE:
        return "storage", _STORAGE[word]
    if word == "shared":
        return "sharing", True
    if match := _CORES.fullmatch(word):
        return "cores", int(match.group(1))
    if match := _CONNECTIONS.fullmatch(word):
        return "connections", int(match.group(1) or match.group(2))
    if match := _MEMORY.fullmatch(word):
        return "memory", int(float(match.group(1)) * _UNITS[match.group(2)])
    raise UsageError(f"--machine: {part!r} is not understood.", hint=_HINT)
