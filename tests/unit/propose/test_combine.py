"""From chosen sets to variants."""

from dataclasses import replace

from pgproof.model.candidate import Ambition, IndexCandidate, IndexSet
from pgproof.model.change import AnalyzeTable, CreateExtension, CreateIndex, DropIndex
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


def test_broad_removes_exact_duplicates_only() -> None:
    there = [
        index("t", "b", name="kept", scans=9),
        index("t", "b", name="twin", scans=0),
        index("t", "b", name="by_rule", unique=True),
        index("t", "b", name="replica", scans=0),
        index("t", "b", name="part", predicate="a > 1"),
    ]
    there[3] = replace(there[3], replica_identity=True)
    known = catalog(TABLE, indexes=there)
    sets = [chosen(Ambition.LEAN, "a"), chosen(Ambition.BROAD, "ab")]
    lean, broad = propose_variants(known, [A, AB], sets)
    assert not any(isinstance(change, DropIndex) for change in lean.changes)
    dropped = [change.index.name for change in broad.changes if isinstance(change, DropIndex)]
    # Twins of an index that has to stay anyway go both; that one answers for them.
    assert dropped == ["kept", "twin"]
    assert broad.changes[-1] == DropIndex(there[1].relation, T, there[1].definition)
