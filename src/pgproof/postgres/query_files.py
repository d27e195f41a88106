"""Finds the SQL of a catalog query for a server's major version."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

OWN_STATEMENT = "/* pgproof */"
"""Stands in every statement of ours, so that a captured workload does without them."""

# The server drops comments before the first word from some texts, hence the mark goes behind it.
_HEAD = re.compile(r"\A(?:--.*\n)*(?P<word>\w+)")
_NAME = re.compile(r"(?P<name>[a-z_]+)(?:\.pg(?P<major>\d+))?\.sql\Z")


def choose_file(names: tuple[str, ...], query: str, major: int) -> str:
    """Choose among file names: ``QUERY.pgNN.sql`` serves NN and later, ``QUERY.sql`` all; highest NN wins.

    Raises:
        KeyError: No file of that query serves the version.
    """
    versions = {int(m["major"] or 0): m.string for m in map(_NAME.match, names) if m and m["name"] == query}
    served = [version for version in versions if version <= major]
    if not served:
        raise KeyError(f"{query} for PostgreSQL {major}")
    return versions[max(served)]


@lru_cache(maxsize=1)
def list_files() -> tuple[str, ...]:
    """Return the names of all query files, sorted."""
    folder = files("pgproof.postgres") / "queries"
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql")))


@lru_cache(maxsize=256)
def load_query(query: str, major: int) -> str:
    """Return the SQL text of a query for a major version, marked as ours for pg_stat_statements.

    Raises:
        KeyError: There is no such query for that version.
    """
    name = choose_file(list_files(), query, major)
    text = (files("pgproof.postgres") / "queries" / name).read_text(encoding="utf-8")
    return _HEAD.sub(rf"\g<word> {OWN_STATEMENT}", text, count=1)
