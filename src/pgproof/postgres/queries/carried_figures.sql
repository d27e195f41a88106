-- Puts a copy's figures about relations to the length of its own files: as many rows as the source's planner counts.
-- needs: superuser, and the source's figures restored
-- min: 18
-- columns: relation oid
UPDATE pg_catalog.pg_class AS c
   SET relpages = here.pages,
       reltuples = (c.reltuples::float8 / c.relpages * there.pages)::real,
       relallvisible = round(least(c.relallvisible::float8 / there.pages, 1) * here.pages)::int,
       relallfrozen = round(least(c.relallfrozen::float8 / there.pages, 1) * here.pages)::int
  FROM unnest(%(schemas)s::text[], %(relations)s::text[], %(pages)s::bigint[])
       AS there (schema_name, relation_name, pages)
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = there.schema_name
  JOIN pg_catalog.pg_class AS o ON o.relnamespace = n.oid AND o.relname = there.relation_name
 CROSS JOIN LATERAL (
       SELECT pg_catalog.pg_relation_size(o.oid) / current_setting('block_size')::int AS pages) AS here
 WHERE c.oid = o.oid
   AND o.relkind IN ('r', 'm', 'i')
   -- What was never analysed has no figures, and empty files have no rows.
   AND c.relpages > 0 AND c.reltuples >= 0 AND there.pages > 0 AND here.pages > 0
   AND (there.pages <> c.relpages OR here.pages <> c.relpages)
RETURNING c.oid AS relation
