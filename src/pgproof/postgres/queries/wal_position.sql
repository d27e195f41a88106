-- How many bytes of WAL the server has ever written: the difference of two readings is what was written between.
-- needs: nothing; a primary
-- min: 13
-- columns: wal_bytes
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8 AS wal_bytes
