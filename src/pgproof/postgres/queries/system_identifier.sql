-- The cluster's identity, so that a rollout never meets another cluster under the same address.
-- needs: EXECUTE on pg_control_system(); some hosts withhold it
-- min: 13
-- columns: system_identifier
SELECT system_identifier::text AS system_identifier
  FROM pg_control_system()
