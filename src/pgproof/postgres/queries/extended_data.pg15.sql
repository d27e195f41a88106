-- What ANALYZE found for extended statistics: a dump holds their definitions only.
-- needs: SELECT on the columns; ownership is not needed
-- min: 15
-- columns: schema_name, statistics_name, inherits, column_numbers, column_names, n_distinct, dependencies, has_list
SELECT s.statistics_schemaname::text AS schema_name,
       s.statistics_name::text AS statistics_name,
       s.inherited AS inherits,
       k.numbers AS column_numbers,
       k.names AS column_names,
       s.n_distinct::text AS n_distinct,
       s.dependencies::text AS dependencies,
       s.most_common_freqs IS NOT NULL AS has_list
  FROM pg_catalog.pg_stats_ext AS s
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = s.statistics_schemaname
  JOIN pg_catalog.pg_statistic_ext AS e ON e.stxname = s.statistics_name AND e.stxnamespace = n.oid
 CROSS JOIN LATERAL (
       SELECT array_agg(a.attnum::int ORDER BY a.attnum) AS numbers,
              array_agg(a.attname::text ORDER BY a.attnum) AS names
         FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = e.stxrelid AND a.attnum = ANY (e.stxkeys)) AS k
 ORDER BY 1, 2, 3
