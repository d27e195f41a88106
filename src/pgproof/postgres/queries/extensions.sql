-- Extensions that are installed here, or that CREATE EXTENSION could install.
-- needs: nothing
-- min: 13
-- columns: name, installed_version, available_version, schema_name, is_trusted
SELECT coalesce(e.extname, a.name)::text AS name,
       e.extversion AS installed_version,
       a.default_version AS available_version,
       n.nspname::text AS schema_name,
       coalesce(v.trusted, false) AS is_trusted
  FROM pg_catalog.pg_available_extensions AS a
  LEFT JOIN pg_catalog.pg_available_extension_versions AS v
    ON v.name = a.name AND v.version = a.default_version
  FULL JOIN pg_catalog.pg_extension AS e ON e.extname = a.name
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
 ORDER BY 1
