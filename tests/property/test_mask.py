"""No password gets through, however it is written."""

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgproof.postgres.dsn import MASK, mask, secrets_of, with_database

# A letter that occurs nowhere else in the texts below: what is left of a password can't hide among them.
PASSWORDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\0"), min_size=1, max_size=20
).map(lambda text: f"§{text}§")
MARK = "§"


@given(PASSWORDS)
def test_in_a_url(password: str) -> None:
    url = f"postgresql://app:{quote(password, safe='')}@db.example:5432/shop?sslmode=require"
    masked = mask(url)
    assert quote(MARK) not in masked
    assert masked == f"postgresql://app:{MASK}@db.example:5432/shop?sslmode=require"


@given(PASSWORDS.filter(lambda password: not set(password) & set("@ '\"\t\n/?#")))
def test_in_a_url_that_was_not_encoded(password: str) -> None:
    assert MARK not in mask(f"connection to postgresql://app:{password}@db/shop failed", (password,))


@given(PASSWORDS)
def test_in_key_value_form(password: str) -> None:
    assert MARK not in mask(make_conninfo(host="db", password=password, user="app"))


@given(PASSWORDS)
def test_as_a_parameter_of_a_url(password: str) -> None:
    assert quote(MARK) not in mask(f"postgresql:///shop?password={quote(password, safe='')}&user=app")


@given(PASSWORDS.filter(lambda password: len(password) > 3), st.text(max_size=10), st.text(max_size=10))
def test_in_a_message_that_repeats_it(password: str, before: str, after: str) -> None:
    before, after = before.replace(MARK, ""), after.replace(MARK, "")
    for form in (password, quote(password, safe=""), quote(password)):
        masked = mask(f"{before}{form}{after}", (password,))
        assert MARK not in masked
        assert quote(MARK) not in masked


@given(PASSWORDS)
def test_a_dsn_tells_its_own_secret(password: str) -> None:
    dsn = make_conninfo(host="db", password=password)
    assert password in secrets_of(dsn)
    assert MARK not in mask(f"server said: {password}", secrets_of(dsn))


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1), PASSWORDS)
def test_another_database_of_the_same_server(name: str, password: str) -> None:
    dsn = make_conninfo(host="db", port="5433", dbname="shop", password=password)
    assert conninfo_to_dict(with_database(dsn, name)) == {**conninfo_to_dict(dsn), "dbname": name}


def test_harmless_texts_stay_as_they_are() -> None:
    for text in (
        "host=db port=5432 dbname=shop user=app",
        "postgresql://app@db:5432/shop",
        "The password for db is wrong",
        "passwords: none",
    ):
        assert mask(text) == text


def test_a_short_password_does_not_tear_words_apart() -> None:
    assert mask("a database said a", ("a",)) == f"{MASK} database said {MASK}"
