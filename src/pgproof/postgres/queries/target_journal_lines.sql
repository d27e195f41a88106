-- The journal of one rollout as the target keeps it.
-- needs: SELECT on pgproof.journal
-- min: 13
-- columns: sequence, at, event, change, step, direction, sql, detail, elapsed_ms ms, previous_hash, hash
SELECT j.sequence, j.at, j.event, j.change, j.step, j.direction, j.sql, j.detail, j.elapsed_ms, j.previous_hash, j.hash
  FROM pgproof.journal AS j
 WHERE j.rollout_id = %(rollout_id)s
 ORDER BY j.sequence
