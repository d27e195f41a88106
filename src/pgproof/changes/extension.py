"""Install an extension that a later change needs."""

from __future__ import annotations

from pgproof.changes.kind import Kind
from pgproof.changes.table_guard import refuse_server
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, CreateExtension, LockMode, Refusal, Step
from pgproof.sqltext.quote import quote_identifier, quote_literal

PACKAGE_OF_EXTENSION = {
    "vector": "postgresql-{major}-pgvector",
    "hypopg": "postgresql-{major}-hypopg",
    "postgis": "postgresql-{major}-postgis-3",
    "pg_partman": "postgresql-{major}-partman",
    "rum": "postgresql-{major}-rum",
}
"""Debian and Ubuntu packages (apt.postgresql.org naming); all others are taken to be contrib modules."""


def _apply(change: CreateExtension, _: Catalog | None) -> tuple[Step, ...]:
    schema = f" SCHEMA {quote_identifier(change.schema)}" if change.schema else ""
    return (
        Step(
            sql=f"CREATE EXTENSION {quote_identifier(change.name)}{schema}",
            lock_mode=LockMode.NONE,
            transactional=True,
            purpose=f"install extension {change.name}",
        ),
    )


def _revert(change: CreateExtension, _: Catalog | None) -> tuple[Step, ...]:
    # Without CASCADE: what others built on it since then must not go with it.
    return (
        Step(
            sql=f"DROP EXTENSION {quote_identifier(change.name)}",
            lock_mode=LockMode.NONE,
            transactional=True,
            purpose=f"remove extension {change.name}",
        ),
    )


def _verify(change: CreateExtension) -> tuple[Step, ...]:
    name = quote_literal(change.name)
    return (
        Step(
            sql="SELECT /* pgproof */ pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 AS verified"
            f" FROM pg_catalog.pg_extension WHERE extname = {name}",
            lock_mode=LockMode.NONE,
            transactional=True,
            purpose=f"extension {change.name} is installed",
            verifies=True,
        ),
    )


def _simulate(change: CreateExtension) -> tuple[Step, ...]:
    return _apply(change, None)


def _refuse(change: CreateExtension, catalog: Catalog, _: tuple[Change, ...]) -> tuple[Refusal, ...]:
    refusals = [*refuse_server(catalog)]
    extension = catalog.extension(change.name)
    create = _apply(change, None)[0].sql
    if extension is None:
        package = PACKAGE_OF_EXTENSION.get(change.name, "postgresql-contrib").format(major=catalog.major)
        refusals.append(
            Refusal(
                f"The server has no extension {change.name} to install: its files are missing.",
                f"Install the operating system package that brings it on the server ({package} on Debian and"
                " Ubuntu; on a managed service, look it up in the list of supported extensions).",
            )
        )
    elif not extension.installed_version and not catalog.superuser and not extension.trusted:
        refusals.append(
            Refusal(
                f"Extension {change.name} is not a trusted one, and role {catalog.user} is no superuser: the"
                " server will not let it install the extension.",
                f"Let a superuser run, in database {catalog.database}:\n  {create};",
            )
        )
    return tuple(refusals)


def _is_so(change: CreateExtension, catalog: Catalog) -> bool:
    extension = catalog.extension(change.name)
    return extension is not None and bool(extension.installed_version)


def _describe(change: CreateExtension) -> str:
    return f"install extension {change.name}"


CREATE_EXTENSION = Kind(
    change=CreateExtension,
    apply=_apply,
    revert=_revert,
    verify=_verify,
    simulate=_simulate,
    refuse=_refuse,
    is_so=_is_so,
    describe=_describe,
)
