-- Tables to make synthetic rows for: how many rows the planner counts on, and where partitions belong.
-- needs: nothing
-- min: 13
-- columns: oid, schema_name, table_name, is_partitioned, row_estimate rows, estimate_pages blocks, visible_pages blocks, pages blocks, parent_oid, strategy, fillfactor percent
SELECT c.oid,
       n.nspname::text AS schema_name,
       c.relname::text AS table_name,
       c.relkind = 'p' AS is_partitioned,
       c.reltuples AS row_estimate,
       c.relpages AS estimate_pages,
       c.relallvisible AS visible_pages,
       CASE WHEN c.relkind = 'r'
            THEN coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::int ELSE 0 END AS pages,
       parent.inhparent AS parent_oid,
       CASE p.partstrat WHEN 'h' THEN 'hash' WHEN 'l' THEN 'list' WHEN 'r' THEN 'range' ELSE '' END AS strategy,
       coalesce((SELECT o.option_value::int
                   FROM pg_options_to_table(c.reloptions) AS o
                  WHERE o.option_name = 'fillfactor'), 100) AS fillfactor
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_inherits AS parent ON parent.inhrelid = c.oid AND c.relispartition
  LEFT JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = parent.inhparent
 WHERE c.relkind IN ('r', 'p')
   AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
