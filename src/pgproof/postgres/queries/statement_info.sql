-- Since when pg_stat_statements counts, and how often it had to throw entries out: before 1.9 nobody knows.
-- needs: pg_stat_statements
-- min: 13
-- columns: taken_at, deallocations, stats_reset_at
SELECT clock_timestamp() AS taken_at,
       NULL::bigint AS deallocations,
       NULL::timestamptz AS stats_reset_at
