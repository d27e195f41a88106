-- How to remove all that a failed run put into a database that was empty: schemas and extensions made since, then the rest.
-- needs: ownership of what is removed
-- min: 13
-- columns: statement
SELECT o.statement
  FROM (SELECT 1 AS rank, format('DROP SCHEMA %%I CASCADE', n.nspname) AS statement
          FROM pg_catalog.pg_namespace AS n
         WHERE n.nspname !~ '^pg_'
           AND n.nspname <> 'information_schema'
           AND n.nspname <> ALL (%(schemas)s::text[])
         UNION ALL
        SELECT 2, format('DROP EXTENSION IF EXISTS %%I CASCADE', e.extname)
          FROM pg_catalog.pg_extension AS e
         WHERE e.extname <> ALL (%(extensions)s::text[])
         UNION ALL
        SELECT 3,
               format('DROP %%s IF EXISTS %%I.%%I CASCADE',
                      CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                                     WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
                      n.nspname, c.relname)
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = ANY (%(schemas)s::text[])
           AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
           -- Columns of a partition key depend on their own table, too.
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                              AND (d.deptype = 'e' OR d.deptype = 'i' AND c.relkind <> 'c'))
         UNION ALL
        SELECT 4, format('DROP ROUTINE IF EXISTS %%s CASCADE', p.oid::regprocedure)
          FROM pg_catalog.pg_proc AS p
          JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
         WHERE n.nspname = ANY (%(schemas)s::text[])
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
         UNION ALL
        SELECT 5, format('DROP TYPE IF EXISTS %%I.%%I CASCADE', n.nspname, t.typname)
          FROM pg_catalog.pg_type AS t
          JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
         WHERE n.nspname = ANY (%(schemas)s::text[])
           AND t.typtype IN ('d', 'e', 'r', 'b')
           AND t.typelem = 0
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                            WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype IN ('e', 'i'))
         UNION ALL
        SELECT 6, format('DROP COLLATION IF EXISTS %%I.%%I CASCADE', n.nspname, l.collname)
          FROM pg_catalog.pg_collation AS l
          JOIN pg_catalog.pg_namespace AS n ON n.oid = l.collnamespace
         WHERE n.nspname = ANY (%(schemas)s::text[])) AS o
 ORDER BY o.rank, o.statement
