"""From chosen sets to variants."""

from dataclasses import replace

from pgproof.model.candidate import Ambition, IndexCandidate, IndexSet
from pgproof.model.change import AnalyzeTable, CreateExtension, CreateIndex, DropIndex
from pgproof.model.drop import DropCandidate, DropCase, IndexUpkeep
from pgproof.model.relation import IndexKey, RelationName
from pgproof.model.statistics import TableActivity
from pgproof.model.units import PlannerCost
from pgproof.stages.propose.combine import propose_variants
from tests.builders import catalog, column, index, table

T = RelationName("public", "t")
TABLE = table("t", column("a"), column("b", "text"))


def candidate(name: str, *keys: str, trigram: bool = False) -> IndexCandidate:
    opclass = "gin_trgm_ops" if trigram else ""
    change = CreateIndex(
        T, name, tuple(IndexKey(column=key, opclass=opclass) for key in keys), "gin" if trigram else "btree"
    )
    return IndexCandidate(
        change, ("q",), f"because of {name}", (CreateExtension("pg_trgm"),) if trigram else ()
    )


def chosen(ambition: Ambition, *names: str) -> IndexSet:
    return IndexSet(ambition, names, PlannerCost(100), PlannerCost(25), 2**20, PlannerCost(0))


A, AB, WORDS = candidate("a", "a"), candidate("ab", "a", "b"), candidate("words", "b", trigram=True)


def test_one_variant_a_set_in_order_with_what_it_bets_on() -> None:
    variants = propose_variants(
        catalog(TABLE), [A, AB], [chosen(Ambition.LEAN, "a"), chosen(Ambition.BALANCED, "ab")]
    )
    assert [variant.name for variant in variants] == ["lean", "balanced"]
    assert variants[0].changes == (A.change,)
    assert variants[0].why == "a: because of a"


def test_no_sets_no_variants() -> None:
    assert propose_variants(catalog(TABLE), [A], []) == ()


def test_extension_comes_first() -> None:
    (variant,) = propose_variants(catalog(TABLE), [A, WORDS], [chosen(Ambition.LEAN, "a", "words")])
    assert variant.changes == (CreateExtension("pg_trgm"), A.change, WORDS.change)


def test_no_redundant_pair_and_no_equal_variants() -> None:
    sets = [chosen(Ambition.BALANCED, "a", "ab"), chosen(Ambition.ALTERNATIVE, "ab")]
    (variant,) = propose_variants(catalog(TABLE), [A, AB], sets)
    assert variant.changes == (AB.change,)


def test_stale_statistics_are_refreshed_after_the_build() -> None:
    stale = replace(TABLE, activity=TableActivity(mods_since_analyze=30_000))
    (variant,) = propose_variants(catalog(stale), [A], [chosen(Ambition.LEAN, "a")])
    assert variant.changes == (A.change, AnalyzeTable(T))


def test_existing_indexes_go_with_the_sets_that_do_without_them() -> None:
    twin = index("t", "b", name="twin")
    drop = DropCandidate(
        DropIndex(twin.relation, T, twin.definition),
        DropCase.DUPLICATE,
        "it repeats kept",
        (),
        8192,
        IndexUpkeep(("insert_t", "update_t"), hot_prevented=("update_t",)),
    )
    sets = [chosen(Ambition.LEAN, "a"), replace(chosen(Ambition.BROAD, "ab"), dropped=("public.twin",))]
    lean, broad = propose_variants(
        catalog(TABLE, indexes=[twin]), [A, AB], sets, lambda one: [drop] if one.dropped else []
    )
    assert lean.changes == (A.change,)
    assert broad.changes == (AB.change, drop.change)
    assert (
        broad.title == "every index the planner would use, payload columns included (1 index, 1 index less)"
    )
    assert broad.why.endswith(
        "public.twin goes: it repeats kept"
        " (8 kB freed; 2 statements write one index less; updates of update_t can be HOT)"
    )
