"""What people agree on around a competition: what they assume and ask, who does what, what may go wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """Whether one way is tried or several compete."""

    SINGLE = "single"
    COMPETITION = "competition"


class Status(StrEnum):
    """How far people are with a blueprint."""

    DRAFT = "draft"
    APPROVED = "approved"
    REJECTED = "rejected"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class TargetDatabase:
    """The database a blueprint is about; no address, so that it can be shown to anybody.

    Args:
        database: Its name: a database of another name is not raced. Empty allows any.
        min_version: Oldest major version of PostgreSQL that will do; null allows any.
        notes: What else a reader should know of it.
    """

    database: str = ""
    min_version: int | None = None
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Something the proposer would have liked to know.

    Args:
        question: As it is asked.
        default: What is assumed as long as nobody answers.
        answer: What was answered; empty while it is open.
    """

    question: str
    default: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A piece of work in the application that goes with the change.

    Args:
        title: What is to be done.
        files: That it touches.
        tests: That prove it.
        contract: In which form it is delivered ("patch").
        variants: Names of the variants that need it; empty means all.
        notes: Anything else.
    """

    title: str
    files: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    contract: str = ""
    variants: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Risk:
    """What may go wrong.

    Args:
        risk: The danger.
        mitigation: What is done about it.
    """

    risk: str
    mitigation: str = ""


@dataclass(frozen=True, slots=True)
class Charter:
    """All of a blueprint that is for people; only ``target`` is checked by a competition.

    Args:
        id: Unique among the owners' blueprints; empty where nobody gave one.
        mode: One variant, or several.
        status: How far people are with it.
        created: When it was written, as its author wrote it.
        updated: When it was last changed.
        target: The database.
        assumptions: What has to be so.
        questions: What was asked, with defaults.
        work_items: What has to be done in the application.
        risks: And what is done about them.
        rollback: Commands and words: how to go back.
        artifacts: What will be left behind.
    """

    id: str = ""
    mode: Mode = Mode.COMPETITION
    status: Status = Status.DRAFT
    created: str = ""
    updated: str = ""
    target: TargetDatabase = field(default_factory=TargetDatabase)
    assumptions: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    work_items: tuple[WorkItem, ...] = ()
    risks: tuple[Risk, ...] = ()
    rollback: str = ""
    artifacts: tuple[str, ...] = ()
