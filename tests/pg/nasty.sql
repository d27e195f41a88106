-- Everything a catalog reader stumbles over: reserved words, mixed case, quotes, accents, several schemas.
CREATE SCHEMA "Sélect";
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN small AS positive CHECK (VALUE < 1000);
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE FUNCTION "made up"() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 7';
CREATE TABLE "Sélect"."order" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "camelCase" text COLLATE "C",
    "a ""quoted"" name" numeric(10, 2) DEFAULT 1.5,
    made timestamptz NOT NULL DEFAULT '2026-01-02 03:04:05+00',
    status text,
    shout text GENERATED ALWAYS AS (upper(status)) STORED,
    dropped int
);
ALTER TABLE "Sélect"."order" DROP COLUMN dropped;
INSERT INTO "Sélect"."order" ("camelCase", status)
SELECT 'x' || i, CASE WHEN i % 100 = 0 THEN 'new' ELSE 'done' END FROM generate_series(1, 5000) AS i;
CREATE INDEX "keys of all kinds" ON "Sélect"."order"
    (lower("camelCase") text_pattern_ops, made DESC NULLS LAST, status COLLATE "POSIX" DESC) INCLUDE (id)
    WHERE status <> 'gone';
CREATE TABLE item (
    line smallint,
    order_id bigint REFERENCES "Sélect"."order" (id) ON DELETE CASCADE,
    qty small,
    tags text[],
    feels mood,
    extra int DEFAULT "made up"(),
    PRIMARY KEY (order_id, line)
) WITH (fillfactor = 70);
INSERT INTO item SELECT j, i, i % 7 + 1, '{a,b}', 'glad' FROM generate_series(1, 5000) AS i, generate_series(1, 2) AS j;
CREATE TABLE event (at date, k int, v text, PRIMARY KEY (at, k)) PARTITION BY RANGE (at);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (k);
CREATE TABLE event_2025_rest PARTITION OF event_2025 DEFAULT;
CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX event_v ON event (v);
INSERT INTO event SELECT date '2025-06-01' + i % 400, i, 'v' FROM generate_series(1, 2000) AS i;
CREATE TABLE note (event_at date, event_k int, FOREIGN KEY (event_at, event_k) REFERENCES event (at, k));
CREATE VIEW "a view" AS SELECT o.id, count(*) AS n FROM "Sélect"."order" AS o JOIN item AS i ON i.order_id = o.id GROUP BY 1;
CREATE MATERIALIZED VIEW summary AS SELECT status, count(*) FROM "Sélect"."order" GROUP BY 1;
CREATE UNIQUE INDEX summary_status ON summary (status);
CREATE TABLE span (during int4range, room int UNIQUE DEFERRABLE, EXCLUDE USING gist (during WITH &&));
CREATE STATISTICS "Sélect".dependent (dependencies) ON status, shout FROM "Sélect"."order";
CREATE TABLE guarded (a int);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON guarded USING (true);
CREATE EXTENSION hstore;
CREATE TABLE bag (h hstore);
INSERT INTO bag VALUES ('a=>1');
CLUSTER item USING item_pkey;
ALTER TABLE item REPLICA IDENTITY USING INDEX item_pkey;
ANALYZE;
