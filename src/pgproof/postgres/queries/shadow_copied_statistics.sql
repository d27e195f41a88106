-- Copies the statistics of a table's columns to the columns of the same name of other tables, which have none yet.
-- needs: superuser
-- min: 18
-- columns: oid
INSERT INTO pg_catalog.pg_statistic
SELECT t.attrelid, t.attnum, %(inherited)s::bool, s.stanullfrac, s.stawidth, s.stadistinct,
       s.stakind1, s.stakind2, s.stakind3, s.stakind4, s.stakind5,
       s.staop1, s.staop2, s.staop3, s.staop4, s.staop5,
       s.stacoll1, s.stacoll2, s.stacoll3, s.stacoll4, s.stacoll5,
       s.stanumbers1, s.stanumbers2, s.stanumbers3, s.stanumbers4, s.stanumbers5,
       s.stavalues1, s.stavalues2, s.stavalues3, s.stavalues4, s.stavalues5
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_statistic AS s ON s.starelid = c.oid AND NOT s.stainherit
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = s.staattnum
  JOIN pg_catalog.pg_class AS tc ON tc.relnamespace = n.oid AND tc.relname = ANY (%(targets)s::text[])
  JOIN pg_catalog.pg_attribute AS t ON t.attrelid = tc.oid AND t.attname = a.attname AND t.attnum > 0
 WHERE n.nspname = %(schema)s::text AND c.relname = %(source)s::text
   AND a.attname <> ALL (%(besides)s::text[])
RETURNING starelid::int8 AS oid
