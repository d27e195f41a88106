"""What a search for a set of indexes is after, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.stages.estimate.bits import Mask


@dataclass(frozen=True, slots=True)
class Aim:
    """What a search is after. All prices are shares of the workload's cost.

    Args:
        pool: Candidates it may take.
        index_price: What an index has to save to be worth having.
        space_price: What indexes as large as all their tables together have to save on top.
        rescue_price: What it is worth to bring one statement near the least it can cost.
        tidy: Take no index whose keys another one of the set begins with.
    """

    pool: Mask
    index_price: float = 0.0
    space_price: float = 0.0
    rescue_price: float = 0.0
    tidy: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Args:
        chosen: The set; empty where nothing pays.
        value: Its total with the prices of the aim, as a share of the workload's cost.
        bound: No set has less, up to the planner's noise; likewise a share.
        rounds: How many it took.
        seconds: Wall time.
        first_s: Wall time to the first set.
    """

    chosen: Mask
    value: float
    bound: float
    rounds: int
    seconds: float
    first_s: float
