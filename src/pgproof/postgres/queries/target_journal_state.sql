-- Whether the target has pgproof's journal, and whether this role may make it, write to it and remove it.
-- needs: nothing
-- min: 13
-- columns: has_schema, has_journal, may_create_schema, may_write, may_remove
SELECT n.oid IS NOT NULL AS has_schema,
       c.oid IS NOT NULL AS has_journal,
       has_database_privilege(current_database(), 'CREATE') AS may_create_schema,
       coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'INSERT, SELECT'), false)
           AS may_write,
       coalesce(pg_has_role(n.nspowner, 'USAGE') AND pg_has_role(c.relowner, 'USAGE'), false) AS may_remove
  FROM (SELECT 1) AS one
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = 'pgproof'
  LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'journal' AND c.relkind = 'r'
