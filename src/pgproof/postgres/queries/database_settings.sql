-- What ALTER DATABASE ... SET holds for all roles of this database, as written: what a revert has to restore.
-- needs: nothing
-- min: 13
-- columns: name, value
SELECT split_part(u.item, '=', 1) AS name,
       substr(u.item, strpos(u.item, '=') + 1) AS value
  FROM pg_catalog.pg_db_role_setting AS s
 CROSS JOIN LATERAL unnest(s.setconfig) AS u(item)
 WHERE s.setrole = 0
   AND s.setdatabase = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
 ORDER BY 1
