"""What holds for every proposal."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from pgproof.changes.index_cover import covers
from pgproof.model.candidate import Ambition, IndexSet
from pgproof.model.change import CreateIndex
from pgproof.model.units import PlannerCost
from pgproof.stages.propose.combine import propose_variants
from pgproof.stages.propose.indexes import propose_indexes
from pgproof.stages.propose.naming import Names
from tests.builders import catalog, column, index, table, workload

COLUMNS = ("a", "Übername", "select", "long_" * 12, "b")
TABLE = table("Größe", *(column(name, "text", distinct=-0.1, width=12) for name in COLUMNS))
KNOWN = catalog(TABLE, indexes=[index("Größe", "a", unique=True), index("Größe", "b", "a")])
NAMES = st.sampled_from(COLUMNS)


@st.composite
def statements(draw: st.DrawFn) -> str:
    conditions = [
        f'"{draw(NAMES)}" {draw(st.sampled_from(["= $1", "> $1", "IS NULL", "IN ($1, $2)", "LIKE $1"]))}'
        for _ in range(draw(st.integers(0, 3)))
    ]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    orders = [
        f'"{draw(NAMES)}" {draw(st.sampled_from(["ASC", "DESC"]))}' for _ in range(draw(st.integers(0, 2)))
    ]
    order = f" ORDER BY {', '.join(orders)} LIMIT 5" if orders else ""
    return f'SELECT "{draw(NAMES)}" FROM "Größe"{where}{order}'


WORKLOADS = st.lists(statements(), min_size=1, max_size=5).map(lambda texts: workload(*texts))


@settings(max_examples=60, deadline=None)
@given(asked=WORKLOADS, width=st.integers(1, 4))
def test_candidates_are_well_formed(asked, width) -> None:
    found = propose_indexes(KNOWN, asked, max_width=width)
    assert found == propose_indexes(KNOWN, asked, max_width=width)
    names = [candidate.name for candidate in found]
    assert len(set(names)) == len(names)
    assert all(len(name.encode()) <= 63 for name in names)
    assert {existing.relation.name for existing in KNOWN.indexes}.isdisjoint(names)
    for candidate in found:
        columns = [key.column for key in candidate.change.keys if key.column]
        assert len(candidate.change.keys) <= width
        assert len(set(columns) | set(candidate.change.include)) == len(columns) + len(
            candidate.change.include
        )
        assert candidate.statements


@settings(max_examples=40, deadline=None)
@given(asked=WORKLOADS, data=st.data())
def test_no_variant_holds_a_redundant_pair(asked, data) -> None:
    found = propose_indexes(KNOWN, asked)
    if not found:
        return
    names = data.draw(st.lists(st.sampled_from([c.name for c in found]), min_size=1, unique=True))
    some = IndexSet(Ambition.BALANCED, tuple(names), PlannerCost(2), PlannerCost(1), 1, PlannerCost(0))
    (variant,) = propose_variants(KNOWN, found, [some])
    built = [change for change in variant.changes if isinstance(change, CreateIndex)]
    assert not any(covers(one, other) for one, other in permutations(built, 2))
    chosen = [candidate.change for candidate in found if candidate.name in names]
    assert all(any(covers(kept, index) for kept in built) for index in chosen)


@given(
    st.lists(st.tuples(st.text(min_size=1).filter(lambda t: "\0" not in t), st.lists(st.text(), max_size=3)))
)
def test_names_fit_and_differ(requests) -> None:
    names = Names(KNOWN)
    made = [names.new(name.encode(errors="ignore").decode() or "t", parts) for name, parts in requests]
    assert len(set(made)) == len(made)
    assert all(len(name.encode(errors="surrogatepass")) <= 63 for name in made)
