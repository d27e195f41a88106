-- Who we are and where: read once after connecting.
-- needs: nothing
-- min: 13
-- columns: backend_pid, database_name, user_name, server_encoding, is_read_only
SELECT pg_backend_pid() AS backend_pid,
       current_database() AS database_name,
       current_user AS user_name,
       current_setting('server_encoding') AS server_encoding,
       current_setting('transaction_read_only') = 'on' AS is_read_only
