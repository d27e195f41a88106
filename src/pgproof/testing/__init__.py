"""Fakes and fixtures for tests that need a PostgreSQL server; our own tests use them too."""
