"""CHECK constraints as far as rows are made to satisfy them: two columns in order; others go by the values.

Values that lie between real ones satisfy bounds and lists by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pgproof.model.relation import Constraint, ConstraintKind
from pgproof.model.synthesis import SourceTable

_NAME = r'(?:"(?:[^"]|"")+"|[a-z_][\w$]*)'
_PAIR = re.compile(rf"\(\s*(?P<left>{_NAME}) (?P<sign><=|<|>=|>) (?P<right>{_NAME})\s*\)")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two columns of one type of which one is never greater.

    Args:
        low: That one.
        high: The other one.
        strict: They are never equal either.
    """

    low: str
    high: str
    strict: bool


def find_comparisons(table: SourceTable, constraints: Iterable[Constraint]) -> Iterator[Comparison]:
    """Yield the pairs of columns that a table's CHECK constraints want in order."""
    for constraint in constraints:
        if constraint.kind is not ConstraintKind.CHECK or " OR " in constraint.definition:
            continue
        for match in _PAIR.finditer(constraint.definition):
            left, right = _stored(match["left"]), _stored(match["right"])
            one, other = table.column(left), table.column(right)
            if one is None or other is None or one.base_type != other.base_type or one.scale != other.scale:
                continue
            low, high = (left, right) if match["sign"].startswith("<") else (right, left)
            yield Comparison(low, high, "=" not in match["sign"])


def checks_on(column: str, constraints: Sequence[Constraint]) -> tuple[str, ...]:
    """Return the texts of CHECK constraints on a column alone."""
    return tuple(
        constraint.definition
        for constraint in constraints
        if constraint.kind is ConstraintKind.CHECK and constraint.columns == (column,)
    )


def _stored(written: str) -> str:
    return written[1:-1].replace('""', '"') if written.startswith('"') else written
