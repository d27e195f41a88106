-- Tables of every type and distribution that index sizes depend on; :rows is replaced by the number of rows.
-- setseed() repeats chance; what refers to the row's number makes a subquery run anew for each row.
SELECT setseed(0.42);
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TYPE mood AS ENUM ('low', 'fair', 'good', 'high');

CREATE TABLE plain (
    id int8 PRIMARY KEY, same int4, small int2, flag bool, feeling mood, uniform int4, skewed int4,
    doubled int4, parent int4, mostly_null int4, exact numeric(12, 2), wide_exact numeric, real8 float8,
    day date, at timestamptz, random_at timestamptz, key uuid, code char(12), digest text, name text,
    city text, note text, raw bytea, address inet, took interval);
INSERT INTO plain
SELECT i, 1, i % 7, i % 3 = 0, (ARRAY['low', 'fair', 'good', 'high'])[1 + i % 4]::mood, random() * :rows / 10,
       power(random(), 6) * :rows / 4, i / 2, i / 5 + i % 3, CASE WHEN i % 20 = 0 THEN i END, random() * 10000,
       random() * power(10, i % 18), random() * 100, DATE '2020-01-01' + (i * 2000::int8 / :rows)::int,
       TIMESTAMPTZ '2024-01-01' + i * INTERVAL '1 minute', TIMESTAMPTZ '2024-01-01' + random() * INTERVAL '365 days',
       md5(i::text)::uuid, 'C' || i % 5000, md5(i::text),
       (ARRAY['ann', 'bob', 'carla', 'dave', 'eve'])[1 + (random() * 4)::int] || ' '
           || (ARRAY['smith', 'li', 'van der berg', 'garcia', 'kim'])[1 + (random() * 4)::int] || ' ' || i % 40000,
       'city ' || (power(random(), 3) * 3000)::int,
       repeat(substr(md5((random() * 500)::int::text), 1, 1 + (random() * 20)::int), 1 + (random() * 6)::int),
       decode(md5((i % 9000)::text), 'hex'), ('10.' || i / 65536 || '.' || i / 256 % 256 || '.' || i % 256)::inet,
       random() * INTERVAL '3 days'
  FROM generate_series(1, :rows) AS i;

CREATE TABLE apart (id int8, tags text[], numbers int4[], document jsonb, body text, lexemes tsvector,
                    place point, area box, span int4range, during tstzrange);
INSERT INTO apart
SELECT i,
       (SELECT array_agg('tag' || (power(random(), 2) * 400 + (i + n) * 0)::int) FROM generate_series(1, 1 + i % 4) AS n),
       (SELECT array_agg((random() * 1000 + (i + n) * 0)::int) FROM generate_series(1, 1 + i % 6) AS n),
       jsonb_build_object('id', i, 'status', (ARRAY['open', 'closed', 'paid'])[1 + i % 3],
                          'customer', jsonb_build_object('city', 'city' || (random() * 500)::int, 'vip', i % 10 = 0)),
       words.body, to_tsvector('simple', words.body), point(random(), random()),
       box(point(random(), random()), point(random(), random())), int4range(i, i + (random() * 90)::int),
       tstzrange(TIMESTAMPTZ '2024-01-01' + i * INTERVAL '1 minute', TIMESTAMPTZ '2024-01-02' + i * INTERVAL '1 minute')
  FROM generate_series(1, :rows / 4) AS i
 CROSS JOIN LATERAL (
    SELECT string_agg((ARRAY['the', 'quick', 'brown', 'fox', 'jumps', 'over', 'lazy', 'dog', 'index', 'page'])
                      [1 + (power(random(), 2) * 9 + (i + n) * 0)::int]
                      || CASE WHEN random() < 0.2 THEN (power(random(), 3) * 3000)::int::text ELSE '' END, ' ') AS body
      FROM generate_series(1, 3 + i % 12) AS n) AS words;

CREATE TABLE parts (id int8, region int4, at date) PARTITION BY LIST (region);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2, 3);
INSERT INTO parts SELECT i, 1 + i % 3, DATE '2024-01-01' + (random() * 365)::int FROM generate_series(1, :rows / 2) AS i;
VACUUM ANALYZE;
