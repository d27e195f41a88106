-- Gives hypothetical indexes of a shadow their pages and rows, as building them would have.
-- needs: superuser
-- min: 18
-- columns: oid
UPDATE pg_catalog.pg_class AS c
   SET relpages = figures.pages, reltuples = figures.row_count
  FROM unnest(%(oids)s::oid[], %(pages)s::int[], %(rows)s::real[]) AS figures (oid, pages, row_count)
 WHERE c.oid = figures.oid
RETURNING c.oid::int8 AS oid
