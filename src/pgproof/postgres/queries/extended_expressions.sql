-- Extended statistics on expressions: a dump does not hold what ANALYZE found for those.
-- needs: nothing
-- min: 13
-- columns: statistics_name with its schema
SELECT quote_ident(n.nspname) || '.' || quote_ident(e.stxname) AS statistics_name
  FROM pg_catalog.pg_statistic_ext AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.stxnamespace
 -- The column came with 14.
 WHERE to_jsonb(e) ->> 'stxexprs' IS NOT NULL
 ORDER BY 1
