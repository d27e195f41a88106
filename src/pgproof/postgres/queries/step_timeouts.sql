-- Sets the two timeouts of the session for the step to come, as strict as its lock demands.
-- needs: nothing
-- min: 13
-- columns: lock_timeout, statement_timeout
SELECT set_config('lock_timeout', %(lock_timeout)s, false) AS lock_timeout,
       set_config('statement_timeout', %(statement_timeout)s, false) AS statement_timeout
