"""Connection strings that are shown again: copyable, and never with a password."""

import shlex

import pytest

from pgproof.postgres.dsn import has_secret, read_dsn, shell_argument


@pytest.mark.parametrize(
    ("dsn", "option", "expected"),
    [
        ("", "--to", ""),
        ("  ", "", ""),
        ("service=shop", "--to", " --to service=shop"),
        ("host=db1 dbname=shop", "--against", " --against 'host=db1 dbname=shop'"),
        ("host=db1 password=geheim dbname=shop", "", " 'dbname=shop host=db1'"),
        ("user='my reader' host=db1", "--to", """ --to "user='my reader' host=db1\""""),
        ("user='$HOME' host=db1", "", """ 'user='"'"'$HOME'"'"' host=db1'"""),
        ("postgresql://me@db1/shop?sslmode=require", "", " 'postgresql://me@db1/shop?sslmode=require'"),
        ("postgresql://me:ge%40heim@db1:5433/shop", "--to", " --to postgresql://me@db1:5433/shop"),
        ("postgresql://me@db1/shop?password=geheim", "", " 'user=me dbname=shop host=db1'"),
        ("postgresql://:geheim@db1/shop", "", " postgresql://@db1/shop"),
    ],
)
def test_a_target_for_the_next_command(dsn: str, option: str, expected: str) -> None:
    shown = shell_argument(dsn, option)
    assert shown == expected
    assert "heim" not in shown
    words = shlex.split(shown)
    if words:
        assert read_dsn(words[-1]) == {k: v for k, v in read_dsn(dsn).items() if k != "password"}
        assert not has_secret(words[-1])


def test_a_quote_in_a_password_is_no_way_out_of_it() -> None:
    dsn = r"host=db1 password='it\'s a secret' dbname=shop"
    assert has_secret(dsn)
    assert shell_argument(dsn) == " 'dbname=shop host=db1'"
