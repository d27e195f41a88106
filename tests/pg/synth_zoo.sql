-- Every kind of column and key that synthetic rows have to satisfy, in a form that is awkward to quote.
CREATE SCHEMA "Sélect";
CREATE EXTENSION citext;
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN code AS varchar(8) NOT NULL CHECK (VALUE ~ '^[A-Z]{2}-[0-9]+$');
CREATE TYPE mood AS ENUM ('sad', 'so-so', 'glad');
CREATE TYPE pair AS (a int, b text);

CREATE TABLE "Sélect"."order" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "camelCase" text COLLATE "C" NOT NULL,
    "a ""quoted"" name" numeric(10, 2),
    made timestamptz NOT NULL,
    day date,
    at time,
    lasted interval,
    qty positive NOT NULL,
    ref code,
    feels mood,
    both_of pair,
    tags text[] NOT NULL,
    marks int[],
    doc jsonb,
    raw json,
    mail citext,
    token uuid NOT NULL UNIQUE,
    home inet,
    payload bytea,
    grade char(3),
    ratio double precision,
    small smallint,
    during int4range,
    flags bit(8),
    ok boolean,
    words tsvector,
    shout text GENERATED ALWAYS AS (upper("camelCase")) STORED,
    starts int NOT NULL,
    ends int NOT NULL,
    CHECK (starts <= ends),
    CHECK (feels <> 'so-so' OR qty > 0)
);
INSERT INTO "Sélect"."order" ("camelCase", "a ""quoted"" name", made, day, at, lasted, qty, ref, feels, both_of, tags, marks,
       doc, raw, mail, token, home, payload, grade, ratio, small, during, flags, ok, words, starts, ends)
SELECT CASE WHEN i % 11 = 0 THEN E'tab\there \\ and' || i ELSE 'näme ' || i END,
       CASE WHEN i % 4 > 0 THEN i % 977 / 7.0 END,
       timestamptz '2026-01-01 00:00+00' + i * interval '7 minutes',
       date '2020-02-29' + i % 900, time '00:00' + i % 1440 * interval '1 minute', i % 50 * interval '90 minutes',
       i % 50 + 1, chr(65 + i % 3) || 'X-' || i % 700, (ARRAY['sad', 'so-so', 'glad', 'glad'])[i % 4 + 1]::mood,
       ROW (i % 40, 'x')::pair, ARRAY['t' || i % 20, 'u' || i % 7], ARRAY[i % 9, i % 300],
       jsonb_build_object('k', i % 11, 'v', 'value ' || i), '{"a": 1}', 'M' || i % 900 || '@x', md5(i::text)::uuid,
       ('10.1.' || i % 9 || '.' || i % 250)::inet, decode(md5((i % 500)::text), 'hex'), chr(65 + i % 5), i / 3.0,
       i % 200 - 100, int4range(i % 1000, i % 1000 + 10 + i % 5), (i % 256)::bit(8), i % 10 = 0,
       to_tsvector('simple', 'word' || i % 30 || ' all'), i % 500, i % 500 + i % 3
  FROM generate_series(1, 6000) AS i;

CREATE TABLE "Sélect".line (
    order_id bigint NOT NULL REFERENCES "Sélect"."order" (id),
    number smallint NOT NULL,
    amount numeric NOT NULL,
    note text,
    PRIMARY KEY (order_id, number)
);
INSERT INTO "Sélect".line SELECT i, j, i * j % 1000 / 10.0, CASE WHEN j = 2 THEN repeat('long note ', 30) || i END
  FROM generate_series(1, 6000) AS i, generate_series(1, 5) AS j WHERE j <= i % 5 + 1;

CREATE TABLE delivery (
    order_id bigint,
    number smallint,
    place int NOT NULL,
    FOREIGN KEY (order_id, number) REFERENCES "Sélect".line (order_id, number)
);
INSERT INTO delivery SELECT order_id, number, order_id % 77 FROM "Sélect".line WHERE number = 1;
INSERT INTO delivery SELECT NULL, NULL, i FROM generate_series(1, 700) AS i;

CREATE TABLE person (
    id int PRIMARY KEY,
    boss_id int REFERENCES person (id),
    best_id int,
    login text NOT NULL UNIQUE
);
INSERT INTO person SELECT i, nullif(i / 8, 0), NULL, 'user' || i || '@example.com' FROM generate_series(1, 3000) AS i;
CREATE TABLE team (id int PRIMARY KEY, lead_id int NOT NULL REFERENCES person (id));
INSERT INTO team SELECT i, i * 7 FROM generate_series(1, 400) AS i;
ALTER TABLE person ADD COLUMN team_id int REFERENCES team (id);
UPDATE person SET team_id = id % 400 + 1 WHERE id % 3 > 0;
CREATE TABLE membership (person_id int REFERENCES person (id), team_id int REFERENCES team (id), role text NOT NULL,
                         UNIQUE (person_id, team_id));
