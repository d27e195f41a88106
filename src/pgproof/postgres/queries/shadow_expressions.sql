-- For each hypothetical index on one expression of one column: a statement that derives its statistics.
-- needs: superuser
-- min: 18
-- columns: statement
WITH wanted AS (
    SELECT w.oid, w.n_distinct, w.width_bytes, i.indrelid, k.attnum,
           pg_get_indexdef(w.oid, k.attnum, true) AS expression
      FROM unnest(%(oids)s::oid[], %(distincts)s::float8[], %(widths)s::int[]) AS w (oid, n_distinct, width_bytes)
      JOIN pg_catalog.pg_index AS i ON i.indexrelid = w.oid
     CROSS JOIN LATERAL (SELECT min(p.place)::int AS attnum, count(*) AS expressions
                           FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS p (number, place)
                          WHERE p.number = 0) AS k
     WHERE k.expressions = 1),
about AS (
    SELECT w.*, u.attname, format_type(u.atttypid, NULL) AS type_name
      FROM wanted AS w
     CROSS JOIN LATERAL (
           SELECT max(a.attname::text) AS attname, max(a.atttypid::oid::int8)::oid AS atttypid, count(*) AS columns
             FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = w.indrelid
              AND a.attnum IN (SELECT d.refobjsubid FROM pg_catalog.pg_depend AS d
                                WHERE d.classid = 'pg_class'::regclass AND d.objid = w.oid
                                  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = w.indrelid)
              AND a.attnum <> ALL (SELECT unnest(i.indkey::int2[]) FROM pg_catalog.pg_index AS i
                                    WHERE i.indexrelid = w.oid)) AS u
     WHERE u.columns = 1)
SELECT format($text$
SELECT pg_catalog.pg_restore_attribute_stats(
           'schemaname', %%1$L::text, 'relname', %%2$L::text, 'attname', %%3$L::text, 'inherited', false,
           'null_frac', s.null_frac, 'avg_width', %%4$s, 'n_distinct', %%5$s::real,
           'most_common_vals', m.found_values, 'most_common_freqs', m.freqs,
           'histogram_bounds', h.bounds, 'correlation', s.correlation)
  FROM pg_catalog.pg_stats AS s
 CROSS JOIN LATERAL (
       SELECT array_agg(y.v ORDER BY y.freq DESC)::text AS found_values,
              array_agg(y.freq ORDER BY y.freq DESC) AS freqs
         FROM (SELECT x.v, sum(x.freq)::real AS freq
                 FROM (SELECT (%%6$s) AS v, t.pgproof_freq AS freq
                         FROM unnest(s.most_common_vals::text::%%7$s[], s.most_common_freqs)
                              AS t (%%8$I, pgproof_freq)) AS x
                WHERE x.v IS NOT NULL
                GROUP BY x.v) AS y) AS m
 CROSS JOIN LATERAL (
       SELECT array_agg(x.v ORDER BY x.v)::text AS bounds
         FROM (SELECT (%%6$s) AS v FROM unnest(s.histogram_bounds::text::%%7$s[]) AS t (%%8$I)) AS x
        WHERE x.v IS NOT NULL) AS h
 WHERE s.schemaname = %%1$L AND s.tablename = %%9$L AND s.attname = %%8$L AND NOT s.inherited$text$,
              n.nspname, c.relname, a.attname, about.width_bytes, about.n_distinct,
              about.expression, about.type_name, about.attname, t.relname) AS statement
  FROM about
  JOIN pg_catalog.pg_class AS c ON c.oid = about.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS t ON t.oid = about.indrelid
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = about.oid AND a.attnum = about.attnum
