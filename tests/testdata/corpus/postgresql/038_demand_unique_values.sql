CREATE UNIQUE INDEX accounts_code ON accounts (code);
ALTER TABLE accounts ADD CONSTRAINT accounts_name UNIQUE (name);
-- @UNDO
ALTER TABLE accounts DROP CONSTRAINT accounts_name;
DROP INDEX accounts_code;
