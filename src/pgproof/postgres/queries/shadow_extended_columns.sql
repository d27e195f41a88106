-- Which numbers the columns of an extended statistics object have in a shadow: without dropped columns others.
-- needs: nothing
-- min: 18
-- columns: column_name, column_number
SELECT a.attname::text AS column_name,
       a.attnum::int AS column_number
  FROM pg_catalog.pg_statistic_ext AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.stxnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = e.stxrelid AND a.attnum = ANY (e.stxkeys)
 WHERE n.nspname = %(schema)s AND e.stxname = %(name)s
