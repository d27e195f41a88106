"""Append-only memory of runs and rollouts, in an SQLite file or on PostgreSQL."""

from pgproof.ledger.ledger import Ledger, Run, new_run_id, open_ledger, verify_journal

__all__ = ["Ledger", "Run", "new_run_id", "open_ledger", "verify_journal"]
