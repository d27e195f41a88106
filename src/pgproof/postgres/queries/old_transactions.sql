-- Transactions that CREATE and DROP INDEX CONCURRENTLY would wait for: open ones with a snapshot, and prepared ones.
-- needs: nothing; pg_read_all_stats shows those of other roles
-- min: 13
-- columns: pid, user_name, application_name, state, transaction_age_s, prepared_name
SELECT a.pid,
       coalesce(a.usename::text, '') AS user_name,
       coalesce(a.application_name, '') AS application_name,
       coalesce(a.state, '') AS state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_age_s,
       '' AS prepared_name
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = current_database()
   AND a.pid <> pg_backend_pid()
   AND a.application_name NOT LIKE 'pgproof%%'
   AND a.xact_start IS NOT NULL
   AND (a.backend_xid IS NOT NULL OR a.backend_xmin IS NOT NULL)
UNION ALL
SELECT 0, p.owner::text, '', 'prepared',
       extract(epoch FROM clock_timestamp() - p.prepared)::float8,
       p.gid
  FROM pg_catalog.pg_prepared_xacts AS p
 WHERE p.database = current_database()
 ORDER BY transaction_age_s DESC
