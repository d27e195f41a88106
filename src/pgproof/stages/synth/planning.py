"""Decides for a whole database how every column of every table is made. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pgproof.model.relation import RelationName
from pgproof.model.synthesis import JointStatistics, SourceColumn, SourceTable, SynthesisSource
from pgproof.stages.synth.chance import seed_of
from pgproof.stages.synth.checks import checks_on, find_comparisons
from pgproof.stages.synth.columns import Demand, Domain, make_domain
from pgproof.stages.synth.facts import Facts, Reference
from pgproof.stages.synth.joint import make_joint
from pgproof.stages.synth.keys import capped_members, least_groups
from pgproof.stages.synth.ladder import JoinedLadder, Ladder
from pgproof.stages.synth.led import LED_ROWS_MAX, Following, Led, ParentOrder, share_values
from pgproof.stages.synth.members import ColumnMember, Drawn, Key, Member, ReferenceMember, Unique, Unit
from pgproof.stages.synth.tables import JoinedRows, TablePlan

_NEARLY_UNIQUE = -0.999
_CROWDED = 0.05
"""Values a row from which chance would miss too many of them. **Source**: 1 - exp(-20) of values are met."""
_HANDFUL = 5_000
"""Rows up to which every value gets its exact number. **Source**: judgement; small tables decide plans."""
_UNLIKE = 2.0
"""How much rather two rows are equal in a child's column than in its parent's. **Source**: judgement."""
_CELL_BYTES = 12


@dataclass(frozen=True, slots=True)
class SynthesisPlan:
    """How to make a whole database.

    Args:
        tables: By name.
        notes: What can't be made as it is in the source, the gravest first; may be empty.
        refusals: Columns that need a value of a type no value can be made of.
    """

    tables: tuple[TablePlan, ...]
    notes: tuple[str, ...]
    refusals: tuple[str, ...] = ()


def plan_synthesis(source: SynthesisSource, *, scale: float, seed: int) -> SynthesisPlan:
    """Decide how every table's rows are made.

    Args:
        source: What was read.
        scale: Rows to make, of the source's; > 0.
        seed: Of all chance.
    """
    planner = _Planner(source, scale, seed)
    tables = tuple(planner.table(relation) for relation in sorted(planner.facts.filled))
    return SynthesisPlan(tables, tuple(dict.fromkeys(planner.notes)), tuple(planner.refusals))


class _Planner:
    """Plans tables as others ask for them; a foreign key asks for its target."""

    def __init__(self, source: SynthesisSource, scale: float, seed: int) -> None:
        self.facts = Facts(source)
        self.notes: list[str] = []
        self.refusals: list[str] = []
        self._scale, self._seed = scale, seed
        self._domains: dict[tuple[RelationName, str, int], Domain | None] = {}
        self._tables: dict[RelationName, TablePlan] = {}
        self._under_way: set[object] = set()

    def table(self, relation: RelationName) -> TablePlan:
        """Return how a table's rows are made."""
        if relation not in self._tables:
            self._under_way.add(relation)
            self._tables[relation] = self._plan(self.facts.filled[relation])
            self._under_way.discard(relation)
        return self._tables[relation]

    def rows(self, table: SourceTable) -> int:
        """Return how many rows a table gets: one at least, where it has any."""
        return max(round(table.rows * self._scale), 1) if table.rows >= 0.5 else 0

    def domain(self, table: SourceTable, column: SourceColumn, least_distinct: int = 0) -> Domain | None:
        """Return a column's values; those of a foreign key are some of its target's."""
        key = (table.relation, column.name, least_distinct)
        if key not in self._domains:
            self._under_way.add(key[:2])
            self._domains[key] = make_domain(column, self._demand(table, column, least_distinct))
            self._under_way.discard(key[:2])
        return self._domains[key]

    def _demand(self, table: SourceTable, column: SourceColumn, least_distinct: int) -> Demand:
        target = self._target(table.relation, column.name)
        rows = self.rows(table)
        return Demand(
            rows=rows,
            unique=self._is_unique(table, column, target),
            least_distinct=least_distinct,
            named=self.facts.named_by_children(table.relation, column.name),
            within=table.parent is not None,
            target=target,
            checks=checks_on(column.name, self.facts.constraints_of(table.relation)),
            seed=self._seed_of(table, column.name),
        )

    def _is_unique(self, table: SourceTable, column: SourceColumn, target: Ladder | None) -> bool:
        if self.facts.is_unique(table.relation, column.name):
            return True
        known = column.statistics is not None and column.statistics.n_distinct <= _NEARLY_UNIQUE
        return known and (target is None or target.size >= self.rows(table))

    def _target(self, relation: RelationName, column: str) -> Ladder | None:
        reference = self.facts.reference_from(relation, column)
        if reference is None:
            return None
        ladders = []
        for part in self.facts.parts_of(reference.target):
            table = self.facts.filled[part]
            its = table.column(reference.target_columns[0])
            if its is None or (part, its.name) in self._under_way:
                return None  # two tables refer to each other by the same columns: one of them goes first
            domain = self.domain(table, its)
            if domain is None:
                return None
            ladders.append(domain.ladder)
        return ladders[0] if len(ladders) == 1 else JoinedLadder(ladders)

    def _plan(self, table: SourceTable) -> TablePlan:
        rows = self.rows(table)
        wanted = [column for column in table.columns if not column.generated]
        if rows and not table.analysed:
            self.notes.append(
                f"{table.relation} was never analysed: its rows are plain made-up ones, {rows} by the "
                "length of its file"
            )
        if rows and not table.analysed and table.strategy:
            self.notes.append(
                f"{table.relation} is a partition without statistics, so nobody knows what belongs into it: "
                "it stays empty"
            )
            rows = 0
        units: list[Unit] = []
        ladders: dict[str, Ladder] = {}
        if rows:
            for unit, its in self._units(table, wanted, rows):
                units.append(unit)
                ladders |= its
        in_order = {column.name: ladders[column.name] for column in wanted if column.name in ladders}
        width = sum(max(c.statistics.avg_width_bytes if c.statistics else 0, _CELL_BYTES) for c in wanted)
        checks = self.facts.constraints_of(table.relation)
        return TablePlan(
            table.relation,
            table.rows,
            rows,
            tuple(units),
            in_order,
            width,
            tuple(find_comparisons(table, checks)),
        )

    def _units(
        self, table: SourceTable, wanted: Sequence[SourceColumn], rows: int
    ) -> Iterator[tuple[Unit, dict[str, Ladder]]]:
        """Yield what makes the columns: keys first, then references of several columns, then the others."""
        free = {column.name: column for column in wanted}
        references = [r for r in self.facts.references_of(table.relation) if len(r.columns) > 1]
        made: dict[str, tuple[Unit, Ladder]] = {}
        for key in self.facts.keys_of(table.relation):
            if len(key) > 1 and not self._has_unique(table, key) and all(name in free for name in key):
                found = self._key(table, key, references, rows)
                if found is not None and all(name in free for name in found[0].names):
                    free = {name: column for name, column in free.items() if name not in found[0].names}
                    made |= {name: (found[0], found[1][name]) for name in found[0].names}
                    yield found
        for reference in references:
            unit = self._reference_unit(table, reference, free, made, rows)
            if unit is not None:
                ladders = self._ladders_of(reference)
                free = {name: column for name, column in free.items() if name not in unit.names}
                made |= {name: (unit, ladders[name]) for name in unit.names}
                yield unit, {name: ladders[name] for name in unit.names}
        yield from self._joint_units(table, free, rows)
        for column in free.values():
            yield from self._column_unit(table, column, rows)

    def _joint_units(
        self, table: SourceTable, free: dict[str, SourceColumn], rows: int
    ) -> Iterator[tuple[Unit, dict[str, Ladder]]]:
        for statistics in self._joint_of(table.relation):
            domains = {}
            for name in statistics.columns:
                domain = self.domain(table, free[name]) if name in free else None
                if domain is not None and not self._is_unique(table, free[name], None):
                    domains[name] = domain
            if len(domains) < len(statistics.columns):
                continue
            unit = make_joint(statistics, domains, rows, self._seed_of(table, *statistics.columns))
            for name in unit.names:
                del free[name]
            yield unit, {name: domain.ladder for name, domain in domains.items()}

    def _joint_of(self, relation: RelationName) -> Iterator[JointStatistics]:
        return (found for found in self.facts.source.joint if found.table == relation)

    def _column_unit(
        self, table: SourceTable, column: SourceColumn, rows: int
    ) -> Iterator[tuple[Unit, dict[str, Ladder]]]:
        domain = self.domain(table, column)
        if domain is None:
            self._tell_unmade(table, column)
            return
        seed = self._seed_of(table, column.name)
        member = ColumnMember(column.name, domain, domain.spread)
        ladders = {column.name: domain.ladder}
        target = domain.ladder
        if self._is_unique(table, column, self._target(table.relation, column.name)):
            if target.size < rows * (1 - domain.null_frac) * 0.999 and self.facts.is_unique(
                table.relation, column.name
            ):
                self.notes.append(
                    f"{table.relation}.{column.name} is a key, but only {target.size} different values can "
                    f"be made for {rows} rows: the key can't be added"
                )
            yield Unique(member, rows, seed), ladders
            return
        filled = max(rows * (1 - domain.null_frac), 1)
        exactly = rows <= _HANDFUL or domain.spread.values / filled > _CROWDED
        yield Drawn(member, rows, seed, exactly), ladders

    def _tell_unmade(self, table: SourceTable, column: SourceColumn) -> None:
        name = f"{table.relation}.{column.name}"
        if column.default:
            self.notes.append(
                f"{name}: no {column.type_name} can be made, so it holds its default everywhere"
            )
        elif not column.not_null:
            self.notes.append(f"{name}: no {column.type_name} can be made, so it is NULL everywhere")
        else:
            self.refusals.append(f"{name} ({column.type_name})")

    def _has_unique(self, table: SourceTable, key: Sequence[str]) -> bool:
        """Tell whether a column of a key never repeats by itself; then the key doesn't either."""
        columns = (table.column(name) for name in key)
        return any(
            c is not None and self._is_unique(table, c, self._target(table.relation, c.name)) for c in columns
        )

    def _reference_unit(
        self,
        table: SourceTable,
        reference: Reference,
        free: Mapping[str, SourceColumn],
        made: Mapping[str, tuple[Unit, Ladder]],
        rows: int,
    ) -> Unit | None:
        """Return what makes a reference of several columns, as far as others have not made them already."""
        left = [name for name in reference.columns if name in free]
        given = [name for name in reference.columns if name in made]
        if not left:
            return None  # it shares all its columns with keys that were made before
        member = self._reference_member(table, reference)
        if member is None:
            return None
        seed = self._seed_of(table, *reference.columns)
        if not given and len(left) == len(reference.columns):
            if self._has_unique(table, reference.columns):
                return Unique(member, rows, seed)
            return self._led(table, reference, member, rows) or Drawn(member, rows, seed)
        unit, ladder = made[given[0]] if given else (None, None)
        order = _order_by(reference, member, given[0]) if len(given) == 1 else None
        if unit is None or ladder is None or order is None or not share_values(ladder, order.ladder):
            self.notes.append(
                f"{table.relation} ({', '.join(reference.columns)}): refers to {reference.target} by "
                "columns that are bound otherwise, so some rows may refer to nothing"
            )
            return None
        return Following(
            names=tuple(left),
            given_by=unit,
            given=given[0],
            given_ladder=ladder,
            order=order,
            target_names=tuple(
                its
                for own, its in zip(reference.columns, reference.target_columns, strict=True)
                if own in left
            ),
            null_frac=member.null_frac,
            nullable=not all(free[name].not_null for name in left),
            seed=seed,
        )

    def _reference_member(self, table: SourceTable, reference: Reference) -> ReferenceMember | None:
        parts = self.facts.parts_of(reference.target)
        if any(part in self._under_way for part in parts) or not parts:
            self.notes.append(
                f"{table.relation} ({', '.join(reference.columns)}): tables refer to each other in a circle, "
                "so some rows may refer to nothing"
            )
            return None
        plans = [self.table(part) for part in parts]
        target = plans[0] if len(plans) == 1 else JoinedRows(plans)
        if target.rows == 0:
            return None
        columns = [column for name in reference.columns if (column := table.column(name))]
        known = [column.statistics for column in columns if column.statistics]
        nullable = [c.statistics.null_frac for c in columns if c.statistics and not c.not_null]
        return ReferenceMember(
            names=reference.columns,
            target=target,
            target_names=reference.target_columns,
            null_frac=max(nullable, default=0.0),
            correlation=(known[0].correlation or 0.0) if known else 0.0,
        )

    def _led(
        self, table: SourceTable, reference: Reference, member: ReferenceMember, rows: int
    ) -> Led | None:
        """Return how to follow the column that is most unlike the parent's; None where all are alike."""
        target = member.target
        if not isinstance(target, TablePlan) or target.rows > LED_ROWS_MAX:
            return None
        parent, found, most = self.facts.filled[target.relation], None, _UNLIKE
        seed = self._seed_of(table, *reference.columns)
        for own, its in zip(reference.columns, reference.target_columns, strict=True):
            column, other = table.column(own), parent.column(its)
            theirs = self.domain(parent, other) if other is not None else None
            if column is None or column.statistics is None or theirs is None:
                continue
            domain = make_domain(column, Demand(rows, target=target.ladders[its], seed=seed))
            if domain is None or domain.spread.squared_fracs < most * theirs.spread.squared_fracs:
                continue
            most = domain.spread.squared_fracs / theirs.spread.squared_fracs
            lead = ColumnMember(own, domain, domain.spread)
            order = ParentOrder(target, its, target.ladders[its])
            found = Led(reference.columns, lead, order, reference.target_columns, rows, seed)
        return found

    def _ladders_of(self, reference: Reference) -> dict[str, Ladder]:
        plans = [self.table(part) for part in self.facts.parts_of(reference.target)]
        found: dict[str, Ladder] = {}
        for own, its in zip(reference.columns, reference.target_columns, strict=True):
            found[own] = plans[0].ladders[its] if len(plans) == 1 else JoinedRows(plans).ladder(its)
        return found

    def _key(
        self, table: SourceTable, key: Sequence[str], references: Sequence[Reference], rows: int
    ) -> tuple[Key, dict[str, Ladder]] | None:
        """Return what makes a key of several columns; None where one of them can't be made."""
        members: list[Member] = []
        ladders: dict[str, Ladder] = {}
        left = list(key)
        for reference in references:
            if set(reference.columns) & set(left) and not set(reference.columns) & set(ladders):
                member = self._reference_member(table, reference)
                if member is not None:
                    members.append(member)
                    ladders |= self._ladders_of(reference)
                    left = [name for name in left if name not in reference.columns]
        for name in left:
            column = table.column(name)
            domain = self.domain(table, column) if column else None
            if domain is None:
                return None
            members.append(ColumnMember(name, domain, domain.spread))
            ladders[name] = domain.ladder
        members.sort(key=lambda m: (abs(m.correlation) < 0.9, -m.spread.values))
        first = members[0]
        least = least_groups(members[1:], rows)
        if isinstance(first, ColumnMember) and first.spread.values < least:
            column = table.column(first.name)
            wider = self.domain(table, column, least) if column else None
            if wider is not None:
                members[0] = ColumnMember(first.name, wider, wider.spread)
                ladders[first.name] = wider.ladder
        capped, short = capped_members(members, rows)
        if short:
            self.notes.append(
                f"{table.relation}: fewer combinations of {', '.join(key)} can be made than rows, so the key "
                "can't be added"
            )
        return Key(capped, rows, self._seed_of(table, *key)), ladders

    def _seed_of(self, table: SourceTable, *names: str) -> int:
        return seed_of(self._seed, str(table.relation), *names)


def _order_by(reference: Reference, member: ReferenceMember, given: str) -> ParentOrder | None:
    """Return a parent by the column that another key gives; None where it is too large or in parts."""
    target = member.target
    if not isinstance(target, TablePlan) or target.rows > LED_ROWS_MAX:
        return None
    its = reference.target_columns[reference.columns.index(given)]
    return ParentOrder(target, its, target.ladders[its])
