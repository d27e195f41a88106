"""Drafts for what a B-tree can't order: documents, arrays, networks, ranges, places, full text.

**Source**: PostgreSQL documentation 64.1 to 64.4 (operator classes of GiST, SP-GiST, GIN), 8.14.4 (jsonb),
12.9 (full text), F.18 (hstore), F.22 (ltree), F.20 (intarray).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pgproof.model.change import CreateExtension
from pgproof.model.relation import IndexKey
from pgproof.sqltext.shape import Operand, Predicate, PredicateKind
from pgproof.stages.propose.drafts.access import Access
from pgproof.stages.propose.drafts.btree import looked_up
from pgproof.stages.propose.drafts.draft import Draft, key_of, key_words
from pgproof.stages.propose.drafts.opclasses import operator_class
from pgproof.stages.propose.drafts.patterns import MATCHED_FRAC
from pgproof.stages.propose.immutable import immutable_type
from pgproof.stages.propose.types import is_range_type

_BTREE_GIST = "btree_gist"
_SIDES = frozenset({"<<", ">>", "&<", "&>", "<<|", "|>>", "&<|", "|&>", "<^", ">^"})
_OVERLAP = frozenset({"@>", "<@", "&&"})


@dataclass(frozen=True, slots=True)
class _Service:
    """What an index of some access method and operator class is good for.

    Args:
        operators: Those it serves.
        method: Access method.
        opclass: Operator class, empty for the default one.
        extension: That brings the class, empty for the server's own.
        distances: Operators by which it gives the nearest first.
    """

    operators: frozenset[str]
    method: str
    opclass: str = ""
    extension: str = ""
    distances: frozenset[str] = frozenset()


_NEAR = frozenset({"<->"})
_SERVICES: Mapping[str, tuple[_Service, ...]] = {
    "jsonb": (
        _Service(frozenset({"@>", "@?", "@@"}), "gin", "jsonb_path_ops"),
        _Service(frozenset({"@>", "@?", "@@", "?", "?|", "?&"}), "gin"),
    ),
    "tsvector": (_Service(frozenset({"@@"}), "gin"),),
    "hstore": (_Service(frozenset({"@>", "?", "?|", "?&"}), "gin", "gin_hstore_ops", "hstore"),),
    "ltree": (_Service(frozenset({"@>", "<@", "~", "?", "@"}), "gist", "gist_ltree_ops", "ltree"),),
    "inet": (_Service(frozenset({"<<", "<<=", ">>", ">>=", "&&"}), "gist", "inet_ops"),),
    "point": (_Service(_SIDES | {"<@", "~="}, "gist", distances=_NEAR),),
    "box": (_Service(_SIDES | _OVERLAP | {"~="}, "gist", distances=_NEAR),),
    "polygon": (_Service(_SIDES | _OVERLAP | {"~="}, "gist", distances=_NEAR),),
    "circle": (_Service(_SIDES | _OVERLAP | {"~="}, "gist", distances=_NEAR),),
    "geometry": (_Service(_SIDES | {"&&", "@", "~", "~="}, "gist", distances=_NEAR | {"<#>"}),),
    "geography": (_Service(frozenset({"&&"}), "gist", distances=_NEAR),),
}
_ARRAY = _Service(_OVERLAP, "gin")
_INT_ARRAY = _Service(_OVERLAP | {"@@"}, "gin", "gin__int_ops", "intarray")
_RANGE = _Service(_SIDES | _OVERLAP | {"-|-"}, "gist")
_SPATIAL_CALLS = frozenset(
    {"st_contains", "st_containsproperly", "st_coveredby", "st_covers", "st_crosses", "st_dfullywithin"}
    | {
        "st_dwithin",
        "st_equals",
        "st_intersects",
        "st_orderingequals",
        "st_overlaps",
        "st_touches",
        "st_within",
    }
)
"""Functions that bring an index condition with them. **Source**: PostGIS 3.5 manual, 8.8."""


def container_drafts(access: Access, max_width: int) -> Iterator[Draft]:
    """Yield drafts for the conditions a B-tree can't serve, in the order of the conditions."""
    for predicate in (*access.others, *access.alternatives):
        if predicate.negated:
            continue
        for service in _services(access, predicate.operand):
            if _is_served(predicate, service):
                words = f"{predicate.operand.expression} {predicate.operator} a given value"
                yield _draft(access, predicate.operand, service, words)
                yield from _behind_equality(access, predicate, service, words, max_width)
        if predicate.operator in ("<<", "<<=") and _type_of(access, predicate.operand) in ("inet", "cidr"):
            keys = (key_of(predicate.operand),)  # the planner makes a range of a constant network
            yield Draft(access.table, keys, f"{key_words(keys)} within a network", 1, frac=MATCHED_FRAC)


def nearest_drafts(access: Access) -> Iterator[Draft]:
    """Yield drafts for ``ORDER BY place <-> $1 LIMIT 10``."""
    key = access.nearest
    if key is None or key.nearest is None:
        return
    for service in _services(access, key.nearest):
        if key.distance in service.distances:
            yield _draft(access, key.nearest, service, f"nearest {key.nearest.expression} first")


def _type_of(access: Access, operand: Operand) -> str:
    if operand.column is None:
        return immutable_type(operand.expression, access.table, access.catalog) or ""
    column = access.table.column(operand.column)
    return "" if column is None or column.generated == "virtual" else column.base_type


def _services(access: Access, operand: Operand) -> tuple[_Service, ...]:
    base_type = _type_of(access, operand)
    if base_type.startswith("_"):
        extension = access.catalog.extension("intarray")
        with_own = base_type == "_int4" and extension is not None and extension.installed_version
        return (_INT_ARRAY,) if with_own else (_ARRAY,)
    if is_range_type(base_type):
        return (_RANGE,)
    return _SERVICES.get("inet" if base_type == "cidr" else base_type, ())


def _is_served(predicate: Predicate, service: _Service) -> bool:
    if predicate.kind is PredicateKind.CALL:
        return predicate.operator in _SPATIAL_CALLS
    return predicate.operator in service.operators


def _draft(
    access: Access, operand: Operand, service: _Service, words: str, before: tuple[IndexKey, ...] = ()
) -> Draft:
    opclass = service.opclass
    requires: tuple[CreateExtension, ...] = ()
    if service.extension:
        opclass, requires = operator_class(service.opclass, service.extension, access.catalog)
    keys = (*before, key_of(operand, opclass))
    frac = MATCHED_FRAC
    return Draft(access.table, keys, words, 0, method=service.method, frac=frac, requires=requires)


def _behind_equality(
    access: Access, predicate: Predicate, service: _Service, words: str, max_width: int
) -> Iterator[Draft]:
    """Yield a GiST index that starts with a column compared for equality, where btree_gist is to be had."""
    if service.method != "gist" or not is_range_type(_type_of(access, predicate.operand)) or max_width < 2:
        return
    equals = [equal for equal in looked_up(access) if equal.operand.column is not None]
    if not equals or access.catalog.extension(_BTREE_GIST) is None or predicate.in_or:
        return
    _, requires = operator_class("", _BTREE_GIST, access.catalog)
    before = (key_of(equals[0].operand),)
    longer = _draft(access, predicate.operand, service, f"equality on {key_words(before)}, {words}", before)
    yield Draft(longer.table, longer.keys, longer.asks, 1, method="gist", frac=longer.frac, requires=requires)
