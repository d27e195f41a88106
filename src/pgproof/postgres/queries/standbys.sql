-- Standbys of this server, connected or expected back: each counts the scans of its indexes for itself.
-- needs: nothing
-- min: 13
-- columns: connected, idle_slots
SELECT (SELECT count(*)
          FROM pg_catalog.pg_stat_replication AS r
         -- A base backup ends; without pg_read_all_stats the state is NULL, and may be any.
         WHERE r.state IS DISTINCT FROM 'backup'
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots AS s
                            WHERE s.slot_type = 'logical' AND s.active_pid = r.pid))::int AS connected,
       (SELECT count(*)
          FROM pg_catalog.pg_replication_slots AS s
         WHERE s.slot_type = 'physical' AND NOT s.active)::int AS idle_slots
