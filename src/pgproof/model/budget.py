"""A budget: what a competition may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """What a competition may cost; None sets no limit.

    Args:
        time_estimate_s: Seconds that people expect it to take; for readers.
        time_limit_s: Seconds of the whole competition, clones and builds included: the race gets what they
            leave of it.
        storage_bytes: Disk space that all clones together may take.
        tokens: That language models may use on all variants together. A competition asks no model.
        tokens_a_step: The same for one step of one variant.
    """

    time_estimate_s: float | None = None
    time_limit_s: float | None = None
    storage_bytes: int | None = None
    tokens: int | None = None
    tokens_a_step: int | None = None
