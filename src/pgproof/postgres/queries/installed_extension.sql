-- Whether an extension is installed in this database: one row if it is.
-- needs: nothing
-- min: 13
-- columns: name
SELECT extname::text AS name
  FROM pg_catalog.pg_extension
 WHERE extname = %(name)s
