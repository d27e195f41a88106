"""The database that gets synthetic rows: an empty one, and again empty if something goes wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pgproof.errors import Refused, ServerError
from pgproof.model.progress import Progress
from pgproof.postgres.session import Row, Session, open_session

_NOT_VALID = " NOT VALID"


def demand_empty(source: Session, destination: Session) -> None:
    """Refuse a database that holds anything, and the source itself.

    Raises:
        Refused: It does, or it is.
    """
    if source.query("synthesis_identity")[0] == destination.query("synthesis_identity")[0]:
        raise Refused(
            "The database to fill is the source itself.",
            hint="Make an empty database (createdb), best on another server, and name that.",
        )
    found = [row.object_name for row in destination.query("synthesis_contents")]
    if found:
        names = ", ".join(found[:3]) + (" and more" if len(found) > 3 else "")
        raise Refused(
            f"The database {destination.database} is not empty, it holds {names}; made-up rows must not mix "
            "with anything.",
            hint="Make an empty database (createdb) and name that.",
        )


@contextmanager
def emptied_on_failure(dsn: str, *, keep: bool = False) -> Iterator[None]:
    """Remove all that a block put into an empty database, if the block doesn't come to its end.

    Args:
        dsn: The database.
        keep: Leave it there all the same.
    """
    with open_session(dsn, read_only=False) as session:
        before = session.query("synthesis_surroundings")[0]
    try:
        yield
    except BaseException:
        if not keep:
            with suppress(ServerError), open_session(dsn, read_only=False, statement_timeout_ms=0) as session:
                _remove(session, before)
        raise


def _remove(session: Session, before: Row) -> None:
    known = {"schemas": list(before.schemas), "extensions": list(before.extensions)}
    for row in session.query("synthesis_leftovers", known):
        with suppress(ServerError):  # it went with something else
            session.run(row.statement)


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint that was taken away for a while.

    Args:
        owner: "TABLE name" or "DOMAIN name", quoted.
        name: Quoted.
        definition: As the server writes it.
    """

    owner: str
    name: str
    definition: str


def take_checks(session: Session) -> tuple[Check, ...]:
    """Drop the CHECK constraints of all tables and domains, and return them."""
    found = tuple(
        Check(f"{row.object_kind} {row.object_name}", row.constraint_name, row.definition)
        for row in session.query("synthesis_checks")
    )
    for check in found:
        session.run(f"ALTER {check.owner} DROP CONSTRAINT {check.name}")
    return found


def return_checks(session: Session, checks: Sequence[Check], progress: Progress) -> tuple[str, ...]:
    """Add CHECK constraints again; one that made-up rows violate holds for later rows only.

    Returns:
        What is not as it was, in order.
    """
    notes = []
    for done, check in enumerate(checks):
        progress("adding checks", done, len(checks))
        add = f"ALTER {check.owner} ADD CONSTRAINT {check.name} {check.definition}"
        try:
            session.run(add)
        except ServerError as error:
            notes.append(f"{check.owner.lower().replace('table ', '')}: some rows violate {check.name}")
            if not error.sqlstate.startswith("23") or check.definition.endswith(_NOT_VALID):
                continue
            with suppress(ServerError):
                session.run(add + _NOT_VALID)
    return tuple(notes)
