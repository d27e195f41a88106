-- Rows of the shop, :scale times 200,000 orders. Chance is drawn by the functions of ../prelude.sql, all dates are
-- fixed days, and floating point stays within the operations that IEEE 754 rounds exactly.

CREATE TEMPORARY TABLE sizes AS
SELECT
    greatest(100, 200000 * :scale)::bigint AS orders,
    greatest(60, 60000 * :scale)::bigint AS customers,
    greatest(50, 10000 * :scale)::bigint AS buyers,
    greatest(8, least(240, 240 * :scale))::bigint AS agents,
    greatest(100, 250000 * :scale)::bigint AS notifications;

-- Agents first (ids 1 .. agents), buyers after them.
INSERT INTO users (id, name, email, role, "agentCode", "isActive", "createdAt")
SELECT
    n,
    pg_temp.pick(first_names, n, 11) || ' ' || pg_temp.pick(last_names, n, 12),
    'user' || n || '@' || pg_temp.pick('{gmail.example,yahoo.example,shop.example}', n, 13),
    CASE WHEN n <= agents THEN 'agent' ELSE 'buyer' END,
    CASE WHEN n <= agents THEN 'AG-' || lpad(n::text, 4, '0') END,
    pg_temp.chance(n, 14) > 0.08,
    timestamp '2022-06-01' + floor(pg_temp.chance(n, 15) * 210 * 86400) * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, agents + buyers) AS n
CROSS JOIN (
    SELECT
        '{Amina,Yacine,Fatima,Karim,Sofia,Rachid,Nadia,Omar,Leïla,Samir,Houda,Bilal}'::text[] AS first_names,
        '{Benali,Haddad,Mansouri,Saidi,Cherif,Brahimi,Khelifi,Belaïd,Ziani,Toumi}'::text[] AS last_names
) AS names
ORDER BY n;

INSERT INTO customers (id, "fullName", telephone, wilaya, commune, address, "createdAt")
SELECT
    n,
    pg_temp.pick(first_names, n, 21) || ' ' || pg_temp.pick(last_names, n, 22),
    pg_temp.pick('{055,066,077,054,069}', n, 23) || lpad(floor(pg_temp.chance(n, 24) * 10000000)::text, 7, '0'),
    wilayas[1 + pg_temp.skewed(n, 25, cardinality(wilayas))],
    CASE WHEN pg_temp.chance(n, 26) < 0.7 THEN 'Commune ' || floor(pg_temp.chance(n, 27) * 1541)::text END,
    CASE WHEN pg_temp.chance(n, 28) < 0.9
        THEN 'Cité ' || floor(pg_temp.chance(n, 29) * 900)::text || ' logements, bâtiment '
            || floor(pg_temp.chance(n, 30) * 60)::text
    END,
    timestamp '2023-01-01' + floor(pg_temp.chance(n, 31) * 900 * 86400) * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, customers) AS n
CROSS JOIN (
    SELECT
        '{Amina,Yacine,Fatima,Karim,Sofia,Rachid,Nadia,Omar,Leïla,Samir,Houda,Bilal,Meriem,Walid,Khadidja,Mourad,
          Imane,Tarek,Sarah,Hicham,Lynda,Reda,Asma,Fouad,Wafa,Amine,Djamila,Sofiane,Rania,Zoubir,Nesrine,Adel,
          Salima,Fares,Hanane,Nassim,Dalila,Ilyes,Karima,Mehdi}'::text[] AS first_names,
        '{Benali,Haddad,Mansouri,Saidi,Cherif,Brahimi,Khelifi,Belaïd,Ziani,Toumi,Boudiaf,Hamdi,Meziane,Ouali,
          Rahmani,Slimani,Amrani,Bouzid,Djebbar,Ferhat,Guerfi,Hadjadj,Issad,Kaci,Lounis,Messaoudi,Nait,Oukaci,
          Rezki,Sahli,Tebboune,Yahiaoui,Zerrouki,Abdelli,Belkacem,Chaouche,Derradji,Fekir,Ghezali,Hamidou,
          Idir,Khaldi,Larbi,Mokhtari,Nouri,Rabah,Sellami,Taleb,Yousfi,Zidane}'::text[] AS last_names,
        '{Alger,Oran,Constantine,Sétif,Blida,Béjaïa,"Tizi Ouzou",Batna,Annaba,Tlemcen,Djelfa,"Sidi Bel Abbès",
          Biskra,Mostaganem,Médéa,Chlef,Skikda,Tiaret,Boumerdès,"El Oued",Jijel,Relizane,Guelma,Bouira,
          Ghardaïa,Laghouat,Ouargla,Saïda,Béchar,Tébessa,Mila,Khenchela,"Souk Ahras",Tipaza,Naâma,Adrar,
          Tissemsilt,"El Tarf","El Bayadh",Tamanrasset,Illizi,Tindouf}'::text[] AS wilayas
) AS names
ORDER BY n;

