"""Whose server it is: on a managed service, configuration has its own place, and ALTER SYSTEM none."""

from __future__ import annotations

from dataclasses import dataclass

from pgproof.model.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Platform:
    """A service that runs PostgreSQL for others.

    Args:
        name: As its maker calls it.
        place: Where its configuration is set, after "in".
    """

    name: str
    place: str


_BY_PREFIX = {
    "rds.": Platform("Amazon RDS or Aurora", "the DB parameter group"),
    "cloudsql.": Platform("Google Cloud SQL", "the instance's database flags"),
    "alloydb.": Platform("Google AlloyDB", "the instance's database flags"),
    "azure.": Platform("Azure Database for PostgreSQL", "the server's parameters"),
    "neon.": Platform("Neon", "the project's compute settings"),
    "supautils.": Platform(
        "Supabase", "the project's Postgres configuration (supabase postgres-config update)"
    ),
}
"""Settings that only these services' servers have, by how their names begin."""


def platform_of(catalog: Catalog) -> Platform | None:
    """Return the service that runs a server; None where there is none, or where the role is a superuser."""
    if catalog.superuser:
        return None
    names = [setting.name for setting in catalog.settings if "." in setting.name]
    return next(
        (service for prefix, service in _BY_PREFIX.items() if any(name.startswith(prefix) for name in names)),
        None,
    )
