-- Indexes built on a clone to ask its planner about them: names as plans show them (those of partitions too), sizes.
-- needs: nothing
-- min: 13
-- columns: candidate_name, leaf_name, size_bytes, hidden_from_old
SELECT root.relname::text AS candidate_name,
       leaf.relname::text AS leaf_name,
       pg_catalog.pg_relation_size(leaf.oid) AS size_bytes,
       i.indcheckxmin AS hidden_from_old
  FROM pg_catalog.pg_class AS root
 CROSS JOIN LATERAL (SELECT tree.relid::oid AS oid
                       FROM pg_catalog.pg_partition_tree(root.oid) AS tree
                      UNION
                     SELECT root.oid) AS member
  JOIN pg_catalog.pg_class AS leaf ON leaf.oid = member.oid
  JOIN pg_catalog.pg_index AS i ON i.indexrelid = leaf.oid
 WHERE root.relname = ANY (%(names)s::text[])
   AND root.relkind IN ('i', 'I')
 ORDER BY 1, 2
