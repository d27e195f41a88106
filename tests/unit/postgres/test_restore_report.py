"""What pg_restore 18 wrote while it loaded dumps of PostgreSQL 15 and 18."""

from pgproof.postgres.restore_report import find_skipped, find_tables_without_rows

COMPLAINTS = """\
pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"
Command was: SET transaction_timeout = 0;
pg_restore: error: could not execute query: ERROR:  relation "bad" already exists
Command was: CREATE TABLE public.bad (
    a integer
);


pg_restore: error: could not execute query: ERROR:  column "a" of relation "bad" does not exist
Command was: COPY public.bad (a) FROM stdin;
pg_restore: error: could not execute query: ERROR:  role "app user" does not exist
Command was: CREATE POLICY "po l" ON "S p"."t a" TO "app user" USING (true);


pg_restore: error: COPY failed for table "card": ERROR:  invalid input syntax for type integer: "4111-1111"
CONTEXT:  COPY card, line 1, column number: "4111-1111"
pg_restore: error: could not execute query: ERROR:  role "app user" does not exist
Command was: CREATE POLICY "po l" ON "S p"."t a" TO "app user" USING (true);
pg_restore: warning: errors ignored on restore: 6
"""


def test_each_skipped_object_is_named_once_with_its_reason() -> None:
    assert find_skipped(COMPLAINTS) == (
        'CREATE TABLE public.bad: relation "bad" already exists',
        'rows of table public.bad: column "a" of relation "bad" does not exist',
        'CREATE POLICY "po l" ON "S p"."t a" TO "app user" USING (true): role "app user" does not exist',
        "rows of table card: invalid input syntax for type integer: (value left out)",
    )


def test_a_setting_that_an_older_server_lacks_is_no_loss() -> None:
    assert find_skipped("\n".join(COMPLAINTS.splitlines()[:2])) == ()


def test_tables_whose_rows_are_missing() -> None:
    assert find_tables_without_rows(COMPLAINTS) == ("public.bad", "card")


def test_no_row_value_gets_through() -> None:
    assert "4111" not in " ".join((*find_skipped(COMPLAINTS), *find_tables_without_rows(COMPLAINTS)))


def test_a_clean_restore_skips_nothing() -> None:
    assert find_skipped("") == find_tables_without_rows("") == ()
