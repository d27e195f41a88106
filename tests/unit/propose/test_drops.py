"""Which existing indexes may go, and what each guard says where one has to stay."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from pgproof.model.catalog import Catalog
from pgproof.model.change import CreateIndex, DropIndex
from pgproof.model.drop import DropCase, DropReview, IndexUpkeep, Standbys
from pgproof.model.plan import Plan, PlanNode
from pgproof.model.relation import ExtendedStatistics, Index, IndexKey, RelationKind, RelationName
from pgproof.model.statistics import TableActivity
from pgproof.model.units import PlannerCost
from pgproof.stages.propose.drops import find_droppable, find_superseded
from pgproof.stages.propose.reading import read_workload
from tests.builders import catalog, column, foreign_key, index, table, workload

NOBODY = Standbys(0, 0)
BUSY = TableActivity(inserts=70, updates=50, hot_updates=20)
T = replace(table("t", column("a"), column("b"), column("c"), column("mail", "text")), activity=BUSY)
BIG = 64 * 1024 * 1024
RECIPE = (
    " Look at idx_scan in pg_stat_user_indexes there,"
    " and say so when the indexes are not read on any of them."
)


def big(*keys: str | IndexKey, name: str, scans: int | None = 0, **facts: object) -> Index:
    made = index("t", *keys, name=name, scans=scans)
    texts = ", ".join(key.column or key.expression for key in made.keys)
    definition = f"CREATE INDEX {name} ON public.t USING btree ({texts})"
    return replace(made, size_bytes=BIG, definition=definition, **facts)


def known(*indexes: Index, age: timedelta | None = timedelta(days=30), **facts: object) -> Catalog:
    made = catalog(T, indexes=indexes)
    return replace(made, stats_reset_at=made.read_at - age if age else None, **facts)


def review(there: Catalog, *statements: str, **options: object) -> DropReview:
    return find_droppable(there, workload(*statements), **{"standbys": NOBODY, **options})


def told(found: DropReview) -> list[tuple[str, DropCase, str]]:
    return [(drop.name, drop.case, drop.reason) for drop in found.candidates]


def stopped(found: DropReview) -> list[tuple[str, str]]:
    assert not found.candidates
    return [(kept.reason, kept.hint) for kept in found.kept]


def test_duplicates_then_redundant_then_unused() -> None:
    there = known(
        big("c", name="idle"),
        big("a", name="narrow", scans=7),
        big("b", name="one", scans=9),
        big("b", name="two", scans=3),
        big("a", "b", name="wide", scans=1),
    )
    found = review(there)
    assert told(found) == [
        (
            "public.two",
            DropCase.DUPLICATE,
            "public.one does all that it does: same keys, same rows",
        ),
        (
            "public.narrow",
            DropCase.REDUNDANT,
            "public.wide begins with its key and serves every plan that it can serve",
        ),
        ("public.idle", DropCase.UNUSED, "no plan on this server scanned it in 30 days"),
    ]
    assert (found.kept, found.notes) == ((), ())
    two = found.candidates[0]
    assert two.change == DropIndex(RelationName("public", "two"), T.relation, two.change.definition)
    assert two.keeper == RelationName("public", "one")
    assert two.size_bytes == BIG
    assert [(fact.label, fact.value) for fact in two.evidence] == [
        ("definition", "CREATE INDEX two ON public.t USING btree (b)"),
        ("kept", "CREATE INDEX one ON public.t USING btree (b)"),
        ("size", "64.0 MB"),
        ("scans", "3 in 30 days"),
        ("entries written", "100 in 30 days"),
    ]


def test_what_an_index_costs_those_who_write() -> None:
    there = known(big("a", name="narrow"), big("a", "b", name="wide", scans=1), big("c", name="idle"))
    found = review(
        there,
        "INSERT INTO t (a, b, c) VALUES ($1, $2, $3)",
        "UPDATE t SET c = $1 WHERE a = $2",
        "UPDATE t SET a = $1 WHERE b = $2",
        "DELETE FROM t WHERE a = 1",
    )
    upkeep = {drop.change.index.name: drop.upkeep for drop in found.candidates}
    assert upkeep == {
        "idle": IndexUpkeep(("q0", "q1"), 20, 100, hot_prevented=("q1",)),
        "narrow": IndexUpkeep(("q0", "q2"), 20, 100, hot_prevented=()),  # wide would prevent it just the same
    }


@pytest.mark.parametrize(
    ("facts", "reason", "hint"),
    [
        (
            {"unique": True, "primary": True, "constraint": "t_pkey"},
            "Index public.x enforces the primary key of public.t: without it, wrong rows could be stored.",
            "Keep it. Drop the constraint by hand if the rule itself is no longer wanted.",
        ),
        (
            {"constraint": "no_overlap"},
            "Index public.x enforces constraint no_overlap of public.t: without it, wrong rows could be"
            " stored.",
            "Keep it. Drop the constraint by hand if the rule itself is no longer wanted.",
        ),
        (
            {"unique": True},
            "Index public.x is unique: without it, duplicate rows could be stored in public.t.",
            "Keep it, even when no query reads it.",
        ),
        (
            {"replica_identity": True},
            "Index public.x is the replica identity of public.t: without it, UPDATE and DELETE of a published"
            " table fail.",
            "Choose another identity first:\n  ALTER TABLE public.t REPLICA IDENTITY USING INDEX ...;",
        ),
        (
            {"clustered": True},
            "Table public.t is clustered on index public.x: CLUSTER would no longer know its order.",
            "If that is no longer wanted:\n  ALTER TABLE public.t SET WITHOUT CLUSTER;",
        ),
        (
            {"valid": False},
            "Index public.x is not valid, so no plan could use it: nothing can be said of its use.",
            "pgproof check says how to rebuild or remove it.",
        ),
        (
            {"valid": False, "building": True},
            "Index public.x is being built or rebuilt: nothing can be said of its use.",
            "Advise again when that is done.",
        ),
        (
            {"definition": ""},
            "Index public.x could not be rebuilt: The saved definition is not that of an ordinary index, so"
            " it"
            " can't be rebuilt from it.",
            "Take the definition from pg_get_indexdef(), and leave indexes of partitioned tables alone.",
        ),
    ],
    ids=[
        "primary key",
        "exclusion",
        "unique",
        "replica identity",
        "clustered",
        "invalid",
        "building",
        "definition",
    ],
)
def test_guards_of_an_index_that_nobody_scans(facts: dict[str, object], reason: str, hint: str) -> None:
    assert stopped(review(known(replace(big("a", name="x"), **facts)))) == [(reason, hint)]


def test_guards_hold_for_repeated_indexes_too() -> None:
    there = known(big("a", name="x", scans=5, replica_identity=True), big("a", "b", name="wide", scans=5))
    found = review(there)
    assert [(str(kept.index), kept.case) for kept in found.kept] == [("public.x", DropCase.REDUNDANT)]


def test_the_last_one_that_supports_a_foreign_key_stays() -> None:
    keys = (big("a", "b", name="one"), big("a", "c", name="two"))
    there = replace(known(*keys), constraints=(foreign_key("t", "parent", "a"),))
    found = review(there)
    # Each alone could go, but not both.
    assert [drop.change.index.name for drop in found.candidates] == ["one"]
    assert [(kept.reason, kept.hint) for kept in found.kept] == [
        (
            "Index public.two is the last one that supports foreign key t_a_fkey: without it, each DELETE"
            " or key"
            " UPDATE in public.parent scans all of public.t.",
            "Keep it, even when no query reads it: such scans are not counted as index scans by a query.",
        )
    ]


def test_parts_of_a_partitioned_index_follow_it() -> None:
    parent = replace(T, kind=RelationKind.PARTITIONED, activity=None)
    part = replace(
        T, relation=RelationName("public", "t1"), parent=T.relation, kind=RelationKind.TABLE, activity=BUSY
    )
    whole = big("a", name="whole")
    below = replace(big("a", name="below"), table=part.relation, parent=whole.relation, scans=0)
    made = catalog(parent, part, indexes=(below, whole))
    there = replace(made, stats_reset_at=made.read_at - timedelta(days=30))
    assert stopped(review(there)) == [
        (
            "Index public.whole is on a partitioned table: dropping it blocks reads and writes of all"
            " partitions,"
            " and taking that back means to build it again on each of them.",
            "Drop it by hand at a quiet hour, after the competition has shown that nobody misses it.",
        )
    ]


@pytest.mark.parametrize(
    ("facts", "options", "note"),
    [
        (
            {"age": timedelta(days=13)},
            {},
            "No index is called unused: the server's counters are only 13 days old, and 14 days are needed."
            " Advise again later, and don't reset the statistics meanwhile.",
        ),
        (
            {"age": timedelta(minutes=59)},
            {},
            "No index is called unused: the server's counters are only minutes old, and 14 days are needed."
            " Advise again later, and don't reset the statistics meanwhile.",
        ),
        (
            {"age": timedelta(hours=23)},
            {},
            "No index is called unused: the server's counters are only 23 hours old, and 14 days are needed."
            " Advise again later, and don't reset the statistics meanwhile.",
        ),
        (
            {"age": None},
            {},
            "No index is called unused: the server's counters are of unknown age, and 14 days are needed."
            " Advise again later, and don't reset the statistics meanwhile.",
        ),
        (
            {"in_recovery": True},
            {},
            "No index is called unused: this server is a standby, which does not see the scans of its"
            " primary. Advise on the primary.",
        ),
        (
            {},
            {"standbys": None},
            "No index is called unused: it is not known whether standbys follow this server, whose scans it"
            " does not see." + RECIPE,
        ),
        (
            {},
            {"standbys": Standbys(1, 2)},
            "No index is called unused: 1 standby follows this server and 2 idle replication slots await"
            " one, and the scans of standbys are not seen here." + RECIPE,
        ),
        (
            {},
            {"standbys": Standbys(2, 0)},
            "No index is called unused: 2 standbys follow this server, and the scans of standbys are not seen"
            " here." + RECIPE,
        ),
    ],
    ids=[
        "young",
        "minutes",
        "hours",
        "unknown age",
        "standby",
        "standbys unknown",
        "standby and slots",
        "standbys",
    ],
)
def test_when_counters_say_nothing(facts: dict, options: dict, note: str) -> None:
    found = review(known(big("a", name="x"), **facts), **options)
    assert (found.candidates, found.kept, found.notes) == ((), (), (note,))


def test_repeated_indexes_go_however_young_the_counters() -> None:
    there = known(big("a", name="x"), big("a", "b", name="y"), age=timedelta(hours=2))
    found = review(there, standbys=Standbys(3, 0))
    assert [drop.change.index.name for drop in found.candidates] == ["x"]
    assert len(found.notes) == 2


def test_the_user_answers_for_the_standbys() -> None:
    found = review(known(big("a", name="x")), standbys=Standbys(1, 0), standbys_asked=True)
    assert [drop.name for drop in found.candidates] == ["public.x"]


def test_unknown_scans_are_not_none() -> None:
    found = review(
        known(*(big("a", name=f"x{place}", scans=None, predicate=f"b = {place}") for place in range(5)))
    )
    assert found.candidates == ()
    assert found.notes == (
        "How often public.x0, public.x1, public.x2 and 2 more were scanned is not known, so none of them is"
        " called unused.",
    )


def test_what_a_plan_reads_is_used() -> None:
    node = PlanNode("Index Scan", PlannerCost(1), PlannerCost(0), 1, 8, index="x")
    found = review(known(big("a", name="x")), plans={"report": (Plan(node),)})
    assert stopped(found) == [
        (
            "Index public.x was not scanned yet, but the plan of report reads it.",
            "Keep it, or take these statements out of the workload if they are no longer run.",
        )
    ]


LOWER = IndexKey(expression="lower(mail)")
READS_MAIL = "SELECT a FROM t WHERE lower(mail) = 'x'"


def test_the_statistics_of_an_expression_are_used_without_a_scan() -> None:
    found = review(known(big(LOWER, name="x")), READS_MAIL, "SELECT count(*) FROM t")
    assert stopped(found) == [
        (
            "Index public.x was not scanned, but gives the planner the statistics of its expression:"
            " without them"
            " the row estimates of q0 would be guesses.",
            "Keep it. CREATE STATISTICS on the expression can hold them instead; then advise again.",
        )
    ]


def test_an_expression_nobody_asks_about_or_that_others_keep_statistics_of() -> None:
    there = known(big(LOWER, name="x"))
    assert review(there, "SELECT a FROM t WHERE b = 1").candidates
    held = ExtendedStatistics(
        RelationName("public", "s"),
        T.relation,
        (),
        ("e",),
        "CREATE STATISTICS public.s ON lower(mail) FROM public.t",
    )
    assert review(replace(there, statistics=(held,)), READS_MAIL).candidates
    other = big(LOWER, "a", name="other", scans=3)
    assert [drop.case for drop in review(known(big(LOWER, "b", name="x"), other), READS_MAIL).candidates] == [
        DropCase.UNUSED
    ]


def test_the_one_that_takes_over_stays() -> None:
    found = review(known(big("a", name="narrow", scans=5), big("a", "b", name="wide")))
    assert [drop.name for drop in found.candidates] == ["public.narrow"]
    assert [(kept.reason, kept.hint) for kept in found.kept] == [
        (
            "Index public.wide takes over from public.narrow, proposed for dropping.",
            "Drop that first; then see whether this one is read.",
        )
    ]


NEW = CreateIndex(T.relation, "new", (IndexKey(column="a"), IndexKey(column="b")))


def superseded(
    there: Catalog, new: Sequence[CreateIndex], *statements: str, dropped: Sequence[DropIndex] = ()
) -> DropReview:
    return find_superseded(there, read_workload(there, workload(*statements)), new, dropped)


def test_what_a_new_index_takes_over() -> None:
    there = known(
        big("a", name="short", scans=5),
        big("a", "b", "c", name="long"),
        big("a", name="rule", unique=True),
        big("b", name="other"),
    )
    found = superseded(there, (NEW,), "INSERT INTO t VALUES (1)")
    assert told(found) == [
        ("public.short", DropCase.SUPERSEDED, "the new index new serves every plan that it can serve")
    ]
    (short,) = found.candidates
    assert short.keeper == RelationName("public", "new")
    assert short.upkeep.statements == ("q0",)
    assert ("kept", "CREATE INDEX CONCURRENTLY new ON public.t USING btree (a, b)") in [
        (fact.label, fact.value) for fact in short.evidence
    ]
    assert superseded(there, (NEW,), dropped=(short.change,)) == DropReview()


def test_a_new_index_may_support_the_foreign_key_instead() -> None:
    there = replace(known(big("a", name="sole")), constraints=(foreign_key("t", "parent", "a"),))
    assert [drop.name for drop in superseded(there, (NEW,)).candidates] == ["public.sole"]
    partial = replace(NEW, where="c > 1")
    assert superseded(there, (partial,)) == DropReview()
    (kept,) = review(there).kept
    assert "is the last one that supports foreign key t_a_fkey" in kept.reason


def test_a_clustered_index_stays_whatever_takes_over() -> None:
    (kept,) = superseded(known(big("a", name="x", clustered=True)), (NEW,)).kept
    assert (kept.case, kept.index.name) == (DropCase.SUPERSEDED, "x")


def test_small_ones_go_only_where_they_are_written_to() -> None:
    small = replace(big("a", name="x"), size_bytes=16 * 1024)
    assert review(known(small)) == DropReview()
    assert review(known(small), "INSERT INTO t VALUES (1)").candidates


def test_judged_as_the_owner_would() -> None:
    there = replace(known(big("a", name="x")), tables=(replace(T, owned=False),))
    assert review(there).candidates


@pytest.mark.parametrize(("version", "expected"), [(150020, ("q0",)), (180006, ())])
def test_summarizing_indexes_and_hot(version: int, expected: tuple[str, ...]) -> None:
    brin = replace(big("a", name="x"), method="brin", definition="CREATE INDEX x ON public.t USING brin (a)")
    found = review(known(brin, version_num=version), "UPDATE t SET a = 1 WHERE b = 2")
    assert found.candidates[0].upkeep.hot_prevented == expected
