"""How alike two databases plan the same statements: the shape of plans, and the rows they expect."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from pgproof.model.plan import Plan, PlanNode
from pgproof.model.synthesis import PlanAgreement, StatementAgreement

_ROWS_MIN = 1.0
_LOOPS = ("Nested Loop",)
_WRAPPERS = ("Gather", "Gather Merge")


def shape_of(node: PlanNode) -> tuple[object, ...]:
    """Return what two plans of equal shape have in common: a tree of nodes, relations, indexes."""
    return (node.node_type, node.schema, node.relation, node.index, tuple(map(shape_of, node.children)))


def judge_agreement(
    pairs: Mapping[str, Sequence[tuple[Plan, Plan]]], *, planned_on: str, skipped: Sequence[str] = ()
) -> PlanAgreement:
    """Compare plans of the source with plans of the copy.

    Args:
        pairs: For each statement the plans of both, for the same values.
        planned_on: Where the source's plans come from.
        skipped: Statements that could not be planned, each with the reason.

    Returns:
        Statements the worst first: other shapes, then by the rows.
    """
    judged, every = [], []
    for name, plans in pairs.items():
        factors = [found for source, copy in plans for found in _factors(source.root, copy.root)]
        every += [factor for factor, _ in factors]
        worst, about = max(factors, default=(1.0, ""))
        equal = all(shape_of(source.root) == shape_of(copy.root) for source, copy in plans)
        judged.append(StatementAgreement(name, equal, worst, about))
    judged.sort(key=lambda one: (one.shape_equal, -one.rows_factor, one.name))
    share = sum(one.shape_equal for one in judged) / len(judged) if judged else None
    middle = statistics.median(every) if every else None
    return PlanAgreement(tuple(judged), share, middle, len(every), planned_on, tuple(skipped))


def _factors(source: PlanNode, copy: PlanNode) -> Iterator[tuple[float, str]]:
    """Yield, for every set of tables in both plans, by what factor they disagree on its rows."""
    ours, theirs = dict(_expected(source, "")), dict(_expected(copy, ""))
    for about in sorted(ours.keys() & theirs.keys()):
        one, other = max(ours[about], _ROWS_MIN), max(theirs[about], _ROWS_MIN)
        yield max(one, other) / min(one, other), about.partition(":")[2]


def _expected(node: PlanNode, inner: str) -> Iterator[tuple[str, float]]:
    """Yield the rows that each set of tables is expected to give, the node furthest up last.

    What is read once for each row of an outer table gives rows of one turn, and what several workers read
    gives those of one of them, so both are told apart.
    """
    below = f"{inner}w" if node.node_type in _WRAPPERS else inner
    for child in node.children:
        turns = node.node_type in _LOOPS and child.parent_relationship == "Inner"
        yield from _expected(child, f"{below}i" if turns or child.subplan else below)
    names = _tables_below(node)
    if names and (node.relation or "Join" in node.node_type or node.node_type in _LOOPS):
        yield f"{inner}:{','.join(sorted(names))}", node.plan_rows


def _tables_below(node: PlanNode) -> frozenset[str]:
    return frozenset(one.alias for one in node.walk() if one.alias and one.relation)
