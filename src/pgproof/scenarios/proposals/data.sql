-- Rows of the proposal system, :scale times 80,000 proposals. Chance is drawn by the functions of ../prelude.sql, all
-- dates are fixed days.

-- The key of a row, as a client library makes them.
CREATE FUNCTION pg_temp.key(kind text, n bigint) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$ SELECT 'c' || substr(md5(kind || n), 1, 24) $$;

CREATE TEMPORARY TABLE sizes AS
SELECT
    greatest(20, 600 * least(:scale, 1))::bigint AS users,
    greatest(40, 6000 * :scale)::bigint AS customers,
    greatest(50, 2000 * least(:scale, 1))::bigint AS products,
    greatest(200, 80000 * :scale)::bigint AS proposals,
    greatest(100, 30000 * :scale)::bigint AS content,
    greatest(200, 120000 * :scale)::bigint AS approvals,
    greatest(300, 160000 * :scale)::bigint AS issues,
    greatest(400, 300000 * :scale)::bigint AS events,
    greatest(100, 20000 * :scale)::bigint AS baselines,
    greatest(500, 500000 * :scale)::bigint AS audit_logs,
    timestamptz '2023-06-01 00:00+00' AS first_day,
    800 * 86400 AS seconds;

INSERT INTO users (id, email, name, department, created_at)
SELECT
    pg_temp.key('user', n),
    'person' || n || '@vendor.example',
    pg_temp.pick('{Alan,Bea,Colin,Dora,Ed,Flora,Gus,Hilda,Ivor,June}', n, 11)
        || ' ' || pg_temp.pick('{Archer,Baker,Carter,Dyer,Fisher,Glover,Hunter,Mason,Potter,Weaver}', n, 12),
    pg_temp.pick('{sales,sales,sales,presales,legal,finance,executive}', n, 13),
    first_day - floor(pg_temp.chance(n, 14) * 700 * 86400) * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, users) AS n;

INSERT INTO customers (id, name, email, industry, tier, revenue, created_at)
SELECT
    pg_temp.key('customer', n),
    pg_temp.pick('{Amber,Cobalt,Copper,Crimson,Ivory,Jade,Ochre,Scarlet,Silver,Violet}', n, 21)
        || ' ' || pg_temp.pick('{Bridge,Field,Gate,Hill,Lake,Mill,Port,Tower,Valley,Wood}', n, 22) || ' ' || n,
    CASE WHEN pg_temp.chance(n, 23) < 0.9 THEN 'office@customer' || n || '.example' END,
    CASE WHEN pg_temp.chance(n, 24) < 0.8
        THEN pg_temp.pick('{health,education,finance,retail,energy,government}', n, 25)
    END,
    pg_temp.pick('{STANDARD,STANDARD,STANDARD,STANDARD,PREMIUM,PREMIUM,ENTERPRISE}', n, 26),
    CASE WHEN pg_temp.chance(n, 27) < 0.6 THEN floor(pg_temp.chance(n, 28) * 90000000)::numeric(14, 2) END,
    first_day - floor(pg_temp.chance(n, 29) * 900 * 86400) * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, customers) AS n;

INSERT INTO products (id, sku, name, category, price, is_active, attributes)
SELECT
    pg_temp.key('product', n),
    'SKU-' || lpad(n::text, 6, '0'),
    pg_temp.pick('{Scanner,Printer,Licence,Router,Server,Tablet,Training,Support,Cabinet,Sensor}', n, 31)
        || ' ' || pg_temp.pick('{basic,plus,pro,mini,max}', n, 32) || ' ' || n,
    pg_temp.pick('{hardware,hardware,software,service,service,accessory}', n, 33),
    (10 + floor(pg_temp.chance(n, 34) * pg_temp.chance(n, 35) * 2000000) / 100)::numeric(12, 2),
    pg_temp.chance(n, 36) < 0.92,
    CASE WHEN pg_temp.chance(n, 37) < 0.5
        THEN jsonb_build_object('colour', pg_temp.pick('{grey,black,white}', n, 38),
            'warranty_years', 1 + floor(pg_temp.chance(n, 39) * 4)::integer)
    END
FROM sizes
CROSS JOIN generate_series(1, products) AS n;

