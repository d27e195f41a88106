"""Dangers that every change of a table shares: standby, missing relation, missing column, wrong owner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pgproof.model.catalog import Catalog
from pgproof.model.change import Refusal
from pgproof.model.relation import RelationKind, RelationName
from pgproof.sqltext.quote import quote_identifier

KIND_WORDS = {
    RelationKind.TABLE: "a table",
    RelationKind.PARTITIONED: "a partitioned table",
    RelationKind.VIEW: "a view",
    RelationKind.MATVIEW: "a materialized view",
    RelationKind.FOREIGN: "a foreign table",
}


def refuse_server(catalog: Catalog) -> Iterator[Refusal]:
    """Refuse any change of a standby."""
    if catalog.in_recovery:
        yield Refusal(
            "The server is a standby: nothing can be changed there.",
            "Connect to the primary; the change reaches the standby by itself.",
        )


def refuse_table(
    relation: RelationName,
    columns: Iterable[str],
    catalog: Catalog,
    purpose: str,
    kinds: tuple[RelationKind, ...],
) -> Iterator[Refusal]:
    """Refuse what a missing table, a wrong kind of relation, a missing column or a foreign owner forbids.

    Args:
        relation: What is changed.
        columns: Columns it must have.
        catalog: Of the target.
        purpose: What was to be done, before the table's name ("build an index on").
        kinds: Kinds of relation it can be done to.
    """
    table = catalog.find_table(relation.name, relation.schema)
    if table is None:
        yield Refusal(
            f"There is no table {relation} in database {catalog.database}, or it is not visible to role"
            f" {catalog.user}.",
            "The schema changed since the proposal: capture and advise again.",
        )
        return
    if table.kind not in kinds:
        yield Refusal(
            f"{relation} is {KIND_WORDS[table.kind]}: pgproof cannot {purpose} it.",
            "Choose the tables below it.",
        )
        return
    for column in columns:
        if table.column(column) is None:
            yield Refusal(
                f"Table {relation} has no column {column}.",
                "The schema changed since the proposal: capture and advise again.",
            )
    if not table.owned:
        yield _not_owner(relation, table.owner, catalog, purpose)


def _not_owner(relation: RelationName, owner: str, catalog: Catalog, purpose: str) -> Refusal:
    user = quote_identifier(catalog.user)
    # The recipe names no table, so that tables of one owner share it.
    if owner:
        recipe = (
            f"Connect as {owner}, the owner. Or let a superuser make {catalog.user} a member of that role:\n"
            f"  GRANT {quote_identifier(owner)} TO {user};"
        )
    else:
        recipe = f"Connect as the owner, or let a superuser grant the owning role to {catalog.user}."
    return Refusal(
        f"Role {catalog.user} does not own {relation}, so the server will not let it {purpose} it.", recipe
    )
