-- What the planner knows of each column; arrays of more than 100 entries are thinned, histograms evenly.
-- needs: SELECT on the columns, and no row-level security in the way; others are left out
-- min: 13
-- columns: table_oid, name, null_frac fraction, n_distinct, avg_width_bytes bytes, correlation, most_common_vals, most_common_freqs fraction, histogram_bounds, element_freqs fraction, element_width_bytes bytes, elements_a_row
SELECT c.oid AS table_oid,
       s.attname::text AS name,
       s.null_frac,
       s.n_distinct,
       s.avg_width AS avg_width_bytes,
       s.correlation,
       (s.most_common_vals::text::text[])[1:100] AS most_common_vals,
       s.most_common_freqs[1:100] AS most_common_freqs,
       h.bounds AS histogram_bounds,
       -- Behind the elements' own frequencies stand the least, the greatest and that of NULL.
       ARRAY(SELECT f.freq
               FROM unnest(s.most_common_elem_freqs[1:cardinality(e.elements)]) AS f(freq)
              ORDER BY f.freq DESC) AS element_freqs,
       (SELECT avg(octet_length(u.element))::float8 FROM unnest(e.elements) AS u(element)) AS element_width_bytes,
       s.elem_count_histogram[cardinality(s.elem_count_histogram)] AS elements_a_row
  FROM pg_catalog.pg_stats AS s
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = s.schemaname
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.tablename
 CROSS JOIN LATERAL (SELECT s.histogram_bounds::text::text[] AS bounds) AS raw
 CROSS JOIN LATERAL (
    SELECT CASE WHEN cardinality(raw.bounds) <= 101 THEN raw.bounds
                ELSE ARRAY(SELECT u.bound
                             FROM unnest(raw.bounds) WITH ORDINALITY AS u(bound, place)
                            WHERE (u.place - 1) % ((cardinality(raw.bounds) + 98) / 100) = 0
                               OR u.place = cardinality(raw.bounds)
                            ORDER BY u.place) END AS bounds) AS h
 CROSS JOIN LATERAL (SELECT coalesce(s.most_common_elems::text::text[], '{}') AS elements) AS e
 WHERE n.nspname !~ '^pg_'
   AND n.nspname NOT IN ('information_schema', 'pgproof')
   AND s.inherited = (c.relkind = 'p')
 ORDER BY c.oid, s.attname
