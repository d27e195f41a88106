"""The parse tree: the one file that knows how postgast represents it.

libpg_query hands its tree over as protobuf messages. The bindings ship no types that a checker accepts, so a
message is ``Any`` here; every other file of the room reads it through the functions below and never lets one
out of the room except inside the opaque `Tree`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import postgast
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError
from postgast import pg_query_pb2 as pb

Message: TypeAlias = Any
"""A protobuf message of the parse tree, such as ``SelectStmt`` or ``A_Expr``."""

SyntaxFault = postgast.PgQueryError
"""What the parser raises; ``cursorpos`` counts characters from 1 and is 0 where the place is unknown."""

DepthFault = DecodeError
"""What the bindings raise for a tree nested deeper than protobuf's 100 levels."""


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A parsed statement, opaque outside `pgproof.sqltext`."""

    message: Message

    def __repr__(self) -> str:
        return f"Tree({kind_of(self.message)})"


def parse_messages(sql: str) -> list[Message]:
    """Parse a text into its raw statements.

    Args:
        sql: Any number of statements.

    Returns:
        One ``RawStmt`` for each, in text order; ``stmt_location`` and ``stmt_len`` count bytes of UTF-8.

    Raises:
        SyntaxFault: The text does not parse.
        DepthFault: An expression is nested too deeply for the bindings.
    """
    return list(postgast.parse(sql).stmts)


def split_texts(sql: str) -> list[str]:
    """Cut a text into statements without building a tree; comments before a statement stay with it.

    Raises:
        SyntaxFault: The text does not parse.
    """
    return [str(text) for text in postgast.split(sql, method="parser")]


def scan_tokens(sql: str) -> list[Message]:
    """Split a text into the tokens PostgreSQL's scanner sees, comments included.

    Returns:
        Tokens in text order; ``start`` and ``end`` count bytes of UTF-8.

    Raises:
        SyntaxFault: A quote or a comment is not closed.
    """
    return list(postgast.scan(sql).tokens)


def token_name(token: Message) -> str:
    """Name a token's class as the scanner does, such as ``SCONST``, ``PARAM``, ``IDENT`` or ``SELECT``."""
    return str(pb.Token.Name(token.token))


def fingerprint_hex(sql: str) -> str:
    """Return libpg_query's fingerprint of a text as 16 hexadecimal digits."""
    return str(postgast.fingerprint(sql).hex)


def normalized_text(sql: str) -> str:
    """Return libpg_query's normalised form of a text."""
    return str(postgast.normalize(sql))


def deparse_message(message: Message) -> str:
    """Write a statement message back as SQL text.

    Args:
        message: A statement such as ``SelectStmt``, unwrapped.

    Raises:
        SyntaxFault: The tree is not one the deparser knows.
    """
    result = pb.ParseResult()
    field = field_of_type(type(message).DESCRIPTOR.name)
    getattr(result.stmts.add().stmt, field).CopyFrom(message)
    return str(postgast.deparse(result))


_NODE_FIELDS: dict[str, str] = {
    field.message_type.name: field.name for field in pb.Node.DESCRIPTOR.oneofs[0].fields if field.message_type
}


def field_of_type(type_name: str) -> str:
    """Name the field of a ``Node`` that holds messages of a type: ``SelectStmt`` -> ``select_stmt``."""
    return _NODE_FIELDS[type_name]


def new_message(type_name: str) -> Message:
    """Make an empty message of a type, such as ``"SelectStmt"``."""
    return getattr(pb, type_name)()


def copy_of(message: Message) -> Message:
    """Copy a message so that it can be changed without touching the parsed one."""
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def unwrap(node: Message) -> Message:
    """Peel the ``Node`` envelope; a message without one, and an empty envelope, come back as they are."""
    if type(node) is not pb.Node:
        return node
    which = node.WhichOneof("node")
    return getattr(node, which) if which else node


def kind_of(node: Message) -> str:
    """Name a node's type, such as ``"ColumnRef"``; ``"Node"`` for an absent one."""
    return type(unwrap(node)).__name__


def is_set(message: Message, field: str) -> bool:
    """Tell whether an optional field of a message is there."""
    return bool(message.HasField(field))


def enum_name(enum: str, value: int) -> str:
    """Name a value of one of the grammar's enumerations, e.g. ``("A_Expr_Kind", 1)`` -> ``"AEXPR_OP"``."""
    return str(getattr(pb, enum).Name(value))


def enum_value(enum: str, name: str) -> int:
    """Return the value of one of the grammar's enumerations, e.g. ``("A_Expr_Kind", "AEXPR_OP")`` -> 1."""
    return int(getattr(pb, enum).Value(name))


def peel(message: Message, is_shell: Callable[[Message], bool]) -> None:
    """Put in the place of each shell among a message's direct children what it holds, shell after shell.

    Args:
        message: Changed in place.
        is_shell: Asked for each child, envelope peeled; what it names must have a field ``arg``.
    """
    for field, value in message.ListFields():
        if field.message_type is not pb.Node.DESCRIPTOR:
            continue
        for node in (value,) if hasattr(value, "ListFields") else value:
            while is_shell(unwrap(node)):
                node.CopyFrom(copy_of(unwrap(node).arg))


def replace_nodes(message: Message, replacement: Callable[[Message], Message | None]) -> None:
    """Put other nodes in the place of some below a message, from the top down.

    Args:
        message: Changed in place.
        replacement: Asked for each node below it, envelope peeled; what it returns takes the node's place
            and is not looked into, ``None`` leaves the node and goes on below it.
    """
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        for child in (value,) if hasattr(value, "ListFields") else value:
            found = replacement(unwrap(child)) if type(child) is pb.Node else None
            if found is None:
                replace_nodes(child, replacement)
            else:
                child.CopyFrom(wrap(found))


def wrap(message: Message) -> Message:
    """Put a message into the ``Node`` envelope that lists and optional fields want."""
    node = pb.Node()
    getattr(node, field_of_type(type(message).DESCRIPTOR.name)).CopyFrom(message)
    return node


def children(message: Message) -> Iterator[tuple[str, Message]]:
    """Yield ``(field name, child)`` for each direct child, envelopes peeled, in the grammar's field order."""
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        for child in (value,) if hasattr(value, "ListFields") else value:
            yield field.name, unwrap(child)


def walk(node: Message, descend: Callable[[Message], bool] | None = None) -> Iterator[Message]:
    """Yield a node and everything below it, depth first, parents before children.

    Args:
        node: Where to start.
        descend: Asked for each node below the start; where it says no, neither the node nor what is below
            it is yielded.
    """
    node = unwrap(node)
    yield node
    for _, child in children(node):
        if descend is None or descend(child):
            yield from walk(child, descend)


def strings(nodes: Message) -> tuple[str, ...]:
    """Read a list of ``String`` nodes, such as the parts of a dotted name; other nodes are left out."""
    return tuple(unwrap(node).sval for node in nodes if kind_of(node) == "String")
