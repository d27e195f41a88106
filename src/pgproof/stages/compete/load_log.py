"""What clients saw under load, and whether the one who watched was well."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pgproof.model.figures import percent
from pgproof.model.trial import LoadResult
from pgproof.stages.compete.bootstrap import MIN_SAMPLES, MIN_TURNS, draw_quantiles, quantile_interval

CPU_LIMIT_FRAC = 0.85
"""A generator that uses more of its core measures itself.

Source: own measurements: 20 to 49 microseconds of client CPU a query; close to a full core latencies are the
client's.
"""

LAG_LIMIT_FRAC = 0.25
"""Of a percentile of the fastest arm's latencies: the generator's own lateness in it that a reader must know
of. Source: judgement; a quarter changes how an arm looks beside another."""


@dataclass(slots=True)
class LoadLog:
    """What the clients of one arm saw, raw.

    Args:
        latencies_ms: Of each statement that finished or was stopped, in the order in which they ended.
        turns: Number of latencies after each turn of the arm, ascending.
        finished: Statements that finished.
        errors: Statements that failed, timed out, or were refused a connection.
        clients: Most connections that took part in a slice.
        duration_s: Seconds of load, all slices.
    """

    latencies_ms: array[float] = field(default_factory=lambda: array("d"))
    turns: list[int] = field(default_factory=list)
    finished: int = 0
    errors: int = 0
    clients: int = 0
    duration_s: float = 0.0

    @property
    def error_frac(self) -> float:
        """Share of attempts that failed; 0 without any."""
        return self.errors / self.attempts if self.attempts else 0.0

    @property
    def attempts(self) -> int:
        """Statements sent, and connections refused."""
        return self.finished + self.errors


@dataclass(frozen=True, slots=True)
class GeneratorHealth:
    """How well the generator itself kept up.

    Args:
        cpu_frac: Share of one core it used.
        lag_p50_ms: How late its event loop was, median.
        lag_p95_ms: The same, 95th percentile.
        ill: What its figures are worth, as a sentence; empty when nothing speaks against them.
    """

    cpu_frac: float
    lag_p50_ms: float
    lag_p95_ms: float
    ill: str


def summarise_load(log: LoadLog, seed: int, confidence: float) -> LoadResult:
    """Return percentiles of what the clients saw; zeros without a sample.

    Args:
        log: Of one arm.
        seed: Of the bootstrap.
        confidence: Of the interval of p95.
    """
    values = _values(log)
    quantiles = np.quantile(values, np.linspace(0.0, 1.0, 101)) if values.size else np.zeros(101)
    draws = draw_p95(log, seed)
    return LoadResult(
        clients=log.clients,
        duration_s=log.duration_s,
        samples=log.finished,
        errors=log.errors,
        throughput_qps=log.finished / log.duration_s if log.duration_s else 0.0,
        p50_ms=float(quantiles[50]),
        p95_ms=float(quantiles[95]),
        p99_ms=float(quantiles[99]),
        p95_interval_ms=quantile_interval(draws, confidence) if draws.size else None,
        quantiles_ms=tuple(float(q) for q in quantiles) if values.size else (),
    )


def draw_p95(log: LoadLog, seed: int) -> NDArray[np.float64]:
    """Return bootstrap draws of p95; empty below ``MIN_SAMPLES`` samples or ``MIN_TURNS`` turns."""
    turns = [turn for turn in np.split(_values(log), log.turns[:-1]) if turn.size]
    if len(log.latencies_ms) < MIN_SAMPLES or len(turns) < MIN_TURNS:
        return np.zeros(0)
    return draw_quantiles(turns, 0.95, seed)


def _values(log: LoadLog) -> NDArray[np.float64]:
    return np.frombuffer(log.latencies_ms, dtype=np.float64) if log.latencies_ms else np.zeros(0)


def judge_health(cpu_frac: float, lags_ms: Sequence[float], p50_ms: float, p95_ms: float) -> GeneratorHealth:
    """Judge whether the generator kept up, and say what it means for the latencies if not.

    A client notes an answer as late as its event loop wakes up, so each percentile of the latencies is
    overstated by up to the same percentile of that lateness.

    Args:
        cpu_frac: Share of one core it used.
        lags_ms: How late its event loop was, sampled; may be empty.
        p50_ms: Median latency of the fastest arm.
        p95_ms: Its 95th percentile.
    """
    late50, late95 = (float(np.quantile(lags_ms, q)) if lags_ms else 0.0 for q in (0.50, 0.95))
    late50, late95 = min(late50, p50_ms), min(late95, p95_ms)  # no latency is overstated by more than it is
    ill = []
    if late50 > LAG_LIMIT_FRAC * p50_ms or late95 > LAG_LIMIT_FRAC * p95_ms:
        ill.append(
            "latencies under load may be overstated, on all arms alike: "
            f"p50 by up to {late50:.1f} ms and p95 by up to {late95:.1f} ms "
            f"(the fastest arm's are {p50_ms:.1f} ms and {p95_ms:.1f} ms), "
            "because the load generator woke up late on this busy machine; "
            "the arms look closer to each other than they are"
        )
    if cpu_frac > CPU_LIMIT_FRAC:
        ill.append(
            f"the load generator used {percent(cpu_frac)} of a core: throughput under load may be understated"
        )
    return GeneratorHealth(cpu_frac, late50, late95, "; ".join(ill))
