-- Gives a table that only a shadow has the pages and rows that VACUUM and ANALYZE would count.
-- needs: superuser
-- min: 18
-- columns: is_restored
SELECT pg_catalog.pg_restore_relation_stats(
           'schemaname', %(schema)s::text, 'relname', %(table)s::text, 'relpages', %(pages)s::int,
           'reltuples', %(rows)s::real, 'relallvisible', %(all_visible_pages)s::int) AS is_restored
