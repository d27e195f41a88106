"""What a build teaches about indexes that were not built."""

from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey, RelationName
from pgproof.pipeline.real_sizes import with_real_sizes

HERE, THERE = RelationName("public", "here"), RelationName("public", "there")


def index(name: str, *, on: RelationName = HERE, where: str = "") -> CreateIndex:
    return CreateIndex(on, name, (IndexKey(name),), where=where)


ALL = {
    one.name: one
    for one in (
        index("plain"),
        index("other"),
        index("late_a", where="sent > due"),
        index("late_b", where="sent > due"),
        index("late_c", where="sent > due"),
        index("late_there", on=THERE, where="sent > due"),
    )
}
ESTIMATED = dict.fromkeys(ALL, 100)


def test_nothing_built_teaches_nothing() -> None:
    assert with_real_sizes(ESTIMATED, {}, ALL) == ESTIMATED


def test_what_was_built_has_its_real_size_and_no_other_plain_index_changes() -> None:
    assert with_real_sizes(ESTIMATED, {"plain": 140, "unknown": 7}, ALL) == {**ESTIMATED, "plain": 140}


def test_a_misjudged_predicate_is_misjudged_for_all_indexes_with_it() -> None:
    found = with_real_sizes(ESTIMATED, {"late_a": 190, "late_b": 170}, ALL)
    assert found == {**ESTIMATED, "late_a": 190, "late_b": 170, "late_c": 180}


def test_an_estimate_of_nothing_says_nothing_of_others() -> None:
    estimated = {**ESTIMATED, "late_a": 0}
    assert with_real_sizes(estimated, {"late_a": 190}, ALL) == {**estimated, "late_a": 190}
