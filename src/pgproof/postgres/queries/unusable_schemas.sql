-- Which schemas hold a relation that we can't even name, for want of USAGE: the server says it does not exist.
-- needs: nothing
-- min: 13
-- columns: schema_name
SELECT n.nspname::text AS schema_name
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relname = %(name)s
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND NOT has_schema_privilege(n.oid, 'USAGE')
 ORDER BY 1
