-- Who a backend waits for: sessions that hold a lock it wants; pid 0 stands for a prepared transaction.
-- needs: nothing; pg_read_all_stats shows state and age of other users' sessions
-- min: 13
-- columns: pid, user_name, application_name, state, transaction_age_s
SELECT b.pid,
       coalesce(a.usename::text, '') AS user_name,
       coalesce(a.application_name, '') AS application_name,
       coalesce(a.state, '') AS state,
       coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8 AS transaction_age_s
  FROM (SELECT DISTINCT unnest(pg_blocking_pids(%(pid)s)) AS pid) AS b
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid
 ORDER BY transaction_age_s DESC, b.pid
