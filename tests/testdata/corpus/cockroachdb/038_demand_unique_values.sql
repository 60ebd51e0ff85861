CREATE UNIQUE INDEX accounts_code ON accounts (code);
ALTER TABLE accounts ADD CONSTRAINT accounts_name UNIQUE (name);
-- @UNDO
DROP INDEX accounts@accounts_name CASCADE;
DROP INDEX accounts@accounts_code CASCADE;
