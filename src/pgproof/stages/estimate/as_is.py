"""The shadow as the database is, without a candidate: for plans that somebody reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pgproof.model.catalog import Catalog
from pgproof.model.progress import Progress, ignore_progress
from pgproof.postgres.session import Session
from pgproof.postgres.shadow.lanes import open_workshop
from pgproof.postgres.shadow.server import Shadow
from pgproof.postgres.shadow.whole_plans import open_plan_session
from pgproof.stages.estimate.hypothetical import make_hypotheses


@contextmanager
def open_as_is(shadow: Shadow, catalog: Catalog, progress: Progress = ignore_progress) -> Iterator[Session]:
    """Open a session that plans statements as the target would, for as long as the block lasts.

    Args:
        shadow: From `pgproof.postgres.shadow.server.open_shadow`.
        catalog: Of the same target.
        progress: Told of each part.

    Raises:
        EmbeddedServerError: The file system can't hold files with holes.
        Unreachable, ServerError: The shadow is gone.
    """
    with open_workshop(shadow) as workshop:
        found = make_hypotheses(workshop, catalog, shadow.source.pages, (), (), progress)
        workshop.close()
        with open_plan_session(shadow, workshop.name, found.extents) as session:
            yield session
