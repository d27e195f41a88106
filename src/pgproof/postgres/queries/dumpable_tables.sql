-- The tables whose rows a copy must hold, and those whose rows lie elsewhere.
-- needs: nothing
-- min: 13
-- columns: schema_name, table_name, is_foreign
SELECT n.nspname::text AS schema_name,
       c.relname::text AS table_name,
       c.relkind = 'f' AS is_foreign
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f')
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
