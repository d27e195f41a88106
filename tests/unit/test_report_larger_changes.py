"""Larger changes on a terminal: apart from the sets of indexes, with their price and why or why not."""

import io
from dataclasses import replace

from rich.console import Console

from pgproof.frontends.report.larger_changes import print_larger_changes
from pgproof.frontends.report.statement_names import StatementNames
from pgproof.model.estimate import Confidence
from pgproof.model.larger_change import Dismissed, LargerChange, LargerKind, LargerReview, StatementPrice
from pgproof.model.relation import RelationName
from pgproof.model.units import PlannerCost

VIEW = LargerChange(
    kind=LargerKind.MATERIALIZED_VIEW,
    name=RelationName("public", "sums"),
    title="materialized view public.sums",
    recommended=True,
    verdict="pays where 2 calls or more come between two refreshes",
    statements=(
        StatementPrice(
            "totals_0123abcd", PlannerCost(9000), PlannerCost(3), PlannerCost(5000), "SELECT n FROM sums"
        ),
    ),
    saved_frac=0.25,
    size_bytes=24_576,
    rows=25,
    refresh_cost=PlannerCost(9003),
    pays_from_calls=1.1,
    confidence=Confidence.MEDIUM,
    confidence_reason="the planner's estimate",
    reason="it is 30 % of the workload",
    cautions=("its answers are those of the last refresh", "another caution"),
    sql=("CREATE MATERIALIZED VIEW public.sums AS SELECT 1", "ANALYZE public.sums"),
    refresh_sql="REFRESH MATERIALIZED VIEW public.sums",
)
PARTS = replace(
    VIEW,
    kind=LargerKind.PARTITIONING,
    title="public.big in 5 partitions of 1 year",
    recommended=False,
    verdict="it saves nothing",
    saved_frac=-0.01,
    refresh_cost=None,
    sql=(),
    refresh_sql="",
)
LEFT = Dismissed("other", LargerKind.MATERIALIZED_VIEW, "it was called once [sic]")


def printed(review: LargerReview, *, everything: bool = False) -> str:
    screen = io.StringIO()
    console = Console(file=screen, width=200)
    names = StatementNames({"totals_0123abcd": "SELECT count(*)\nFROM orders"}, 200)
    print_larger_changes(console, review, names, everything=everything)
    return screen.getvalue()


def test_what_is_recommended_comes_with_its_price_and_its_catch() -> None:
    assert printed(LargerReview((VIEW, PARTS), (LEFT,))) == (
        "\n"
        "larger changes, priced (advice only: no variant of the blueprint holds them, and nothing was"
        " tried)\n"
        "  materialized view public.sums: saves 25.0 % of the workload's cost, 24 kB, a refresh costs 9,003,"
        " medium confidence\n"
        "      pays where 2 calls or more come between two refreshes\n"
        "      totals_0123abcd: 9,000 to 3 (3,000x); with the indexes 5,000\n"
        "          SELECT count(*) FROM orders\n"
        "      CREATE MATERIALIZED VIEW public.sums AS SELECT 1;\n"
        "      but its answers are those of the last refresh\n"
        "  ... and 2 more looked at; -v tells them\n"
    )


def test_everything_says_why_not_too() -> None:
    text = printed(LargerReview((VIEW, PARTS), (LEFT,)), everything=True)
    for line in (
        "becomes: SELECT n FROM sums",
        "REFRESH MATERIALIZED VIEW public.sums;",
        "but another caution",
        "looked at because it is 30 % of the workload",
        "medium confidence: the planner's estimate",
        "public.big in 5 partitions of 1 year: makes the workload 1.0 % dearer, the largest partition takes",
        "it saves nothing",
        "other without a materialized view: it was called once [sic]",
    ):
        assert line in text


def test_what_is_not_worth_it_takes_one_line() -> None:
    assert printed(LargerReview((PARTS,), (LEFT,))) == (
        "\nlarger changes: 2 looked at, none worth it; -v says why\n"
    )


def test_nothing_says_nothing() -> None:
    assert printed(LargerReview()) == printed(LargerReview(), everything=True) == ""


def test_what_nobody_could_price_is_told() -> None:
    assert "priced by a shadow alone" in printed(LargerReview(notes=("priced by a shadow alone",)))
