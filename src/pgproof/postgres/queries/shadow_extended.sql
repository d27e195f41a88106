-- Writes what ANALYZE would find for one extended statistics object of a shadow.
-- needs: superuser, and casts from bytea
-- min: 18
-- columns: oid
INSERT INTO pg_catalog.pg_statistic_ext_data (stxoid, stxdinherit, stxdndistinct, stxddependencies, stxdmcv)
SELECT e.oid, %(inherits)s, %(n_distinct)s::bytea::pg_ndistinct, %(dependencies)s::bytea::pg_dependencies,
       %(mcv)s::bytea::pg_mcv_list
  FROM pg_catalog.pg_statistic_ext AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.stxnamespace
 WHERE n.nspname = %(schema)s AND e.stxname = %(name)s
RETURNING stxoid::int8 AS oid
