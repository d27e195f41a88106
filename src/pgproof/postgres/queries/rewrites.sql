-- What the server puts into a statement that names a table or a function: row security, bodies of SQL functions.
-- needs: nothing
-- min: 13
-- columns: name, body
SELECT c.relname::text AS name,
       pg_get_expr(p.polqual, p.polrelid) AS body
  FROM pg_catalog.pg_policy AS p
  JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relrowsecurity
   AND p.polqual IS NOT NULL
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
 UNION ALL
SELECT f.proname::text,
       -- A body in the standard's form is no text of its own; the definition has it.
       coalesce(nullif(f.prosrc, ''), pg_get_functiondef(f.oid))
  FROM pg_catalog.pg_proc AS f
  JOIN pg_catalog.pg_language AS l ON l.oid = f.prolang
  JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
 WHERE l.lanname = 'sql'
   AND f.prokind = 'f'
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
 ORDER BY 1, 2
