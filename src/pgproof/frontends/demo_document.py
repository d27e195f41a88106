"""The demo's result as ``--json`` shows it."""

from __future__ import annotations

from pgproof.frontends.competition_documents import (
    arm_document,
    statement_documents,
    variant_documents,
    verdict_document,
)
from pgproof.frontends.documents import ApplicationDocument, DemoDocument, RolloutDocument, rollout_document
from pgproof.pipeline import DemoResult


def demo_document(result: DemoResult, report: str) -> DemoDocument:
    """Return the demo's document.

    Args:
        result: What the demo showed.
        report: Path of the HTML report.
    """
    competition = result.competition
    return DemoDocument(
        scenario=result.scenario,
        scale=result.scale,
        server_version=result.server_version,
        findings=result.diagnosis.findings,
        run=result.run,
        control=arm_document(competition.arm("control")),
        variants=variant_documents(competition),
        verdict=verdict_document(competition),
        statements=statement_documents(competition),
        rollout=_rollout(result),
        application=_application(result),
        report=report,
        seconds=result.seconds,
    )


def _rollout(result: DemoResult) -> RolloutDocument | None:
    rollout = result.journey
    return rollout_document(rollout, result.sql, result.effects, result.notes) if rollout else None


def _application(result: DemoResult) -> ApplicationDocument | None:
    log = result.application
    return ApplicationDocument(log.reads, log.writes, log.errors, log.worst_ms) if log else None
