WITH raised AS (UPDATE counters SET n = n + 1 WHERE name = 'runs' RETURNING n)
SELECT n FROM raised;
SELECT count(*) FROM accounts;
UPDATE counters SET n = n + 10 WHERE name = 'runs';
-- @UNDO
UPDATE counters SET n = n - 11 WHERE name = 'runs';
