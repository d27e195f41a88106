-- How far a backend's index build is: to tell the user while it runs.
-- needs: nothing for the own role; pg_read_all_stats for others
-- min: 13
-- columns: phase, blocks_done, blocks_total, tuples_done, tuples_total
SELECT p.phase,
       coalesce(p.blocks_done, 0)::float8 AS blocks_done,
       coalesce(p.blocks_total, 0)::float8 AS blocks_total,
       coalesce(p.tuples_done, 0)::float8 AS tuples_done,
       coalesce(p.tuples_total, 0)::float8 AS tuples_total
  FROM pg_catalog.pg_stat_progress_create_index AS p
 WHERE p.pid = %(pid)s
