"""What ``--json`` writes: one frozen dataclass a command. JSON Schemas are generated from these.

Field names are stable: a field may be added, never renamed or removed within a major version.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pgproof.frontends.competition_documents import (
    ArmDocument,
    StatementDocument,
    VerdictDocument,
)
from pgproof.model.advice import ChoiceExplanation
from pgproof.model.candidate import Proof
from pgproof.model.drop import DropReview
from pgproof.model.estimate import Estimate
from pgproof.model.finding import Finding, Skipped
from pgproof.model.larger_change import LargerReview
from pgproof.model.paired import PairedTiming
from pgproof.model.rollout import Rollout, StatementEffect
from pgproof.model.setting_advice import SettingAdvice
from pgproof.model.statistics_advice import StatisticsAdvice, StatisticsCheck
from pgproof.model.synthesis import MadeTable, PlanAgreement, Synthesis
from pgproof.model.variant import Variant


@dataclass(frozen=True, slots=True)
class ErrorDocument:
    """Why a command failed.

    Args:
        code: Stable word ("unreachable", "parse"...).
        message: One sentence.
        hint: What to do; may be empty.
        exit_code: Of the process.
    """

    code: str
    message: str
    hint: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class CheckDocument:
    """``pgproof check``.

    Args:
        database: Name of the database.
        server_version: "18.6".
        findings: Most severe first.
        skipped: Checks that could not run, each with the reason.
        checks: Names of the checks that ran.
    """

    database: str
    server_version: str
    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaptureDocument:
    """``pgproof capture``.

    Args:
        out: File the workload was written to.
        statements: How many.
        calls: Executions in the window.
        total_ms: Their execution time; None for sources that don't measure.
        window_s: Length of the window; None where unknown.
        notes: What the capture could not see.
    """

    out: str
    statements: int
    calls: float
    total_ms: float | None
    window_s: float | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdviseDocument:
    """``pgproof advise``.

    Args:
        run: Its id in the ledger.
        blueprint: File the blueprint was written to; empty when there was nothing to propose.
        variants: From the least to the most ambitious; empty when no index helps.
        sql: For each variant, by name, the statements that would be run.
        estimates: One a variant, in planner cost.
        notes: What limits trust in them, or why nothing is proposed.
        explanations: For each variant, by name: why its indexes, what came second, which statements stay
            heavy, what the indexes that go do.
        drops: Existing indexes that may go, those that may not, and why; null where nobody looked.
        proof: How far the best set may be from what is possible at all; null without a set.
        measured: For each variant, by name, what the statements whose plan it changes took on a clone, with
            it and without; empty where nobody measured.
        statistics: That the planner may lack, ANALYZE first, then the worst estimates first.
        statistics_checks: What became of each on a clone, in the same order; empty where nobody tried.
        settings: That don't fit the machine; empty where it was not named.
        larger: Materialized views and partitions, priced; advice that no variant holds.
        recommended: Name of the variant that saves most, for whoever has time for one only; empty without any
            that the planner was asked about.
        statements: The workload's SQL, by the names that stand for it above.
    """

    run: str
    blueprint: str
    variants: tuple[Variant, ...]
    sql: dict[str, tuple[str, ...]]
    estimates: tuple[Estimate, ...]
    notes: tuple[str, ...]
    explanations: dict[str, ChoiceExplanation] = field(default_factory=dict)
    drops: DropReview | None = None
    proof: Proof | None = None
    measured: dict[str, tuple[PairedTiming, ...]] = field(default_factory=dict)
    statistics: tuple[StatisticsAdvice, ...] = ()
    statistics_checks: tuple[StatisticsCheck, ...] = ()
    settings: tuple[SettingAdvice, ...] = ()
    larger: LargerReview = field(default_factory=LargerReview)
    recommended: str = ""
    statements: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RolloutDocument:
    """``pgproof deploy``, ``pgproof revert`` and ``pgproof resume``.

    Args:
        rollout: Its id: what ``revert`` and ``resume`` take; empty for a dry run.
        run: The competition it comes from.
        variant: Name of the variant.
        state: planned, applied, failed, reverted.
        sql: What was (or, in a dry run, would be) executed, in order.
        valid_indexes: New indexes that the catalog says are valid.
        reverted_schema_equal: After a revert: schema dump byte-equal to before; null otherwise.
        statements: Read statements on the target, before and after.
        notes: What could not be checked, warnings of the preflight.
    """

    rollout: str
    run: str
    variant: str
    state: str
    sql: tuple[str, ...]
    valid_indexes: tuple[str, ...]
    reverted_schema_equal: bool | None
    statements: tuple[StatementEffect, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApplicationDocument:
    """The demo's application, running while indexes were built and removed.

    Args:
        reads: Statements its reader finished.
        writes: Statements its writer finished.
        errors: Statements that failed.
        worst_ms: Its slowest statement.
    """

    reads: int
    writes: int
    errors: int
    worst_ms: float


@dataclass(frozen=True, slots=True)
class DemoDocument:
    """``pgproof demo``: the whole line on an embedded server.

    Args:
        scenario: Name of the scenario.
        scale: 1 is the size its README names.
        server_version: Of the embedded server.
        findings: What hurt, most severe first.
        run: The competition's id.
        control: As in CompetitionDocument.
        variants: As in CompetitionDocument.
        verdict: As in CompetitionDocument.
        statements: As in CompetitionDocument.
        rollout: Deploy and revert of the winner; null without a winner.
        application: The reader and the writer that ran meanwhile; null without a winner.
        report: Path of the HTML report.
        seconds: Wall time of the whole.
    """

    scenario: str
    scale: float
    server_version: str
    findings: tuple[Finding, ...]
    run: str
    control: ArmDocument
    variants: tuple[ArmDocument, ...]
    verdict: VerdictDocument
    statements: tuple[StatementDocument, ...]
    rollout: RolloutDocument | None
    application: ApplicationDocument | None
    report: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SelfcheckDocument:
    """``pgproof selfcheck``: the control against itself.

    Args:
        arms: Identical arms that raced.
        winner: Null when all is well; a name means this host can't be trusted with these settings.
        detectable_effect_frac: Smallest effect that this host shows in that time (0.05: 5 %).
        rounds: Paired rounds.
        seconds: Wall time.
        comparisons: Each arm's time ratio against the control, with its interval.
        notes: What a reader must know.
    """

    arms: int
    winner: str | None
    detectable_effect_frac: float
    rounds: int
    seconds: float
    comparisons: tuple[ArmDocument, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SynthDocument:
    """``pgproof synth``.

    Args:
        database: Name of the source.
        destination: Where the copy is, without a password.
        scale: Rows, of the source's.
        seed: Of all chance.
        masked: Values of statistics were replaced.
        rows: Made, in all tables.
        rows_per_s: Made and loaded a second, before indexes are built.
        seconds: Wall time of the whole.
        tables: By name.
        agreement: How alike the two plan; null where no plans were compared.
        notes: What is not as in the source.
    """

    database: str
    destination: str
    scale: float
    seed: int
    masked: bool
    rows: int
    rows_per_s: float
    seconds: float
    tables: tuple[MadeTable, ...]
    agreement: PlanAgreement | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunDocument:
    """One line of ``pgproof runs``."""

    run: str
    kind: str
    created_at: str
    name: str


@dataclass(frozen=True, slots=True)
class RunsDocument:
    """``pgproof runs``: what the ledger remembers, newest first."""

    runs: tuple[RunDocument, ...]


def synth_document(synthesis: Synthesis) -> SynthDocument:
    """Return a synthetic database as ``--json`` shows it."""
    return SynthDocument(
        database=synthesis.database,
        destination=synthesis.destination,
        scale=synthesis.scale,
        seed=synthesis.seed,
        masked=synthesis.masked,
        rows=synthesis.rows,
        rows_per_s=synthesis.rows_per_s,
        seconds=synthesis.seconds,
        tables=synthesis.tables,
        agreement=synthesis.agreement,
        notes=synthesis.notes,
    )


def rollout_document(
    rollout: Rollout,
    sql: tuple[str, ...],
    effects: tuple[StatementEffect, ...] = (),
    notes: tuple[str, ...] = (),
) -> RolloutDocument:
    """Return a rollout as ``--json`` shows it."""
    return RolloutDocument(
        rollout=rollout.id,
        run=rollout.run,
        variant=rollout.variant,
        state=rollout.state.value,
        sql=sql,
        valid_indexes=rollout.valid_indexes,
        reverted_schema_equal=rollout.reverted_schema_equal,
        statements=effects,
        notes=notes,
    )
