-- Whether an extension is installed in this database.
-- needs: nothing beyond pg_catalog
-- min: 13
-- extension_name: its name; no row where it is not installed
SELECT e.extname AS extension_name
FROM pg_catalog.pg_extension AS e
WHERE e.extname = %(name)s
