-- The indexes of the user's tables, with how often they were scanned.
-- needs: nothing
-- min: 13
-- columns: oid, schema_name, index_name, table_oid, method, predicate, is_unique, is_primary, constraint_name, is_valid, is_ready, is_replica_identity, is_clustered, parent_oid, definition, pages blocks, scans, last_scan_at, is_building
SELECT c.oid,
       n.nspname::text AS schema_name,
       c.relname::text AS index_name,
       i.indrelid AS table_oid,
       am.amname::text AS method,
       pg_get_expr(i.indpred, i.indrelid) AS predicate,
       i.indisunique AS is_unique,
       i.indisprimary AS is_primary,
       k.conname::text AS constraint_name,
       i.indisvalid AS is_valid,
       i.indisready AS is_ready,
       i.indisreplident AS is_replica_identity,
       i.indisclustered AS is_clustered,
       parent.inhparent AS parent_oid,
       pg_get_indexdef(c.oid) AS definition,
       c.relpages AS pages,
       s.idx_scan AS scans,
       NULL::timestamptz AS last_scan_at,
       -- Other roles' builds are seen with pg_read_all_stats only.
       EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p
                WHERE p.index_relid = c.oid AND p.datname = current_database()) AS is_building
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid AND t.relkind IN ('r', 'p', 'm')
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
  -- Foreign keys name the index they rely on as well, hence the kinds.
  LEFT JOIN pg_catalog.pg_constraint AS k ON k.conindid = c.oid AND k.contype IN ('p', 'u', 'x')
  LEFT JOIN pg_catalog.pg_inherits AS parent ON parent.inhrelid = c.oid
  LEFT JOIN pg_catalog.pg_stat_all_indexes AS s ON s.indexrelid = c.oid
 WHERE i.indislive
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
 ORDER BY n.nspname, c.relname
