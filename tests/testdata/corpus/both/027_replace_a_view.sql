CREATE OR REPLACE VIEW rich AS SELECT id, name FROM accounts WHERE balance > 120;
-- @UNDO
CREATE OR REPLACE VIEW rich AS SELECT id, name FROM accounts WHERE balance > 100;
