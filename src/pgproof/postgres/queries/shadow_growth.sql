-- For each table that grew since ANALYZE: a statement that moves on the greatest values, where they rise with growth.
-- needs: superuser
-- min: 18
-- columns: table_name, statement
WITH grown AS (
    SELECT c.oid AS table_oid, g.schema_name, g.table_name, g.growth_frac
      FROM unnest(%(schemas)s::text[], %(tables)s::text[], %(growths)s::float8[])
           AS g (schema_name, table_name, growth_frac)
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = g.schema_name
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = g.table_name AND c.relkind = 'r'),
kept AS (
    SELECT g.table_oid, g.growth_frac, a.attnum, a.attname,
           -- Values that rise with the rows' places rise with new rows.
           coalesce(s.correlation >= %(correlation)s, false) AS rises,
           a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) AS is_time,
           CASE WHEN a.atttypid = 'date'::regtype THEN '::int'
                WHEN a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
                THEN '::' || format_type(a.atttypid, a.atttypmod)
                WHEN a.atttypid IN ('timestamp'::regtype, 'timestamptz'::regtype) THEN '' END AS step_cast
      FROM grown AS g
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = g.table_oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_catalog.pg_stats AS s
        ON s.schemaname = g.schema_name AND s.tablename = g.table_name AND s.attname = a.attname
       AND NOT s.inherited
     WHERE a.attgenerated = ''),
moved AS (
    SELECT table_oid, attnum, attname,
           rises AND step_cast IS NOT NULL AS is_moved,
           CASE WHEN NOT rises OR step_cast IS NULL THEN format('last.%%I', attname)
                ELSE format('least(last.%%1$I + ((last.%%1$I - first.%%1$I) * %%2$s)%%3$s, %%4$s)', attname,
                            growth_frac, step_cast,
                            CASE WHEN is_time THEN format('greatest(last.%%I, %%L)', attname, %(read_at)s::text)
                                 ELSE 'NULL' END) END AS value_sql
      FROM kept)
SELECT table_oid::regclass::text AS table_name,
       format('WITH last AS (DELETE FROM %%1$s WHERE ctid = ''(0,2)'' RETURNING *)'
              || ' INSERT INTO %%1$s (%%2$s) OVERRIDING SYSTEM VALUE'
              || ' SELECT %%3$s FROM last, %%1$s AS first WHERE first.ctid = ''(0,1)''',
              table_oid::regclass,
              string_agg(quote_ident(attname), ', ' ORDER BY attnum),
              string_agg(value_sql, ', ' ORDER BY attnum)) AS statement
  FROM moved
 GROUP BY table_oid
HAVING bool_or(is_moved)
