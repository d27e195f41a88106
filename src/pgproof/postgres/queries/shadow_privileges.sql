-- Statements that let a role read and write everything in a shadow, and free tables of policies it is exempt from.
-- needs: superuser
-- min: 18
-- columns: statement
SELECT format('GRANT USAGE ON SCHEMA %%I TO %%I', n.nspname, %(role)s::text) AS statement
  FROM pg_catalog.pg_namespace AS n
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 UNION ALL
SELECT format('GRANT ALL ON ALL TABLES IN SCHEMA %%I TO %%I', n.nspname, %(role)s::text)
  FROM pg_catalog.pg_namespace AS n
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 UNION ALL
SELECT format('GRANT %%I TO %%I', r.rolname, %(role)s::text)
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = ANY (%(memberships)s::text[]) AND r.rolname <> %(role)s::text AND r.rolname !~ '^pg_'
   AND NOT r.rolsuper
 UNION ALL
SELECT format('ALTER TABLE %%s DISABLE ROW LEVEL SECURITY', c.oid::regclass)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relrowsecurity
   AND format('%%s.%%s', n.nspname, c.relname) <> ALL (%(guarded)s::text[])
