-- Tables and indexes of a shadow, where their files lie, and what gives an index its height.
-- needs: superuser
-- min: 18
-- columns: oid, schema_name, relation_name, table_oid, parent_oid, method, file_name, is_leaf, row_count, key_bytes bytes, is_unique
SELECT c.oid::int8 AS oid,
       n.nspname::text AS schema_name,
       c.relname::text AS relation_name,
       coalesce(i.indrelid, c.oid)::int8 AS table_oid,
       h.inhparent::int8 AS parent_oid,
       CASE WHEN i.indexrelid IS NULL THEN '' ELSE am.amname::text END AS method,
       pg_relation_filenode(c.oid)::text AS file_name,
       c.relkind IN ('r', 'm', 'i') AS is_leaf,
       c.reltuples::float8 AS row_count,
       coalesce(k.key_bytes, 0)::float8 AS key_bytes,
       coalesce(i.indisunique, false) AS is_unique
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
  LEFT JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = c.oid AND c.relispartition
  LEFT JOIN LATERAL (
       SELECT sum(CASE WHEN a.attlen > 0 THEN a.attlen
                       ELSE coalesce(s.stawidth, own.stawidth, 16) END) AS key_bytes
         FROM pg_catalog.pg_attribute AS a
         LEFT JOIN pg_catalog.pg_statistic AS s
           ON s.starelid = i.indrelid AND s.staattnum = i.indkey[a.attnum - 1] AND NOT s.stainherit
         LEFT JOIN pg_catalog.pg_statistic AS own
           ON own.starelid = i.indexrelid AND own.staattnum = a.attnum AND NOT own.stainherit
        WHERE a.attrelid = i.indexrelid AND a.attnum <= i.indnkeyatts) AS k ON i.indexrelid IS NOT NULL
 WHERE c.relkind IN ('r', 'm', 'i', 'p', 'I')
   AND n.nspname !~ '^pg_'
   AND n.nspname <> 'information_schema'
