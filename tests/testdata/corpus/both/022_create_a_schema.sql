CREATE SCHEMA audit;
CREATE TABLE audit.log (id INT8 PRIMARY KEY, entry TEXT);
INSERT INTO audit.log VALUES (1, 'begun');
-- @UNDO
DROP TABLE audit.log;
DROP SCHEMA audit;
