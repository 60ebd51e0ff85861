/* A comment; with a semicolon /* and one inside; */ */
CREATE TABLE "Odd ; name" ("a ""b""" TEXT PRIMARY KEY);
INSERT INTO "Odd ; name" VALUES ('it''s; -- @UNDO'), (E'tab\t\\;');
UPDATE counters SET n = n + 1 WHERE name = 'runs' -- no semicolon
-- @UNDO
UPDATE counters SET n = n - 1 WHERE name = 'runs';
DROP TABLE "Odd ; name"
