-- In which schemas the role may make objects: owning a table is not enough to build an index on it.
-- needs: nothing
-- min: 13
-- columns: schema_name, may_create
SELECT n.nspname::text AS schema_name,
       has_schema_privilege(n.oid, 'CREATE') AS may_create
  FROM pg_catalog.pg_namespace AS n
 WHERE n.nspname = ANY (%(schemas)s::text[])
 ORDER BY 1
