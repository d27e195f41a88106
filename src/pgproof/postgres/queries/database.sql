-- The database as a whole: who reads it, what it runs on, and since when its counters count.
-- needs: nothing
-- min: 13
-- columns: database_name, database_oid, version, version_num, read_at, search_path, user_name, is_superuser, in_recovery, stats_reset_at, block_size bytes, owns_database
SELECT current_database()::text AS database_name,
       d.oid AS database_oid,
       current_setting('server_version') AS version,
       current_setting('server_version_num')::int AS version_num,
       clock_timestamp() AS read_at,
       current_schemas(false)::text[] AS search_path,
       current_user::text AS user_name,
       current_setting('is_superuser') = 'on' AS is_superuser,
       pg_is_in_recovery() AS in_recovery,
       s.stats_reset AS stats_reset_at,
       current_setting('block_size')::int AS block_size,
       pg_has_role(d.datdba, 'USAGE') AS owns_database
  FROM pg_catalog.pg_database AS d
  LEFT JOIN pg_catalog.pg_stat_database AS s ON s.datid = d.oid
 WHERE d.datname = current_database()
