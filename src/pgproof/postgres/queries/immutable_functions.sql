-- Functions of the users' and of extensions that an index may call: immutable in every overload.
-- needs: nothing
-- min: 13
-- columns: schema_name, name, return_type
WITH RECURSIVE resolved AS (
    SELECT t.oid AS type_oid, t.typname::text AS base_type
      FROM pg_catalog.pg_type AS t
     WHERE t.typtype <> 'd'
     UNION ALL
    SELECT d.oid, r.base_type
      FROM pg_catalog.pg_type AS d
      JOIN resolved AS r ON r.type_oid = d.typbasetype
     WHERE d.typtype = 'd'
)
SELECT n.nspname::text AS schema_name,
       p.proname::text AS name,
       CASE WHEN count(DISTINCT r.base_type) = 1 THEN min(r.base_type) ELSE '' END AS return_type
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  JOIN resolved AS r ON r.type_oid = p.prorettype
 WHERE n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
 GROUP BY n.nspname, p.proname
HAVING bool_and(p.provolatile = 'i' AND p.prokind = 'f' AND NOT p.proretset)
 ORDER BY 1, 2
