-- CREATE STATISTICS objects: what the planner was told about columns that belong together.
-- needs: nothing
-- min: 13
-- columns: schema_name, name, table_oid, columns, kinds, definition
SELECT n.nspname::text AS schema_name,
       e.stxname::text AS name,
       e.stxrelid AS table_oid,
       ARRAY(SELECT a.attname::text
               FROM unnest(e.stxkeys) WITH ORDINALITY AS u(attnum, place)
               JOIN pg_catalog.pg_attribute AS a ON a.attrelid = e.stxrelid AND a.attnum = u.attnum
              ORDER BY u.place) AS columns,
       ARRAY(SELECT CASE u.kind WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies'
                                WHEN 'm' THEN 'mcv' WHEN 'e' THEN 'expressions' ELSE u.kind::text END
               FROM unnest(e.stxkind) AS u(kind)) AS kinds,
       pg_get_statisticsobjdef(e.oid) AS definition
  FROM pg_catalog.pg_statistic_ext AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.stxnamespace
 WHERE n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
 ORDER BY n.nspname, e.stxname
