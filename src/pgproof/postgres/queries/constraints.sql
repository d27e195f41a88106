-- The constraints of the user's tables, columns in key order.
-- needs: nothing
-- min: 13
-- columns: name, table_oid, kind, columns, definition, is_validated, is_deferrable, referenced_schema, referenced_table, referenced_columns
SELECT k.conname::text AS name,
       k.conrelid AS table_oid,
       CASE k.contype WHEN 'p' THEN 'primary_key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign_key'
                      WHEN 'c' THEN 'check' WHEN 'x' THEN 'exclusion' WHEN 'n' THEN 'not_null' END AS kind,
       ARRAY(SELECT a.attname::text
               FROM unnest(k.conkey) WITH ORDINALITY AS u(attnum, place)
               JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
              ORDER BY u.place) AS columns,
       pg_get_constraintdef(k.oid) AS definition,
       k.convalidated AS is_validated,
       k.condeferrable AS is_deferrable,
       rn.nspname::text AS referenced_schema,
       r.relname::text AS referenced_table,
       ARRAY(SELECT a.attname::text
               FROM unnest(k.confkey) WITH ORDINALITY AS u(attnum, place)
               JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.attnum
              ORDER BY u.place) AS referenced_columns
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_class AS r ON r.oid = k.confrelid
  LEFT JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
  LEFT JOIN pg_catalog.pg_constraint AS whole ON whole.oid = k.conparentid
 WHERE k.contype IN ('p', 'u', 'f', 'c', 'x', 'n')
   -- A foreign key to a partitioned table has one more row for each partition it points at.
   AND whole.conrelid IS DISTINCT FROM k.conrelid
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
 ORDER BY n.nspname, c.relname, k.conname
