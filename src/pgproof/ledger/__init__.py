"""Append-only memory of runs and rollouts, in an SQLite file or on PostgreSQL."""

from pgproof.ledger.ledger import Ledger, Run, open_ledger

__all__ = ["Ledger", "Run", "open_ledger"]
