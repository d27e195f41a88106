-- Materialized views that wait for their first content; what is built on others comes after them.
-- needs: nothing
-- min: 13
-- columns: object_name
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS object_name
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind = 'm'
   AND NOT c.relispopulated
   AND n.nspname !~ '^pg_'
 ORDER BY c.oid
