"""Whether an index of the catalog is the one that was planned."""

from __future__ import annotations

from pgproof.changes.index_cover import same_keys
from pgproof.model.change import CreateIndex
from pgproof.model.relation import Index
from pgproof.sqltext.canonical import canonical_expression
from pgproof.sqltext.quote import quote_literal


def same_definition(change: CreateIndex, index: Index) -> bool:
    """Tell whether an index does what a change asks for, whatever either is called.

    Method, uniqueness, keys with their order, payload and predicate are compared part by part, expressions
    in their canonical spelling, as the server prints them with brackets and casts of its own.
    """
    return (
        index.table == change.table
        and index.method == change.method
        and index.unique == change.unique
        and index.include == change.include
        and canonical_expression(index.predicate) == canonical_expression(change.where)
        and same_keys(change.keys, index.keys)
    )


def verify_sql(change: CreateIndex) -> str:
    """Render a query of one boolean: the index is there, complete, and has the planned parts.

    Expressions and the predicate are compared by presence alone, since only the server knows how it spells
    them; `same_definition` compares their text.
    """
    columns = [key.column for key in change.keys] + list(change.include)
    options = ",".join(str(key.descending + 2 * key.nulls_first) for key in change.keys)
    opclasses = ",".join(quote_literal(key.opclass.rpartition(".")[2]) for key in change.keys)
    return f"""SELECT /* pgproof */ pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 AS verified
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_am am ON am.oid = c.relam
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
 WHERE n.nspname = {quote_literal(change.table.schema)} AND c.relname = {quote_literal(change.name)}
   AND tn.nspname = {quote_literal(change.table.schema)} AND t.relname = {quote_literal(change.table.name)}
   AND i.indisvalid AND i.indisready AND i.indislive
   AND am.amname = {quote_literal(change.method)} AND i.indisunique = {str(change.unique).lower()}
   AND (i.indpred IS NOT NULL) = {str(bool(change.where)).lower()} AND i.indnkeyatts = {len(change.keys)}
   AND ARRAY(SELECT coalesce(a.attname::text, '')
               FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
               LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
              ORDER BY k.place) = ARRAY[{",".join(map(quote_literal, columns))}]::text[]
   AND ARRAY(SELECT o.bits::int
               FROM pg_catalog.unnest(i.indoption::int2[]) WITH ORDINALITY AS o(bits, place)
              ORDER BY o.place) = ARRAY[{options}]::int[]
   AND NOT EXISTS (SELECT 1
                     FROM ROWS FROM (pg_catalog.unnest(i.indclass::oid[]),
                                     pg_catalog.unnest(ARRAY[{opclasses}]::text[])) AS o(found, planned)
                     JOIN pg_catalog.pg_opclass oc ON oc.oid = o.found
                    WHERE o.planned <> '' AND oc.opcname <> o.planned)"""
