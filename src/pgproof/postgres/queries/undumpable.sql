-- What pg_dump would stop at: relations we may not read in full, and the schemas in the way.
-- needs: nothing
-- min: 13
-- columns: schema_name, relation_name, is_sequence, has_usage, has_select, for_row_security
SELECT n.nspname::text AS schema_name,
       c.relname::text AS relation_name,
       c.relkind = 'S' AS is_sequence,
       has_schema_privilege(n.oid, 'USAGE') AS has_usage,
       has_table_privilege(c.oid, 'SELECT') AS has_select,
       c.relkind IN ('r', 'p') AND row_security_active(c.oid) AS for_row_security
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'S')
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
   AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
            AND NOT (c.relkind IN ('r', 'p') AND row_security_active(c.oid)))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
