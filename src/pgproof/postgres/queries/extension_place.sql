-- Where an extension is installed in this database, or that the server has it at all: one row if it does.
-- needs: nothing
-- min: 13
-- columns: available_version, installed_version, schema_name
SELECT a.default_version AS available_version,
       e.extversion AS installed_version,
       n.nspname::text AS schema_name
  FROM pg_catalog.pg_available_extensions AS a
  LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = a.name
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
 WHERE a.name = %(name)s
