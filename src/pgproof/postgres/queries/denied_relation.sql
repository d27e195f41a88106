-- In which schemas a relation stands that we may not read: the server's error names it without its schema.
-- needs: nothing
-- min: 13
-- columns: schema_name
SELECT n.nspname::text AS schema_name
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relname = %(name)s
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND NOT has_table_privilege(c.oid, 'SELECT')
 ORDER BY 1