-- What is old has been decided; what is new is being written. Only what was approved has a date of approval.
INSERT INTO proposals (
    id, title, customer_id, created_by, status, priority, value, currency, due_date, approved_at, tags, created_at,
    updated_at
)
SELECT
    pg_temp.key('proposal', n),
    pg_temp.pick('{Renewal,Expansion,Pilot,Migration,Framework,Upgrade,Replacement}', n, 41) || ' of '
        || pg_temp.pick('{devices,licences,network,support,workplace,data centre}', n, 42) || ' ' || n,
    pg_temp.key('customer', pg_temp.scattered(pg_temp.skewed(n, 43, customers), customers)),
    pg_temp.key('user', 1 + pg_temp.skewed(n, 44, users)),
    status::proposal_status,
    pg_temp.pick('{LOW,MEDIUM,MEDIUM,MEDIUM,HIGH,HIGH,URGENT}', n, 45),
    CASE WHEN status <> 'DRAFT' OR pg_temp.chance(n, 46) < 0.4
        THEN (500 + floor(pg_temp.chance(n, 47) * pg_temp.chance(n, 48) * pg_temp.chance(n, 49) * 90000000) / 100)
            ::numeric(14, 2)
    END,
    pg_temp.pick('{USD,USD,USD,EUR,EUR,GBP}', n, 50),
    CASE WHEN pg_temp.chance(n, 51) < 0.8
        THEN created + (7 + floor(pg_temp.chance(n, 52) * 60)) * interval '1 day'
    END,
    CASE WHEN status IN ('APPROVED', 'SUBMITTED', 'ACCEPTED', 'DECLINED')
        THEN created + floor((0.02 + pg_temp.chance(n, 53) * pg_temp.chance(n, 54)) * 30 * 86400) * interval '1 second'
    END,
    CASE WHEN pg_temp.chance(n, 55) < 0.4
        THEN ARRAY[pg_temp.pick('{strategic,renewal,tender,partner,rush}', n, 56)]
        ELSE '{}'
    END,
    created,
    created + floor(pg_temp.chance(n, 57) * 40 * 86400) * interval '1 second'
FROM (
    SELECT
        *,
        CASE
            WHEN age < 0.03 THEN pg_temp.pick('{DRAFT,DRAFT,DRAFT,IN_REVIEW,IN_REVIEW,PENDING_APPROVAL,APPROVED}', n, 61)
            WHEN pg_temp.chance(n, 62) < 0.05 THEN 'DRAFT'
            WHEN pg_temp.chance(n, 63) < 0.01 THEN pg_temp.pick('{IN_REVIEW,PENDING_APPROVAL}', n, 64)
            WHEN pg_temp.chance(n, 65) < 0.08 THEN 'REJECTED'
            ELSE pg_temp.pick('{ACCEPTED,ACCEPTED,ACCEPTED,DECLINED,DECLINED,SUBMITTED,APPROVED}', n, 66)
        END AS status
    FROM (
        SELECT
            n,
            users,
            customers,
            1 - n::double precision / proposals AS age,
            first_day + floor((0.4 * n / proposals + 0.6 * sqrt(n::double precision / proposals)) * seconds)
                * interval '1 second' AS created
        FROM sizes
        CROSS JOIN generate_series(1, proposals) AS n
    ) AS dated
) AS written;

INSERT INTO proposal_products (id, proposal_id, product_id, quantity, unit_price, discount, created_at)
SELECT
    pg_temp.key('proposal product', n * 16 + item),
    pg_temp.key('proposal', n),
    pg_temp.key('product', product),
    1 + floor(pg_temp.chance(n * 16 + item, 71) * pg_temp.chance(n * 16 + item, 72) * 200)::integer,
    (10 + floor(pg_temp.chance(product, 34) * pg_temp.chance(product, 35) * 2000000) / 100)::numeric(12, 2),
    CASE WHEN pg_temp.chance(n * 16 + item, 73) < 0.3 THEN 5 * floor(1 + pg_temp.chance(n * 16 + item, 74) * 5) END,
    first_day + floor((0.4 * n / proposals + 0.6 * sqrt(n::double precision / proposals)) * seconds + item * 60)
        * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, proposals) AS n
CROSS JOIN LATERAL generate_series(1, 1 + pg_temp.skewed(n, 75, 13)) AS item
CROSS JOIN LATERAL (
    SELECT pg_temp.scattered(pg_temp.skewed(n * 16 + item, 76, products), products) AS product
) AS chosen;

INSERT INTO proposal_sections (id, proposal_id, title, content, "order", type, updated_at)
SELECT
    pg_temp.key('section', n * 8 + place),
    pg_temp.key('proposal', n),
    titles[place],
    titles[place] || ' of the offer. ' || repeat('We propose what was agreed and nothing besides. ',
        1 + floor(pg_temp.chance(n * 8 + place, 81) * 8)::integer),
    place,
    CASE WHEN place IN (2, 4) THEN 'PRODUCTS' WHEN place = 5 THEN 'TERMS' ELSE 'TEXT' END,
    first_day + floor((0.4 * n / proposals + 0.6 * sqrt(n::double precision / proposals)) * seconds + place * 300)
        * interval '1 second'
