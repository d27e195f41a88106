"""What may help beside indexes: statistics that the planner lacks, settings that don't fit the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgproof.model.catalog import Catalog
from pgproof.model.machine import Machine
from pgproof.model.plan import Plan
from pgproof.model.progress import Progress
from pgproof.model.setting_advice import SettingAdvice
from pgproof.model.statistics_advice import StatisticsAdvice, StatisticsCheck
from pgproof.model.variant import Variant
from pgproof.model.workload import Workload
from pgproof.pipeline.trials import Trials
from pgproof.stages.propose.settings import propose_settings
from pgproof.stages.propose.statistics import propose_statistics
from pgproof.stages.propose.tuning import settings_variant, statistics_variant


@dataclass(frozen=True, slots=True)
class Beside:
    """What was found beside indexes.

    Args:
        statistics: What the planner may lack; only a trial can tell.
        checks: What became of that on a clone; empty where nobody tried.
        settings: What doesn't fit the machine; empty where it is not known.
        variants: What of it can compete.
    """

    statistics: tuple[StatisticsAdvice, ...] = ()
    checks: tuple[StatisticsCheck, ...] = ()
    settings: tuple[SettingAdvice, ...] = ()
    variants: tuple[Variant, ...] = ()


def advise_beside(
    plans: Mapping[str, Sequence[Plan]],
    catalog: Catalog,
    workload: Workload,
    machine: Machine | None,
    trials: Trials | None,
    progress: Progress,
) -> Beside:
    """Look for statistics and settings that would help.

    Args:
        plans: Of the statements as the database is, by name; executed ones of a clone are better.
        catalog: Of the database.
        workload: What is asked of it.
        machine: It runs on; None where it is not known.
        trials: Clones to try statistics on; None leaves them untried.
        progress: Told what is being done.
    """
    executed = trials.execute_plans() if trials else plans
    statistics = propose_statistics(catalog, workload, executed)
    checks = trials.try_statistics(statistics) if trials and statistics else ()
    progress("looking at the settings")
    settings = propose_settings(catalog, machine, workload) if machine else ()
    kept = [check.advice for check in checks if check.kept]
    variants = (statistics_variant(kept), settings_variant(settings))
    return Beside(statistics, checks, settings, tuple(v for v in variants if v is not None))
