-- How many parameters a prepared statement of this session takes: EXPLAIN EXECUTE wants exactly as many.
-- needs: nothing
-- min: 13
-- columns: parameter_count count
SELECT cardinality(p.parameter_types) AS parameter_count
  FROM pg_catalog.pg_prepared_statements AS p
 WHERE p.name = %(name)s
