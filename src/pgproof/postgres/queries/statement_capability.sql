-- Whether pg_stat_statements can be read: the library loaded, the extension installed, other users' texts visible.
-- needs: nothing
-- min: 13
-- columns: schema_name, extension_version, is_available, is_loaded, preload_libraries, reads_all
SELECT n.nspname::text AS schema_name,
       e.extversion AS extension_version,
       EXISTS (SELECT FROM pg_catalog.pg_available_extensions AS a WHERE a.name = 'pg_stat_statements') AS is_available,
       -- A library's settings are only there once it is loaded.
       EXISTS (SELECT FROM pg_catalog.pg_settings AS s WHERE s.name = 'pg_stat_statements.max') AS is_loaded,
       (SELECT s.setting FROM pg_catalog.pg_settings AS s WHERE s.name = 'shared_preload_libraries') AS preload_libraries,
       pg_has_role('pg_read_all_stats', 'USAGE') AS reads_all
  FROM (SELECT) AS always
  LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = 'pg_stat_statements'
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
