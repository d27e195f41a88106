-- What ALTER SYSTEM has written, as written: what a revert has to restore.
-- needs: superuser
-- min: 13
-- columns: name, value
SELECT DISTINCT ON (f.name) f.name,
       f.setting AS value
  FROM pg_catalog.pg_file_settings AS f
 WHERE f.name IS NOT NULL
   AND f.sourcefile LIKE '%postgresql.auto.conf'
 ORDER BY f.name, f.seqno DESC
