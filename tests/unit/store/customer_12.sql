-- A customer's installation as version 12 of the system database held it: every table has rows.
-- Sealed bytes, hashes and MACs are made up; what matters is that they come through as they are.
INSERT INTO owner VALUES (1, zeroblob(16));
INSERT INTO outbox VALUES (41, x'7b7d'), (42, x'7b227d');
UPDATE outbox_state SET last = 42, acked = 40;
INSERT INTO tenant VALUES (CAST('aa00000000000001' AS BLOB), 'main', 1, 1, 1000),
  (CAST('aa00000000000002' AS BLOB), 'Boulangerie Martin', 0, 1, 2000), (CAST('aa00000000000003' AS BLOB), 'Crêperie Ÿves', 0, 0, 3000);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
  INSERT INTO person (id, tenant, address, email_sealed, password, totp_sealed, totp_last_step, created_ms, lang)
  SELECT CAST(printf('bb%014d', i) AS BLOB), CAST(printf('aa%014d', 1 + i % 3) AS BLOB), CAST(printf('%032d', i) AS BLOB), CAST(printf('e1%06d', i) AS BLOB),
    '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$' || i, CASE WHEN i % 2 THEN CAST(printf('70%06d', i) AS BLOB) END, i, 1000 + i, CASE i % 2 WHEN 0 THEN 'fr' ELSE 'en' END FROM n;
INSERT INTO membership SELECT tenant, id, 1 + totp_last_step % 7 FROM person;
INSERT INTO invitation SELECT CAST(printf('c1%030d', totp_last_step) AS BLOB), tenant, CAST(printf('cc%014d', totp_last_step) AS BLOB), address, email_sealed, 2, id, NULL, 9000, NULL
  FROM person WHERE totp_last_step < 9;
INSERT INTO session SELECT CAST(printf('5e%030d', totp_last_step) AS BLOB), CAST(printf('5f%014d', totp_last_step) AS BLOB), id, tenant, 1, 2, 3600, 4000, 8000 FROM person WHERE totp_last_step < 50;
INSERT INTO pending_sign_in SELECT CAST(printf('6e%030d', totp_last_step) AS BLOB), id, tenant, 1, 5000 FROM person WHERE totp_last_step < 4;
INSERT INTO sign_in_failure SELECT address, x'01', 3, 100, NULL FROM person WHERE totp_last_step < 4;
INSERT INTO reset_request VALUES (zeroblob(32), 'fr', 7, 0);
INSERT INTO password_reset SELECT CAST(printf('7e%030d', totp_last_step) AS BLOB), id, tenant, 100, NULL FROM person WHERE totp_last_step < 4;
INSERT INTO recovery_code SELECT id, address, CASE WHEN totp_last_step > 20 THEN 5 END FROM person WHERE totp_last_step < 40;
INSERT INTO app_token VALUES (x'0a000000000000000000000000000001', 'notes', x'0b00000000000000000000000000000000000000000000000000000000000000', 31, 5, 0, 0);
INSERT INTO api_token VALUES (x'0c000000000000000000000000000001', x'0d00000000000000000000000000000000000000000000000000000000000000', 'importer', zeroblob(16), 'write', 'risks changes', 5, 99);
INSERT INTO gate_entry VALUES (x'0e000000000000000000000000000001', 0, '198.51.100.0/24', '', '', '', '', 'password guessing', 'ops', 1, 0);
UPDATE gate_lists SET generation = 7;
INSERT INTO gate_attack VALUES ('', 1, 2, 'ops');
INSERT INTO waf_exclusion VALUES ('3f9a01c2', 'notes', 942100, 'ARGS:text', '/', 1, 'the editor sends HTML', 'ops', 1, 20, 3, 900);
INSERT INTO address_change SELECT id, tenant, CAST(printf('8e%030d', totp_last_step) AS BLOB), NULL, zeroblob(32), x'01', address, x'02', 1, NULL, 1, 1 FROM person WHERE totp_last_step = 3;
INSERT INTO tenant_closing VALUES (CAST('aa00000000000003' AS BLOB), 10, 20, 0, 0, 0);
INSERT INTO register_schema VALUES ('persons', 1, 'field name text sealed'), ('suppliers', 2, 'field name text');
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
  INSERT INTO register_record SELECT i, CAST(printf('d0%014d', i) AS BLOB), CASE i % 2 WHEN 0 THEN 'persons' ELSE 'suppliers' END, (i + 1) / 2, CASE i % 5 WHEN 0 THEN 'left' ELSE 'active' END, 2,
    CAST(printf('d0%014d', 2) AS BLOB), 100 + i, 200 + i, i % 7 = 0, CASE i % 2 WHEN 0 THEN '{"kind":"employee","roles":["security","hr"],"start":"2026-01-02"}'
    ELSE '{"name":"Nuage ' || i || '","tier":"one"}' END, CASE i % 2 WHEN 0 THEN CAST(printf('5ea1%06d', i) AS BLOB) END, CAST(printf('3a%030d', i) AS BLOB) FROM n;
INSERT INTO register_value SELECT row, 'tier', register, 'one' FROM register_record WHERE register = 'suppliers';
INSERT INTO register_value SELECT row, 'start', register, '2026-01-02' FROM register_record WHERE register = 'persons';
INSERT INTO register_text (rowid, register, body) SELECT row, register, 'R24-' || number || ' Nuage fournisseur' FROM register_record WHERE register = 'suppliers';
INSERT INTO register_change SELECT row, v, '{"at":"2026-11-24T10:00:00Z","by":"owner","from":"prehire","to":"' || state || '"}', sealed FROM register_record, (SELECT 1 v UNION SELECT 2);
INSERT INTO register_file SELECT row, zeroblob(32), x'0102' FROM register_record WHERE row < 4;
INSERT INTO register_piece SELECT row, zeroblob(32), 0, x'0304', mac FROM register_record WHERE row < 9;
INSERT INTO register_view VALUES (x'0f000000000000000000000000000001', 'suppliers', zeroblob(16), 'critical', '{"filter":{"tier":"one"}}');
INSERT INTO clock SELECT id, 'review', 1, 900000, 0, x'a0bb0d00000000000100', 0, 0, 900000, NULL FROM register_record WHERE state = 'active';
INSERT INTO clock SELECT id, 'held', 1, 2, 0, x'02000000000000000100', 5, 1, NULL, 'the owner is ill' FROM register_record WHERE row < 5;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
  INSERT INTO notice SELECT CAST(printf('ee%014d', i) AS BLOB), c, CASE WHEN i % 2 THEN CAST(printf('%032d', i) AS BLOB) END, 'deadline', CAST(printf('aa%014d', 1) AS BLOB), CAST(printf('bb%014d', i) AS BLOB), 'fr',
    CASE WHEN i % 3 THEN x'99' END, CASE c WHEN 'inbox' THEN 'unread' ELSE CASE i % 3 WHEN 0 THEN 'sent' ELSE 'waiting' END END, i % 4, CASE i % 4 WHEN 0 THEN '' ELSE 'no route' END, 300 + i, 400 + i
  FROM n, (SELECT 'mail' c UNION SELECT 'inbox');
