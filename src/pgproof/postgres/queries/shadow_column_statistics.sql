-- Gives one column of a table that only a shadow has the statistics that ANALYZE would find.
-- needs: superuser
-- min: 18
-- columns: is_restored
SELECT pg_catalog.pg_restore_attribute_stats(
           'schemaname', %(schema)s::text, 'relname', %(table)s::text, 'attname', %(column)s::text,
           'inherited', false, 'null_frac', %(null_frac)s::real, 'avg_width', %(width_bytes)s::int,
           'n_distinct', %(n_distinct)s::real, 'most_common_vals', %(common)s::text,
           'most_common_freqs', %(freqs)s::real[], 'histogram_bounds', %(bounds)s::text,
           'correlation', %(correlation)s::real) AS is_restored
