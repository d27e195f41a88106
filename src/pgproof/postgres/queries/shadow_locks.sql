-- Tables that the last statement of this transaction is about, with all partitions of those that have some.
-- needs: nothing
-- min: 18
-- columns: oid
WITH RECURSIVE held AS (
    SELECT l.relation AS oid
      FROM pg_catalog.pg_locks AS l
     WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'
     UNION
    SELECT h.inhrelid
      FROM pg_catalog.pg_inherits AS h
      JOIN held ON held.oid = h.inhparent)
SELECT oid::int8 AS oid
  FROM held
