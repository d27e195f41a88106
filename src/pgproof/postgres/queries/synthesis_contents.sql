-- What a database holds beyond a new one: nothing is ever added to somebody's tables, types or functions.
-- needs: nothing
-- min: 13
-- columns: object_name
SELECT o.object_name
  FROM (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS object_name, n.nspname, 'pg_class'::regclass AS classid, c.oid
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
           AND c.relpersistence <> 't'
         UNION ALL
        SELECT quote_ident(n.nspname) || '.' || quote_ident(t.typname), n.nspname, 'pg_type'::regclass, t.oid
          FROM pg_catalog.pg_type AS t
          JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
         WHERE t.typtype IN ('d', 'e', 'r')
         UNION ALL
        SELECT quote_ident(n.nspname) || '.' || quote_ident(p.proname), n.nspname, 'pg_proc'::regclass, p.oid
          FROM pg_catalog.pg_proc AS p
          JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace) AS o
 WHERE o.nspname !~ '^pg_'
   AND o.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = o.classid AND d.objid = o.oid AND d.deptype = 'e')
 ORDER BY 1
 LIMIT 4
