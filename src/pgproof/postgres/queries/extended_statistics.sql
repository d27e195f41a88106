-- CREATE STATISTICS objects: what the planner was told about columns that belong together.
-- needs: nothing
-- min: 13
-- columns: schema_name, name, table_oid, columns, kinds, definition, distinct_groups
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
       pg_get_statisticsobjdef(e.oid) AS definition,
       -- Pairs of column names and the number of their combinations; none for other roles' tables and
       -- before ANALYZE. Groups with an expression (a negative number) are left out.
       (SELECT jsonb_agg(jsonb_build_array(
                   (SELECT jsonb_agg(a.attname ORDER BY u.place)
                      FROM unnest(string_to_array(g.attnums, ', ')::int2[]) WITH ORDINALITY AS u(attnum, place)
                      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = e.stxrelid AND a.attnum = u.attnum),
                   g.combinations))
          FROM pg_catalog.pg_stats_ext AS s
         CROSS JOIN LATERAL jsonb_each(s.n_distinct::text::jsonb) AS g(attnums, combinations)
         WHERE s.statistics_schemaname = n.nspname
           AND s.statistics_name = e.stxname
           AND g.attnums !~ '-') AS distinct_groups
  FROM pg_catalog.pg_statistic_ext AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.stxnamespace
 WHERE n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
 ORDER BY n.nspname, e.stxname
