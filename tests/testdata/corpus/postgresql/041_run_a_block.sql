DO $$ BEGIN UPDATE counters SET n = n + 1 WHERE name = 'runs'; END $$;
CREATE DOMAIN percent AS INT CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE pair AS (a INT, b INT);
-- @UNDO
DROP TYPE pair;
DROP DOMAIN percent;
UPDATE counters SET n = n - 1 WHERE name = 'runs';
