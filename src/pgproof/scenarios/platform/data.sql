-- Rows of the platform, :scale times 500,000 users. Chance is drawn by the functions of ../prelude.sql, all dates are
-- fixed days.

CREATE TEMPORARY TABLE sizes AS
SELECT
    greatest(300, 500000 * :scale)::bigint AS users,
    greatest(200, 300000 * :scale)::bigint AS sessions,
    greatest(600, 1000000 * :scale)::bigint AS audit_logs,
    greatest(400, 600000 * :scale)::bigint AS activities,
    timestamptz '2024-01-01 00:00+00' AS first_day,
    378 * 86400 AS seconds;

INSERT INTO roles (id, role_name, description)
SELECT n, names[n], CASE WHEN n % 3 > 0 THEN 'May do what a ' || names[n] || ' does' END
FROM (SELECT '{member,author,editor,moderator,analyst,support,billing,partner,auditor,operator,admin,owner}'::text[]
    AS names) AS listed
CROSS JOIN generate_series(1, cardinality(names)) AS n;

-- Steady growth. Nearly everybody is a member; admins are one in two thousand. Some never came back after signing up.
INSERT INTO users (id, email, full_name, role_id, is_active, created_at, last_login)
SELECT
    n,
    'user' || n || '@' || pg_temp.pick('{mail.example,corp.example,post.example,web.example}', n, 11),
    pg_temp.pick(first_names, n, 12) || ' ' || pg_temp.pick(last_names, n, 13),
    CASE
        WHEN pg_temp.chance(n, 14) < 0.0005 THEN 11
        WHEN pg_temp.chance(n, 15) < 0.03 THEN NULL
        ELSE 1 + pg_temp.skewed(n, 16, 10)
    END,
    pg_temp.chance(n, 17) < 0.93,
    created,
    CASE WHEN pg_temp.chance(n, 18) < 0.91
        THEN created + floor((1 - pg_temp.chance(n, 19) * pg_temp.chance(n, 20))
            * extract(epoch FROM first_day + seconds * interval '1 second' - created)::bigint) * interval '1 second'
    END
FROM sizes
CROSS JOIN generate_series(1, users) AS n
CROSS JOIN LATERAL (
    SELECT first_day + floor((0.5 * n / users + 0.5 * sqrt(n::double precision / users)) * seconds) * interval '1 second'
        AS created
) AS dated
CROSS JOIN (
    SELECT
        '{Aino,Boris,Carmen,Diego,Emma,Fatou,Gustav,Hana,Igor,Jana,Kemal,Lucia,Marek,Nora,Oskar,Petra,Rui,Signe}'::text[]
            AS first_names,
        '{Andersen,Bauer,Castro,Demir,Evans,Ferrari,Gomez,Horvat,Ito,Jansen,Kowalski,Larsen,Meyer,Nilsson}'::text[]
            AS last_names
) AS names;

-- One in seven has no profile; a few have two.
INSERT INTO profiles (id, user_id, avatar_url, bio, location, settings, updated_at)
SELECT
    row_number() OVER (ORDER BY u.id, copy),
    u.id,
    CASE WHEN pg_temp.chance(u.id, 31) < 0.6 THEN 'https://cdn.example/avatars/' || md5('avatar ' || u.id) || '.png' END,
    CASE WHEN pg_temp.chance(u.id, 32) < 0.3
        THEN pg_temp.pick('{Reader,Builder,Gardener,Runner,Cook,Painter}', u.id, 33) || ' and '
            || pg_temp.pick('{parent of two,night owl,coffee drinker,occasional writer,collector of maps}', u.id, 34)
    END,
    CASE WHEN pg_temp.chance(u.id, 35) < 0.55
        THEN pg_temp.pick('{Oslo,Porto,Gdańsk,Zürich,Lima,Osaka,Nairobi,Quito,Austin,Leeds}', u.id, 36)
    END,
    jsonb_build_object(
        'theme', pg_temp.pick('{light,light,dark,system}', u.id, 37),
        'digest', pg_temp.pick('{daily,weekly,never}', u.id, 38),
        'beta', pg_temp.chance(u.id, 39) < 0.02
    ),
    u.created_at + floor(pg_temp.chance(u.id, 40) * 86400 * 20) * interval '1 second'
FROM users AS u
CROSS JOIN LATERAL generate_series(1, CASE
    WHEN pg_temp.chance(u.id, 41) < 0.14 THEN 0
    WHEN pg_temp.chance(u.id, 42) < 0.002 THEN 2
    ELSE 1
END) AS copy;

-- Sessions last between a day and a month; those that ran out are removed every hour.
INSERT INTO sessions (id, token, user_id, ip_address, user_agent, created_at, seen_at, expires_at)
SELECT
    n,
    md5('session ' || n),
    pg_temp.scattered(pg_temp.skewed(n, 51, users), users),
    CASE WHEN pg_temp.chance(n, 52) < 0.97
        THEN '10.0.0.0'::inet + floor(pg_temp.chance(n, 53) * 16000000)::bigint
    END,
    pg_temp.pick('{Firefox on Linux,Firefox on Windows,Chrome on Windows,Chrome on Android,Safari on iPhone,Edge on Windows}',
        n, 54),
    created,
    created + floor(pg_temp.chance(n, 55) * least(kept_s, kept_s - left_s)) * interval '1 second',
    created + kept_s * interval '1 second'
