"""Gives new indexes on expressions their statistics, and leaves every other statistic as it was.

ANALYZE gathers those only together with all of the table's. On an arm that would renew what the variant has
nothing to do with, and it would seem to win by that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pgproof.model.relation import RelationName
from pgproof.postgres.session import Session
from pgproof.sqltext.quote import qualify

_OF_COLUMNS = "pg_catalog.pg_statistic"
_OF_COMBINATIONS = "pg_catalog.pg_statistic_ext_data"
_OBJECTS = "(SELECT oid FROM pg_catalog.pg_statistic_ext WHERE stxrelid = ANY ($1::oid[]))"
_FIGURES = ("relpages", "reltuples", "relallvisible")
_KEPT = "pg_temp.pgproof_kept"


def analyze_expressions(session: Session, table: RelationName, indexes: Sequence[str]) -> None:
    """Analyse a table for the sake of some of its indexes alone.

    Args:
        session: Of a superuser, on a clone nobody else uses; inside a transaction or outside of one.
        table: Its partitions and children are analysed with it.
        indexes: Names, in the table's schema, of those that are to get statistics.

    Raises:
        ServerError: As the server says; the statistics may all be new then.
    """
    of_family = {"schema": table.schema, "table": table.name, "indexes": list(indexes)}
    family = session.query("index_family", of_family)
    kept = "{" + ",".join(str(row.relation) for row in family if not row.is_fresh) + "}"
    with _put_back(session, kept):
        session.run(f"ANALYZE {qualify(table.schema, table.name)}")


@contextmanager
def _put_back(session: Session, relations: str) -> Iterator[None]:
    """Keep the statistics of relations, and put them back after the block.

    Args:
        session: See `analyze_expressions`.
        relations: Their numbers, as an array's text.
    """
    sources = (
        ("columns", _OF_COLUMNS, "starelid = ANY ($1::oid[])"),
        ("combinations", _OF_COMBINATIONS, f"stxoid IN {_OBJECTS}"),
    )
    # Values of a column are stored as anyarray, which no ordinary table may have.
    session.run("SET allow_system_table_mods = on")
    for name, source, which in sources:
        # CREATE TABLE AS takes no parameters.
        literal = which.replace("$1", f"'{relations}'")
        session.run(f"CREATE TEMPORARY TABLE pgproof_kept_{name} AS SELECT * FROM {source} WHERE {literal}")
    columns = ", ".join(("oid", *_FIGURES))
    session.run(
        f"CREATE TEMPORARY TABLE pgproof_kept_figures AS SELECT {columns} FROM pg_catalog.pg_class "
        f"WHERE oid = ANY ('{relations}'::oid[])"
    )
    yield
    for name, source, which in sources:
        session.run(f"DELETE FROM {source} WHERE {which}", (relations,))
        session.run(f"INSERT INTO {source} SELECT * FROM {_KEPT}_{name}")
        session.run(f"DROP TABLE {_KEPT}_{name}")
    assignments = ", ".join(f"{column} = k.{column}" for column in _FIGURES)
    # Of all of them, also where nothing differs: it is this that makes sessions forget the new ones.
    session.run(
        f"UPDATE pg_catalog.pg_class AS c SET {assignments} FROM {_KEPT}_figures AS k WHERE k.oid = c.oid"
    )
    session.run(f"DROP TABLE {_KEPT}_figures")
    session.run("RESET allow_system_table_mods")
