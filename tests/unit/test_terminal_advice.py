"""What a DBA reads of advice: the figures, what came second, what stays."""

import io
from dataclasses import replace

from rich.console import Console

from pgproof.frontends.report.choice import print_choice, print_drops, print_measured
from pgproof.model.advice import (
    ChoiceExplanation,
    DropExplanation,
    IndexExplanation,
    OutlookCase,
    Rival,
    StatementGain,
    StatementOutlook,
)
from pgproof.model.change import DropIndex
from pgproof.model.drop import DropCandidate, DropCase, DropReview, IndexUpkeep, KeptIndex
from pgproof.model.estimate import Confidence, Estimate, IndexSize
from pgproof.model.finding import Evidence
from pgproof.model.paired import PairedTiming
from pgproof.model.relation import RelationName
from pgproof.model.units import PlannerCost

MB = 1024 * 1024
T = RelationName("public", "orders")


def gain(name: str, without: float, after: float) -> StatementGain:
    return StatementGain(name, PlannerCost(without), PlannerCost(without), PlannerCost(after), 10, 0.31)


INDEX = IndexExplanation(
    index="orders_customer_idx",
    table=T,
    sql="CREATE INDEX CONCURRENTLY orders_customer_idx ON public.orders USING btree (customer_id)",
    reason="q7 looks for customer_id [twice]",
    saved_frac=0.421,
    set_frac=0.5,
    statements=tuple(gain(f"q{place}", 12345, 87.5) for place in range(5)),
    size=IndexSize(12 * MB, Confidence.LOW, "n_distinct is not known"),
    upkeep_frac=0.003,
    build_s=4.2,
    supersedes=(RelationName("public", "orders_old"),),
    rival=Rival(
        "orders_customer_status_idx",
        "CREATE INDEX CONCURRENTLY orders_customer_status_idx ...",
        0.38,
        20 * MB,
        "the set would save 38.0 % with it instead of 50.0 %",
    ),
)
DROP = DropCandidate(
    DropIndex(RelationName("public", "old"), T, "CREATE INDEX old ..."),
    DropCase.DUPLICATE,
    "public.new does all that it does: same keys, same rows",
    (Evidence("scans", "3 in 30 days", "pg_stat_all_indexes"),),
    64 * MB,
    IndexUpkeep(("w1", "w2", "w3", "w4"), 12_000, 9, ("w2",)),
    RelationName("public", "new"),
)
SCAN = StatementOutlook(
    "q9", OutlookCase.NO_INDEX, 0.45, PlannerCost(5), PlannerCost(5), PlannerCost(5), "no index will help: so"
)


def shown(choice: ChoiceExplanation | DropReview, *, everything: bool = False) -> list[str]:
    screen = io.StringIO()
    console = Console(file=screen, width=80)
    if isinstance(choice, DropReview):
        print_drops(console, choice, everything=everything)
    else:
        print_choice(console, choice, everything=everything)
    return screen.getvalue().splitlines()


def test_an_index_in_six_lines() -> None:
    assert shown(ChoiceExplanation((INDEX,))) == [
        "orders_customer_idx  saves 42.1 %, about 12.0 MB, costs writes 0.3 %, about 4 s to build",
        "    CREATE INDEX CONCURRENTLY orders_customer_idx ON public.orders USING btree (customer_id)",
        "    helps: q0 12,345 to 87.5 (141x), 31 % of the cost; q1 12,345 to 87.5 (141x), 31 % of the cost;"
        " q2 12,345 to 87.5 (141x), 31 % of the cost; 2 more",
        "    makes superfluous: public.orders_old",
        "    next best: orders_customer_status_idx, 20.0 MB: the set would save 38.0 % with it instead of"
        " 50.0 %",
    ]


def test_everything_of_an_index() -> None:
    lines = shown(ChoiceExplanation((INDEX,)), everything=True)
    assert "q4 12,345" in lines[2]
    assert lines[-3:] == [
        "      CREATE INDEX CONCURRENTLY orders_customer_status_idx ...",
        "    why: q7 looks for customer_id [twice]",
        "    size: low confidence; n_distinct is not known",
    ]