FROM (
    SELECT n, users, kept_s, left_s, first_day + (seconds + left_s - kept_s) * interval '1 second' AS created
    FROM sizes
    CROSS JOIN generate_series(1, sessions) AS n
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN pg_temp.chance(n, 56) < 0.2 THEN 1
            WHEN pg_temp.chance(n, 57) < 0.6 THEN 14
            ELSE 30
        END * 86400 AS kept_s
    ) AS kept
    CROSS JOIN LATERAL (SELECT floor(pg_temp.chance(n, 58) * (kept_s + 3600)) - 3600 AS left_s) AS ending
) AS opened;

-- The platform's first week, with what could be done then.
INSERT INTO audit_logs (id, user_id, action, entity, entity_id, details, "timestamp")
SELECT
    n,
    CASE WHEN pg_temp.chance(n, 61) < 0.95 THEN 1 + floor(pg_temp.chance(n, 62) * users * 0.02)::bigint END,
    pg_temp.pick('{login,login,login,logout,login.failed,profile.update}', n, 63),
    pg_temp.pick('{user,user,session}', n, 64),
    1 + floor(pg_temp.chance(n, 65) * users * 0.02)::bigint,
    NULL,
    first_day + floor(n / (audit_logs * 0.02) * 7 * 86400) * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, audit_logs / 50) AS n;

INSERT INTO activities (id, user_id, actor_id, verb, object_type, object_id, is_seen, created_at)
SELECT
    n,
    1 + floor(pg_temp.chance(n, 71) * users * 0.02)::bigint,
    1 + floor(pg_temp.chance(n, 72) * users * 0.02)::bigint,
    pg_temp.pick('{follow,like,like}', n, 73),
    CASE pg_temp.pick('{follow,like,like}', n, 73) WHEN 'follow' THEN 'user' ELSE 'post' END,
    1 + floor(pg_temp.chance(n, 74) * users * 0.02)::bigint,
    true,
    first_day + floor(n / (activities * 0.02) * 7 * 86400) * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, activities / 50) AS n;

SELECT pg_temp.report_changes();

ANALYZE audit_logs, activities;

-- At the end of that week the standby took over, and a standby has counted nothing.
DO $$
BEGIN
    IF has_function_privilege('pg_stat_reset_single_table_counters(oid)', 'EXECUTE') THEN
        PERFORM pg_stat_reset_single_table_counters('audit_logs'::regclass);
        PERFORM pg_stat_reset_single_table_counters('activities'::regclass);
    END IF;
END
$$;

-- The year since then: fifty times as many users, and everything that could be done later on.
INSERT INTO audit_logs (id, user_id, action, entity, entity_id, details, "timestamp")
SELECT
    n,
    CASE WHEN pg_temp.chance(n, 81) < 0.95 THEN pg_temp.scattered(pg_temp.skewed(n, 82, users), users) END,
    action,
    CASE
        WHEN action LIKE 'login%' OR action = 'logout' THEN 'session'
        WHEN action LIKE 'data.%' THEN pg_temp.pick('{report,report,invoice}', n, 83)
        ELSE pg_temp.pick('{user,post,comment,file,invoice}', n, 84)
    END,
    CASE WHEN pg_temp.chance(n, 85) < 0.9 THEN 1 + floor(pg_temp.chance(n, 86) * users)::bigint END,
    CASE WHEN pg_temp.chance(n, 87) < 0.4
        THEN jsonb_build_object('ms', floor(pg_temp.chance(n, 88) * 900)::integer, 'ok', pg_temp.chance(n, 89) < 0.97)
    END,
    first_day + floor((0.02 + 0.48 * share + 0.5 * sqrt(share)) / 1.02 * seconds) * interval '1 second'
FROM sizes
CROSS JOIN generate_series(audit_logs / 50 + 1, audit_logs) AS n
CROSS JOIN LATERAL (
    SELECT
        n::double precision / audit_logs AS share,
        pg_temp.pick('{login,login,login,logout,login.failed,profile.update,api.call,api.call,api.call,api.call,
            post.create,post.update,file.upload,permission.denied,data.export}', n, 90) AS action
) AS done;

INSERT INTO activities (id, user_id, actor_id, verb, object_type, object_id, is_seen, created_at)
SELECT
    n,
    pg_temp.scattered(pg_temp.skewed(n, 91, users), users),
    pg_temp.scattered(pg_temp.skewed(n, 92, users), users),
    verb,
    CASE verb WHEN 'follow' THEN 'user' WHEN 'mention' THEN 'comment' ELSE 'post' END,
    1 + floor(pg_temp.chance(n, 93) * users)::bigint,
    pg_temp.chance(n, 94) < CASE WHEN n > activities * 0.95 THEN 0.4 ELSE 0.97 END,
    first_day + floor((0.02 + 0.48 * share + 0.5 * sqrt(share)) / 1.02 * seconds) * interval '1 second'
FROM sizes
CROSS JOIN generate_series(activities / 50 + 1, activities) AS n
CROSS JOIN LATERAL (
    SELECT
        n::double precision / activities AS share,
        CASE
            WHEN pg_temp.chance(n, 95) < 0.03 THEN 'report'
            ELSE pg_temp.pick('{follow,like,like,like,like,comment,comment,mention,share}', n, 96)
        END AS verb
) AS done;

SELECT
    setval(pg_get_serial_sequence('users', 'id'), (SELECT max(id) FROM users)),
    setval(pg_get_serial_sequence('profiles', 'id'), (SELECT max(id) FROM profiles)),
    setval(pg_get_serial_sequence('sessions', 'id'), (SELECT max(id) FROM sessions)),
    setval(pg_get_serial_sequence('audit_logs', 'id'), (SELECT max(id) FROM audit_logs)),
    setval(pg_get_serial_sequence('activities', 'id'), (SELECT max(id) FROM activities));

DROP TABLE sizes;

SELECT pg_temp.report_changes();

ANALYZE roles, users, profiles, sessions;
