-- Every relation of the user's that statements can read, with its counters.
-- needs: nothing
-- min: 13
-- columns: oid, schema_name, table_name, kind, row_estimate rows, pages blocks, parent_oid, inherited_oids, partition_key, row_security, owner, owned, options, seq_scans, seq_tup_read rows, idx_scans, inserts rows, updates rows, deletes rows, hot_updates rows, live_rows rows, dead_rows rows, mods_since_analyze rows, last_analyze_at, last_vacuum_at
SELECT c.oid,
       n.nspname::text AS schema_name,
       c.relname::text AS table_name,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned' WHEN 'v' THEN 'view'
                      WHEN 'm' THEN 'matview' WHEN 'f' THEN 'foreign' END AS kind,
       -- Before 14, a table never analysed has 0 rows on 0 pages rather than -1 rows.
       CASE WHEN c.reltuples = 0 AND c.relpages = 0 AND current_setting('server_version_num')::int < 140000
            THEN -1 ELSE c.reltuples END AS row_estimate,
       c.relpages AS pages,
       parent.inhparent AS parent_oid,
       ARRAY(SELECT h.inhparent
               FROM pg_catalog.pg_inherits AS h
              WHERE h.inhrelid = c.oid AND NOT c.relispartition
              ORDER BY h.inhseqno) AS inherited_oids,
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partition_key,
       c.relrowsecurity AS row_security,
       pg_get_userbyid(c.relowner)::text AS owner,
       pg_has_role(c.relowner, 'USAGE') AS owned,
       coalesce(c.reloptions, '{}') AS options,
       s.seq_scan AS seq_scans,
       s.seq_tup_read,
       s.idx_scan AS idx_scans,
       s.n_tup_ins AS inserts,
       s.n_tup_upd AS updates,
       s.n_tup_del AS deletes,
       s.n_tup_hot_upd AS hot_updates,
       s.n_live_tup AS live_rows,
       s.n_dead_tup AS dead_rows,
       s.n_mod_since_analyze AS mods_since_analyze,
       greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze_at,
       greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum_at
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_inherits AS parent ON parent.inhrelid = c.oid AND c.relispartition
  LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = c.oid
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
