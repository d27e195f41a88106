"""A competition as a file: everything its verdict was made from, so that anybody can make it again.

No row values and no connection strings are in it: statements stand there by name.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from typing import Any

import psutil

from pgproof import __version__
from pgproof.errors import UsageError
from pgproof.model.query import Query, StatementKind
from pgproof.model.trial import Comparison
from pgproof.model.variant import CONTROL
from pgproof.model.workload import WorkloadStatement
from pgproof.stages.compete.comparison import Rules, compare_arms
from pgproof.stages.compete.competition import Held
from pgproof.stages.compete.load_log import LoadLog
from pgproof.stages.compete.samples import Sample, Samples

FORMAT = 1

_NS_PER_MS = 1_000_000


def manifest(held: Held) -> dict[str, Any]:
    """Return a competition with its raw samples, ready for JSON; ``digest`` is a SHA-256 over the rest."""
    competition, record = held.competition, held.record
    arms = [arm.name for arm in record.arms if not arm.failure]
    names = [statement.name for statement in record.statements]
    body: dict[str, Any] = {
        "format": FORMAT,
        "pgproof": __version__,
        "competition": competition.blueprint,
        "started_at": competition.started_at.isoformat(),
        "seconds": competition.seconds,
        "decision": competition.decision,
        "winner": competition.winner,
        "seed": competition.seed,
        "host": read_host(),
        "clone": {
            "method": competition.clone.method,
            "reason": competition.clone.reason,
            "server_version": competition.clone.server_version,
            "target_version": competition.clone.target_version,
            "notes": list(competition.clone.notes),
        },
        "rules": {
            "alpha": record.rules.alpha,
            "min_rounds": record.rules.min_rounds,
            "confidence": record.rules.confidence,
        },
        "arms": arms,
        "apply_sql": {arm.name: [step.sql for step in arm.steps] for arm in record.arms},
        "expected": {
            arm.name: {expected.statement: expected.cost_frac for expected in arm.variant.expected}
            for arm in record.arms
            if arm.variant.expected
        },
        "statements": [[s.name, s.calls, s.query.kind.value, s.query.read_only] for s in record.statements],
        "skipped": dict(record.seen.skipped),
        "blocks": {arm: dict(found) for arm, found in record.seen.blocks.items()},
        "rounds": record.race.rounds,
        "timeout_ms": record.race.timeout_ms,
        "stopped": record.race.stopped,
        "dropped": dict(record.race.dropped),
        "samples_ns": [
            [
                sample.round,
                names.index(sample.statement),
                arms.index(sample.arm),
                [round(wall * _NS_PER_MS) for wall in sample.walls_ms],
                None if sample.cpu_ms is None else round(sample.cpu_ms * _NS_PER_MS),
                sample.errors,
                sample.timed_out,
            ]
            for sample in record.race.samples
        ],
        "load_ns": _latencies(record.logs),
        "further_load_ns": {profile: _latencies(logs) for profile, logs in record.further_logs.items()},
    }
    return {**body, "digest": digest_of(body)}


def _latencies(logs: Mapping[str, LoadLog]) -> dict[str, list[int]]:
    return {arm: [round(value * _NS_PER_MS) for value in log.latencies_ms] for arm, log in logs.items()}


def digest_of(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest without its ``digest``, as 64 hex digits."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def reanalyse(document: Mapping[str, Any]) -> tuple[Comparison, ...]:
    """Judge a manifest's samples again, without a database.

    Args:
        document: As `manifest` made it, through JSON or not.

    Returns:
        Each arm against the control, in the manifest's order.

    Raises:
        UsageError: It is of another format, or was changed since it was written.
    """
    body = {key: value for key, value in document.items() if key != "digest"}
    if body.get("format") != FORMAT:
        raise UsageError("This manifest has a format that this version of pgproof can't read.")
    if digest_of(body) != document.get("digest"):
        raise UsageError(
            "This manifest was changed after it was written: its digest does not match.",
            hint="Take the original file; nothing should be concluded from this one.",
        )
    arms: list[str] = body["arms"]
    statements = tuple(_statement(*entry) for entry in body["statements"])
    samples = _read_samples(body, arms, statements)
    rules = Rules(**body["rules"])
    return tuple(
        compare_arms(
            samples,
            statements,
            arm,
            CONTROL.name,
            rounds=body["rounds"],
            rules=rules,
            blocks=body["blocks"],
        )
        for arm in arms
        if arm != CONTROL.name
    )


def read_host() -> dict[str, Any]:
    """Return what the machine is, as far as times depend on it."""
    return {
        "system": platform.platform(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cpus": os.cpu_count() or 0,
        "memory_bytes": int(psutil.virtual_memory().total),
        "load_average": list(psutil.getloadavg()),
    }


def _statement(name: str, calls: float, kind: str, read_only: bool) -> WorkloadStatement:
    return WorkloadStatement(name, Query("", "", StatementKind(kind), read_only), calls)


def _read_samples(
    body: Mapping[str, Any], arms: list[str], statements: tuple[WorkloadStatement, ...]
) -> Samples:
    samples = Samples()
    for number, statement, arm, walls, cpu, errors, timed_out in body["samples_ns"]:
        samples.add(
            Sample(
                arm=arms[arm],
                statement=statements[statement].name,
                round=number,
                walls_ms=tuple(wall / _NS_PER_MS for wall in walls),
                cpu_ms=None if cpu is None else cpu / _NS_PER_MS,
                errors=errors,
                timed_out=timed_out,
            )
        )
    return samples
