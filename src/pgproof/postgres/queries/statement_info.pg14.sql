-- Since when pg_stat_statements counts, and how often it had to throw entries out for want of room.
-- needs: pg_stat_statements 1.9
-- min: 14
-- columns: taken_at, deallocations, stats_reset_at
SELECT clock_timestamp() AS taken_at,
       i.dealloc AS deallocations,
       i.stats_reset AS stats_reset_at
  FROM {schema}.pg_stat_statements_info AS i
