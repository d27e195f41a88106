-- The columns of those relations, domains resolved down to the base type.
-- needs: nothing
-- min: 13
-- columns: table_oid, name, type_name, base_type, not_null, default_text, generated, identity, collation, statistics_target, is_orderable
WITH RECURSIVE resolved AS (
    SELECT t.oid AS type_oid, t.oid AS base_oid
      FROM pg_catalog.pg_type AS t
     WHERE t.typtype <> 'd'
     UNION ALL
    SELECT d.oid, r.base_oid
      FROM pg_catalog.pg_type AS d
      JOIN resolved AS r ON r.type_oid = d.typbasetype
     WHERE d.typtype = 'd'
)
SELECT a.attrelid AS table_oid,
       a.attname::text AS name,
       format_type(a.atttypid, a.atttypmod) AS type_name,
       base.typname::text AS base_type,
       a.attnotnull AS not_null,
       pg_get_expr(ad.adbin, ad.adrelid) AS default_text,
       CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' ELSE '' END AS generated,
       CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' ELSE '' END AS identity,
       CASE WHEN a.attcollation <> t.typcollation THEN l.collname::text ELSE '' END AS collation,
       -- Before 17, a column without a target of its own has -1.
       nullif(a.attstattarget, -1) AS statistics_target,
       -- Enumerations, ranges, arrays and rows share a class with all of their kind.
       base.typtype <> 'b' OR base.typcategory = 'A'
       OR base.oid IN (SELECT o.opcintype
                         FROM pg_catalog.pg_opclass AS o
                         JOIN pg_catalog.pg_am AS am ON am.oid = o.opcmethod AND am.amname = 'btree'
                        WHERE o.opcdefault
                        UNION ALL
                       SELECT c.castsource  -- varchar sorts as text does
                         FROM pg_catalog.pg_cast AS c
                         JOIN pg_catalog.pg_opclass AS o ON o.opcintype = c.casttarget AND o.opcdefault
                         JOIN pg_catalog.pg_am AS am ON am.oid = o.opcmethod AND am.amname = 'btree'
                        WHERE c.castmethod = 'b' AND c.castcontext = 'i') AS is_orderable
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  JOIN resolved AS r ON r.type_oid = a.atttypid
  JOIN pg_catalog.pg_type AS base ON base.oid = r.base_oid
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
  LEFT JOIN pg_catalog.pg_attrdef AS ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND a.attnum > 0
   AND NOT a.attisdropped
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
 ORDER BY a.attrelid, a.attnum
