"""Which file serves which version."""

import pytest

from pgproof.postgres.query_files import OWN_STATEMENT, choose_file, load_query

NAMES = ("io.pg16.sql", "io.pg18.sql", "io.sql", "late.pg17.sql", "other.sql")


@pytest.mark.parametrize(
    ("query", "major", "chosen"),
    [
        ("io", 13, "io.sql"),
        ("io", 15, "io.sql"),
        ("io", 16, "io.pg16.sql"),
        ("io", 17, "io.pg16.sql"),
        ("io", 18, "io.pg18.sql"),
        ("io", 21, "io.pg18.sql"),
        ("late", 17, "late.pg17.sql"),
    ],
)
def test_the_highest_version_not_above_the_servers_wins(query: str, major: int, chosen: str) -> None:
    assert choose_file(NAMES, query, major) == chosen


@pytest.mark.parametrize(("query", "major"), [("late", 16), ("none", 18), ("i", 18)])
def test_no_file_serves(query: str, major: int) -> None:
    with pytest.raises(KeyError):
        choose_file(NAMES, query, major)


def test_our_own_statements_are_marked_behind_their_first_word() -> None:
    assert load_query("session", 18).startswith(f"SELECT {OWN_STATEMENT} pg_backend_pid()")
    assert load_query("columns", 18).startswith(f"WITH {OWN_STATEMENT} RECURSIVE")
