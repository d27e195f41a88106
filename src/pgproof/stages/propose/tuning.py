"""Statistics and settings as variants, so that they compete like indexes do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pgproof.model.change import SetStatisticsTarget
from pgproof.model.setting_advice import SettingAdvice
from pgproof.model.statistics_advice import StatisticsAdvice
from pgproof.model.variant import Variant


def statistics_variant(advice: Sequence[StatisticsAdvice]) -> Variant | None:
    """Turn advice on statistics into one variant.

    Args:
        advice: What is worth racing: what a clone has kept.

    Returns:
        The variant; None without advice.
    """
    if not advice:
        return None
    # Targets first: how many common combinations are kept follows from them.
    changes = sorted(
        dict.fromkeys(each.change for each in advice),
        key=lambda change: not isinstance(change, SetStatisticsTarget),
    )
    return Variant(
        name="statistics",
        title=f"statistics that the planner lacks ({_count(len(changes))})",
        changes=tuple(changes),
        why="\n".join(each.reason for each in advice),
    )


def settings_variant(advice: Iterable[SettingAdvice]) -> Variant | None:
    """Turn advice on settings that plans react to, and that a database can have for itself, into one variant.

    Returns:
        The variant; None where no such setting is among them. What belongs to the whole server can't compete,
        since all arms share one.
    """
    raced = [(each, each.trial) for each in advice if each.trial is not None]
    if not raced:
        return None
    return Variant(
        name="settings",
        title=f"planner settings that fit the machine ({_count(len(raced))})",
        changes=tuple(trial for _, trial in raced),
        why="\n".join(f"{each.name} {each.present} -> {each.proposed}: {each.reason}" for each, _ in raced),
    )


def _count(number: int) -> str:
    return "1 change" if number == 1 else f"{number} changes"
