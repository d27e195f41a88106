-- Columns of a materialised view in a shadow, with what their types say of their width.
-- needs: superuser
-- min: 18
-- columns: column_name, type_name, length_bytes bytes (-1 where it varies)
SELECT a.attname::text AS column_name, t.typname::text AS type_name, a.attlen::int AS length_bytes
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
 WHERE n.nspname = %(schema)s::text AND c.relname = %(view)s::text
 ORDER BY a.attnum
