"""The HTML report: self-contained, whole with little and with much to tell, and safe with hostile names."""

import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from pgproof.frontends.report.page import Page, render_page, render_plan_lines
from pgproof.model.blueprint import Blueprint
from pgproof.model.charter import Charter, Question, Risk, WorkItem
from pgproof.model.criterion import Bound, Criterion, Metric
from pgproof.model.finding import Diagnosis, Evidence, Finding, Severity, Skipped
from pgproof.model.query import StatementKind
from pgproof.model.rollout import Rollout, RolloutState, StatementEffect, TargetIdentity
from pgproof.model.trial import (
    ArmResult,
    ArmRole,
    CloneInfo,
    Comparison,
    Competition,
    Equality,
    GateResult,
    LoadResult,
    PlanPair,
    Score,
    StatementTiming,
    TargetResult,
    Verdict,
)
from pgproof.model.units import Interval
from pgproof.model.workload import Workload
from pgproof.stages.compete.criteria import ArmFigures, judge_criteria

HOSTILE = "<script>alert('x')</script>\"&{{ 7*7 }}"


def timing(name: str, median_ms: float) -> StatementTiming:
    return StatementTiming(
        statement=name,
        kind=StatementKind.SELECT,
        calls=1,
        samples=10,
        median_ms=median_ms,
        p95_ms=median_ms,
        mean_ms=median_ms,
    )


def load(p95_ms: float) -> LoadResult:
    quantiles = tuple(p95_ms * (i + 1) / 96 for i in range(101))
    return LoadResult(2, 3.0, 900, 0, 300.0, p95_ms / 2, p95_ms, p95_ms * 1.2, quantiles_ms=quantiles)


def arm(name: str, role: ArmRole, ratio: float, interval: Interval) -> ArmResult:
    return ArmResult(
        name=name,
        role=role,
        title=f"title of {name}",
        gates=(GateResult("results", True, "all rows equal"),),
        equality=(Equality("find it", True, 3),),
        statements=(timing("find it", 10 * ratio),),
        load=load(20 * ratio),
        comparison=Comparison(name, "control", ratio, interval, Verdict.BETTER, 12),
        index_bytes=2**20,
        build_ms=15.0,
        score=Score(90, 100, 80, 70, 0.9),
        apply_sql=("CREATE INDEX i ON t (a)",),
        revert_sql=("DROP INDEX i",),
        plans=(PlanPair("find it", "Seq Scan on t", "Index Scan using i on t"),),
    )


CONTROL = replace(
    arm("control", ArmRole.CONTROL, 1.0, Interval(1, 1)), comparison=None, score=None, gates=(), plans=()
)
COMPETITION = Competition(
    blueprint="indexes for shop",
    started_at=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
    seconds=30.0,
    clone=CloneInfo("copy", "the same major version", "18.6", "15.18", 1.5, ("sealed copy",)),
    arms=(
        CONTROL,
        arm("lean", ArmRole.VARIANT, 0.1, Interval(0.08, 0.12)),
        arm("canary", ArmRole.CANARY, 1.0, Interval(0.97, 1.03)),
    ),
    winner="lean",
    decision="lean wins: the workload takes 10 % of the control's time.",
    interval=Interval(0.08, 0.12),
    void=False,
    rounds=12,
    detectable_effect_frac=0.03,
    seed=1,
    skipped=("slow one: timed out",),
    notes=("caches are warm",),
)
DIAGNOSIS = Diagnosis(
    findings=(
        Finding(
            check="missing-index",
            severity=Severity.HIGH,
            title="t is read whole",
            explanation="No index.",
            evidence=(Evidence("rows", "300,000", "EXPLAIN"),),
            remedy="An index may help.",
            remedy_sql=("CREATE INDEX i ON t (a)",),
            time_share_frac=0.5,
            refuted_by="a race",
            lineage="judgement",
        ),
    ),
    checks=("missing-index",),
    skipped=(Skipped("unused-index", "the counters are young", "wait"),),
)
ROLLOUT = Rollout(
    id="d-1",
    run="r-1",
    variant="lean",
    target=TargetIdentity("1", "shop", 5, "15.18", "/run:5432/shop"),
    changes=(),
    state=RolloutState.REVERTED,
    valid_indexes=("public.i",),
    reverted_schema_equal=True,
)
EFFECTS = (
    StatementEffect("find it", 10.0, 1.0, True),
    StatementEffect("reset", None, None, None, "not run here: f() may have side effects"),
)
WHOLE = Page("r-1", COMPETITION, DIAGNOSIS, ROLLOUT, EFFECTS)
BARE = Page(
    "r-2",
    replace(
        COMPETITION,
        arms=(CONTROL,),
        winner=None,
        interval=None,
        decision="Nothing wins: no variant could be applied.",
    ),
)


