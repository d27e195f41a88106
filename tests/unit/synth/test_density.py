"""A file that is longer than its rows need is made longer in the copy, too."""

import pytest

from pgproof.model.relation import RelationName
from pgproof.model.synthesis import SourceColumn, SourceTable, WholeStatistics
from pgproof.stages.synth.density import fill_percent

COLUMN = SourceColumn("v", 1, "text", "text", category="S", statistics=WholeStatistics(0, -1, 96))


@pytest.mark.parametrize(
    ("rows", "pages", "fillfactor", "wanted"),
    (
        (6_500, 100, 100, 100),  # 124 bytes a row: 65 rows a page, no bloat
        (3_250, 100, 100, 49),
        (650, 100, 100, 10),
        (4_550, 100, 70, 70),  # as full as its own setting says
        (10, 4, 100, 100),  # too small to tell
    ),
)
def test_pages_are_filled_as_in_the_source(rows: int, pages: int, fillfactor: int, wanted: int) -> None:
    table = SourceTable(RelationName("public", "t"), (COLUMN,), rows, pages, fillfactor=fillfactor)
    assert fill_percent(table) == wanted
