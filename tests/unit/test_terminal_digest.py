"""What a DBA reads of advice first: the decision, the recommended set in few lines, the rest as counts."""

import io
from dataclasses import replace

from rich.console import Console

from pgproof.frontends.documents import AdviseDocument
from pgproof.frontends.report.advice import print_advice
from pgproof.frontends.report.statement_names import StatementNames, one_line
from pgproof.model.advice import ChoiceExplanation, DropExplanation
from pgproof.model.candidate import Proof
from pgproof.model.change import AnalyzeTable, CreateIndex
from pgproof.model.drop import DropReview
from pgproof.model.estimate import Estimate, StatementEstimate
from pgproof.model.paired import PairedTiming
from pgproof.model.relation import IndexKey
from pgproof.model.units import PlannerCost
from pgproof.model.variant import Variant
from tests.unit.test_terminal_advice import DROP, INDEX, MB, SCAN, T, gain

HASHED = "select_orders_c93ce44f"
TEXTS = {HASHED: "SELECT *\n  FROM orders\n WHERE id = $1", "q9": "SELECT 9"}
MADE = CreateIndex(T, "orders_customer_idx", (IndexKey("customer_id"),))
BROAD = Variant("broad", "every index (1 index)", (MADE, AnalyzeTable(T), DROP.change), "why so")
LEAN = Variant("lean", "few indexes (1 index)", (MADE,))
SETTINGS = Variant("settings", "planner settings (2 changes)", ())
EXPLAINED = replace(INDEX, statements=(gain(HASHED, 500, 50), gain("q1", 9, 3)))


def estimate(name: str) -> Estimate:
    one = StatementEstimate(HASHED, PlannerCost(100), PlannerCost(40))
    return Estimate(name, (one,), PlannerCost(1000), PlannerCost(400), 12 * MB, "shadow", weighted_by="time")


ADVICE = AdviseDocument(
    run="r-1",
    blueprint="b.yaml",
    variants=(LEAN, BROAD, SETTINGS),
    sql={
        "lean": (INDEX.sql,),
        "broad": (INDEX.sql, "ANALYZE public.orders", "DROP INDEX CONCURRENTLY public.old"),
        "settings": (),
    },
    estimates=(estimate("lean"), estimate("broad")),
    notes=("the counters are young",),
    explanations={"broad": ChoiceExplanation((EXPLAINED,), (SCAN,), (DropExplanation(DROP, 0.0),))},
    drops=DropReview((DROP,)),
    proof=Proof(0.58, 0.59, 4, 1141, 2.24, 0.41),
    recommended="broad",
    statements=TEXTS,
)


def shown(advice: AdviseDocument, *, everything: bool = False, width: int = 120) -> list[str]:
    screen = io.StringIO()
    print_advice(Console(file=screen, width=width), advice, "service=shop", everything=everything)
    return screen.getvalue().splitlines()


def test_the_decision_comes_first_and_the_next_command_last() -> None:
    assert shown(ADVICE) == [
        "",
        "recommended: broad, 1 new index, 1 existing index goes",
        "  saves    60.0 % of the workload's planner cost, each statement weighted by the time it took on the"
        " server",
        "  costs    12.0 MB and about 4 s to build; 0.3 % of that cost for the workload's writes; 64.0 MB of"
        " old indexes are freed",
        "  proof    any set within the limits saves at most 59.0 %, this one 58.0 %: upkeep and 0.001 % an"
        " index taken off (1,141 questions to the planner, 2.2 s)",
        "",
        "its indexes",
        "  CREATE INDEX CONCURRENTLY orders_customer_idx ON public.orders USING btree (customer_id);",
        "      saves 42.1 %, 12.0 MB, costs writes 0.3 %; select_orders_c93ce44f 10.0x, 1 more: SELECT * FROM"
        " orders WHERE id = $1",
        "  ANALYZE public.orders;",
        "",
        "existing indexes that go with it, 64.0 MB",
        "  DROP INDEX CONCURRENTLY public.old;",
        "      public.new does all that it does: same keys, same rows",
        "",
        "the other variants, in the blueprint too",
        "  lean      saves 60.0 % for 12.0 MB; few indexes (1 index)",
        "  settings  planner settings (2 changes)",
        "",
        "statements that stay heavy, 45 % of the cost that is left",
        "  q9 (45 %): no index will help: so",
        "",
        "note: the counters are young",
        "",
        "blueprint written to b.yaml",
        "next: pgproof compete b.yaml --against service=shop",
    ]


