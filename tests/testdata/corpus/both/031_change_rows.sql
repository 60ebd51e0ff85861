UPDATE counters SET n = n + 1 WHERE name = 'runs';
INSERT INTO counters VALUES ('visits', 1);
INSERT INTO counters VALUES ('visits', 1) ON CONFLICT (name) DO UPDATE SET n = counters.n + 1;
INSERT INTO events SELECT id + 100, id, 'checked' FROM accounts WHERE id <= 5;
DELETE FROM events WHERE id IN (101, 102);
UPDATE counters SET n = n * 3 WHERE name = 'visits';
-- @UNDO
UPDATE counters SET n = n - 1 WHERE name = 'runs';
DELETE FROM events WHERE id > 100;
DELETE FROM counters WHERE name = 'visits';
