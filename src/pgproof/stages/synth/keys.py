"""How the members of a key have to be spread so that enough different combinations exist."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from pgproof.stages.synth.members import ColumnMember, Member
from pgproof.stages.synth.spread import even_spread


def least_groups(followers: Sequence[Member], rows: int) -> int:
    """Return into how many groups a table's rows must fall, one for each value of a key's first member.

    A value that is in a quarter of all rows is at most once in a group, so there are at least a quarter as
    many groups as rows.

    Args:
        followers: The key's other members.
        rows: Of the table.
    """
    return math.ceil(rows / _largest_group(followers))


def capped_members(members: Sequence[Member], rows: int) -> tuple[tuple[Member, ...], bool]:
    """Take from values that are more frequent than a key allows.

    Args:
        members: Of the key, the one that groups first.
        rows: Of the table.

    Returns:
        The members, and whether there are too few combinations all the same.
    """
    followers = list(members[1:])
    combinations = math.prod(member.spread.values for member in followers)
    # The few frequent values are those that statements ask for: where one side gives way, it is the other.
    is_short = members[0].spread.values <= combinations
    first = _grouped(members[0], rows, combinations if is_short else _largest_group(followers))
    group = first.spread.allotted(rows).largest
    if followers and group > 0:
        others = math.prod(member.spread.values for member in followers[:-1])
        followers[-1] = _capped(followers[-1], max(others, 1) / group)
    return (first, *followers), group > combinations


def _grouped(member: Member, rows: int, largest: int) -> Member:
    """Spread a key's first member so that no value has more rows than the others tell apart."""
    found = member
    for spread in (member.spread, member.spread.capped(largest / rows), even_spread(member.spread.values)):
        if not isinstance(member, ColumnMember):
            break
        found = replace(member, spread=spread)
        if spread.allotted(rows).largest <= largest:
            break
    return found


def _largest_group(followers: Sequence[Member]) -> int:
    return max(round(1 / max(math.prod(member.spread.largest_frac for member in followers), 1e-12)), 1)


def _capped(member: Member, largest_frac: float) -> Member:
    if isinstance(member, ColumnMember) and member.spread.largest_frac > largest_frac:
        return replace(member, spread=member.spread.capped(largest_frac))
    return member
