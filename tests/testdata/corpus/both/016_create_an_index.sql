CREATE INDEX accounts_balance ON accounts (balance DESC, name);
CREATE INDEX accounts_rich ON accounts (name) WHERE balance > 100;
-- @UNDO
DROP INDEX accounts_rich;
DROP INDEX accounts_balance;