-- Orders grow over 30 months; the closer to the end, the more of them are still open.
INSERT INTO orders (
    id, reference, status, "shippingStatus", total, "storeIdentifier", "assignedAgentId", "customerId", "userId",
    notes, "createdAt", "updatedAt", "orderDate"
)
SELECT
    n,
    'CMD-' || to_char(created, 'YYMM') || '-' || upper(substr(md5('order ' || n), 1, 8)),
    status,
    CASE status
        WHEN 'delivered' THEN 'delivered'
        WHEN 'shipped' THEN pg_temp.pick('{in_transit,in_transit,at_hub,out_for_delivery}', n, 41)
        WHEN 'returned' THEN 'returned'
        WHEN 'disputed' THEN pg_temp.pick('{delivered,lost}', n, 42)
        WHEN 'confirmed' THEN 'preparing'
    END,
    (900 + floor(pg_temp.chance(n, 43) * pg_temp.chance(n, 44) * 6000000) / 100)::numeric(12, 2),
    'store-' || lpad(pg_temp.scattered(pg_temp.skewed(n, 45, 60), 60)::text, 3, '0'),
    CASE WHEN pg_temp.chance(n, 46) < CASE status WHEN 'pending' THEN 0.35 ELSE 0.97 END
        THEN 1 + floor(pg_temp.chance(n, 47) * pg_temp.chance(n, 48) * agents)::bigint
    END,
    pg_temp.scattered(pg_temp.skewed(n, 49, customers), customers),
    CASE WHEN pg_temp.chance(n, 50) < 0.85
        THEN agents + pg_temp.scattered(pg_temp.skewed(n, 51, buyers), buyers)
    END,
    CASE WHEN pg_temp.chance(n, 52) < 0.25
        THEN pg_temp.pick('{Appeler avant la livraison,Client absent le matin,Emballage cadeau,Rappeler demain,
            Livraison au bureau,Deuxième tentative,Adresse à confirmer par téléphone}', n, 53)
    END,
    created,
    created + floor(pg_temp.chance(n, 54) * pg_temp.chance(n, 55) * 20 * 86400) * interval '1 second',
    created::date
FROM (
    SELECT
        *,
        CASE
            WHEN pg_temp.chance(n, 61) < 0.002 THEN 'disputed'
            WHEN age < 0.02
                THEN pg_temp.pick('{pending,pending,pending,confirmed,confirmed,shipped,cancelled}', n, 62)
            WHEN age < 0.06
                THEN pg_temp.pick('{pending,confirmed,shipped,shipped,delivered,delivered,cancelled}', n, 63)
            WHEN pg_temp.chance(n, 64) < 0.70 THEN 'delivered'
            WHEN pg_temp.chance(n, 65) < 0.55 THEN 'cancelled'
            WHEN pg_temp.chance(n, 66) < 0.85 THEN 'returned'
            ELSE pg_temp.pick('{pending,confirmed,shipped}', n, 67)
        END AS status
    FROM (
        SELECT
            n, agents, buyers, customers,
            1 - n::double precision / orders AS age,
            timestamp '2023-01-01'
                + floor((0.35 * n / orders + 0.65 * sqrt(n::double precision / orders)) * 912 * 86400)
                * interval '1 second' AS created
        FROM sizes
        CROSS JOIN generate_series(1, orders) AS n
    ) AS dated
) AS placed
ORDER BY n;

