-- A table with its partitions and children, and all their indexes; the indexes in question, with theirs, are marked.
-- needs: nothing
-- min: 13
-- columns: relation oid, is_fresh belongs to an index in question
WITH RECURSIVE family AS (
       SELECT c.oid
         FROM pg_catalog.pg_class AS c
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = %(schema)s AND c.relname = %(table)s
        UNION
       SELECT i.inhrelid
         FROM family AS f
         JOIN pg_catalog.pg_inherits AS i ON i.inhparent = f.oid),
     fresh AS (
       SELECT c.oid
         FROM pg_catalog.pg_index AS x
         JOIN family AS f ON f.oid = x.indrelid
         JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = %(schema)s AND c.relname = ANY (%(indexes)s::text[])
        UNION
       SELECT i.inhrelid
         FROM fresh AS f
         JOIN pg_catalog.pg_inherits AS i ON i.inhparent = f.oid)
SELECT f.oid::int8 AS relation, false AS is_fresh
  FROM family AS f
 UNION ALL
SELECT x.indexrelid::int8, x.indexrelid IN (SELECT oid FROM fresh)
  FROM pg_catalog.pg_index AS x
  JOIN family AS f ON f.oid = x.indrelid
