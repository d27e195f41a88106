"""The keys of a blueprint file, where they differ from the values that they become.

Reader, JSON Schema and reference page are all made from these classes and from those of `pgproof.model` that
they name: a key's meaning is its line under Args.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pgproof.model.blueprint import Limits, LoadProfile, RacePlan, Target, Weights
from pgproof.model.budget import Budget
from pgproof.model.change import Change
from pgproof.model.charter import Mode, Question, Risk, Status, TargetDatabase, WorkItem
from pgproof.model.merge import MergePlan
from pgproof.model.relation import RelationName


@dataclass(frozen=True, slots=True)
class CriterionDocument:
    """A threshold with more to say than itself.

    Args:
        check: The threshold: a figure, a bound, a limit with its unit ("p95 < 100 ms").
        statements: Names in the workload: each of them has to keep it, alone, in the race.
        profile: Name of the load profile it is about; empty means the first one.
        gate: A variant that misses it can't win; otherwise it costs points only.
        title: What you call it.
    """

    check: str
    statements: tuple[str, ...] = ()
    profile: str = ""
    gate: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class CacheDocument:
    """A read-through cache in front of statements.

    Args:
        ttl_s: Seconds an answer is kept, by the statement's name in the workload.
        url: Of the server (redis://...), without a password; empty means one of pgproof's own.
    """

    ttl_s: dict[str, float]
    url: str = ""


@dataclass(frozen=True, slots=True)
class RefreshDocument:
    """A materialized view that is refreshed while the application runs.

    Args:
        view: Its name, with or without its schema ("public.user_counts"); where a name holds a dot, a mapping
            of schema and name.
        every_s: Seconds from one refresh to the next.
        concurrently: Readers need not wait; takes a unique index on the view.
    """

    view: str | RelationName
    every_s: float
    concurrently: bool = True


@dataclass(frozen=True, slots=True)
class VariantDocument:
    """One way to make the workload faster.

    Args:
        name: Unique; not control or canary, which the competition adds.
        title: One line; the name where none is given.
        why: What it bets on.
        details: Points of the approach, for readers.
        changes: Of the database, applied in order: each one SQL statement, or a mapping.
        statements: What the application sends instead, by the statement's name in the workload: SQL with the
            same placeholders and the same answer.
        cache: In front of statements.
        refresh: Of materialized views, by the clock.
        max_staleness_s: How old an answer may be; left out, never older than the last commit.
        patch: File of a change to the application's code (a unified diff), relative to the blueprint.
        expected: What advise heard from the planner: each statement's cost with the variant as a share of its
            cost now. compete prints it beside the time it measured; delete it where you change the changes.
    """

    name: str
    title: str = ""
    why: str = ""
    details: tuple[str, ...] = ()
    changes: tuple[str | Change, ...] = ()
    statements: dict[str, str] = field(default_factory=dict)
    cache: CacheDocument | None = None
    refresh: tuple[RefreshDocument, ...] = ()
    max_staleness_s: float | None = None
    patch: str = ""
    expected: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueprintDocument:
    """The whole file.

    Args:
        version: Of this format.
        id: Unique among your blueprints.
        name: Of the competition; the file's name where none is given.
        goal: What shall get better.
        mode: One variant, or several.
        status: How far people are with it.
        created: When it was written.
        updated: When it was last changed.
        target: The database it is about.
        assumptions: What has to be so.
        questions: What the proposer would have liked to know: each a text, or a mapping.
        workload: Name of a workload file, relative to the blueprint.
        variants: What competes, at least one. The control, the database as it is, is added.
        work_items: What has to be done in the application.
        risks: What may go wrong, and what is done about it.
        criteria: Thresholds: each a text ("p95 < 100 ms"), or a mapping.
        targets: What you want of some statements.
        tests: Commands that have to succeed against each arm.
        weights: Of the parts of the score.
        load: The load profile, or a list of them.
        limits: Gates that every competition has.
        race: How long to measure.
        budget: What the competition may cost.
        merge: How the winner comes into your repository; true means that it is merged without asking.
        rollback: How to go back: commands and words.
        artifacts: What will be left behind.
        notes: For readers.
    """

    version: int = 1
    id: str = ""
    name: str = ""
    goal: str = ""
    mode: Mode = Mode.COMPETITION
    status: Status = Status.DRAFT
    created: str = ""
    updated: str = ""
    target: TargetDatabase = field(default_factory=TargetDatabase)
    assumptions: tuple[str, ...] = ()
    questions: tuple[str | Question, ...] = ()
    workload: str
    variants: tuple[VariantDocument, ...]
    work_items: tuple[WorkItem, ...] = ()
    risks: tuple[Risk, ...] = ()
    criteria: tuple[str | CriterionDocument, ...] = ()
    targets: tuple[Target, ...] = ()
    tests: tuple[str, ...] = ()
    weights: Weights = field(default_factory=Weights)
    load: LoadProfile | tuple[LoadProfile, ...] = field(default_factory=LoadProfile)
    limits: Limits = field(default_factory=Limits)
    race: RacePlan = field(default_factory=RacePlan)
    budget: Budget = field(default_factory=Budget)
    merge: bool | MergePlan = False
    rollback: str = ""
    artifacts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
