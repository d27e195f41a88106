-- What extended statistics say about several columns together, values included; those of expressions are left out.
-- needs: SELECT on the columns
-- min: 13
-- columns: schema_name, statistics_name, table_oid, column_numbers, column_names, n_distinct, dependencies, most_common_vals, most_common_freqs fraction
SELECT s.statistics_schemaname::text AS schema_name,
       s.statistics_name::text AS statistics_name,
       e.stxrelid AS table_oid,
       k.numbers AS column_numbers,
       k.names AS column_names,
       s.n_distinct::text AS n_distinct,
       s.dependencies::text AS dependencies,
       s.most_common_vals,
       s.most_common_freqs
  FROM pg_catalog.pg_stats_ext AS s
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = s.statistics_schemaname
  JOIN pg_catalog.pg_statistic_ext AS e ON e.stxname = s.statistics_name AND e.stxnamespace = n.oid
 CROSS JOIN LATERAL (
       SELECT array_agg(a.attnum::int ORDER BY a.attnum) AS numbers,
              array_agg(a.attname::text ORDER BY a.attnum) AS names
         FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = e.stxrelid AND a.attnum = ANY (e.stxkeys)) AS k
 WHERE cardinality(s.attnames) = cardinality(k.names)
 ORDER BY 1, 2
