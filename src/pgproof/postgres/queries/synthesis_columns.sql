-- What kind of value goes into each column: base types behind domains, limits, labels, who fills it.
-- needs: nothing
-- min: 13
-- columns: table_oid, name, number, type_name, base_type, kind, category, type_modifier, element, labels, not_null, default_text, is_generated, collation_name
WITH RECURSIVE resolved AS (
    SELECT t.oid AS type_oid, t.oid AS base_oid, -1 AS type_modifier, false AS not_null
      FROM pg_catalog.pg_type AS t
     WHERE t.typtype <> 'd'
     UNION ALL
    SELECT d.oid,
           r.base_oid,
           CASE WHEN d.typtypmod >= 0 THEN d.typtypmod ELSE r.type_modifier END,
           d.typnotnull OR r.not_null
      FROM pg_catalog.pg_type AS d
      JOIN resolved AS r ON r.type_oid = d.typbasetype
     WHERE d.typtype = 'd'
)
SELECT a.attrelid AS table_oid,
       a.attname::text AS name,
       a.attnum::int AS number,
       format_type(a.atttypid, a.atttypmod) AS type_name,
       base.typname::text AS base_type,
       base.typtype::text AS kind,
       base.typcategory::text AS category,
       CASE WHEN a.atttypmod >= 0 THEN a.atttypmod ELSE r.type_modifier END AS type_modifier,
       coalesce(part.typname::text, '') AS element,
       ARRAY(SELECT e.enumlabel::text
               FROM pg_catalog.pg_enum AS e
              WHERE e.enumtypid = coalesce(part.oid, base.oid)
              ORDER BY e.enumsortorder) AS labels,
       a.attnotnull OR r.not_null AS not_null,
       coalesce(pg_get_expr(ad.adbin, ad.adrelid), '') AS default_text,
       a.attgenerated <> '' AS is_generated,
       coalesce(CASE WHEN l.collname = 'default' THEN '' ELSE l.collname::text END, '') AS collation_name
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN resolved AS r ON r.type_oid = a.atttypid
  JOIN pg_catalog.pg_type AS base ON base.oid = r.base_oid
  LEFT JOIN pg_catalog.pg_range AS g ON g.rngtypid = base.oid
  LEFT JOIN resolved AS inner_type
         ON inner_type.type_oid = coalesce(g.rngsubtype, CASE WHEN base.typcategory = 'A' THEN base.typelem END)
  LEFT JOIN pg_catalog.pg_type AS part ON part.oid = inner_type.base_oid
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
  LEFT JOIN pg_catalog.pg_attrdef AS ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
 WHERE c.relkind IN ('r', 'p')
   AND a.attnum > 0
   AND NOT a.attisdropped
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
 ORDER BY a.attrelid, a.attnum
