-- with commits flushed, VACUUM knows at once that all rows are visible
SET synchronous_commit = on;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
CREATE EXTENSION intarray;
CREATE EXTENSION citext;
CREATE SCHEMA "Größe";
CREATE TYPE mood AS ENUM ('low', 'mid', 'high');
CREATE DOMAIN short_text AS varchar(40);
CREATE FUNCTION plain(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)';
CREATE FUNCTION shifty(text) RETURNS text STABLE LANGUAGE sql AS 'SELECT lower($1)';
CREATE FUNCTION spread(int) RETURNS point IMMUTABLE LANGUAGE sql AS 'SELECT point($1, $1)';
CREATE TABLE beast (
    id int PRIMARY KEY, keeper int NOT NULL, cage int NOT NULL, status text NOT NULL, feeling mood,
    name text NOT NULL, code varchar(30), fixed char(12), tag short_text, handle citext, url text,
    born timestamptz NOT NULL, fed timestamp NOT NULL, day date NOT NULL, gone timestamptz,
    weight numeric(10, 2), ratio float8, tame boolean NOT NULL,
    doc jsonb, extra json, tags text[], marks int[], attributes hstore, path ltree, address inet, lan cidr,
    stay tstzrange, ages int4range, place point, yard box, pen circle, words tsvector, secret bytea, token uuid,
    total int GENERATED ALWAYS AS (keeper + cage) STORED
);
INSERT INTO beast (id, keeper, cage, status, feeling, name, code, fixed, tag, handle, url, born, fed, day, gone,
                   weight, ratio, tame, doc, extra, tags, marks, attributes, path, address, lan, stay, ages,
                   place, yard, pen, words, secret, token)
SELECT g, g % 500, g % 37, (ARRAY['open', 'shut', 'shut', 'shut', 'shut', 'done', 'done', 'done'])[1 + g % 8],
       (ARRAY['low', 'mid', 'high'])[1 + g % 3]::mood, 'name ' || md5(g::text), 'C' || g, 'F' || g, 'T' || g % 900,
       'Handle' || g, 'https://example.org/' || repeat(md5((g * 7)::text), 10),
       timestamptz '2026-01-01 00:00Z' + g * interval '1 min', timestamp '2026-01-01' + g * interval '1 min',
       date '2020-01-01' + g % 2000, CASE WHEN g % 50 = 0 THEN timestamptz '2026-06-01 00:00Z' END,
       g % 1000 / 10.0, g / 7.0, g % 60 = 0,
       jsonb_build_object('kind', 'k' || g % 700, 'n', g % 1200, 'tags', jsonb_build_array('t' || g % 800)),
       '{}', ARRAY['a' || g % 900, 'b' || g % 800], ARRAY[g % 900, g % 800],
       hstore('k' || g % 600, 'v'), ('zoo.' || (g % 90) || '.' || g)::ltree,
       ('10.' || g % 200 || '.' || g % 250 || '.1')::inet, ('10.' || g % 200 || '.0.0/16')::cidr,
       tstzrange(timestamptz '2026-01-01 00:00Z' + g * interval '1 h',
                 timestamptz '2026-01-02 00:00Z' + g * interval '1 h'),
       int4range(g, g + 5), point(g % 173, g % 211), box(point(g, g), point(g + 1, g + 1)),
       circle(point(g % 300, g % 177), 1), to_tsvector('english', 'word' || g % 900 || ' beast'),
       decode(md5(g::text), 'hex'), md5(g::text)::uuid
  FROM generate_series(1, 12000) g;
CREATE TABLE "Größe"."Wärter" ("Id" int PRIMARY KEY, "Name" text NOT NULL, "select" int NOT NULL, boss int);
INSERT INTO "Größe"."Wärter" SELECT g, 'n' || md5(g::text), g % 400, g % 77 FROM generate_series(1, 8000) g;
CREATE TABLE visit (id bigint, beast int NOT NULL, day date NOT NULL, visitors int NOT NULL, note text)
    PARTITION BY RANGE (day);
CREATE TABLE visit_old PARTITION OF visit FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE visit_new PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO visit SELECT g, g % 1000, date '2025-01-01' + g / 60, g % 50, 'n' || g FROM generate_series(1, 40000) g;
CREATE TABLE track (at timestamptz NOT NULL, beast int NOT NULL, value float8 NOT NULL, pad text);
INSERT INTO track SELECT timestamptz '2026-01-01 00:00Z' + g * interval '1 s', g % 500, g, repeat('x', 900)
  FROM generate_series(1, 80000) g;
CREATE VIEW open_beast AS SELECT b.id, b.keeper, b.born, w."Name" AS keeper_name
    FROM beast b JOIN "Größe"."Wärter" w ON w."Id" = b.keeper WHERE b.status = 'open';
VACUUM ANALYZE
