-- Which settings this server knows, so that another server's can be copied without stopping it from starting.
-- needs: nothing
-- min: 13
-- columns: name, vartype, min_val, max_val, enumvals
SELECT s.name,
       s.vartype,
       s.min_val,
       s.max_val,
       s.enumvals
  FROM pg_settings AS s
 WHERE s.context <> 'internal'
