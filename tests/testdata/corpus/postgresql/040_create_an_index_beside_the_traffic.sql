CREATE INDEX CONCURRENTLY accounts_name_kind ON accounts (name, kind);
-- @UNDO
DROP INDEX CONCURRENTLY accounts_name_kind;
