"""pgproof: make a slow PostgreSQL fast, and prove it."""

__version__ = "0.1.0"
