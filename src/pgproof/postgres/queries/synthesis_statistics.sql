-- Whole column statistics, values included, from which rows like the real ones are made; reads no row.
-- needs: SELECT on the columns, and no row-level security in the way; others are left out
-- min: 13
-- columns: table_oid, name, null_frac fraction, n_distinct, avg_width_bytes bytes, correlation, most_common_vals, most_common_freqs fraction, histogram_bounds, elements, element_freqs fraction, elements_a_row, range_bounds, range_lengths, empty_frac fraction
SELECT c.oid AS table_oid,
       s.attname::text AS name,
       s.null_frac,
       s.n_distinct,
       s.avg_width AS avg_width_bytes,
       s.correlation,
       s.most_common_vals::text::text[] AS most_common_vals,
       s.most_common_freqs,
       s.histogram_bounds::text::text[] AS histogram_bounds,
       s.most_common_elems::text::text[] AS elements,
       -- Behind the elements' own frequencies stand the least, the greatest and that of NULL.
       s.most_common_elem_freqs[1:cardinality(s.most_common_elems::text::text[])] AS element_freqs,
       s.elem_count_histogram[cardinality(s.elem_count_histogram)] AS elements_a_row,
       NULL::text[] AS range_bounds,
       NULL::text[] AS range_lengths,
       NULL::real AS empty_frac
  FROM pg_catalog.pg_stats AS s
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = s.schemaname
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.tablename
 WHERE c.relkind IN ('r', 'p')
   AND n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
   AND s.inherited = (c.relkind = 'p')
 ORDER BY c.oid, s.attname
