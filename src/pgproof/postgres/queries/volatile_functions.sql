-- Which of these function names belong to a volatile function, in any schema: calling it may have side effects.
-- needs: nothing
-- min: 13
-- columns: name
SELECT DISTINCT p.proname::text AS name
  FROM pg_catalog.pg_proc AS p
 WHERE p.proname = ANY (%(names)s::text[])
   AND p.provolatile = 'v'
 ORDER BY 1