FROM sizes
CROSS JOIN (SELECT '{Summary,Scope,Approach,Prices,Terms,Appendix}'::text[] AS titles) AS named
CROSS JOIN generate_series(1, proposals) AS n
CROSS JOIN LATERAL generate_series(1, 2 + floor(pg_temp.chance(n, 82) * pg_temp.chance(n, 83) * 5)::integer) AS place;

INSERT INTO content (id, title, type, category, body, tags, is_active, usage_count, created_by, created_at)
SELECT
    pg_temp.key('content', n),
    pg_temp.pick('{Reference,Biography,Case study,Price note,Boilerplate,Diagram}', n, 91) || ' ' || n,
    types[1 + pg_temp.skewed(n, 92, cardinality(types))],
    CASE WHEN pg_temp.chance(n, 93) < 0.85 THEN categories[1 + pg_temp.skewed(n, 94, cardinality(categories))] END,
    repeat(pg_temp.pick('{"Proven in many projects. ","Described in the manual. ","Agreed with the customer. "}', n, 95),
        2 + floor(pg_temp.chance(n, 96) * 12)::integer),
    ARRAY[pg_temp.pick('{en,de,fr}', n, 97)],
    pg_temp.chance(n, 98) < 0.88,
    floor(pg_temp.chance(n, 99) * pg_temp.chance(n, 100) * pg_temp.chance(n, 101) * 4000)::integer,
    pg_temp.key('user', 1 + pg_temp.skewed(n, 102, users)),
    first_day + floor(n::double precision / content * seconds) * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, content) AS n
CROSS JOIN (
    SELECT
        '{TEXT,TEMPLATE,IMAGE,DOCUMENT,MEDIA}'::content_type[] AS types,
        '{references,security,delivery,company,legal,training,sustainability,finance}'::text[] AS categories
) AS kinds;

-- One in forty still waits for somebody, nearly all of them young.
INSERT INTO approval_executions (
    id, workflow_id, proposal_id, current_stage, status, approver_id, started_at, completed_at
)
SELECT
    pg_temp.key('approval', n),
    'workflow-' || (1 + pg_temp.skewed(n, 111, 25)),
    pg_temp.key('proposal', greatest(1, n * proposals / approvals)),
    1 + floor(pg_temp.chance(n, 112) * 4)::integer,
    status,
    CASE WHEN status <> 'PENDING' OR pg_temp.chance(n, 113) < 0.7
        THEN pg_temp.key('user', 1 + pg_temp.skewed(n, 114, users))
    END,
    started,
    CASE WHEN status IN ('APPROVED', 'REJECTED')
        THEN started + floor(pg_temp.chance(n, 115) * pg_temp.chance(n, 116) * 12 * 86400) * interval '1 second'
    END
FROM (
    SELECT
        n,
        users,
        proposals,
        approvals,
        CASE
            WHEN pg_temp.chance(n, 117) < CASE WHEN n > approvals * 0.97 THEN 0.7 ELSE 0.004 END
                THEN pg_temp.pick('{PENDING,PENDING,IN_PROGRESS,ESCALATED}', n, 118)
            WHEN pg_temp.chance(n, 119) < 0.9 THEN 'APPROVED'
            ELSE 'REJECTED'
        END AS status,
        first_day + floor((0.4 * n / approvals + 0.6 * sqrt(n::double precision / approvals)) * seconds)
            * interval '1 second' AS started
    FROM sizes
    CROSS JOIN generate_series(1, approvals) AS n
) AS opened;

-- Rules decide how severe an issue is; critical ones are resolved soon.
INSERT INTO validation_issues (
    id, entity_id, entity_type, rule_id, severity, status, message, detected_at, resolved_at
)
SELECT
    pg_temp.key('issue', n),
    CASE entity_type
        WHEN 'product' THEN pg_temp.key('product', pg_temp.scattered(pg_temp.skewed(n, 121, products), products))
        ELSE pg_temp.key('proposal', greatest(1, n * proposals / issues))
    END,
    entity_type,
    'rule-' || rule,
    level::severity,
    status,
    'Rule ' || rule || ' is not met by ' || entity_type || ' ' || n,
    detected,
    CASE WHEN status = 'RESOLVED'
        THEN detected + floor(pg_temp.chance(n, 122) * CASE level WHEN 'CRITICAL' THEN 2 ELSE 45 END * 86400)
            * interval '1 second'
    END
