-- Statements that set each column's own sequence behind the column's greatest value, as it is after real inserts.
-- needs: SELECT on the tables
-- min: 13
-- columns: statement
SELECT format('SELECT setval(%L, greatest(coalesce(max(%I), 1)::bigint, 1)) FROM %I.%I',
              quote_ident(sn.nspname) || '.' || quote_ident(s.relname), a.attname, n.nspname, c.relname) AS statement
  FROM pg_catalog.pg_depend AS d
  JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
  JOIN pg_catalog.pg_namespace AS sn ON sn.oid = s.relnamespace
  JOIN pg_catalog.pg_class AS c ON c.oid = d.refobjid AND c.relkind IN ('r', 'p')
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
 WHERE d.classid = 'pg_catalog.pg_class'::regclass
   AND d.refclassid = 'pg_catalog.pg_class'::regclass
   AND d.deptype IN ('a', 'i')
   AND n.nspname !~ '^pg_'
 ORDER BY 1
