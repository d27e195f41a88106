-- Which database of which server this is: a source must never be taken for its own copy.
-- needs: nothing
-- min: 13
-- columns: started_at, database_oid, database_name
SELECT pg_postmaster_start_time() AS started_at,
       d.oid AS database_oid,
       d.datname::text AS database_name
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = current_database()
