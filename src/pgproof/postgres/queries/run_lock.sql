-- Takes the lock that lets only one pgproof change this database at a time; never waits for it.
-- needs: nothing
-- min: 13
-- columns: is_ours, holder_pid
SELECT pg_try_advisory_lock(%(space)s, %(key)s) AS is_ours,
       (SELECT min(l.pid)
          FROM pg_catalog.pg_locks AS l
         WHERE l.locktype = 'advisory'
           AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
           AND l.classid = %(space)s::int8::oid
           AND l.objid = %(key)s::int8::oid
           AND l.granted
           AND l.pid <> pg_backend_pid()) AS holder_pid
