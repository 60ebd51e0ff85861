CREATE VIEW openings AS SELECT account FROM events WHERE kind = 'opened';
ALTER VIEW rich RENAME TO wealthy;
-- @UNDO
ALTER VIEW wealthy RENAME TO rich;
DROP VIEW openings;