class Reader(HTMLParser):
    """Collects tags, addresses and text, and complains about tags that are not closed in order."""

    VOID = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [
            value or "" for key, value in attrs if key in ("src", "href", "xlink:href", "action")
        ]
        assert not [key for key, _ in attrs if key.startswith("on")], "an event handler is a script"
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def close(self) -> None:
        super().close()
        assert self._open == []


def read(page: Page) -> tuple[str, Reader]:
    html = render_page(page)
    reader = Reader()
    reader.feed(html)
    reader.close()
    return html, reader


@pytest.mark.parametrize("page", [WHOLE, BARE], ids=["everything", "as little as can be"])
def test_needs_no_network_and_runs_nothing(page: Page) -> None:
    html, reader = read(page)
    assert not {"script", "iframe", "img", "link", "object", "embed", "form"} & set(reader.tags)
    assert reader.addresses == []
    assert not re.search(r"https?:|url\(|@import", html)
    assert "default-src 'none'" in html


def test_tells_everything_there_is() -> None:
    _, reader = read(WHOLE)
    for text in (
        "lean wins",
        "8..12 %",
        "t is read whole",
        "Not checked: unused-index: the counters are young",
        "Seq Scan on t",
        "DROP INDEX i",
        "Schema dump after revert byte-equal to before: yes",
        "canary (second control)",
        "slow one: timed out",
        "PostgreSQL 18.6 (target: 15.18)",
    ):
        assert text in " ".join(reader.text.split()), text


def test_what_people_wrote_in_the_blueprint_and_their_criteria() -> None:
    asked = Criterion(Metric.P95, Bound.BELOW, 10, gate=True, title=HOSTILE)
    figures = ArmFigures((), {"": load(12.0)})
    judged = judge_criteria((asked,), figures)
    arms = tuple(replace(each, targets=judged) for each in COMPETITION.arms)
    charter = Charter(
        id="2026-11-20_shop",
        assumptions=("a million rows", HOSTILE),
        questions=(Question("how old?", "5 minutes"), Question("who?", answer="me")),
        work_items=(
            WorkItem(HOSTILE, files=("a.py",), tests=("t.py",), contract="patch", variants=("lean",)),
        ),
        risks=(Risk("it locks", "concurrently"),),
        rollback="revert it\n",
        artifacts=("a.md",),
    )
    blueprint = Blueprint("b", "faster", Workload((), "file"), (), criteria=(asked,), charter=charter)
    page = Page("r-1", replace(COMPETITION, arms=arms), blueprint=blueprint)
    html, reader = read(page)
    told = " ".join(reader.text.split())
    for text in (
        "12 ms MISSED (+20 %)",
        "2026-11-20_shop · draft · competition",
        "a million rows",
        "how old? default: 5 minutes",
        "who? me",
        "files: a.py",
        "tests: t.py",
        "for lean",
        "it locks: concurrently",
        "revert it",
        "a.md",
    ):
        assert text in told, text
    assert "<script" not in html
    assert "The blueprint" not in read(WHOLE)[1].text


