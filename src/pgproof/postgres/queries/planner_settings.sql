-- Settings that a session on a shadow or a copy may change, with what they accept: the target's are copied to it.
-- needs: nothing
-- min: 13
-- columns: name, category, vartype, min_val, max_val, enumvals
SELECT s.name,
       s.category,
       s.vartype,
       s.min_val,
       s.max_val,
       s.enumvals
  FROM pg_catalog.pg_settings AS s
 WHERE s.context IN ('user', 'superuser')
