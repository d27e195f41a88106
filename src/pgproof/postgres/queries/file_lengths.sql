-- How long the files of tables and indexes are: the planner goes by it, and a shadow has to know.
-- needs: nothing
-- min: 13
-- columns: schema_name, relation_name, pages blocks
SELECT n.nspname::text AS schema_name,
       c.relname::text AS relation_name,
       coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::int AS pages
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm', 'i')
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
