-- The commonest combinations of values of extended statistics, as the server stores them.
-- needs: superuser
-- min: 13
-- columns: schema_name, statistics_name, inherits, mcv
SELECT n.nspname::text AS schema_name,
       e.stxname::text AS statistics_name,
       false AS inherits,
       d.stxdmcv::bytea AS mcv
  FROM pg_catalog.pg_statistic_ext AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.stxnamespace
  JOIN pg_catalog.pg_statistic_ext_data AS d ON d.stxoid = e.oid
 WHERE d.stxdmcv IS NOT NULL
   -- The numbers of types stand in it, and those of a user's types are others elsewhere.
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                     JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
                    WHERE a.attrelid = e.stxrelid AND a.attnum = ANY (e.stxkeys)
                      AND (t.typnamespace <> 'pg_catalog'::regnamespace OR t.oid >= 10000))
 ORDER BY 1, 2
