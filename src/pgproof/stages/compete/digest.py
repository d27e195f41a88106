"""A result's digest, computed by the server: how many rows, which rows, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgproof.postgres.session import Session

_DIGEST = """\
SELECT count(*)::text,
       coalesce(sum(pg_catalog.hashtextextended(pgproof_text COLLATE "C", 0)::numeric), 0)::text,
       coalesce(sum(pg_catalog.hashtextextended(
           pgproof_position || ' ' || pgproof_text COLLATE "C", 1)::numeric), 0)::text
FROM (SELECT row_number() OVER ()::text AS pgproof_position, pgproof_row::text AS pgproof_text
      FROM (
{sql}
) AS pgproof_row) AS pgproof_rows"""


@dataclass(frozen=True, slots=True)
class Digest:
    """What stands for a result.

    Args:
        rows: How many.
        multiset: Sum of all rows' 64-bit hashes: equal for the same rows in any order, duplicates counted.
        sequence: The same over (position, row): equal for the same rows in the same order.
    """

    rows: int
    multiset: str
    sequence: str


def read_digest(session: Session, sql: str, values: Sequence[str | None]) -> Digest:
    """Run a query and return its digest; the rows themselves stay on the server.

    A row is taken as a whole and in text form, so columns may have any type, any name, the same name twice or
    none at all. The names used here around the user's query can't clash with its own: they live outside it.

    Args:
        session: Where.
        sql: One SELECT (also VALUES, TABLE, WITH ... SELECT) with ``$1``... placeholders.
        values: ``$1`` first.

    Raises:
        ServerError: As the server says.
    """
    # a line of its own for the query: it may end in a comment
    result = session.run(_DIGEST.format(sql=sql), values, as_text=True)
    rows, multiset, sequence = result.rows[0]
    return Digest(int(rows), multiset, sequence)
