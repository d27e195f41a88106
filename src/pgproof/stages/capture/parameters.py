"""Values for statements whose texts have only ``$1``: drawn from live rows, then tried with a planner.

``WHERE a.x = $1 AND a.y > $2`` gets both values from the same row, and where tables are joined, from rows
that the join brings together: values that never meet would make any index look good.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from pgproof.errors import ParseError, ServerError, Unreachable
from pgproof.model.catalog import Catalog
from pgproof.model.progress import Progress, ignore_progress
from pgproof.model.query import Query
from pgproof.model.workload import ParameterSet, ParameterSource, Workload, WorkloadStatement
from pgproof.postgres.session import Session
from pgproof.sqltext.normalised import LIST_LENGTH
from pgproof.sqltext.parameters import parameter_numbers
from pgproof.sqltext.parse import parse_statement
from pgproof.sqltext.uses import ParameterRole
from pgproof.stages.capture.fresh_keys import find_fresh_keys
from pgproof.stages.capture.parameter_plan import ParameterPlan, plan_parameters
from pgproof.stages.capture.parameter_values import DEFAULT_LIMIT, SetMaker
from pgproof.stages.capture.row_samples import Cell, RowSample, sample_rows, stratify
from pgproof.stages.capture.rows_match import counted_rows, disagree, infer_limit, pick, weigh
from pgproof.stages.capture.spec import DEFAULT_SETS
from pgproof.stages.capture.value_planner import TargetPlanner, Unplanned, ValuePlanner

_RARE_SHARE = 4
"""One set in so many takes a row whose values are rare in the sample."""
_POOL_FACTOR = 3
"""So many times the wanted sets are tried where the first ones don't fit the rows that the server counted."""
_SQUASHED = "/*, ... */"
"""What PostgreSQL 18 leaves of a list of constants."""


def fill_parameters(
    session: Session,
    catalog: Catalog,
    workload: Workload,
    *,
    seed: int,
    sets: int = DEFAULT_SETS,
    planner: ValuePlanner | None = None,
    progress: Progress = ignore_progress,
) -> Workload:
    """Give every statement without values parameter sets that the server accepts.

    Args:
        session: On the database; rows to take values from are read, a sample of each table.
        catalog: Of that database.
        workload: Statements that have values keep them.
        seed: The same seed on the same rows gives the same values.
        sets: Sets wanted for a statement, >= 1; fewer where values repeat.
        planner: Tells types and tries values; None lets the database itself plan them.
        progress: Told after each statement.

    Returns:
        The same statements in the same order. One for which no value works keeps none, and a note that says
        why. The values are the users' data: keep them in the workload.

    Raises:
        Unreachable: The connection was lost.
    """
    planner = planner or TargetPlanner(session)
    filled: list[WorkloadStatement] = []
    for done, statement in enumerate(workload.statements):
        progress("drawing parameter values", done, len(workload.statements))
        if statement.parameter_sets or not parameter_numbers(statement.query.sql):
            filled.append(statement)
        else:
            filled.append(_fill(session, planner, catalog, statement, seed, sets))
    progress("drawing parameter values", len(filled), len(filled))
    return replace(workload, statements=tuple(filled))


def _fill(
    session: Session,
    planner: ValuePlanner,
    catalog: Catalog,
    statement: WorkloadStatement,
    seed: int,
    sets: int,
) -> WorkloadStatement:
    try:
        parsed = parse_statement(statement.query.sql)
        kinds = planner.types(statement.query.sql)
    except Unreachable:
        raise
    except (ServerError, ParseError) as error:
        note = f"No values: the server does not accept the text: {error.message}"
        return replace(statement, notes=(*statement.notes, note))
    plan = plan_parameters(parsed, kinds, catalog)
    samples = sample_rows(session, plan.sources, plan.edges, seed)
    rng = random.Random(f"{seed} {statement.query.fingerprint}")
    fresh = find_fresh_keys(session, catalog, plan, rng)
    limit = infer_limit(statement)
    maker = SetMaker(plan.slots, _columns(samples), fresh, rng, catalog.read_at, limit=limit or DEFAULT_LIMIT)
    drawn = _draw(maker, samples, [_row_order(sample, rng, sets) for sample in samples], sets)
    tried = _try_out(planner, statement.query, drawn)
    notes = (*statement.notes, *_notes(plan, samples, tried, limit, has_fresh=bool(fresh)))
    statement = replace(statement, parameter_sets=tried.accepted, notes=notes)
    counted = counted_rows(statement)
    if counted is None or not tried.rows or not disagree(tried.rows, _weights(tried.accepted), counted):
        return statement
    many = _POOL_FACTOR * sets
    pool = _draw(maker, samples, [stratify(sample, rng, many) for sample in samples], many)
    return _fit_rows(statement, tried, _try_out(planner, statement.query, pool), counted, sets)


def _weights(sets: Iterable[ParameterSet]) -> list[float]:
    return [given.weight for given in sets]


def _fit_rows(
    statement: WorkloadStatement, first: _Tried, pool: _Tried, counted: float, sets: int
) -> WorkloadStatement:
    """Choose sets whose expected rows fit the counted ones, from those drawn first and a larger pool."""
    rows = dict(zip((*first.accepted, *pool.accepted), (*first.rows, *pool.rows), strict=True))
    by_values = {given.values: (given, expected) for given, expected in rows.items()}
    candidates = sorted(by_values.values(), key=lambda candidate: candidate[1])
    chosen = pick(weigh([expected for _, expected in candidates], counted), sets)
    fitted = [replace(candidates[place][0], weight=float(times)) for place, times in chosen.items()]
    before = sum(e * g.weight for g, e in zip(first.accepted, first.rows, strict=True))
    before /= sum(_weights(first.accepted))
    note = (
        f"Values are chosen so that a call meets about as many rows as the server counted ({counted:,.1f}); "
        f"values as the rows have them would meet {before:,.0f}."
    )
    fitted.sort(key=lambda given: -given.weight)
    return replace(statement, parameter_sets=tuple(fitted), notes=(*statement.notes, note))


