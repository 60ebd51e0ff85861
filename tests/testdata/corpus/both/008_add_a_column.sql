ALTER TABLE accounts ADD COLUMN nickname TEXT;
-- @UNDO
ALTER TABLE accounts DROP COLUMN nickname;
