"""Blueprints as documents, word for word: one that ships, and one with the results of a competition.

To write the files anew: ``python -m tests.golden.test_blueprint_markdown``.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pgproof.frontends.blueprint.markdown import render_markdown
from pgproof.frontends.blueprint.reading import read_file
from pgproof.model.blueprint import Blueprint, Limits, LoadProfile
from pgproof.model.change import CreateIndex, DropIndex
from pgproof.model.charter import Charter, Mode
from pgproof.model.criterion import Bound, Criterion, Metric
from pgproof.model.load_phase import LoadPhase, Start
from pgproof.model.merge import MergePlan
from pgproof.model.query import StatementKind
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.trial import (
    ArmResult,
    ArmRole,
    CloneInfo,
    Comparison,
    Competition,
    GateResult,
    LoadResult,
    Score,
    StatementTiming,
    Verdict,
)
from pgproof.model.units import Interval
from pgproof.model.variant import Variant
from pgproof.model.workload import Workload
from pgproof.stages.compete.criteria import ArmFigures, judge_criteria, judge_criteria_gate
from tests.house.tree import SOURCE

FOLDER = Path(__file__).parent / "blueprint"
USERS = RelationName("public", "users")
CRITERIA = (
    Criterion(Metric.P95, Bound.BELOW, 100, gate=True),
    Criterion(Metric.P95, Bound.BELOW, 60, profile="rush", title="p95 in the rush | hour"),
    Criterion(Metric.THROUGHPUT, Bound.ABOVE, 500),
    Criterion(Metric.MEAN, Bound.AT_MOST, 5, ("listUsers", "deep")),
    Criterion(Metric.ERRORS, Bound.EXACTLY, 0),
)
BLUEPRINT = Blueprint(
    name="users",
    goal="The listing\nin time",
    workload=Workload((), "file"),
    variants=(
        Variant("A", "An index", (CreateIndex(USERS, "users_idx", (IndexKey(column="created_at"),)),)),
        Variant(
            "B",
            "B",
            (DropIndex(RelationName("public", "old_idx"), USERS, "CREATE INDEX ..."),),
        ),
    ),
    load=LoadProfile(name="usual", clients=50),
    further_loads=(
        LoadProfile(
            name="rush",
            rate=500,
            start=Start.COLD,
            phases=(LoadPhase(60, "calm", clients=2), LoadPhase(90.5, "", rate=900)),
        ),
    ),
    limits=Limits(index_bytes=2**20, error_frac=0.01),
    criteria=CRITERIA,
    tests=("pytest tests/performance",),
    merge=MergePlan(auto=True, branch="faster"),
    charter=Charter(rollback="```\nnothing\n```"),
    notes=("first\nsecond",),
)


def load(p95_ms: float, errors: int = 0) -> LoadResult:
    quantiles = tuple(p95_ms * (i + 1) / 96 for i in range(101))
    return LoadResult(
        50, 3.0, 900, errors, 30_000 / p95_ms, p95_ms / 2, p95_ms, p95_ms * 1.2, None, quantiles
    )


def timing(name: str, mean_ms: float) -> StatementTiming:
    return StatementTiming(name, StatementKind.SELECT, 1, 20, mean_ms, mean_ms, mean_ms)


def arm(name: str, role: ArmRole, p95_ms: float, ratio: float, points: float | None = None) -> ArmResult:
    timings = (timing("listUsers", p95_ms / 20), timing("deep", p95_ms / 10))
    loads = {"": load(p95_ms), "usual": load(p95_ms), "rush": load(p95_ms * 1.5, errors=int(p95_ms // 100))}
    results = judge_criteria(CRITERIA, ArmFigures(timings, loads))
    gate = judge_criteria_gate(results)
    assert gate is not None
    return ArmResult(
        name=name,
        role=role,
        title="An index" if name == "A" else name,
        gates=(GateResult("build", True, "1 step"), gate) if role is ArmRole.VARIANT else (),
        statements=timings,
        load=load(p95_ms),
        comparison=None
        if role is ArmRole.CONTROL
        else Comparison(name, "control", ratio, Interval(ratio * 0.9, ratio * 1.1), Verdict.BETTER, 30),
        index_bytes=0 if role is ArmRole.CONTROL else 25 * 2**20,
        score=None if points is None else Score(points, 80.0, 100.0, 70.5, 0.97),
        targets=results,
    )


COMPETITION = Competition(
    blueprint="users",
    started_at=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
    seconds=90.0,
    clone=CloneInfo("copy", "the same major version", "18.6", "15.18", 1.5),
    arms=(
        arm("control", ArmRole.CONTROL, 800, 1.0),
        arm("A", ArmRole.VARIANT, 45, 0.07, points=88.1),
        arm("B", ArmRole.VARIANT, 120, 0.6),
        arm("canary", ArmRole.CANARY, 800, 1.0),
    ),
    winner="A",
    decision="A wins: the workload takes 7 % of the control's time.",
    interval=Interval(0.063, 0.077),
    void=False,
    rounds=30,
    detectable_effect_frac=0.02,
    seed=1,
)


def scenario() -> str:
    """The blueprint of the directory, as it ships."""
    blueprint = read_file(SOURCE / "scenarios" / "directory" / "blueprint.yaml").blueprint
    assert blueprint is not None
    return render_markdown(blueprint)


DOCUMENTS = {
    "directory": scenario,
    "results": lambda: render_markdown(BLUEPRINT, "r-1", COMPETITION),
    "bare": lambda: render_markdown(
        Blueprint("bare", "", Workload((), "file"), BLUEPRINT.variants[:1], charter=Charter(mode=Mode.SINGLE))
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document(name: str) -> None:
    assert DOCUMENTS[name]() == (FOLDER / f"{name}.md.txt").read_text(encoding="utf-8")


def test_no_document_of_something_gone() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.md.txt" for name in DOCUMENTS}


if __name__ == "__main__":
    for each, render in DOCUMENTS.items():
        (FOLDER / f"{each}.md.txt").write_text(render(), encoding="utf-8")
