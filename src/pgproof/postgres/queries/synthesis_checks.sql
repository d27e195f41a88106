-- CHECK constraints of tables and domains: out of the way while made-up rows come in, and added again afterwards.
-- needs: nothing
-- min: 13
-- columns: object_kind, object_name, constraint_name, definition
SELECT CASE WHEN k.contypid <> 0 THEN 'DOMAIN' ELSE 'TABLE' END AS object_kind,
       CASE WHEN k.contypid <> 0 THEN quote_ident(tn.nspname) || '.' || quote_ident(t.typname)
            ELSE quote_ident(n.nspname) || '.' || quote_ident(c.relname) END AS object_name,
       quote_ident(k.conname) AS constraint_name,
       pg_get_constraintdef(k.oid) AS definition
  FROM pg_catalog.pg_constraint AS k
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
  LEFT JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.typnamespace
 WHERE k.contype = 'c'
   AND k.coninhcount = 0
   AND coalesce(n.nspname, tn.nspname) !~ '^pg_'
   AND coalesce(n.nspname, tn.nspname) <> 'information_schema'
   AND (c.oid IS NULL OR c.relkind IN ('r', 'p'))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.deptype = 'e' AND d.objid IN (c.oid, t.oid))
 ORDER BY 1 DESC, 2, 3
