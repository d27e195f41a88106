"""What an UPDATE of a table with children writes into the indexes of each child."""

from dataclasses import replace

import pytest

from pgproof.model.change import CreateIndex
from pgproof.model.relation import IndexKey, Table
from pgproof.model.units import PlannerCost
from pgproof.stages.estimate.costs import StatementCost
from pgproof.stages.estimate.weights import find_writes, write_penalty
from pgproof.stages.propose.reading import read_workload
from pgproof.stages.propose.upkeep import read_writes, upkeep_of
from tests.builders import catalog, column, index, statement, table, workload

PARENT = table("reading", column("id"), column("value"), rows=0)


def heir(name: str, rows: float, of: Table = PARENT) -> Table:
    return replace(table(name, *PARENT.columns, rows=rows), inherits=(of.relation,))


OLD, NEW = heir("reading_25", 30_000), heir("reading_26", 10_000)
LATE = heir("reading_26_late", 0, NEW)
OWN = index("reading_25", "value")
KNOWN = catalog(PARENT, OLD, NEW, LATE, indexes=(OWN,))
UPDATE = statement("UPDATE reading SET value = 1", calls=100)
INSERT = statement("INSERT INTO reading VALUES (1, 2)", calls=100)


def penalty(on: Table, change: str) -> float:
    asked = statement(change, calls=100)
    costs = {asked.name: StatementCost(PlannerCost(1.0), frozenset())}
    new = CreateIndex(on.relation, "new", (IndexKey(column="value"),))
    return write_penalty(new, find_writes([asked], KNOWN, costs))


def test_each_child_pays_by_its_share_of_the_rows() -> None:
    assert penalty(OLD, UPDATE.query.sql) == pytest.approx(3 * penalty(NEW, UPDATE.query.sql))
    assert penalty(NEW, UPDATE.query.sql) > 0
    assert penalty(LATE, UPDATE.query.sql) == 0


def test_an_insert_stays_where_it_was_sent() -> None:
    assert penalty(PARENT, INSERT.query.sql) > 0
    assert penalty(OLD, INSERT.query.sql) == 0


def test_an_existing_index_of_a_child_is_kept_up_by_the_parents_update() -> None:
    writes = read_writes(KNOWN, read_workload(KNOWN, workload(UPDATE)))
    assert upkeep_of(OWN, KNOWN, writes).statements == (UPDATE.name,)


def test_children_of_children_are_found_from_both_ends() -> None:
    assert {one.relation.name for one in KNOWN.heirs_of(PARENT.relation)} == {
        "reading_25",
        "reading_26",
        "reading_26_late",
    }
    assert KNOWN.ancestors_of(LATE) == (NEW.relation, PARENT.relation)
