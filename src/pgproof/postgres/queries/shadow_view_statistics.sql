-- For each key of a view that is a table's column: a statement that gives it the values the column has, each once.
-- needs: superuser
-- min: 18
-- columns: statement
SELECT format($text$
SELECT pg_catalog.pg_restore_attribute_stats(
           'schemaname', %%1$L::text, 'relname', %%2$L::text, 'attname', %%3$L::text, 'inherited', false,
           'null_frac', %%4$s::real, 'avg_width', s.avg_width, 'n_distinct', %%5$s::real,
           'histogram_bounds', h.bounds)
  FROM pg_catalog.pg_stats AS s
 CROSS JOIN LATERAL (
       SELECT CASE WHEN count(*) > 1 THEN array_agg(x.v ORDER BY x.v)::text END AS bounds
         FROM (SELECT DISTINCT u.v
                 FROM unnest(coalesce(s.most_common_vals::text::%%6$s[], '{}')
                             || coalesce(s.histogram_bounds::text::%%6$s[], '{}')) AS u (v)) AS x) AS h
 WHERE s.schemaname = %%7$L AND s.tablename = %%8$L AND s.attname = %%9$L AND s.inherited = %%10$L$text$,
              w.view_schema, w.view_name, w.view_column, w.null_frac, w.n_distinct,
              format_type(a.atttypid, NULL), w.table_schema, w.table_name, w.table_column,
              c.relkind = 'p') AS statement
  FROM unnest(%(view_schemas)s::text[], %(view_names)s::text[], %(view_columns)s::text[],
              %(null_fracs)s::float8[], %(n_distincts)s::float8[],
              %(table_schemas)s::text[], %(table_names)s::text[], %(table_columns)s::text[])
       AS w (view_schema, view_name, view_column, null_frac, n_distinct, table_schema, table_name, table_column)
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.table_schema
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.table_name
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = w.table_column
