"""Settings that don't fit the machine or the workload, each with its reason, source and risk.

Nothing is proposed where the present value is sane already. The values proposed fit together: the worst case
that they admit is never above the machine's memory, and the sum is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pgproof.model.catalog import Catalog
from pgproof.model.machine import Machine
from pgproof.model.setting_advice import SettingAdvice
from pgproof.model.workload import Workload
from pgproof.stages.propose.settings.memory import advise_memory
from pgproof.stages.propose.settings.planner import advise_planner
from pgproof.stages.propose.settings.server import Server
from pgproof.stages.propose.settings.sessions import advise_sessions
from pgproof.stages.propose.settings.upkeep import advise_upkeep

ADVISORS: tuple[Callable[[Server], Iterator[SettingAdvice]], ...] = (
    advise_memory,
    advise_planner,
    advise_upkeep,
    advise_sessions,
)


def propose_settings(
    catalog: Catalog, machine: Machine, workload: Workload | None = None
) -> tuple[SettingAdvice, ...]:
    """Compare a server's settings with its machine and its workload.

    Args:
        catalog: Of one of its databases, with the settings.
        machine: It runs on.
        workload: Captured there. Its counters tell whether statements spill, how short they are and how much
            WAL they write; without them only what follows from the machine is proposed.

    Returns:
        By subject: memory, planner, upkeep, sessions. Empty where all is sane. No two for the same setting.
    """
    server = Server(catalog, machine, workload)
    return tuple(advice for advise in ADVISORS for advice in advise(server))