def test_large_advice_still_fits_on_two_screens() -> None:
    many = ChoiceExplanation((EXPLAINED,) * 60, (SCAN,) * 20, (DropExplanation(DROP, 0.0),) * 20)
    sql = (INDEX.sql,) * 60 + ("ANALYZE public.orders",) * 20 + ("DROP INDEX CONCURRENTLY public.old",) * 20
    large = replace(
        ADVICE, explanations={"broad": many}, sql={"broad": sql}, notes=tuple(map(str, range(99)))
    )
    lines = shown(large)
    assert len(lines) <= 80
    assert "  ... and 50 more indexes, 600 MB, none of which saves more than 42.1 %; -v shows all" in lines
    assert "  ANALYZE public.orders; ANALYZE public.orders; ANALYZE public.orders;  ... and 17 more" in lines
    assert "  ... and 16 more indexes; -v shows all" in lines
    assert "  ... and 15 more statements; -v shows all" in lines
    assert "... and 93 more notes; -v shows all" in lines


def test_everything_holds_all_sql_and_each_text_once() -> None:
    lines = shown(ADVICE, everything=True)
    assert "lean: few indexes (1 index)" in lines
    assert "    DROP INDEX CONCURRENTLY public.old;" in lines
    assert "why broad" in lines
    assert [line for line in lines if "SELECT" in line] == [
        "  select_orders_c93ce44f: SELECT * FROM orders WHERE id = $1"
    ]


def test_nothing_to_recommend_is_the_first_thing_said() -> None:
    notes = ("No index will help here.", f"{HASHED} is not priced")
    nothing = AdviseDocument("r-1", "", (), {}, (), notes, statements=TEXTS)
    assert shown(nothing) == [
        "",
        "No index is recommended.",
        "No index will help here.",
        "",
        "note: select_orders_c93ce44f is not priced",
        "      SELECT * FROM orders WHERE id = $1",
        "No blueprint was written: there is nothing to race.",
    ]


def test_a_bound_that_rules_nothing_out_is_no_proof() -> None:
    lines = shown(replace(ADVICE, proof=Proof(0.4, 1.0, 4, 4173, 42.6, 6.1)))
    assert lines[4] == (
        "  proof    none: the time was up before more could be ruled out; try a longer --time-limit"
        " (4,173 questions to the planner, 42.6 s)"
    )
    all_but_all = shown(replace(ADVICE, proof=Proof(0.99999, 0.99999, 4, 5, 0.0, 0.0)))[4]
    assert all_but_all.startswith(
        "  proof    any set within the limits saves at most 100.0 %, this one over 99.9 %"
    )
    wide = shown(replace(ADVICE, proof=Proof(0.4, 0.6, 4, 4173, 42.6, 6.1)))[4]
    assert wide.endswith("(4,173 questions to the planner, 42.6 s; a longer --time-limit may close the gap)")
    better = Proof(0.4, 0.6, 4, 4173, 42.6, 6.1, best_frac=0.595, best_indexes=9, best_bytes=2_000_000)
    assert shown(replace(ADVICE, proof=better))[4].endswith(
        "; 59.5 % would take 9 indexes and 1.9 MB, which was not thought worth it"
        " (4,173 questions to the planner, 42.6 s)"
    )


def test_what_is_left_aside_is_named_beside_each_share() -> None:
    choice = ChoiceExplanation((EXPLAINED,), (replace(SCAN, left_frac=None),))
    lines = shown(replace(ADVICE, explanations={"broad": choice}))
    assert lines[2].endswith("weighted by the time it took on the server; of the cost without q9, 50.0 %")
    assert "taken off, q9 left out (" in lines[4]


def test_what_was_measured_and_what_was_not_tried() -> None:
    timing = PairedTiming(HASHED, 20.0, 5.0, 5, "cpu", ("orders_customer_idx",))
    lines = shown(replace(ADVICE, measured={"broad": (timing,)}))
    assert lines[5] == (
        "  measured on a clone, 1 statement got another plan; one call of each took 20.0 ms (server CPU), now"
        " 5.00 ms; none is more than 15 % slower"
    )
    assert any(
        line.split() == [HASHED, "-60.0", "%", "-75.0", "%", "20.0", "ms", "5.00", "ms"] for line in lines
    )
    assert "  lean      saves 60.0 % for 12.0 MB; not tried; few indexes (1 index)" in lines
    unchanged = shown(replace(ADVICE, measured={"broad": ()}))
    assert unchanged[5] == "  measured on a clone, no statement got another plan"
    other = shown(replace(ADVICE, measured={"lean": ()}))
    assert other[5] == "  measured not this set: see the notes"


def test_a_text_is_told_once_and_only_where_the_name_says_nothing() -> None:
    names = StatementNames({HASHED: "SELECT\n 1", "open orders": "SELECT 2"}, 80)
    assert names.introduce("open orders", 0) == ""
    assert names.introduce("select_lost_00000000", 0) == ""
    assert names.introduce(HASHED, 0) == "SELECT 1"
    assert names.introduce(HASHED, 0) == ""
    assert one_line("SELECT   12345", 9) == "SELECT 1…"
