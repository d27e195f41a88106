-- Roles whose privileges the current one has: row security policies may be for one of them.
-- needs: nothing
-- min: 13
-- columns: role_name
SELECT r.rolname::text AS role_name
  FROM pg_catalog.pg_roles AS r
 WHERE pg_has_role(current_user, r.oid, 'USAGE')
 ORDER BY r.rolname