def test_without_winner_rollout_and_diagnosis() -> None:
    _, reader = read(BARE)
    assert "No winner" in reader.text
    for part in ("What hurt", "On the target", "Plans before and after", "The change:"):
        assert part not in reader.text


def test_a_void_competition_is_said_to_be_so() -> None:
    _, reader = read(Page("r", replace(COMPETITION, winner=None, interval=None, void=True)))
    assert "Void" in reader.text


def test_names_are_text_never_markup() -> None:
    variant = arm(HOSTILE, ArmRole.VARIANT, 0.1, Interval(0.08, 0.12))
    variant = replace(
        variant,
        title=HOSTILE,
        statements=(timing(HOSTILE, 1.0),),
        apply_sql=(HOSTILE,),
        plans=(PlanPair(HOSTILE, HOSTILE, HOSTILE),),
        gates=(GateResult(HOSTILE, False, HOSTILE),),
        dropped=HOSTILE,
    )
    hostile = replace(
        COMPETITION,
        blueprint=HOSTILE,
        arms=(replace(CONTROL, statements=(timing(HOSTILE, 9.0),)), variant),
        winner=HOSTILE,
        decision=HOSTILE,
        notes=(HOSTILE,),
    )
    finding = replace(DIAGNOSIS.findings[0], title=HOSTILE, explanation=HOSTILE, remedy_sql=(HOSTILE,))
    html, reader = read(Page(HOSTILE, hostile, replace(DIAGNOSIS, findings=(finding,)), ROLLOUT))
    assert "script" not in reader.tags
    assert "<script" not in html
    assert HOSTILE in reader.text
    assert "49" not in reader.text.split(HOSTILE)[0][-5:], "names are no templates"


def test_an_interval_without_end_is_drawn_inside_the_chart() -> None:
    open_ended = arm("lean", ArmRole.VARIANT, 0.5, Interval(0.0, math.inf))
    html, reader = read(
        Page("r", replace(COMPETITION, arms=(CONTROL, open_ended), winner=None, interval=None))
    )
    assert not re.search(r"(?i)\b(nan|inf|infinity)\b", reader.text)
    numbers = re.findall(r' (?:x|x1|x2|cx)="([^"]*)"', html)
    assert numbers
    assert all(math.isfinite(float(number)) and -1 <= float(number) <= 900 for number in numbers)


def test_failed_gates_and_missed_targets_show_without_opening_anything() -> None:
    gates = (
        GateResult("storage", False, "+2.0 GB of indexes, 500 MB allowed"),
        GateResult("build", True, "ok"),
    )
    targets = (TargetResult("search", False, "byName 41 % faster"), TargetResult("page", True, "fine"))
    lean = replace(arm("lean", ArmRole.VARIANT, 0.1, Interval(0.08, 0.12)), gates=gates, targets=targets)
    html, _ = read(Page("r", replace(COMPETITION, arms=(CONTROL, lean), winner=None)))
    always = re.sub(r"<details.*?</details>", "", html, flags=re.DOTALL)
    reader = Reader()
    reader.feed(always)
    words = " ".join(reader.text.split())
    assert "lean FAILED the gate storage: +2.0 GB of indexes, 500 MB allowed" in words
    assert "lean misses 1 of 2 targets: search" in words
    assert "1 FAILED" in words
    assert "1 of 2 met" in words


def test_a_plan_line_keeps_its_depth_and_is_text() -> None:
    shown = render_plan_lines("Limit\n  ->  Seq Scan on <t>")
    assert shown == (
        '<div class="plan"><div style="--depth: 0ch">Limit</div>'
        '<div style="--depth: 2ch">-&gt;  Seq Scan on &lt;t&gt;</div></div>'
    )


def test_print_opens_what_is_closed() -> None:
    html, _ = read(WHOLE)
    assert "<details" in html
    rules = html[html.index("@media print") : html.index("</style>")]
    assert "details::details-content { content-visibility: visible; display: block;" in rules
