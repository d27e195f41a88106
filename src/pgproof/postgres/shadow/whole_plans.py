"""An ordinary session on a shadow, for those who want whole plans of the database as it is.

`Lane` is for prices by the thousand; this is for the few plans somebody reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pgproof.postgres.session import Session, open_session
from pgproof.postgres.shadow.files import Extent
from pgproof.postgres.shadow.lanes import laid_out_copy, planner_settings_of
from pgproof.postgres.shadow.server import Shadow, failures_told
from pgproof.sqltext.quote import quote_identifier


@contextmanager
def open_plan_session(shadow: Shadow, database: str, extents: Sequence[Extent]) -> Iterator[Session]:
    """Copy a database, give the files their length, and open a session with the target's planner settings.

    Args:
        shadow: It runs there.
        database: A workshop's; nobody may be connected to it.
        extents: How long each relation's file is to be.

    Yields:
        A read-only session that finds names as the target's role does, and plans under the row security that
        holds for it; else as the superuser, so that writes can be planned too.

    Raises:
        EmbeddedServerError: The file system can't hold files with holes of that length.
        Unreachable, ServerError: The shadow is gone.
    """
    source = shadow.source
    path = ", ".join(quote_identifier(schema) for schema in source.search_path) or '""'
    settings = {**planner_settings_of(shadow), "search_path": path}
    if source.guarded:
        settings["role"] = source.user  # the last one: it may not set everything
    with (
        failures_told("asking the shadow"),
        laid_out_copy(shadow, database, extents) as name,
        open_session(shadow.server.dsn(name)) as session,
    ):
        for setting, value in settings.items():
            session.value("SELECT pg_catalog.set_config($1, $2, false)", (setting, value))
        yield session
