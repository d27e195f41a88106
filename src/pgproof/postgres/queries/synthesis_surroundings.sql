-- What a database had before anything was put into it: that stays when the rest is removed again.
-- needs: nothing
-- min: 13
-- columns: schemas, extensions
SELECT ARRAY(SELECT n.nspname::text FROM pg_catalog.pg_namespace AS n
              WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema') AS schemas,
       ARRAY(SELECT e.extname::text FROM pg_catalog.pg_extension AS e) AS extensions
