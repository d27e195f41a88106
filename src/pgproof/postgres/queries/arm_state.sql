-- What an arm weighs before and after a variant is applied: indexes, the whole database, WAL written so far.
-- needs: nothing; in a standby pg_current_wal_insert_lsn fails, and an arm is never one
-- min: 13
-- columns: index_bytes, database_bytes, wal_bytes, index_count
SELECT coalesce(sum(pg_relation_size(c.oid)), 0)::bigint AS index_bytes,
       pg_database_size(current_database()) AS database_bytes,
       (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint AS wal_bytes,
       count(*) AS index_count
  FROM pg_class AS c
       JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind = 'i'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
