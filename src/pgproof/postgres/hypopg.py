"""Hypothetical indexes of the HypoPG extension: they exist for the EXPLAIN of one session alone.

Nothing is stored and nobody else sees them, so a session that only reads will do. HypoPG 1.3 can make
indexes; since 1.4 it can also hide those that are there.

**Source**: HypoPG's install scripts 1.3.1 and 1.4.4.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pgproof.errors import CapabilityMissing, Unreachable, UsageError
from pgproof.model.relation import RelationName
from pgproof.postgres.session import Session
from pgproof.sqltext.quote import qualify

_HIDES_SINCE = (1, 4)


@dataclass(frozen=True, slots=True)
class Hypothetical:
    """An index that does not exist.

    Args:
        oid: By which it is dropped again.
        name: As plans show it.
    """

    oid: int
    name: str


class HypoPG:
    """What the extension does for one session. Made by `open_hypopg`.

    Attributes:
        version: Of the extension ("1.3.1").
    """

    def __init__(self, session: Session, version: str, schema: str) -> None:
        self._session = session
        self._schema = schema
        self.version = version

    @property
    def can_hide(self) -> bool:
        """Whether indexes that are there can be hidden."""
        return tuple(int(part) for part in self.version.split(".")[:2] if part.isdigit()) >= _HIDES_SINCE

    def create(self, statements: Sequence[str]) -> tuple[Hypothetical, ...]:
        """Make one index for each CREATE INDEX statement, in order.

        Raises:
            ServerError: HypoPG can't make one of them; those before it in the list may have been made.
        """
        if not statements:
            return ()
        rows = self._session.run(
            "SELECT /* pgproof */ made.indexrelid::text, made.indexname"
            " FROM pg_catalog.json_array_elements_text($1::pg_catalog.json)"
            " WITH ORDINALITY AS wanted(sql, place)"
            f" CROSS JOIN LATERAL {self._function('create_index')}(wanted.sql) AS made ORDER BY wanted.place",
            (json.dumps(statements),),
        ).rows
        return tuple(Hypothetical(int(oid), name) for oid, name in rows)

    def drop(self, indexes: Sequence[Hypothetical]) -> None:
        """Forget some of the indexes that were made."""
        self._for_each("drop_index", [index.oid for index in indexes])

    def reset(self) -> None:
        """Forget all indexes that were made."""
        self._session.run(f"SELECT /* pgproof */ {self._function('reset')}()")

    def hide(self, oids: Sequence[int]) -> None:
        """Hide indexes that exist from this session's EXPLAIN; only where `can_hide`."""
        self._for_each("hide_index", oids)

    def unhide(self, oids: Sequence[int]) -> None:
        """Show hidden indexes again."""
        self._for_each("unhide_index", oids)

    def oid_of(self, index: RelationName) -> int | None:
        """Return the number of an index that exists; None where there is none of that name."""
        found = self._session.value(
            "SELECT /* pgproof */ pg_catalog.to_regclass($1)::pg_catalog.oid::text",
            (qualify(index.schema, index.name),),
        )
        return None if found is None else int(found)

    def _for_each(self, function: str, oids: Sequence[int]) -> None:
        if oids:
            self._session.run(
                f"SELECT /* pgproof */ {self._function(function)}(wanted.oid)"
                " FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS wanted(oid)",
                (f"{{{','.join(map(str, oids))}}}",),
            )

    def _function(self, name: str) -> str:
        return qualify(self._schema, f"hypopg_{name}")


@contextmanager
def open_hypopg(session: Session) -> Iterator[HypoPG]:
    """Use the extension in a session for as long as the block lasts; nothing of it stays.

    It is never installed here: that is a change of the user's database, and theirs to make.

    Args:
        session: One that only reads and has a statement_timeout, straight to the server.

    Raises:
        UsageError: The session is another one.
        CapabilityMissing: The extension is not there; the hint says how to get it.
        Unreachable, ServerError: As the server says.
    """
    _demand_harmless(session)
    extension = _find(session)
    session.run("SET hypopg.enabled = on")
    extension.reset()
    try:
        yield extension
    finally:
        if not session.closed:
            extension.reset()


def _demand_harmless(session: Session) -> None:
    if session.pooled:
        raise Unreachable(
            f"{session.address} is a pooler that shares server sessions: hypothetical indexes would show up"
            " in other clients' plans.",
            hint="Give the address of the PostgreSQL server itself.",
        )
    if not session.read_only or session.value("SHOW statement_timeout") == "0":
        raise UsageError(
            "HypoPG is asked on a database in use: its session must only read and have a statement_timeout.",
            hint="Open it with read_only=True and statement_timeout_ms above 0.",
        )


def _find(session: Session) -> HypoPG:
    rows = session.query("extension_place", {"name": "hypopg"})
    if rows and rows[0].installed_version:
        return HypoPG(session, rows[0].installed_version, rows[0].schema_name)
    create = f"In database {session.database}, by a superuser:\n  CREATE EXTENSION hypopg;"
    without = "Or do without it: the shadow needs no extension."
    if rows:
        raise CapabilityMissing(
            f"HypoPG {rows[0].available_version} is on the server, but not installed in database"
            f" {session.database}.",
            hint=f"{create}\n{without}",
        )
    raise CapabilityMissing(
        f"The server at {session.address} does not have the extension HypoPG.",
        hint=f"Install its package on the server's host (Debian: postgresql-{session.major}-hypopg;"
        f" Red Hat: hypopg_{session.major}).\n{create}\n{without}",
    )
