-- How much disk a copy of this database will take.
-- needs: CONNECT on the database
-- min: 13
-- columns: database_bytes
SELECT pg_database_size(current_database()) AS database_bytes
