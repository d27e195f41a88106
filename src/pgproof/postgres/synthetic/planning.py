"""Plans a copy's statements with its source's planner settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from pgproof.errors import ServerError
from pgproof.postgres.session import Session, open_session
from pgproof.postgres.shadow.planner_settings import choose_settings
from pgproof.sqltext.quote import quote_identifier


@contextmanager
def open_copy(dsn: str, settings: Mapping[str, str], search_path: Sequence[str]) -> Iterator[Session]:
    """Open a read-only session on a copy that plans as its source does.

    Args:
        dsn: Of the copy.
        settings: The source's, name and value in base units.
        search_path: The source's schemas in order.

    Raises:
        Unreachable, ServerError: As the server says.
    """
    path = ", ".join(map(quote_identifier, search_path)) or '""'
    with open_session(dsn) as session:
        chosen = {**choose_settings(settings, session.query("planner_settings")), "search_path": path}
        for name, value in chosen.items():
            with suppress(ServerError):  # some only a superuser may change
                session.value("SELECT pg_catalog.set_config($1, $2, false)", (name, value))
        yield session
