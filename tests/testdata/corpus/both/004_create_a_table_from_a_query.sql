CREATE TABLE richest AS SELECT id, name FROM accounts WHERE balance > 150;
-- @UNDO
DROP TABLE richest;
