-- Rows of the directory, :scale times 1,000,000 users. Chance is drawn by the functions of ../prelude.sql, all dates
-- are fixed days.

CREATE TEMPORARY TABLE sizes AS
SELECT
    greatest(200, 1000000 * :scale)::bigint AS users,
    greatest(10, 4000 * :scale)::bigint AS organizations;

INSERT INTO organizations (id, name, country, created_at)
SELECT
    n,
    pg_temp.pick('{Acme,Blue,Delta,Fjord,Golden,Harbour,Iron,Lumen,Nordic,Prime,Quantum,Stone}', n, 11)
        || ' ' || pg_temp.pick('{Logistics,Health,Foods,Energy,Media,Systems,Retail,Bank}', n, 12) || ' ' || n,
    countries[1 + pg_temp.skewed(n, 13, cardinality(countries))],
    timestamptz '2018-01-01 00:00+00' + floor(pg_temp.chance(n, 14) * 700 * 86400) * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, organizations) AS n
CROSS JOIN (SELECT '{US,DE,GB,FR,IN,BR,CA,ES,NL,PL,SE,JP,AU,IT,MX}'::text[] AS countries) AS names;

-- Six years of growth. Some came in batches of one instant, when their organisation joined; some were taken over
-- from an older system and kept the day on which they had signed up there.
INSERT INTO users (
    id, email, display_name, status, organization_id, country, locale, email_verified, about, created_at,
    updated_at, last_seen_at
)
SELECT
    n,
    lower(first_name) || '.' || n || '@' || pg_temp.pick('{mail.example,post.example,work.example}', n, 21),
    first_name || ' ' || last_names[1 + floor(pg_temp.chance(n, 22) * cardinality(last_names))::integer],
    status,
    CASE WHEN batched OR pg_temp.chance(n, 23) < 0.3
        THEN pg_temp.scattered(pg_temp.skewed(CASE WHEN batched THEN n / 40 ELSE n END, 24, organizations),
            organizations)
    END,
    CASE WHEN pg_temp.chance(n, 25) < 0.93
        THEN pg_temp.pick('{US,US,US,DE,DE,GB,FR,IN,IN,BR,CA,ES,NL,PL,SE,JP}', n, 26)
    END,
    pg_temp.pick('{en,en,en,de,fr,es,pt}', n, 27),
    status <> 'pending' AND pg_temp.chance(n, 28) < 0.97,
    CASE WHEN pg_temp.chance(n, 29) < 0.35
        THEN 'Works on ' || pg_temp.pick('{logistics,research,sales,design,support,finance}', n, 30) || ' in '
            || pg_temp.pick('{Berlin,Lyon,Leeds,Pune,Recife,Toronto,Malmö,Kraków,Utrecht}', n, 31)
            || pg_temp.pick('{", likes long walks and short meetings",". Ask about anything","",""}', n, 32)
    END,
    created,
    least(created + floor(pg_temp.chance(n, 33) * pg_temp.chance(n, 34) * 900 * 86400) * interval '1 second', last_day),
    CASE WHEN status <> 'pending' AND pg_temp.chance(n, 35) < 0.94
        THEN CASE status
            WHEN 'active' THEN greatest(created, last_day
                - floor(pg_temp.chance(n, 36) * pg_temp.chance(n, 37) * 120 * 86400) * interval '1 second')
            ELSE created + floor(pg_temp.chance(n, 38) * 0.9 * extract(epoch FROM last_day - created)::bigint)
                * interval '1 second'
        END
    END
FROM (
    SELECT
        *,
        first_names[1 + floor(pg_temp.chance(n, 39) * cardinality(first_names))::integer] AS first_name,
        CASE
            WHEN pg_temp.chance(n, 41) < 0.004 THEN 'suspended'
            WHEN age < 0.01 THEN pg_temp.pick('{pending,pending,active,active,active}', n, 42)
            WHEN pg_temp.chance(n, 43) < 0.05 THEN 'deleted'
            WHEN pg_temp.chance(n, 44) < 0.1 + 0.3 * age THEN 'inactive'
            WHEN pg_temp.chance(n, 45) < 0.006 THEN 'pending'
            ELSE 'active'
        END AS status,
        CASE WHEN pg_temp.chance(n, 46) < 0.1
            THEN arrived - floor(pg_temp.chance(n, 47) * 400 * 86400) * interval '1 second'
            ELSE arrived
        END AS created
    FROM (
        SELECT
            n,
            organizations,
            batched,
            1 - n::double precision / users AS age,
            timestamptz '2025-11-02 00:00+00' AS last_day,
            timestamptz '2019-11-01 00:00+00'
                + floor((0.35 * step / users + 0.65 * sqrt(step::double precision / users)) * 2190 * 86400)
                * interval '1 second' AS arrived
        FROM sizes
        CROSS JOIN generate_series(1, users) AS n
        CROSS JOIN LATERAL (SELECT pg_temp.chance(n / 40, 48) < 0.08 AS batched) AS drawn
        CROSS JOIN LATERAL (SELECT CASE WHEN batched THEN n / 40 * 40 ELSE n END AS step) AS stepped
    ) AS dated
    CROSS JOIN (
        SELECT '{Ada,Ben,Chloe,David,Elif,Farid,Greta,Hugo,Ines,Jonas,Kavya,Liam,Maya,Nils,Olga,Paul,Rosa,Sven,Tara,
            Uwe,Vera,Wei,Yara,Zoe}'::text[] AS first_names
    ) AS first_name_list
) AS joined
CROSS JOIN (
    SELECT '{Abbott,Becker,Costa,Dubois,Eriksen,Fischer,Garcia,Hansen,Ivanov,Jensen,Khan,Lopez,Moreau,Novak,Okafor,
        Patel,Quinn,Rossi,Silva,Tanaka,Ueda,Vogel,Weber,Yilmaz,Zhang}'::text[] AS last_names
) AS last_name_list;

SELECT
    setval(pg_get_serial_sequence('organizations', 'id'), (SELECT max(id) FROM organizations)),
    setval(pg_get_serial_sequence('users', 'id'), (SELECT max(id) FROM users));

DROP TABLE sizes;

SELECT pg_temp.report_changes();

ANALYZE;
