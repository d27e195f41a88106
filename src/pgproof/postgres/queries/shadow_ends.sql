-- For each table of a shadow that has statistics: a statement that inserts the ends of all its columns as a row.
-- needs: superuser
-- min: 18
-- columns: table_name, insert_least, insert_greatest
WITH ends AS (
    SELECT c.oid AS table_oid,
           a.attnum,
           format('%I', a.attname) AS column_name,
           -- Values of the commonest and of the histogram, in the column's own type and order.
           format('(SELECT v FROM pg_catalog.pg_statistic AS s,'
                  || ' LATERAL pg_catalog.unnest(%s) AS v'
                  || ' WHERE s.starelid = %s AND s.staattnum = %s AND NOT s.stainherit'
                  || ' ORDER BY v %s %%s NULLS LAST LIMIT 1)',
                  (SELECT string_agg(format('coalesce(CASE WHEN s.stakind%1$s IN (1, 2) THEN'
                                            || ' s.stavalues%1$s::text::%2$s[] END, ''{}''::%2$s[])',
                                            slot, format_type(a.atttypid, NULL)), ' || ')
                     FROM generate_series(1, 3) AS slot),
                  c.oid, a.attnum,
                  CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
                       THEN 'COLLATE ' || a.attcollation::regcollation ELSE '' END) AS value_sql
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
      JOIN pg_catalog.pg_statistic AS s ON s.starelid = c.oid AND s.staattnum = a.attnum AND NOT s.stainherit
     WHERE c.relkind = 'r'
       AND c.reltuples > 0
       AND n.nspname !~ '^pg_'
       AND n.nspname <> 'information_schema'
       AND a.attgenerated = ''
       -- Only where values have an order is there a correlation.
       AND 3 IN (s.stakind1, s.stakind2, s.stakind3, s.stakind4, s.stakind5)
       AND 1 <> ALL (ARRAY[s.stakind4, s.stakind5])
       AND 2 <> ALL (ARRAY[s.stakind4, s.stakind5]))
SELECT table_oid::regclass::text AS table_name,
       format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s', table_oid::regclass,
              string_agg(column_name, ', ' ORDER BY attnum),
              string_agg(format(value_sql, 'ASC'), ', ' ORDER BY attnum)) AS insert_least,
       format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s', table_oid::regclass,
              string_agg(column_name, ', ' ORDER BY attnum),
              string_agg(format(value_sql, 'DESC'), ', ' ORDER BY attnum)) AS insert_greatest
  FROM ends
 GROUP BY table_oid
