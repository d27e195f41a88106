"""Which columns an expression reads."""

import pytest

from pgproof.sqltext.mentions import mentions


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("status = 'open'", "status", True),
        ("status = 'open'", "open", False),
        ("paid_at IS NULL", "paid", False),
        ("lower(email)", "email", True),
        ('lower("E-Mail")', "E-Mail", True),
        ('"isRead" = false', "isRead", True),
        ('"isRead" = false', "isread", False),
        ('"select" > 1', "select", True),
        ("", "a", False),
    ],
)
def test_mentions(text: str, column: str, expected: bool) -> None:
    assert mentions(text, column) is expected
