-- The queries of views and materialized views, which are what statements on them really run.
-- needs: nothing
-- min: 13
-- columns: oid, definition
SELECT c.oid,
       pg_get_viewdef(c.oid) AS definition
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('v', 'm')
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
