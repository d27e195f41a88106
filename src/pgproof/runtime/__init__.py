"""Runtime: the part that lives inside a user's application; small, synchronous, no server of its own."""

from pgproof.runtime.cursor import decode_cursor, encode_cursor
from pgproof.runtime.nplusone import LoopedStatement, LoopWatch
from pgproof.runtime.paginate import Condition, SortKey, after_row, order_by

__all__ = [
    "Condition",
    "LoopWatch",
    "LoopedStatement",
    "SortKey",
    "after_row",
    "decode_cursor",
    "encode_cursor",
    "order_by",
]
