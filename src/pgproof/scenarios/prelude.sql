-- What every data.sql needs. Chance comes from hashes of row numbers, the same on every run and every PostgreSQL major.

-- Compiling expressions as long as those that draw rows takes longer than running them.
SET jit = off;

-- A number in [0, 1) that depends on a row number and on what it is drawn for.
CREATE FUNCTION pg_temp.chance(n bigint, purpose bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE
AS $$ SELECT (hashint8extended(n, purpose) & 1073741823)::double precision / 1073741824 $$;

-- One of 0 .. size-1, the low ones far more often (the cube of an even draw): the hottest of 10,000 gets 4.6 %.
CREATE FUNCTION pg_temp.skewed(n bigint, purpose bigint, size bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$
    SELECT floor(pg_temp.chance(n, purpose) * pg_temp.chance(n, purpose) * pg_temp.chance(n, purpose) * size)::bigint
$$;

-- Scatter 0 .. size-1 over 1 .. size, so that being hot has nothing to do with being old.
CREATE FUNCTION pg_temp.scattered(rank bigint, size bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$ SELECT 1 + (rank * 7919 + size / 3) % size $$;

CREATE FUNCTION pg_temp.pick(choices text[], n bigint, purpose bigint) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$ SELECT choices[1 + floor(pg_temp.chance(n, purpose) * cardinality(choices))::integer] $$;

-- Have the server count what this session changed so far. It reports that at most once a second; an ANALYZE that comes
-- before the report would leave the rows counted as changed since.
CREATE FUNCTION pg_temp.report_changes() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_setting('server_version_num')::integer >= 150000 THEN
        PERFORM pg_stat_force_next_flush();
    ELSE
        PERFORM pg_sleep(1.1);
    END IF;
END
$$;