FROM (
    SELECT
        *,
        CASE
            WHEN level = 'CRITICAL' AND pg_temp.chance(n, 123) < 0.97 THEN 'RESOLVED'
            WHEN age < 0.04 THEN pg_temp.pick('{OPEN,OPEN,OPEN,RESOLVED}', n, 124)
            WHEN pg_temp.chance(n, 125) < 0.85 THEN 'RESOLVED'
            ELSE pg_temp.pick('{OPEN,IGNORED,IGNORED,IGNORED}', n, 126)
        END AS status
    FROM (
        SELECT
            n,
            products,
            proposals,
            issues,
            rule,
            1 - n::double precision / issues AS age,
            CASE WHEN rule % 3 = 0 THEN 'product' ELSE 'proposal' END AS entity_type,
            CASE WHEN rule = 39 THEN 'CRITICAL' WHEN rule > 30 THEN 'ERROR' WHEN rule > 8 THEN 'WARNING' ELSE 'INFO' END
                AS level,
            first_day + floor((0.4 * n / issues + 0.6 * sqrt(n::double precision / issues)) * seconds)
                * interval '1 second' AS detected
        FROM sizes
        CROSS JOIN generate_series(1, issues) AS n
        CROSS JOIN LATERAL (SELECT pg_temp.skewed(n, 127, 40) AS rule) AS broken
    ) AS ruled
) AS found;

INSERT INTO hypothesis_validation_events (
    id, user_id, hypothesis, component_id, action, target_value, actual_value, performance_improvement, "timestamp"
)
SELECT
    pg_temp.key('event', n),
    pg_temp.key('user', 1 + pg_temp.skewed(n, 131, users)),
    'H' || (1 + pg_temp.skewed(n, 132, 12)),
    CASE WHEN pg_temp.chance(n, 133) < 0.75 THEN 'component-' || floor(pg_temp.chance(n, 134) * 80)::integer END,
    pg_temp.pick('{view,view,view,search,compose,validate,export}', n, 135),
    (20 + floor(pg_temp.chance(n, 136) * 8000) / 100)::numeric(10, 2),
    CASE WHEN measured THEN (floor(pg_temp.chance(n, 137) * 12000) / 100)::numeric(10, 2) END,
    CASE WHEN measured THEN (floor(pg_temp.chance(n, 138) * 14000) / 100 - 60)::numeric(10, 2) END,
    first_day + floor((0.3 * n / events + 0.7 * sqrt(n::double precision / events)) * seconds) * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, events) AS n
CROSS JOIN LATERAL (SELECT pg_temp.chance(n, 139) < 0.35 AS measured) AS told;

INSERT INTO performance_baselines (id, hypothesis, metric_name, baseline_value, sample_size, collection_date)
SELECT
    pg_temp.key('baseline', n),
    'H' || (1 + pg_temp.skewed(n, 141, 12)),
    pg_temp.pick('{time_to_compose,time_to_search,error_rate,approval_time,render_time}', n, 142),
    (floor(pg_temp.chance(n, 143) * 20000) / 100)::numeric(10, 2),
    10 + floor(pg_temp.chance(n, 144) * 900)::integer,
    first_day + floor(n::double precision / baselines * seconds) * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, baselines) AS n;

-- Nothing was ever removed from here, and every month adds more than the one before.
INSERT INTO audit_logs (id, user_id, action, entity, entity_id, severity, success, changes, "timestamp")
SELECT
    pg_temp.key('audit', n),
    CASE WHEN pg_temp.chance(n, 151) < 0.9 THEN pg_temp.key('user', 1 + pg_temp.skewed(n, 152, users)) END,
    pg_temp.pick('{READ,READ,READ,UPDATE,UPDATE,CREATE,DELETE,LOGIN}', n, 153),
    entity,
    CASE entity
        WHEN 'customer' THEN pg_temp.key('customer', pg_temp.scattered(pg_temp.skewed(n, 154, customers), customers))
        WHEN 'product' THEN pg_temp.key('product', pg_temp.scattered(pg_temp.skewed(n, 155, products), products))
        ELSE pg_temp.key('proposal', greatest(1, floor(
            (n::double precision / audit_logs - pg_temp.chance(n, 156) * pg_temp.chance(n, 157) * 0.05) * proposals)::bigint))
    END,
    (CASE WHEN pg_temp.chance(n, 158) < 0.995 THEN 'INFO'
        ELSE pg_temp.pick('{WARNING,WARNING,ERROR,CRITICAL}', n, 159) END)::severity,
    pg_temp.chance(n, 160) < 0.99,
    CASE WHEN pg_temp.chance(n, 161) < 0.3
        THEN jsonb_build_object('field', pg_temp.pick('{status,value,title,due_date}', n, 162), 'n', n)
    END,
    first_day + floor((0.2 * n / audit_logs + 0.8 * sqrt(n::double precision / audit_logs)) * seconds)
        * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, audit_logs) AS n
CROSS JOIN LATERAL (
    SELECT pg_temp.pick('{proposal,proposal,proposal,proposal,customer,product}', n, 163) AS entity
) AS touched;

DROP TABLE sizes;

SELECT pg_temp.report_changes();

ANALYZE;
