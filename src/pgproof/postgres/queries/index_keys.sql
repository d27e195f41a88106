-- Each index taken apart into its key and payload columns.
-- needs: nothing
-- min: 13
-- columns: index_oid, place, is_key, column_name, expression, opclass, collation, is_descending, nulls_first
SELECT i.indexrelid AS index_oid,
       k.place,
       k.place <= i.indnkeyatts AS is_key,
       a.attname::text AS column_name,
       CASE WHEN a.attnum IS NULL THEN pg_get_indexdef(i.indexrelid, k.place, false) END AS expression,
       CASE WHEN op.opcdefault OR op.oid IS NULL THEN ''
            WHEN pg_opclass_is_visible(op.oid) THEN op.opcname::text
            ELSE quote_ident(opn.nspname) || '.' || quote_ident(op.opcname) END AS opclass,
       -- An expression's own collation is not in the catalog; its type's default stands in for it.
       CASE WHEN i.indcollation[k.place - 1] <> coalesce(a.attcollation, own_type.typcollation)
            THEN l.collname::text ELSE '' END AS collation,
       k.place <= i.indnkeyatts AND i.indoption[k.place - 1] & 1 = 1 AS is_descending,
       k.place <= i.indnkeyatts AND i.indoption[k.place - 1] & 2 = 2 AS nulls_first
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL generate_series(1, i.indnatts::int) AS k(place)
  JOIN pg_catalog.pg_attribute AS own ON own.attrelid = i.indexrelid AND own.attnum = k.place
  JOIN pg_catalog.pg_type AS own_type ON own_type.oid = own.atttypid
  LEFT JOIN pg_catalog.pg_attribute AS a
    ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place - 1] AND a.attnum <> 0
  LEFT JOIN pg_catalog.pg_opclass AS op ON op.oid = i.indclass[k.place - 1] AND k.place <= i.indnkeyatts
  LEFT JOIN pg_catalog.pg_namespace AS opn ON opn.oid = op.opcnamespace
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = i.indcollation[k.place - 1] AND k.place <= i.indnkeyatts
 WHERE i.indislive
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
 ORDER BY i.indexrelid, k.place
