-- What a target may hold, as far as it decides plans. Extension hstore is made to look like one that no shadow has.
CREATE SCHEMA "Sélect";
CREATE SCHEMA geo;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION citext SCHEMA geo;
CREATE EXTENSION hstore SCHEMA geo;
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('sad', 'so-so', 'glad');
CREATE TYPE pair AS (a int, b text);
CREATE COLLATION "Sélect".bytes (provider = libc, locale = 'C');
CREATE FUNCTION squared(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * n';
CREATE FUNCTION recent(days int) RETURNS date LANGUAGE plpgsql STABLE AS $body$
BEGIN
    -- a semicolon; and a 'quote
    RETURN date '2026-01-01' - days;
END $body$;
CREATE FUNCTION newest() RETURNS date BEGIN ATOMIC SELECT CASE WHEN true THEN date '2026-05-05' END; END;

CREATE TABLE "Sélect"."order" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "camelCase" text COLLATE "C",
    label text COLLATE "Sélect".bytes,
    made timestamptz NOT NULL,
    qty positive NOT NULL,
    feels mood,
    both_of pair,
    tags text[],
    doc jsonb,
    shout text GENERATED ALWAYS AS (upper("camelCase")) STORED,
    mail geo.citext,
    during int4range
);
INSERT INTO "Sélect"."order" ("camelCase", label, made, qty, feels, both_of, tags, doc, mail, during)
SELECT 'name ' || i, 'l' || i % 77, timestamptz '2026-01-01' + i * interval '7 minutes', i % 50 + 1,
       (ARRAY['sad', 'so-so', 'glad'])[i % 3 + 1]::mood, ROW (i, 'x')::pair, ARRAY['t' || i % 20, 'u' || i % 7],
       jsonb_build_object('k', i % 11, 'v', i), 'M' || i % 900 || '@x', int4range(i, i + 10)
  FROM generate_series(1, 30000) AS i;
CREATE INDEX order_lower ON "Sélect"."order" (lower("camelCase") text_pattern_ops);
CREATE INDEX order_made ON "Sélect"."order" (made DESC NULLS LAST) INCLUDE (qty) WHERE qty > 40;
CREATE INDEX order_doc ON "Sélect"."order" USING gin (doc jsonb_path_ops);
CREATE INDEX order_trgm ON "Sélect"."order" USING gin ("camelCase" gin_trgm_ops);
CREATE INDEX order_tags ON "Sélect"."order" USING gin (tags);
CREATE INDEX order_brin ON "Sélect"."order" USING brin (made) WITH (pages_per_range = 8);
CREATE INDEX order_hash ON "Sélect"."order" USING hash (label);
CREATE INDEX order_during ON "Sélect"."order" USING gist (during);
CREATE INDEX order_mail ON "Sélect"."order" (mail);

CREATE TABLE line (
    order_id bigint NOT NULL REFERENCES "Sélect"."order" (id),
    number smallint NOT NULL,
    amount numeric(10, 2) NOT NULL,
    note text DEFAULT 'n',
    PRIMARY KEY (order_id, number)
) WITH (fillfactor = 70);
INSERT INTO line SELECT i % 30000 + 1, i / 30000, i % 1000, repeat('x', i % 40) FROM generate_series(0, 89999) AS i;

CREATE TABLE event (at date NOT NULL, k int, v text, PRIMARY KEY (at, k)) PARTITION BY RANGE (at);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (k);
CREATE TABLE event_2025_1 PARTITION OF event_2025 FOR VALUES IN (1, 2, 3);
CREATE TABLE event_2025_rest PARTITION OF event_2025 DEFAULT;
CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX event_v ON event (v);
INSERT INTO event SELECT date '2025-01-01' + i % 700, i, 'v' || i % 300 FROM generate_series(1, 40000) AS i;

CREATE TABLE animal (name text, legs int);
CREATE TABLE dog (breed text) INHERITS (animal);
INSERT INTO animal SELECT 'a' || i, i % 8 FROM generate_series(1, 5000) AS i;
INSERT INTO dog SELECT 'd' || i, 4, 'b' || i % 40 FROM generate_series(1, 9000) AS i;
CREATE INDEX dog_name ON dog (name);

CREATE VIEW "a view" AS
SELECT o.id, o.qty, count(*) AS lines FROM "Sélect"."order" AS o JOIN line AS l ON l.order_id = o.id GROUP BY 1, 2;
CREATE MATERIALIZED VIEW summary AS SELECT qty, count(*) AS n FROM "Sélect"."order" GROUP BY 1;
CREATE UNIQUE INDEX summary_qty ON summary (qty);
CREATE RULE no_delete AS ON DELETE TO animal DO INSTEAD (SELECT 1; SELECT 2);
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON line FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TABLE unseen (id int PRIMARY KEY, v text) WITH (autovacuum_enabled = off);
INSERT INTO unseen SELECT i, 'v' || i FROM generate_series(1, 20000) AS i;
CREATE STATISTICS "Sélect".dependent (dependencies, ndistinct, mcv) ON qty, feels FROM "Sélect"."order";

CREATE TABLE tied (gone int, k int, twin int, lost text, third int);
INSERT INTO tied SELECT 1, i % 97, i % 97 + 1, 'x', i % 5 FROM generate_series(1, 25000) AS i;
ALTER TABLE tied DROP COLUMN gone;
ALTER TABLE tied DROP COLUMN lost;
CREATE STATISTICS tied_all ON k, twin, third FROM tied;

CREATE TABLE place (id int PRIMARY KEY, bag geo.hstore, bags geo.hstore[], name text DEFAULT geo.hstore('a', 'b')::text);
INSERT INTO place (id, bag) SELECT i, geo.hstore('k', i::text) FROM generate_series(1, 3000) AS i;
CREATE INDEX place_bag ON place USING gin (bag);
CREATE FUNCTION keys_of(geo.hstore) RETURNS text[] LANGUAGE sql IMMUTABLE AS 'SELECT geo.akeys($1)';

UPDATE pg_extension SET extname = 'postgis' WHERE extname = 'hstore';
