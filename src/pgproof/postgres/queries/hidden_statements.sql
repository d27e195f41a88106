-- How many statements of this database the server hides from us, because they are other users'.
-- needs: pg_stat_statements
-- min: 13
-- columns: hidden_count
SELECT count(*) AS hidden_count
  FROM {schema}.pg_stat_statements(true) AS s
 WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
   AND s.query = '<insufficient privilege>'
