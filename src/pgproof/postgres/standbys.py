"""Looks for standbys, whose use of an index this server does not see."""

from __future__ import annotations

from pgproof.model.drop import Standbys
from pgproof.postgres.session import Session


def read_standbys(session: Session) -> Standbys:
    """Count the standbys that stream from this server, and those that are expected back.

    Standbys fed from a log archive, and readers that a cloud provider keeps beside the server, don't show.

    Raises:
        Unreachable, ServerError: As the server says.
    """
    (row,) = session.query("standbys")
    return Standbys(connected=row.connected, slots=row.idle_slots)
