-- Rollouts whose traces are still in this database: those whose last state is neither reverted nor failed with nothing left.
-- needs: SELECT on pgproof.journal
-- min: 13
-- columns: rollout_id, state
SELECT rollout_id, state
  FROM (SELECT DISTINCT ON (j.rollout_id) j.rollout_id, j.detail AS state
          FROM pgproof.journal AS j
         WHERE j.event = 'state'
         ORDER BY j.rollout_id, j.sequence DESC) AS latest
 WHERE state NOT LIKE 'reverted%%'
   AND state NOT LIKE 'failed: nothing remains%%'
 ORDER BY 1
