from __future__ import annotations

import pytest

from pgproof.sqltext.rewrite import with_sort_keys


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "SELECT a, b + 1 AS x FROM t ORDER BY x DESC, c NULLS FIRST LIMIT 5",
            "SELECT a, b + 1 AS x, b + 1 AS pgproof_sort_key_1, c AS pgproof_sort_key_2 FROM t "
            "ORDER BY x DESC, c NULLS FIRST LIMIT 5",
        ),
        (
            "SELECT a, count(*) FROM t GROUP BY a ORDER BY 2 DESC, max(b)",
            "SELECT a, count(*), count(*) AS pgproof_sort_key_1, max(b) AS pgproof_sort_key_2 "
            "FROM t GROUP BY a ORDER BY 2 DESC, max(b)",
        ),
        ("SELECT * FROM t ORDER BY a", "SELECT *, a AS pgproof_sort_key_1 FROM t ORDER BY a"),
        ("SELECT t.* FROM t JOIN s USING (k) ORDER BY a", None),
        (
            "SELECT t.* FROM t JOIN s USING (k) ORDER BY s.a",
            "SELECT t.*, s.a AS pgproof_sort_key_1 FROM t JOIN s USING (k) ORDER BY s.a",
        ),
        ("SELECT * FROM t ORDER BY 1", None),
        ("SELECT a FROM t", None),
        ("SELECT DISTINCT a FROM t ORDER BY a", None),
        ("SELECT a FROM t UNION SELECT b FROM s ORDER BY 1", None),
        ("VALUES (2), (1) ORDER BY 1", None),
        ("DELETE FROM t", None),
    ],
)
def test_sort_keys_are_selected(sql: str, expected: str | None) -> None:
    assert with_sort_keys(sql) == expected
