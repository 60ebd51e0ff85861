UPSERT INTO counters SELECT 'runs', n + 1 FROM counters WHERE name = 'runs';
UPSERT INTO counters VALUES ('calls', 5);
-- @UNDO
UPDATE counters SET n = n - 1 WHERE name = 'runs';
DELETE FROM counters WHERE name = 'calls';
