"""Whatever indexes a table has: those that may go leave one behind that does the same."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pgproof.changes.index_cover import as_change, covers, find_keepers
from pgproof.model.relation import Index, IndexKey, RelationName

T = RelationName("public", "t")
keys = st.builds(
    lambda column, down: IndexKey(column=column, descending=down, nulls_first=down),
    st.sampled_from("abc"),
    st.booleans(),
)
indexes = st.builds(
    lambda keys, include, predicate, unique, scans, clustered: Index(
        RelationName("public", "?"),
        T,
        "btree",
        tuple(keys),
        include=tuple(sorted(set(include) - {key.column for key in keys})),
        predicate=predicate,
        unique=unique,
        scans=scans,
        clustered=clustered,
    ),
    st.lists(keys, min_size=1, max_size=3, unique_by=lambda key: key.column),
    st.sets(st.sampled_from("cd"), max_size=2),
    st.sampled_from(("", "a > 1")),
    st.booleans(),
    st.sampled_from((None, 0, 7)),
    st.booleans(),
)
tables = st.lists(indexes, max_size=7).map(
    lambda made: [replace(index, relation=RelationName("public", f"i{n}")) for n, index in enumerate(made)]
)


@settings(max_examples=300, deadline=None)
@given(tables)
def test_each_that_may_go_leaves_one_that_does_the_same(there: list[Index]) -> None:
    kept = [index for index in there if not find_keepers(index, there)]
    for index in there:
        keepers = find_keepers(index, there)
        assert all(covers(as_change(keeper), replace(as_change(index), unique=False)) for keeper in keepers)
        if keepers:
            assert keepers[0] in kept, "the widest is needed itself"


@given(tables)
def test_the_order_of_the_catalog_decides_nothing(there: list[Index]) -> None:
    backwards = list(reversed(there))
    for index in there:
        assert find_keepers(index, there)[:1] == find_keepers(index, backwards)[:1]
