-- Index leaves that stand for a candidate built on a clone: names as plans show them, sizes, usability.
-- needs: nothing beyond pg_catalog
-- min: 13
-- candidate_name: name the candidate was built under
-- leaf_name: name of the index itself, or of one of its partitions
-- size_bytes: its main fork
-- hidden_from_old: rows were updated in place (HOT) lately, so this transaction's plans would pass it by
SELECT
    root.relname AS candidate_name,
    leaf.relname AS leaf_name,
    pg_catalog.pg_relation_size(leaf.oid) AS size_bytes,
    i.indcheckxmin AS hidden_from_old
FROM pg_catalog.pg_class AS root
CROSS JOIN LATERAL (
    SELECT tree.relid AS oid FROM pg_catalog.pg_partition_tree(root.oid) AS tree
    UNION
    SELECT root.oid
) AS member
JOIN pg_catalog.pg_class AS leaf ON leaf.oid = member.oid
JOIN pg_catalog.pg_index AS i ON i.indexrelid = leaf.oid
WHERE root.relname = ANY (%(names)s::name[])
  AND root.relkind IN ('i', 'I')
ORDER BY root.relname, leaf.relname
