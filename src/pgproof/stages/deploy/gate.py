"""Everything that must be so before a target is touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgproof.changes import all_refusals
from pgproof.changes.index import planned_indexes
from pgproof.errors import Refused
from pgproof.model.catalog import Catalog
from pgproof.model.change import (
    Change,
    CreateIndex,
    CreateMaterializedView,
    CreateStatistics,
    DropIndex,
    Refusal,
)
from pgproof.model.relation import RelationName
from pgproof.postgres.session import Session
from pgproof.postgres.watchdog import Blocker
from pgproof.sqltext.quote import qualify, quote_identifier


@dataclass(frozen=True, slots=True)
class GateLimits:
    """When open transactions of others stop a rollout.

    Args:
        warn_transaction_age_s: An older one is named as a warning.
        refuse_transaction_age_s: An older one refuses the rollout: an index build would wait for it. The same
            half hour after which the watchdog would give up.
    """

    warn_transaction_age_s: float = 5.0
    refuse_transaction_age_s: float = 1_800.0


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the gate found.

    Args:
        refusals: Reasons not to start, each once; empty when it may.
        warnings: What makes it slower or can't be known from here.
    """

    refusals: tuple[Refusal, ...]
    warnings: tuple[str, ...]


def preflight(
    session: Session, catalog: Catalog, changes: tuple[Change, ...], limits: GateLimits
) -> Preflight:
    """Look for anything that speaks against making changes now. Reads only.

    That the connection is direct, and that no other pgproof is at work, was seen when the target was opened.

    Args:
        session: Of the target.
        catalog: Read just now.
        changes: What is planned; what is so already left out.
        limits: How old others' transactions may be.
    """
    found = [*all_refusals(changes, catalog)]
    found += _refuse_schemas(session, catalog, changes)
    found += _refuse_names(catalog, changes)
    waits = _old_transactions(session, limits) if _waits_for_others(changes) else []
    found += [refusal for _, refusal in waits if refusal]
    warnings = [warning for warning, refusal in waits if not refusal]
    warnings += _leftovers(catalog, changes)
    new = "the new indexes fit" if any(isinstance(change, CreateIndex) for change in changes) else ""
    if any(isinstance(change, CreateMaterializedView) for change in changes):
        new = "the materialized view fits"
    if new:
        warnings.append(
            f"Free disk space on the server can't be seen from here: make sure {new}, with as much again for"
            " sorting."
        )
    return Preflight(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(warnings)))


def demand_passed(result: Preflight) -> None:
    """Go on only when the gate found nothing against it.

    Raises:
        Refused: It did; every reason and every recipe is named. Nothing was touched.
    """
    if result.refusals:
        raise Refused(
            "\n".join(refusal.reason for refusal in result.refusals),
            hint="\n".join(dict.fromkeys(refusal.hint for refusal in result.refusals if refusal.hint)),
            context={"refusals": [refusal.reason for refusal in result.refusals]},
        )


def _waits_for_others(changes: tuple[Change, ...]) -> bool:
    return any(isinstance(change, CreateIndex | DropIndex | CreateMaterializedView) for change in changes)


def _tables(changes: tuple[Change, ...]) -> set[RelationName]:
    return {change.table for change in changes if isinstance(change, CreateIndex | DropIndex)}


def _refuse_schemas(session: Session, catalog: Catalog, changes: tuple[Change, ...]) -> Iterator[Refusal]:
    schemas = {change.table.schema for change in changes if isinstance(change, CreateStatistics)}
    schemas |= {change.view.schema for change in changes if isinstance(change, CreateMaterializedView)} | {
        index.schema
        for change in changes
        if isinstance(change, CreateIndex)
        for index, _ in planned_indexes(change, catalog)
    }
    what = "keep statistics"
    if any(isinstance(c, CreateMaterializedView) for c in changes):
        what = "make a view"
    if any(isinstance(c, CreateIndex) for c in changes):
        what = "build an index"
    for row in session.query("schema_create", {"schemas": sorted(schemas)}):
        if not row.may_create:
            yield Refusal(
                f"Role {catalog.user} may not make objects in schema {row.schema_name}, so the server will"
                f" not let it {what} there, whoever owns the table.",
                f"Let the schema's owner or a superuser run:\n  GRANT CREATE ON SCHEMA"
                f" {quote_identifier(row.schema_name)} TO {quote_identifier(catalog.user)};",
            )


def _refuse_names(catalog: Catalog, changes: tuple[Change, ...]) -> Iterator[Refusal]:
    """Refuse names of partitions' own indexes that are taken; the kind itself looks at the change's name."""
    taken = {index.relation for index in catalog.indexes} | {table.relation for table in catalog.tables}
    for change in changes:
        if isinstance(change, CreateIndex):
            for index, table in planned_indexes(change, catalog)[1:]:
                if index in taken:
                    yield Refusal(
                        f"The name {index}, which the index of partition {table} would get, is taken.",
                        "Give the new index another name.",
                    )


def _old_transactions(session: Session, limits: GateLimits) -> list[tuple[str, Refusal | None]]:
    result: list[tuple[str, Refusal | None]] = []
    for row in session.query("old_transactions"):
        if row.transaction_age_s < limits.warn_transaction_age_s:
            continue
        who = f"prepared transaction of role {row.user_name}, {row.transaction_age_s:.0f} s old"
        end = "Commit it or roll it back (see pg_prepared_xacts), then start again."
        if row.pid:
            who = str(Blocker(row.pid, row.user_name, row.application_name, row.state, row.transaction_age_s))
            end = f"Let it finish, or end it:\n  SELECT pg_terminate_backend({row.pid});"
        danger = f"Index builds would wait for {who}"
        refused = row.transaction_age_s > limits.refuse_transaction_age_s
        result.append(
            (danger + ".", Refusal(danger + f": older than {_limit(limits)}.", end) if refused else None)
        )
    return result


def _limit(limits: GateLimits) -> str:
    return f"{limits.refuse_transaction_age_s:.0f} s"


def _leftovers(catalog: Catalog, changes: tuple[Change, ...]) -> Iterator[str]:
    dropped = {change.index for change in changes if isinstance(change, DropIndex)}
    tables = _tables(changes)
    for index in catalog.indexes:
        if index.table in tables and not index.valid and index.relation not in dropped:
            yield (
                f"Table {index.table} has an INVALID index {index.relation.name} that is not of this rollout:"
                " it serves no query and may slow every write. If no build is running:"
                f" DROP INDEX CONCURRENTLY {qualify(index.relation.schema, index.relation.name)};"
            )