INSERT INTO order_items (id, "orderId", title, quantity, price)
SELECT
    row_number() OVER (ORDER BY o.id, item),
    o.id,
    pg_temp.pick('{Robe,Chemise,Pantalon,Veste,Baskets,Sac à main,Montre,Parfum,Casque audio,Chargeur,Lampe,Tapis}',
        product, 71)
        || ' ' || pg_temp.pick('{classique,sport,premium,éco,enfant,été,hiver,duo}', product, 72) || ' ' || product,
    1 + floor(pg_temp.chance(o.id * 8 + item, 73) * pg_temp.chance(o.id * 8 + item, 74) * 5)::integer,
    (300 + pg_temp.chance(product, 75) * 12000)::numeric(12, 2)
FROM orders AS o
CROSS JOIN LATERAL generate_series(1, 1 + pg_temp.skewed(o.id, 76, 6)) AS item
CROSS JOIN LATERAL (SELECT pg_temp.chance(o.id * 8 + item, 77) AS draw) AS drawn
CROSS JOIN LATERAL (SELECT pg_temp.scattered(floor(draw * draw * 2000)::bigint, 2000) AS product) AS bought
ORDER BY o.id, item;

INSERT INTO agent_activities (id, "agentId", "orderId", "activityType", "durationS", "createdAt")
SELECT
    row_number() OVER (ORDER BY happened, o.id, step),
    o."assignedAgentId",
    o.id,
    CASE step
        WHEN 1 THEN 'assigned'
        ELSE pg_temp.pick('{called,called,called,status_changed,note_added,escalated}', o.id * 4 + step, 81)
    END,
    CASE WHEN step > 1 THEN 10 + floor(pg_temp.chance(o.id * 4 + step, 82) * 600)::integer END,
    happened
FROM orders AS o
CROSS JOIN LATERAL generate_series(1, 1 + pg_temp.skewed(o.id, 83, 4)) AS step
CROSS JOIN LATERAL (
    SELECT o."createdAt" + floor((step - 1 + pg_temp.chance(o.id * 4 + step, 84)) * 30000) * interval '1 second'
        AS happened
) AS dated
WHERE o."assignedAgentId" IS NOT NULL
ORDER BY happened, o.id, step;

-- Most have been read; news for everybody goes out in batches of one instant.
INSERT INTO notifications (id, "userId", title, message, "isRead", "createdAt")
SELECT
    n,
    CASE WHEN pg_temp.chance(n, 91) < 0.4
        THEN 1 + floor(pg_temp.chance(n, 92) * pg_temp.chance(n, 93) * agents)::bigint
        ELSE agents + pg_temp.scattered(pg_temp.skewed(n, 94, buyers), buyers)
    END,
    pg_temp.pick('{Commande confirmée,Commande expédiée,Commande livrée,Nouveau message,Promotion,Retour accepté}',
        n, 95),
    'Notification ' || n || ' : ' || pg_temp.pick('{consultez votre espace,un agent vous rappellera,
        merci de votre confiance,suivez votre colis,répondez avant demain soir}', n, 96),
    pg_temp.chance(n, 97) < CASE WHEN n > notifications * 0.95 THEN 0.55 ELSE 0.985 END,
    timestamp '2023-01-01'
        + floor((0.35 * batch / notifications + 0.65 * sqrt(batch::double precision / notifications)) * 912 * 86400)
        * interval '1 second'
FROM sizes
CROSS JOIN generate_series(1, notifications) AS n
CROSS JOIN LATERAL (SELECT CASE WHEN pg_temp.chance(n / 25, 98) < 0.1 THEN n / 25 * 25 ELSE n END AS batch) AS sent
ORDER BY n;

SELECT
    setval(pg_get_serial_sequence('users', 'id'), (SELECT max(id) FROM users)),
    setval(pg_get_serial_sequence('customers', 'id'), (SELECT max(id) FROM customers)),
    setval(pg_get_serial_sequence('orders', 'id'), (SELECT max(id) FROM orders)),
    setval(pg_get_serial_sequence('order_items', 'id'), (SELECT max(id) FROM order_items)),
    setval(pg_get_serial_sequence('agent_activities', 'id'), (SELECT max(id) FROM agent_activities)),
    setval(pg_get_serial_sequence('notifications', 'id'), (SELECT max(id) FROM notifications));

DROP TABLE sizes;

SELECT pg_temp.report_changes();

ANALYZE;
