"""The copy of a rollout's journal that the target itself keeps, in its schema ``pgproof``."""

from __future__ import annotations

from pgproof.errors import CapabilityMissing
from pgproof.model.rollout import JournalEntry, JournalEvent
from pgproof.postgres.query_files import OWN_STATEMENT
from pgproof.postgres.session import Session

# One statement each, so that both happen as a whole or not at all.
_CREATE = """
DO $$
BEGIN
  CREATE SCHEMA IF NOT EXISTS pgproof;
  COMMENT ON SCHEMA pgproof IS 'What pgproof changed in this database; removed with its last rollout';
  CREATE TABLE pgproof.journal (
    rollout_id text NOT NULL,
    sequence integer NOT NULL,
    at timestamptz NOT NULL,
    event text NOT NULL,
    change integer NOT NULL,
    step integer NOT NULL,
    direction text NOT NULL,
    sql text NOT NULL,
    detail text NOT NULL,
    elapsed_ms double precision NOT NULL,
    previous_hash text NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (rollout_id, sequence)
  );
  CREATE FUNCTION pgproof.refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''the journal of pgproof is append-only''; END';
  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON pgproof.journal
    FOR EACH STATEMENT EXECUTE FUNCTION pgproof.refuse_change();
END $$"""

_REMOVE = """
DO $$
BEGIN
  DROP TABLE pgproof.journal;
  DROP FUNCTION pgproof.refuse_change();
  DROP SCHEMA pgproof;
END $$"""

_INSERT = (
    f"INSERT {OWN_STATEMENT} INTO pgproof.journal VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
)


def prepare_target_journal(session: Session) -> str:
    """Make the target's journal where there is none.

    Returns:
        Empty when it can be written to; else why not, in one sentence: the ledger alone keeps it then.
    """
    state = session.query("target_journal_state")[0]
    if state.has_journal and state.may_write:
        return ""
    if state.has_journal:
        return (
            f"Role {session.user} may not write to pgproof.journal in {session.database}: only the ledger"
            " keeps the journal."
        )
    if state.has_schema or not state.may_create_schema:
        return (
            f"Role {session.user} may not make schema pgproof in {session.database}: only the ledger keeps"
            " the journal."
        )
    try:
        session.run(_CREATE)
    except CapabilityMissing as error:
        return f"The target keeps no journal: {error.message}"
    return ""


def append_target_journal(session: Session, rollout_id: str, entry: JournalEntry) -> None:
    """Add a line; ServerError when it is there already."""
    values = (
        rollout_id,
        str(entry.sequence),
        entry.at.isoformat(),
        entry.event.value,
        str(entry.change),
        str(entry.step),
        entry.direction,
        entry.sql,
        entry.detail,
        repr(entry.elapsed_ms),
        entry.previous_hash,
        entry.hash,
    )
    session.run(_INSERT, values)


def read_target_journal(session: Session, rollout_id: str) -> tuple[JournalEntry, ...]:
    """Return the target's lines of a rollout, in order; empty when it keeps none or may not be read."""
    state = session.query("target_journal_state")[0]
    if not state.has_journal or not state.may_write:
        return ()
    return tuple(
        JournalEntry(
            row.sequence,
            row.at,
            JournalEvent(row.event),
            row.change,
            row.step,
            row.direction,
            row.sql,
            row.detail,
            row.elapsed_ms,
            row.previous_hash,
            row.hash,
        )
        for row in session.query("target_journal_lines", {"rollout_id": rollout_id})
    )


def remove_target_journal(session: Session) -> bool:
    """Remove the target's journal and its schema when no rollout has traces in this database any more.

    Returns:
        Whether the target is without schema ``pgproof`` now.

    Raises:
        ServerError: Somebody put objects of their own into the schema; nothing was removed.
    """
    state = session.query("target_journal_state")[0]
    if not state.has_journal:
        return not state.has_schema
    if not state.may_write or not state.may_remove or session.query("target_journal_live"):
        return False
    session.run(_REMOVE)
    return True
