-- Every setting as this session sees it.
-- needs: pg_read_all_settings for a few that the server hides otherwise
-- min: 13
-- columns: name, value, unit, source, context, pending_restart
SELECT s.name,
       s.setting AS value,
       s.unit,
       s.source,
       s.context,
       s.pending_restart
  FROM pg_catalog.pg_settings AS s
 ORDER BY s.name
