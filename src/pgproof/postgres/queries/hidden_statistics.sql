-- Tables whose column statistics the server hides from us, by schema and reason.
-- needs: nothing
-- min: 13
-- columns: schema_name, table_count, has_usage, for_row_security
SELECT n.nspname::text AS schema_name,
       count(*) AS table_count,
       has_schema_privilege(n.oid, 'USAGE') AS has_usage,
       has_any_column_privilege(c.oid, 'SELECT') AS for_row_security
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm', 'f')
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
   AND (NOT has_any_column_privilege(c.oid, 'SELECT') OR row_security_active(c.oid))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 GROUP BY n.nspname, n.oid, has_schema_privilege(n.oid, 'USAGE'), has_any_column_privilege(c.oid, 'SELECT')
 ORDER BY n.nspname
