"""The SQL of a remedy. Rendered in the room of changes, and only what could really be run."""

from __future__ import annotations

from pgproof import changes
from pgproof.errors import ParseError, UsageError
from pgproof.model.catalog import Catalog
from pgproof.model.change import Change, DropIndex
from pgproof.model.relation import Index, RelationKind
from pgproof.sqltext.quote import truncate_identifier
from pgproof.stages.diagnose.check import Subject


def render_remedy(subject: Subject, *wanted: Change) -> tuple[str, ...]:
    """Return the statements that make some changes, in order; empty where any of them can't be made safely.

    Who looks at a database need not be the one who changes it: what this role may not do, or that this
    is a standby, does not matter here.
    """
    catalog = subject.catalog.of_owner
    earlier: tuple[Change, ...] = ()
    statements: list[str] = []
    for change in changes.effective_changes(wanted, catalog):
        if changes.refusals(change, catalog, earlier):
            return ()
        try:
            statements += [step.sql for step in changes.apply_steps(change, catalog)]
        except (UsageError, ParseError):
            return ()
        earlier = (*earlier, change)
    return tuple(statements)


def free_name(catalog: Catalog, schema: str, name: str) -> str:
    """Return a name for an index, with a number behind it where the schema has one of that name already."""
    taken = catalog.relation_names(schema)
    candidates = (truncate_identifier(name, suffix=f"_{number}") for number in range(2, len(taken) + 3))
    return name if name not in taken else next(c for c in candidates if c not in taken)


def render_drop(subject: Subject, index: Index) -> tuple[str, ...]:
    """Return the statements that drop an index; empty where pgproof would refuse to (see `render_remedy`)."""
    return render_remedy(subject, DropIndex(index.relation, index.table, index.definition))


def is_on_partitioned(catalog: Catalog, index: Index) -> bool:
    """Whether an index is on a partitioned table, which neither builds nor drops CONCURRENTLY."""
    table = catalog.find_table(index.table.name, index.table.schema)
    return table is not None and table.kind is RelationKind.PARTITIONED
