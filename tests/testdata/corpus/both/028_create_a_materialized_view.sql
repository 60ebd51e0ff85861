CREATE MATERIALIZED VIEW totals AS SELECT sum(balance) AS total FROM accounts;
UPDATE counters SET n = n + 1 WHERE name = 'runs';
REFRESH MATERIALIZED VIEW totals;
-- @UNDO
DROP MATERIALIZED VIEW totals;
UPDATE counters SET n = n - 1 WHERE name = 'runs';
