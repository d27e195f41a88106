"""Which relation a column name belongs to, by the rules of SQL; what can't be told is not guessed.

**Source**: ``colNameToVar`` (src/backend/parser/parse_relation.c), ``transformColumnRef`` (parse_expr.c).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pgproof.sqltext.shape import ColumnsRead, Relation
from pgproof.sqltext.tree import Message, kind_of, strings


@dataclass(slots=True, eq=False)
class Entry:
    """A relation of a scope and what was read of it so far.

    Args:
        relation: The relation.
        columns: Names by which the statement sees its columns, ``None`` where they are not known.
        real_names: The catalog's name for each renamed column (``FROM t AS x (a, b)``).
        hidden: A pseudo relation, such as ``excluded``: found by its alias only.
    """

    relation: Relation
    columns: tuple[str, ...] | None
    real_names: dict[str, str] = field(default_factory=dict)
    hidden: bool = False
    read: set[str] = field(default_factory=set)
    has_star: bool = False

    def read_all(self) -> None:
        """Note that every column is read."""
        self.has_star = True
        self.read.update(self.real_names.get(name, name) for name in self.columns or ())

    def columns_read(self) -> ColumnsRead:
        """Freeze what was read."""
        return ColumnsRead(self.relation.alias, tuple(sorted(self.read)), self.has_star)


@dataclass(slots=True, eq=False)
class Scope:
    """The relations a level sees: its own, then those of the levels around it.

    Args:
        parent: The scope around it, ``None`` at the top.
        entries: In text order.
        merged: Columns that USING or NATURAL made one of, by name.
        is_correlated: Something in it was found in an enclosing scope.
    """

    parent: Scope | None = None
    entries: list[Entry] = field(default_factory=list)
    merged: dict[str, Entry] = field(default_factory=dict)
    is_correlated: bool = False

    def chain(self) -> Iterable[Scope]:
        """Yield this scope and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def cross(self, owner: Scope) -> None:
        """Mark every scope between this one and the owner of a column as correlated."""
        for scope in self.chain():
            if scope is owner:
                return
            scope.is_correlated = True


@dataclass(frozen=True, slots=True)
class Found:
    """What a column reference stands for.

    Args:
        entry: Its relation.
        owner: The scope that relation belongs to.
        column: The catalog's name, ``None`` for the whole row or ``*``.
    """

    entry: Entry
    owner: Scope
    column: str | None


def resolve(reference: Message, scope: Scope) -> Found | None:
    """Find the relation a ``ColumnRef`` belongs to, and note that it is read.

    Args:
        reference: The ``ColumnRef``.
        scope: Where it stands.

    Returns:
        ``None`` where the text and the known columns don't tell (a bare ``*`` too; see `read_star`).
    """
    names = strings(reference.fields)
    is_star = len(reference.fields) > 0 and kind_of(reference.fields[-1]) == "A_Star"
    if not names:
        return None
    if is_star:
        found = _by_alias(names, None, scope)
    elif len(names) == 1:
        found = _by_column(names[0], scope) or _by_alias(names, None, scope)
    else:
        found = _by_alias(names[:-1], names[-1], scope)
    return _note(found, scope) if found else None


def read_star(scope: Scope) -> None:
    """Note that a bare ``*`` reads every relation of a scope."""
    for entry in scope.entries:
        if not entry.hidden:
            entry.read_all()


def _note(found: Found, scope: Scope) -> Found:
    if found.column is None:
        found.entry.read_all()
    else:
        found.entry.read.add(found.column)
    scope.cross(found.owner)
    return found


def _by_alias(qualifier: tuple[str, ...], column: str | None, scope: Scope) -> Found | None:
    """Find ``alias.column``, ``schema.table.column`` or, without a column, the row itself."""
    alias = qualifier[-1]
    schema = qualifier[-2] if len(qualifier) > 1 else None
    for level in scope.chain():
        for entry in level.entries:
            relation = entry.relation
            is_named = relation.alias == alias if schema is None else relation.name == alias
            if not is_named or (schema is not None and relation.schema not in (schema, None)):
                continue
            return _column_of(entry, level, column)
    return None


def _by_column(name: str, scope: Scope) -> Found | None:
    """Find a bare column, innermost level first."""
    for level in scope.chain():
        if name in level.merged:
            return _column_of(level.merged[name], level, name)
        visible = [entry for entry in level.entries if not entry.hidden]
        owners = [entry for entry in visible if entry.columns is not None and name in entry.columns]
        if owners:
            return _column_of(owners[0], level, name) if len(owners) == 1 else None
        unknown = [entry for entry in visible if entry.columns is None]
        if unknown:
            is_sure = len(unknown) == 1 and not any(
                outer.entries for outer in level.chain() if outer is not level
            )
            is_row = unknown[0].relation.alias == name
            return _column_of(unknown[0], level, name) if is_sure and not is_row else None
    return None


def _column_of(entry: Entry, owner: Scope, column: str | None) -> Found | None:
    if column is None:
        return Found(entry, owner, None)
    if entry.columns is not None and column not in entry.columns and not _is_system(column):
        return None
    return Found(entry, owner, entry.real_names.get(column, column))


def _is_system(column: str) -> bool:
    """Tell whether a name is one of the columns every table has. **Source**: manual, System Columns."""
    return column in ("ctid", "tableoid", "xmin", "xmax", "cmin", "cmax")
