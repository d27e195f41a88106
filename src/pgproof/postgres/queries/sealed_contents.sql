-- What a sealed copy holds, recorded so that a verdict can be traced to its data; exact after VACUUM.
-- needs: nothing
-- min: 13
-- columns: table_count, live_rows
SELECT count(*) AS table_count,
       coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint AS live_rows
  FROM pg_class AS c
       JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
   AND n.nspname NOT LIKE 'pg\_temp\_%%'
