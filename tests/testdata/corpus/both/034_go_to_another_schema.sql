CREATE SCHEMA shop;
SET search_path = shop, public;
CREATE TABLE goods (id INT8 PRIMARY KEY);
INSERT INTO goods VALUES (1);
UPDATE counters SET n = n + 1 WHERE name = 'runs';
ALTER TABLE goods ADD COLUMN price INT8;
INSERT INTO goods VALUES (2, 20);
-- @UNDO
SET search_path = shop, public;
UPDATE counters SET n = n - 1 WHERE name = 'runs';
DROP TABLE goods;
SET search_path = public;
DROP SCHEMA shop;
