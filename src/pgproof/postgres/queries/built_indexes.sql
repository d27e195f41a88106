-- What each index takes on disk once built; that of a partitioned table with its parts.
-- needs: nothing
-- min: 13
-- columns: schema_name, index_name, size_bytes bytes
SELECT n.nspname::text AS schema_name,
       c.relname::text AS index_name,
       CASE c.relkind
         WHEN 'i' THEN pg_catalog.pg_relation_size(c.oid)
         ELSE (SELECT coalesce(sum(pg_catalog.pg_relation_size(part.relid)), 0)::bigint
                 FROM pg_catalog.pg_partition_tree(c.oid) AS part
                WHERE part.isleaf)
       END AS size_bytes
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('i', 'I')
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