def test_without_a_rival_it_says_why() -> None:
    alone = replace(INDEX, rival=None, rival_note="no other candidate is on its table", statements=())
    alone = replace(
        alone,
        supersedes=(),
        upkeep_frac=0.0,
        build_s=0.1,
        size=replace(INDEX.size, confidence=Confidence.HIGH),
    )
    assert shown(ChoiceExplanation((alone,))) == [
        "orders_customer_idx  saves 42.1 %, 12.0 MB",
        "    CREATE INDEX CONCURRENTLY orders_customer_idx ON public.orders USING btree (customer_id)",
        "    next best: none; no other candidate is on its table",
    ]


def test_an_index_nobody_had_time_for() -> None:
    hurried = replace(INDEX, saved_frac=None)
    first = shown(ChoiceExplanation((hurried,)))[0]
    assert first.startswith("orders_customer_idx  no time to tell what it saves, about 12.0 MB, costs writes")


def test_long_lists_are_cut_with_a_count() -> None:
    many = ChoiceExplanation((INDEX,) * 9, (SCAN,) * 7)
    lines = shown(many)
    assert sum(line.startswith("orders_customer_idx") for line in lines) == 8
    assert "  ... and 1 more index; -v shows all" in lines
    assert lines[-1] == "  ... and 2 more statements; -v shows all"
    assert not any("..." in line and "-v" in line for line in shown(many, everything=True))


def test_statements_that_stay_heavy() -> None:
    aside = replace(SCAN, statement="q1", left_frac=None)
    assert shown(ChoiceExplanation(outlooks=(aside, SCAN))) == [
        "statements that stay heavy: 45 % of what is left",
        "  q1 (more than all others): no index will help: so",
        "  q9 (45 %): no index will help: so",
    ]


def test_existing_indexes_that_go() -> None:
    dearer = DropExplanation(DROP, -0.01, (gain("q3", 20, 300),))
    assert shown(ChoiceExplanation(drops=(dearer,))) == [
        "existing indexes that go",
        "  public.old, 64.0 MB: 1 statement gets dearer",
        "    dearer: q3 20 to 300, 31 % of the cost",
    ]
    harmless = shown(ChoiceExplanation(drops=(DropExplanation(DROP, 0.001),)))
    assert harmless[-1] == "  public.old, 64.0 MB: no statement's plan gets dearer"
    unknown = shown(ChoiceExplanation(drops=(DropExplanation(DROP, None),)))
    assert unknown[-1] == "  public.old, 64.0 MB: what that does to plans was not estimated"


KEPT = KeptIndex(
    RelationName("public", "pk"),
    DropCase.UNUSED,
    "Index public.pk enforces the primary key.",
    "Keep it.\nReally.",
)


def test_indexes_that_may_go_and_those_that_must_stay() -> None:
    review = DropReview((DROP,), (KEPT,), ("the counters are young",))
    short = shown(review)
    assert short[:4] == [
        "1 existing index may go, 64.0 MB; the planner and a competition decide",
        "  public.old  64.0 MB, duplicate: public.new does all that it does: same keys, same rows",
        "      written to by w1, w2, w3 and 1 more: 12,000 entries in the workload",
        "      without it, w2 could leave all indexes alone (HOT)",
    ]
    assert short[-2:] == [
        "1 index that looks superfluous must stay; -v says why",
        "note: the counters are young",
    ]
    assert shown(review, everything=True)[-5:] == [
        "      scans: 3 in 30 days (pg_stat_all_indexes)",
        "stays Index public.pk enforces the primary key. (unused)",
        "    Keep it.",
        "    Really.",
        "note: the counters are young",
    ]
    assert shown(DropReview()) == []


def test_what_was_stopped_before_is_a_bound() -> None:
    estimate = Estimate("broad", (), PlannerCost(10), PlannerCost(1), 0, "shadow")
    timings = (
        PairedTiming("endless", 60_000.0, 600.0, 1, "cpu", was_capped=True),
        PairedTiming("quick", 20.0, 5.0, 1, "cpu"),
    )
    screen = io.StringIO()
    print_measured(Console(file=screen, width=80), estimate, timings)
    assert "-99.0 % or less" in screen.getvalue()
    assert screen.getvalue().count(" or less") == 1
