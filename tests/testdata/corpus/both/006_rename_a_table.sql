ALTER TABLE obsolete RENAME TO archived;
-- @UNDO
ALTER TABLE archived RENAME TO obsolete;
