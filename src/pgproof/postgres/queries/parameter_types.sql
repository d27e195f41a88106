-- What types the server inferred for the parameters of a prepared statement, to think of values for them.
-- needs: nothing
-- min: 13
-- columns: number, type_name, base_type, category, labels
SELECT u.number::int AS number,
       pg_catalog.format_type(t.oid, NULL) AS type_name,
       b.typname::text AS base_type,
       b.typcategory::text AS category,
       ARRAY(SELECT e.enumlabel::text
               FROM pg_catalog.pg_enum AS e
              WHERE e.enumtypid = b.oid
              ORDER BY e.enumsortorder) AS labels
  FROM pg_catalog.pg_prepared_statements AS p
 CROSS JOIN LATERAL unnest(p.parameter_types) WITH ORDINALITY AS u(type_oid, number)
  JOIN pg_catalog.pg_type AS t ON t.oid = u.type_oid
  JOIN LATERAL (
    -- A domain may be over another domain: follow to the type that is none.
    WITH RECURSIVE chain AS (
        SELECT t.oid AS type_oid
         UNION ALL
        SELECT d.typbasetype
          FROM chain AS c
          JOIN pg_catalog.pg_type AS d ON d.oid = c.type_oid
         WHERE d.typtype = 'd')
    SELECT x.oid, x.typname, x.typcategory
      FROM chain AS c
      JOIN pg_catalog.pg_type AS x ON x.oid = c.type_oid
     WHERE x.typtype <> 'd') AS b ON true
 WHERE p.name = %(name)s
 ORDER BY u.number
