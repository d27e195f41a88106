-- What stands under an index name, and which backend still works on it: the truth after an error or a restart.
-- needs: nothing; pg_read_all_stats to see builds of other roles (locks on the index show them anyway)
-- min: 13
-- columns: index_oid, relation_kind, is_valid, is_ready, is_live, is_attached, table_schema, table_name, busy_pid
SELECT c.oid::int8 AS index_oid,
       c.relkind::text AS relation_kind,
       coalesce(i.indisvalid, false) AS is_valid,
       coalesce(i.indisready, false) AS is_ready,
       coalesce(i.indislive, false) AS is_live,
       c.relispartition AS is_attached,
       coalesce(tn.nspname::text, '') AS table_schema,
       coalesce(t.relname::text, '') AS table_name,
       (SELECT min(busy.pid)
          FROM (SELECT p.pid
                  FROM pg_catalog.pg_stat_progress_create_index AS p
                 WHERE p.index_relid = c.oid
                   AND p.datid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
                 UNION ALL
                SELECT l.pid
                  FROM pg_catalog.pg_locks AS l
                 WHERE l.locktype = 'relation'
                   AND l.relation = c.oid
                   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
                   AND l.mode IN ('ShareUpdateExclusiveLock', 'AccessExclusiveLock')
                   AND l.granted) AS busy
         WHERE busy.pid <> pg_backend_pid()) AS busy_pid
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
  LEFT JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  LEFT JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
 WHERE n.nspname = %(schema)s
   AND c.relname = %(name)s
