-- What pg_stat_statements counted in this database since its reset, each entry with its own start (1.11 and later).
-- needs: pg_stat_statements; pg_read_all_stats for other users' statements
-- min: 17
-- columns: user_name, queryid, is_toplevel, query, calls, total_exec_ms ms, total_plan_ms ms, stddev_exec_ms ms, rows rows, shared_blks_hit blocks, shared_blks_read blocks, temp_blks_written blocks, wal_bytes bytes, since_at
SELECT r.rolname::text AS user_name,
       s.queryid,
       s.toplevel AS is_toplevel,
       s.query,
       s.calls,
       s.total_exec_time AS total_exec_ms,
       s.total_plan_time AS total_plan_ms,
       s.stddev_exec_time AS stddev_exec_ms,
       s.rows,
       s.shared_blks_hit,
       s.shared_blks_read,
       s.temp_blks_written,
       s.wal_bytes::double precision AS wal_bytes,
       s.stats_since AS since_at
  FROM {schema}.pg_stat_statements(%(with_texts)s) AS s
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.userid
 WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
   AND s.query IS DISTINCT FROM '<insufficient privilege>'
   -- Our own statements carry this mark.
   AND strpos(coalesce(s.query, ''), '/* pgproof */') = 0
 ORDER BY s.total_exec_time DESC, s.queryid
