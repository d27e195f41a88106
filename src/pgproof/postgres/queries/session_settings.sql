-- Sets the guards of our session: nothing of ours may write, wait long for a lock, or run on unwatched.
-- needs: nothing
-- min: 13
-- columns: set_config
SELECT set_config(g.name, g.value, %(is_local)s::boolean)
  FROM unnest(%(names)s::text[], %(values)s::text[]) AS g(name, value)