INSERT INTO membership SELECT i, (i * 7 + j * 13) % 400 + 1, CASE WHEN j = 0 THEN 'owner' ELSE 'member' END
  FROM generate_series(1, 3000) AS i, generate_series(0, 2) AS j;

CREATE TABLE tenant (id int PRIMARY KEY, name text);
INSERT INTO tenant SELECT i, 'tenant ' || i FROM generate_series(1, 20) AS i;
CREATE TABLE account (tenant_id int NOT NULL REFERENCES tenant (id), id int NOT NULL, PRIMARY KEY (tenant_id, id));
INSERT INTO account SELECT i % 20 + 1, i / 20 FROM generate_series(0, 1999) AS i;
CREATE TABLE project (tenant_id int NOT NULL REFERENCES tenant (id), id int NOT NULL, PRIMARY KEY (tenant_id, id));
INSERT INTO project SELECT i % 20 + 1, i / 20 FROM generate_series(0, 399) AS i;
CREATE TABLE task (
    id int PRIMARY KEY,
    tenant_id int NOT NULL REFERENCES tenant (id),
    account_id int,
    project_id int NOT NULL,
    FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES project (tenant_id, id)
);
INSERT INTO task SELECT i, (i * i) % 13 + 1, nullif(i % 90, 0), i % 20 FROM generate_series(1, 5000) AS i;

CREATE TABLE event (at date NOT NULL, k int NOT NULL, v text, PRIMARY KEY (at, k)) PARTITION BY RANGE (at);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (k);
CREATE TABLE event_2025_1 PARTITION OF event_2025 FOR VALUES IN (1, 2, 3);
CREATE TABLE event_2025_rest PARTITION OF event_2025 DEFAULT;
CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO event SELECT date '2025-01-01' + i % 700, i % 9, 'v' || i % 300 FROM generate_series(1, 6000) AS i
    ON CONFLICT DO NOTHING;
CREATE TABLE seen (at date, k int, who int, FOREIGN KEY (at, k) REFERENCES event (at, k));
INSERT INTO seen SELECT at, k, k FROM event;

CREATE TABLE bucket (id int PRIMARY KEY, v text) PARTITION BY HASH (id);
CREATE TABLE bucket_0 PARTITION OF bucket FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE bucket_1 PARTITION OF bucket FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE bucket_2 PARTITION OF bucket FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO bucket SELECT i, 'b' || i % 30 FROM generate_series(1, 3000) AS i;

CREATE TABLE animal (name text, legs int);
CREATE TABLE dog (breed text) INHERITS (animal);
INSERT INTO animal SELECT 'a' || i, i % 8 FROM generate_series(1, 1500) AS i;
INSERT INTO dog SELECT 'd' || i, 4, 'b' || i % 40 FROM generate_series(1, 2500) AS i;

CREATE TABLE tied (city int, zip int, kind text, other int);
INSERT INTO tied SELECT i % 300, i % 300 / 10, 'k' || i % 300 % 4, i % 17 FROM generate_series(1, 9000) AS i;
CREATE STATISTICS tied_all (dependencies, ndistinct, mcv) ON city, zip, kind FROM tied;

CREATE TABLE unseen (id int PRIMARY KEY, status text NOT NULL CHECK (status IN ('new', 'done')), v text)
    WITH (autovacuum_enabled = off);
CREATE TABLE shape (id int PRIMARY KEY, outline polygon, spot point NOT NULL DEFAULT '(0,0)');
INSERT INTO shape SELECT i, '((0,0),(1,1),(1,0))', point(i, i) FROM generate_series(1, 200) AS i;
CREATE TABLE nothing (id int PRIMARY KEY);

CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no trigger may fire'; END$$;
CREATE VIEW "a view" AS SELECT id FROM "Sélect"."order";
CREATE MATERIALIZED VIEW summary AS SELECT qty, count(*) AS n FROM "Sélect"."order" GROUP BY 1;
CREATE UNIQUE INDEX summary_qty ON summary (qty);
CREATE INDEX order_mail ON "Sélect"."order" (lower("camelCase")) WHERE qty > 10;
ANALYZE;
INSERT INTO unseen SELECT i, 'new', 'v' || i FROM generate_series(1, 2000) AS i;
CREATE TRIGGER touch BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION touched();
