"""A level of a statement while it is being read, and the calls and columns of its expressions."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgproof.sqltext.expressions import expression_text
from pgproof.sqltext.operands import operand_of
from pgproof.sqltext.scope import Entry, Scope, read_star, resolve
from pgproof.sqltext.shape import (
    Bound,
    Call,
    Distinct,
    GroupKey,
    Join,
    Level,
    Output,
    Predicate,
    QueryShape,
    Relation,
    SortKey,
)
from pgproof.sqltext.tree import Message, enum_name, is_set, kind_of, strings
from pgproof.sqltext.uses import Uses

# Source: manual, "Aggregate Functions" (PostgreSQL 18); ordered-set ones show by WITHIN GROUP.
_AGGREGATES = frozenset(
    {"any_value", "array_agg", "avg", "bit_and", "bit_or", "bit_xor", "bool_and", "bool_or", "count", "every"}
    | {"json_agg", "json_agg_strict", "json_object_agg", "jsonb_agg", "jsonb_agg_strict", "jsonb_object_agg"}
    | {"max", "min", "range_agg", "range_intersect_agg", "string_agg", "sum", "xmlagg", "corr", "covar_pop"}
    | {"covar_samp", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp", "regr_avgx"}
    | {
        "regr_avgy",
        "regr_count",
        "regr_intercept",
        "regr_r2",
        "regr_slope",
        "regr_sxx",
        "regr_sxy",
        "regr_syy",
    }
)
# Source: pg_proc.provolatile of PostgreSQL 18 for the functions that applications call, and the clock.
_VOLATILE = frozenset(
    {"now", "transaction_timestamp", "statement_timestamp", "clock_timestamp", "timeofday", "random"}
    | {
        "random_normal",
        "setseed",
        "gen_random_uuid",
        "uuidv4",
        "uuidv7",
        "uuid_generate_v1",
        "uuid_generate_v4",
    }
    | {"uuid_generate_v1mc", "gen_random_bytes", "nextval", "currval", "lastval", "setval", "txid_current"}
    | {
        "pg_current_xact_id",
        "pg_sleep",
        "pg_advisory_lock",
        "pg_advisory_xact_lock",
        "pg_notify",
        "set_config",
    }
)
_SESSION_VALUES = ("ROLE", "USER", "CATALOG", "SCHEMA")


@dataclass(slots=True, eq=False)
class OpenLevel:
    """A level under construction; `close` freezes it.

    Args:
        command: See `QueryShape`, as all the fields that bear its names.
        scope: The names it sees.
        uses: What its parameters are for.
    """

    command: str
    level: Level
    name: str
    depth: int
    scope: Scope
    relations: list[Relation] = field(default_factory=list)
    conditions: list[Predicate | Join] = field(default_factory=list)
    order_by: tuple[SortKey, ...] = ()
    group_by: tuple[GroupKey, ...] = ()
    distinct: Distinct = Distinct.NO
    distinct_on: tuple[GroupKey, ...] = ()
    limit: Bound | None = None
    offset: Bound | None = None
    aggregates: list[Call] = field(default_factory=list)
    windows: list[Call] = field(default_factory=list)
    volatile: list[Call] = field(default_factory=list)
    target: Entry | None = None
    columns_written: tuple[str, ...] = ()
    set_operation: str = ""
    has_grouping_sets: bool = False
    locks_rows: bool = False
    samples: bool = False
    window_orders: tuple[tuple[SortKey, ...], ...] = ()
    outputs: tuple[Output, ...] = ()
    uses: Uses = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Put a relation of the FROM clause in."""
        self.relations.append(entry.relation)
        self.scope.entries.append(entry)

    def close(self) -> QueryShape:
        """Freeze what was read."""
        entries = [entry for entry in self.scope.entries if not entry.hidden]
        return QueryShape(
            command=self.command,
            level=self.level,
            name=self.name,
            depth=self.depth,
            correlated=self.scope.is_correlated,
            relations=tuple(self.relations),
            predicates=tuple(found for found in self.conditions if isinstance(found, Predicate)),
            joins=tuple(found for found in self.conditions if isinstance(found, Join)),
            order_by=self.order_by,
            group_by=self.group_by,
            distinct=self.distinct,
            distinct_on=self.distinct_on,
            limit=self.limit,
            offset=self.offset,
            reads=tuple(entry.columns_read() for entry in entries),
            aggregates=tuple(dict.fromkeys(self.aggregates)),
            windows=tuple(dict.fromkeys(self.windows)),
            volatile=tuple(dict.fromkeys(self.volatile)),
            target=self.target.relation if self.target else None,
            columns_written=self.columns_written,
            set_operation=self.set_operation,
            has_grouping_sets=self.has_grouping_sets,
            locks_rows=self.locks_rows,
            samples=self.samples,
            window_orders=self.window_orders,
            outputs=self.outputs,
        )


def note_node(node: Message, level: OpenLevel) -> None:
    """Note what one node of an expression reads or calls."""
    match kind_of(node):
        case "ColumnRef":
            if len(node.fields) == 1 and kind_of(node.fields[0]) == "A_Star":
                read_star(level.scope)
            else:
                resolve(node, level.scope)
        case "FuncCall":
            _note_call(node, level)
        case "SQLValueFunction":
            name = enum_name("SQLValueFunctionOp", node.op).removeprefix("SVFOP_")
            if not name.endswith(_SESSION_VALUES):
                level.volatile.append(Call(name.removesuffix("_N").lower(), expression_text(node)))


def _note_call(node: Message, level: OpenLevel) -> None:
    name = strings(node.funcname)[-1]
    if is_set(node, "over"):
        level.windows.append(Call(name, expression_text(node)))
    elif is_aggregate(node):
        argument = operand_of(node.args[0], level.scope) if len(node.args) == 1 else None
        level.aggregates.append(Call(name, expression_text(node), argument, bool(node.agg_distinct)))
    elif name in _VOLATILE:
        level.volatile.append(Call(name, expression_text(node)))


def is_aggregate(node: Message) -> bool:
    """Tell whether a ``FuncCall`` without OVER is of an aggregate.

    By the syntax only aggregates have, else by name: the text does not say what a function is.
    """
    name = strings(node.funcname)[-1]
    has_syntax = node.agg_star or node.agg_distinct or node.agg_within_group or len(node.agg_order) > 0
    return bool(has_syntax) or is_set(node, "agg_filter") or name in _AGGREGATES