def _draw(
    maker: SetMaker, samples: Sequence[RowSample], row_orders: Sequence[Sequence[int]], sets: int
) -> list[ParameterSet]:
    """Make sets from the samples' rows in the given orders, equal ones merged."""
    places = {cell: (sample, k) for sample in samples for k, cell in enumerate(sample.cells)}
    orders = {id(sample): order for sample, order in zip(samples, row_orders, strict=True)}
    sources = [sample.source for sample in samples]
    source = (
        ParameterSource.STATISTICS if ParameterSource.STATISTICS in sources else ParameterSource.SAMPLED_ROWS
    )
    if not samples:
        source = ParameterSource.GENERATED
    weights: dict[tuple[str | None, ...], float] = {}
    for i in range(sets):

        def read(cell: Cell, shift: int, i: int = i) -> str | None:
            if cell not in places:
                return None
            sample, k = places[cell]
            order = orders[id(sample)]
            return sample.rows[order[(i + shift) % len(order)]][k]

        values = maker.make(i, read)
        weights[values] = weights.get(values, 0.0) + 1.0
    return [ParameterSet(values, source, weight) for values, weight in weights.items()]


def _columns(samples: Sequence[RowSample]) -> dict[Cell, list[str | None]]:
    return {
        cell: [row[k] for row in sample.rows] for sample in samples for k, cell in enumerate(sample.cells)
    }


def _row_order(sample: RowSample, rng: random.Random, sets: int) -> list[int]:
    """Choose rows: any, and after every third one of those whose values are rarest in the sample."""
    numbers = list(range(len(sample.rows)))
    rng.shuffle(numbers)
    counts = [Counter(row[k] for row in sample.rows) for k in range(len(sample.cells))]
    rarity = {n: min(counts[k][value] for k, value in enumerate(sample.rows[n])) for n in numbers}
    numbers.reverse()  # among equally rare ones, take other rows than those that come anyway
    rarest = cycle(sorted(numbers, key=rarity.__getitem__))
    anywhere = cycle(reversed(numbers))
    order: list[int] = []
    while len(order) < max(sets, 2) * 2:
        is_rare = len(order) % _RARE_SHARE == _RARE_SHARE - 1
        order.append(next(rarest if is_rare else anywhere))
    return order


@dataclass(frozen=True, slots=True)
class _Tried:
    """What the server said to sets of values.

    Args:
        accepted: Those it can plan, and those that could not be tried.
        refusals: The others, counted by SQLSTATE, for the server's messages quote values.
        unplanned: Why some of the accepted ones were not planned; empty where all were.
        rows: That the planner expects of each accepted one; empty where one was not planned.
    """

    accepted: tuple[ParameterSet, ...]
    refusals: Counter[str]
    unplanned: str = ""
    rows: tuple[float, ...] = ()


def _try_out(planner: ValuePlanner, query: Query, drawn: Sequence[ParameterSet]) -> _Tried:
    """Let each set be planned."""
    accepted: list[ParameterSet] = []
    rows: list[float] = []
    refusals: Counter[str] = Counter()
    unplanned = ""
    for given in drawn:
        try:
            expected = planner.rows(query, given.values)
        except Unreachable:
            raise
        except ServerError as error:
            refusals[error.sqlstate] += 1
            continue
        if isinstance(expected, Unplanned):
            unplanned = expected.reason
        else:
            rows.append(expected)
        accepted.append(given)
    return _Tried(tuple(accepted), refusals, unplanned, () if unplanned else tuple(rows))


def _notes(
    plan: ParameterPlan,
    samples: Sequence[RowSample],
    tried: _Tried,
    limit: int | None,
    *,
    has_fresh: bool,
) -> Iterable[str]:
    roles = {slot.use.role for slot in plan.slots if slot.use}
    if any(sample.source is ParameterSource.STATISTICS for sample in samples):
        yield "Rows can't be read: values come from the statistics, each column by itself."
    if plan.sources and not samples:
        yield "No row was found to take values from: values are made up by type."
    if ParameterRole.LIMIT in roles:
        told = f"{limit}, the page that the counted rows fit into" if limit else str(DEFAULT_LIMIT)
        yield f"LIMIT is assumed to be {told}."
    if ParameterRole.OFFSET in roles:
        yield "OFFSET is assumed to be 0 mostly, 20 to 1000 sometimes."
    patterns = [slot for slot in plan.slots if slot.use and slot.use.role is ParameterRole.PATTERN]
    if any(slot.wildcards == ("%", "%") for slot in patterns):
        yield "Patterns are assumed to be '%text%'; where 'text%' is sent, say so in a workload file."
    if _SQUASHED in plan.text:
        yield f"The server shortened lists to one item: they are assumed to have {LIST_LENGTH}."
    if has_fresh and plan.inserts:
        yield "Keys of new rows are fresh: each set can be inserted once."
    elif has_fresh:
        yield "Values of unique columns are fresh, so that the change meets no other row's."
    if tried.unplanned:
        yield f"Values not checked: {tried.unplanned}"
    if tried.refusals:
        states = ", ".join(f"SQLSTATE {state or 'unknown'}" for state in sorted(tried.refusals))
        refused = tried.refusals.total()
        yield (
            f"The server refused {refused} of {refused + len(tried.accepted)} sets of values ({states})."
            + ("" if tried.accepted else " No values are left: give some in a workload file.")
        )
